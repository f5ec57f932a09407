terraform {
  # Terraform 1.5 and OpenTofu 1.6 brought check blocks and plantimestamp().
  required_version = ">= 1.5.0"

  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}
