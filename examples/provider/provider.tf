terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

# The endpoint and the token come from the environment variables WALDUR_API_URL
# and WALDUR_ACCESS_TOKEN, so that no file contains the token.
provider "waldur" {}
