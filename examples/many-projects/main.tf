# What several projects used in a month, in one Markdown table.
#
#   terraform apply -var 'projects={ocean="2b5719686db84f24bf64c3dfec58fbeb",ice="9c1d4e5f60718293a4b5c6d7e8f90a1b"}'
#   terraform output -raw table

terraform {
  required_version = ">= 1.5"
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "projects" {
  description = "The projects: their names in the table, and their UUIDs."
  type        = map(string)
}

variable "month" {
  description = "The month of the table as YYYY-MM. Default: this month, of which Waldur counts the hours so far."
  type        = string
  default     = null
}

locals {
  month = var.month != null ? "${var.month}-01" : formatdate("YYYY-MM-01", plantimestamp())
}

data "waldur_category_component_usages" "month" {
  for_each = var.projects

  project_uuid = each.value
  date_after   = local.month
  date_before  = local.month
  fields       = ["name", "type", "measured_unit", "category_title", "category_uuid", "reported_usage"]
}

locals {
  usages = flatten([
    for project, month in data.waldur_category_component_usages.month : [
      for u in month.usages : merge(u, { project = project })
    ]
  ])

  # A component is told by its category and its type: several categories have
  # components of the same type.
  components = { for u in local.usages : "${u.category_uuid}/${u.type}" => u... }

  # Null is "no data", not 0: a project without a record, or with a null, has no
  # amount. The total is that of the amounts that are shown.
  amounts = [
    for records in values(local.components) : [
      for project in keys(var.projects) : try(sum([for u in records : u.reported_usage if u.project == project]), null)
    ]
  ]
  rows = concat(
    [concat(["category", "component", "unit"], keys(var.projects), ["total"])],
    [
      for i, records in values(local.components) : concat(
        [records[0].category_title, records[0].name, records[0].measured_unit],
        [for amount in local.amounts[i] : amount == null ? "no data" : tostring(amount)],
        [try(tostring(sum([for amount in local.amounts[i] : amount if amount != null])), "no data")],
      )
    ],
  )

  # The first three columns are texts (left), the others amounts (right).
  columns = [
    for i, heading in local.rows[0] : {
      format = "%${i < 3 ? "-" : ""}${max([for row in local.rows : length(row[i])]...)}s"
      rule   = i < 3 ? "---" : "--:"
    }
  ]
  lines = [for row in local.rows : "| ${join(" | ", [for i, cell in row : format(local.columns[i].format, replace(cell, "|", "/"))])} |"]
}

output "table" {
  value = join("\n", concat(
    ["Reported usage in ${substr(local.month, 0, 7)}", "", local.lines[0]],
    ["| ${join(" | ", [for column in local.columns : replace(format(column.format, column.rule), " ", "-")])} |"],
    slice(local.lines, 1, length(local.lines)),
  ))
}
