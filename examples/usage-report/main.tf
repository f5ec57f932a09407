# Reports the usage of a project in a year as Markdown.
#
#   terraform apply -var project_uuid=2b5719686db84f24bf64c3dfec58fbeb -var year=2024
#   terraform output -raw report

terraform {
  required_version = ">= 1.7.0" # provider-defined functions: Terraform 1.8 or OpenTofu 1.7
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "project_uuid" {
  type = string
}

variable "year" {
  type = number
}

data "waldur_category_component_usages" "year" {
  project_uuid = var.project_uuid
  date_after   = "${var.year}-01-01"
  date_before  = "${var.year}-12-31"
  fields       = ["name", "type", "measured_unit", "category_title", "category_uuid", "reported_usage"]
}

output "report" {
  value = provider::waldur::usage_report(data.waldur_category_component_usages.year.usages, { title = "Usage in ${var.year}" })
}
