# What a project used in a year, as a Markdown report: for each category a table
# of months and components, with a bar for each amount and the total of the year.
#
#   terraform apply -var project_uuid=2b5719686db84f24bf64c3dfec58fbeb
#   terraform output -raw report

terraform {
  required_version = ">= 1.5"
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

variable "year" {
  description = "The year of the report. Default: this year."
  type        = number
  default     = null
}

variable "measure" {
  description = "reported_usage or fixed_usage. They are two measures, not parts of one total: a report shows one of them."
  type        = string
  default     = "reported_usage"

  validation {
    condition     = contains(["reported_usage", "fixed_usage"], var.measure)
    error_message = "The measure must be reported_usage or fixed_usage."
  }
}

locals {
  year = var.year != null ? var.year : tonumber(formatdate("YYYY", plantimestamp()))
}

data "waldur_category_component_usages" "year" {
  project_uuid = var.project_uuid
  date_after   = "${local.year}-01-01"
  date_before  = "${local.year}-12-31"
  fields       = ["name", "type", "measured_unit", "category_title", "category_uuid", var.measure]
}

locals {
  usages = data.waldur_category_component_usages.year.usages

  # From January to the newest month with a record, so that a month without any is seen.
  newest = max(0, [for u in local.usages : tonumber(substr(u.date, 5, 2))]...)
  months = [for month in range(1, local.newest + 1) : format("%d-%02d-01", local.year, month)]

  # A category is told by its uuid: its title is a translated text. A component is told
  # by its category and its type: several categories have components of the same type.
  components = { for u in local.usages : "${u.category_uuid}/${u.type}" => u... }

  # Null is "no data", not 0: a month with a null in it has no amount.
  columns = [
    for component, records in local.components : {
      category = records[0].category_uuid
      heading  = trimsuffix(replace("${records[0].name} (${records[0].measured_unit})", "|", "/"), " ()")
      amounts  = [for month in local.months : try(sum([for u in records : u[var.measure] if u.date == month]), null)]
    }
  ]
  measured = [
    for column in local.columns : merge(column, {
      width   = max(24, length(column.heading))
      total   = try(sum([for amount in column.amounts : amount if amount != null]), "no data")
      largest = max(1, [for amount in column.amounts : amount if amount != null]...)
    })
  ]

  tables = [
    for category, columns in { for column in local.measured : column.category => column... } : join("\n", concat(
      ["## ${[for u in local.usages : u.category_title if u.category_uuid == category][0]}", ""],
      ["| month   | ${join(" | ", [for c in columns : format("%-${c.width}s", c.heading)])} |"],
      ["| ------- | ${join(" | ", [for c in columns : format("%s:", join("", [for _ in range(c.width - 1) : "-"]))])} |"],
      [
        for i, month in local.months : "| ${substr(month, 0, 7)} | ${join(" | ", [
          for c in columns : c.amounts[i] == null ? format("%${c.width}s", "no data") : format("%s %${c.width - 11}s",
            # Ten characters from the middle of full and empty ones: as many full ones as the share of the largest month.
            substr("██████████░░░░░░░░░░", 10 - max(0, floor(10 * c.amounts[i] / c.largest + 0.5)), 10),
            c.amounts[i],
          )
        ])} |"
      ],
      ["| total   | ${join(" | ", [for c in columns : format("%${c.width}s", c.total)])} |"],
    ))
  ]
}

output "report" {
  value = join("\n\n", concat(
    ["# ${ { reported_usage = "Reported", fixed_usage = "Fixed" }[var.measure]} usage of project ${var.project_uuid} in ${local.year}"],
    length(local.usages) == 0 ? ["No records."] : ["A full bar is the largest month of its column."],
    local.tables,
  ))
}
