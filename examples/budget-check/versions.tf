terraform {
  # Provider-defined functions need Terraform 1.8 or OpenTofu 1.7.
  required_version = ">= 1.7.0"

  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}
