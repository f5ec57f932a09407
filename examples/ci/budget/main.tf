# Checks the budget of a project for the current month. WALDUR_API_URL and WALDUR_ACCESS_TOKEN configure the provider, and
# TF_VAR_project_uuid selects the project.

terraform {
  required_version = ">= 1.7.0"

  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

provider "waldur" {}

variable "project_uuid" {
  description = "UUID of the project."
  type        = string
}

locals {
  now   = plantimestamp() # timestamp() is not known before the apply
  month = formatdate("YYYY-MM-01", local.now)
  limits = {
    CPU = { type = "cpu", category_title = "Virtual machines", limit = 1000 }
    RAM = { type = "ram", category_title = "Virtual machines", limit = 4000 }
  }
}

module "budget" {
  # In your repository, use "./budget-check", or the module of a release:
  # "git::https://github.com/waldur/terraform-provider-waldur-usage.git//examples/budget-check?ref=<tag>"
  source = "../../budget-check"

  project_uuid = var.project_uuid
  date_after   = local.month
  limits       = local.limits
}

# The last six months are read without a gate, because a failed plan has only the outputs that do not depend on the failure. 3,600 hours
# are 150 days, the shortest that five months can be.
data "waldur_category_component_usages" "recent" {
  project_uuid = var.project_uuid
  date_after   = formatdate("YYYY-MM-01", timeadd("${local.month}T00:00:00Z", "-3600h"))
  fields       = ["name", "type", "category_title", "category_uuid", "measured_unit", "reported_usage", "fixed_usage"]
}

# ci/check.sh publishes these outputs.
output "report" {
  value = module.budget.report
}

output "limits" {
  value = provider::waldur::budget_check([
    for u in data.waldur_category_component_usages.recent.usages : u if u.date == local.month
  ], local.limits).limits
}

output "chart" {
  value = provider::waldur::usage_chart(data.waldur_category_component_usages.recent.usages, local.limits.CPU)
}
