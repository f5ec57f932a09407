terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "scope" {
  description = "URL of the project or customer."
  type        = string
}

variable "gpu_limit" {
  description = "GPU hours that may be used in the month."
  type        = number
}

locals {
  limits = {
    CPU = { type = "cpu", category_title = "Virtual machines", limit = 10000 }
    RAM = { type = "ram", category_title = "Virtual machines", limit = 50000 }
    GPU = { type = "gpu", category_title = "Virtual machines", limit = var.gpu_limit }
  }
}

data "waldur_category_component_usages" "month" {
  scope      = var.scope
  date_after = "2024-10-01"

  lifecycle {
    postcondition {
      condition     = provider::waldur::budget_check(self.usages, local.limits).passed
      error_message = provider::waldur::budget_check(self.usages, local.limits).message
    }
  }
}

output "report" {
  value = provider::waldur::budget_check(data.waldur_category_component_usages.month.usages, local.limits).report
}
