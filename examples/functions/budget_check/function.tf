locals {
  limits = {
    CPU = { type = "cpu", limit = 15000 }
    RAM = { type = "ram", limit = 80000, category_title = "Virtual machines" }
  }
}

# If a limit is exceeded, the plan fails and shows the table.
data "waldur_category_component_usages" "month" {
  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
  date_after   = formatdate("YYYY-MM-01", plantimestamp())

  lifecycle {
    postcondition {
      condition     = provider::waldur::budget_check(self.usages, local.limits).passed
      error_message = provider::waldur::budget_check(self.usages, local.limits).message
    }
  }
}

# With all options: the limits apply to a quarter, and passed is also false if a
# forecast exceeds a limit.
data "waldur_category_component_usages" "quarter" {
  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
  date_after   = "2024-10-01"
  date_before  = "2024-12-31"
}

output "quarter" {
  value = provider::waldur::budget_check(data.waldur_category_component_usages.quarter.usages, local.limits, {
    title   = "Budget of the climate project"
    warn_at = 0.9
    fail_on = ["over", "missing", "forecast"]
    period  = { start = "2024-10-01", end = "2024-12-31", now = plantimestamp() }
  })
}
