terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

# The environment variables WALDUR_API_URL and WALDUR_ACCESS_TOKEN set the
# endpoint and the token, so no file contains the token.
provider "waldur" {}
