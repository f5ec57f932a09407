# The budget of a project in this month. WALDUR_API_URL and WALDUR_ACCESS_TOKEN say where it is read, TF_VAR_project_uuid of which
# project.

terraform {
  required_version = ">= 1.5.0"

  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "project_uuid" {
  description = "UUID of the project."
  type        = string
}

module "budget" {
  # In a repository of your own:
  # "git::https://github.com/waldur/terraform-provider-waldur-usage.git//examples/budget-check?ref=<tag>"
  source = "../../budget-check"

  project_uuid = var.project_uuid
  date_after   = formatdate("YYYY-MM-01", plantimestamp()) # this month; timestamp() would not be known before the apply
  limits = {
    CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    RAM = { category_title = "Virtual machines", type = "ram", measure = "reported_usage", limit = 4000 }
  }
}

output "report" {
  description = "What ci/check.sh publishes."
  value       = module.budget.report
}
