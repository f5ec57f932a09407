terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "scope" {
  description = "URL of the project or the customer."
  type        = string
}

variable "gpu_limit" {
  description = "GPU hours that may be used in the month."
  type        = number
}

module "budget" {
  source     = "../../../examples/budget-check"
  scope      = var.scope
  date_after = "2024-10-01"

  limits = {
    CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 10000 }
    RAM = { category_title = "Virtual machines", type = "ram", measure = "reported_usage", limit = 50000 }
    GPU = { category_title = "Virtual machines", type = "gpu", measure = "reported_usage", limit = var.gpu_limit }
  }
}

output "report" {
  value = module.budget.report
}
