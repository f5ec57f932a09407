terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

# The endpoint and the token come from the environment variables WALDUR_API_URL
# and WALDUR_ACCESS_TOKEN, so that no token stands in a file.
provider "waldur" {}
