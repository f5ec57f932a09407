terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

# The endpoint and the token come from WALDUR_API_URL and WALDUR_ACCESS_TOKEN.
provider "waldur" {}

variable "scope" {
  description = "URL of the project or the customer."
  type        = string
}

variable "record_id" {
  description = "ID of a record to read on its own."
  type        = number
  default     = null
}

data "waldur_category_component_usages" "all" {
  scope = var.scope
}

data "waldur_category_component_usage" "one" {
  count = var.record_id == null ? 0 : 1
  id    = var.record_id
}

locals {
  usages = data.waldur_category_component_usages.all.usages
  months = distinct(local.usages[*].date) # newest first
  newest = [for u in local.usages : u if u.date == try(local.months[0], null)]

  # Null means that there is no data, which is not a usage of 0.
  table = [for u in local.newest : format("%-28s  %-14s  %12s  %12s  %s",
    u.category_title, u.name,
    u.reported_usage == null ? "no data" : u.reported_usage,
    u.fixed_usage == null ? "no data" : u.fixed_usage,
    u.measured_unit,
  )]
}

output "usage" {
  value = join("\n", concat(
    ["${length(local.usages)} records, ${length(local.months)} months. The newest: ${try(local.months[0], "none")}", ""],
    [format("%-28s  %-14s  %12s  %12s  %s", "CATEGORY", "COMPONENT", "REPORTED", "FIXED", "UNIT")],
    local.table,
  ))
}

output "record" {
  value = join("\n", [for r in data.waldur_category_component_usage.one :
    "Record ${r.id}: ${r.name} in ${r.category_title}, ${r.date}: reported ${r.reported_usage == null ? "no data" : r.reported_usage} ${r.measured_unit}"
  ])
}
