locals {
  limits = { for name, limit in var.limits : name => merge(limit, {
    category_uuid = limit.category_uuid == null ? null : lower(replace(limit.category_uuid, "-", ""))
  }) }

  # The states that end the plan. The others but "ok" are worth a warning.
  failing = concat(
    var.on_overrun == "fail" ? ["over"] : [],
    var.allow_missing ? [] : ["missing"],
  )

  title = join("", [
    "Budget of ",
    var.project_uuid != null ? "project ${var.project_uuid}" : var.customer_uuid != null ? "customer ${var.customer_uuid}" : coalesce(var.scope, "nothing"),
    var.date_before != null ? " from ${var.date_after} to ${var.date_before}" : " since ${var.date_after}",
  ])
}

# Top-level, as a data source inside a check block turns a failed read into a warning. Nobody gets at the records without the
# postconditions, not even a plan of a single resource (-target) that leaves the outputs out.
data "waldur_category_component_usages" "budget" {
  scope         = var.scope
  project_uuid  = var.project_uuid
  customer_uuid = var.customer_uuid
  date_after    = var.date_after
  date_before   = var.date_before
  fields        = ["type", "category_title", "category_uuid", "measured_unit", "reported_usage", "fixed_usage"]

  lifecycle {
    postcondition {
      condition     = alltrue([for usage in self.usages : usage.type != null && usage.category_title != null && usage.category_uuid != null])
      error_message = "A usage record does not say which component it is of, so no limit can be held against all that was used."
    }

    # A postcondition can name its own data as self only, and no local value made of it. A template is the one kind of function
    # that a module can have: with it, this and the outputs share one calculation.
    postcondition {
      condition = alltrue([
        for limit in values(jsondecode(templatefile("${path.module}/evaluation.tftpl", {
          usages = self.usages, limits = local.limits, warn_at = var.warn_at
        }))) : !contains(local.failing, limit.state) && limit.components <= 1
      ])
      # The CLI breaks the lines of a message, also those of a table, unless they begin with a space.
      error_message = replace(templatefile("${path.module}/report.tftpl", {
        title = local.title, usages = self.usages, limits = jsondecode(templatefile("${path.module}/evaluation.tftpl", {
          usages = self.usages, limits = local.limits, warn_at = var.warn_at
        }))
      }), "/(?m)^\\|/", " |")
    }
  }
}

locals {
  evaluation = jsondecode(templatefile("${path.module}/evaluation.tftpl", {
    usages = data.waldur_category_component_usages.budget.usages, limits = local.limits, warn_at = var.warn_at
  }))

  report = templatefile("${path.module}/report.tftpl", {
    title = local.title, usages = data.waldur_category_component_usages.budget.usages, limits = local.evaluation
  })
}

# Never created: its count is 0 as soon as it is known. While something is known after apply only (an argument, a limit, a
# resource that the module depends on), the postconditions wait for the apply. The count cannot wait: the plan fails.
resource "terraform_data" "known_before_apply" {
  count = length(local.evaluation) == length(var.limits) ? 0 : 1
}

check "budget" {
  assert {
    condition     = alltrue([for limit in values(local.evaluation) : limit.state == "ok" || contains(local.failing, limit.state)])
    error_message = replace(local.report, "/(?m)^\\|/", " |")
  }
}
