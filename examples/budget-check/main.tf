locals {
  options = {
    title = join("", [
      "Budget of ",
      var.project_uuid != null ? "project ${var.project_uuid}" : var.customer_uuid != null ? "customer ${var.customer_uuid}" : coalesce(var.scope, "nothing"),
      var.date_before != null ? " from ${var.date_after} to ${var.date_before}" : " since ${var.date_after}",
    ])
    warn_at = var.warn_at
    fail_on = var.fail_on
    period  = var.date_before == null ? null : { start = var.date_after, end = var.date_before, now = plantimestamp() }
  }
}

# The data source is at the top level because a failed read in a check block is only a warning. Everything that uses the records depends
# on the postcondition.
data "waldur_category_component_usages" "budget" {
  scope         = var.scope
  project_uuid  = var.project_uuid
  customer_uuid = var.customer_uuid
  date_after    = var.date_after
  date_before   = var.date_before
  fields        = ["type", "category_title", "category_uuid", "measured_unit", "reported_usage", "fixed_usage"]

  lifecycle {
    postcondition {
      condition     = provider::waldur::budget_check(self.usages, var.limits, local.options).passed
      error_message = provider::waldur::budget_check(self.usages, var.limits, local.options).message
    }
  }
}

locals {
  budget = provider::waldur::budget_check(data.waldur_category_component_usages.budget.usages, var.limits, local.options)
}

# This resource is never created. If an argument, a limit or a dependency of the module is not known before the apply, the postcondition
# is checked only during the apply. A count must be known during the plan, so such a plan fails.
resource "terraform_data" "known_before_apply" {
  count = length(local.budget.limits) > 0 ? 0 : 1
}

check "budget" {
  assert {
    condition     = alltrue([for limit in values(local.budget.limits) : limit.state == "ok" || contains(var.fail_on, limit.state)])
    error_message = local.budget.message
  }
}
