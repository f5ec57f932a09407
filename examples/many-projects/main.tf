# Reports the usage of several projects in a year, with a table for each component and a column for each project.
#
#   terraform apply -var year=2024 -var 'projects={ocean="2b5719686db84f24bf64c3dfec58fbeb",ice="9c1d4e5f60718293a4b5c6d7e8f90a1b"}'
#   terraform output -raw report

terraform {
  required_version = ">= 1.7.0" # provider-defined functions: Terraform 1.8 or OpenTofu 1.7
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

variable "projects" {
  description = "UUIDs of the projects, keyed by column names of your choice."
  type        = map(string)
}

variable "year" {
  type = number
}

data "waldur_category_component_usages" "year" {
  for_each = var.projects

  project_uuid = each.value
  date_after   = "${var.year}-01-01"
  date_before  = "${var.year}-12-31"
  fields       = ["name", "type", "measured_unit", "category_title", "category_uuid", "reported_usage"]
}

# usage_report renders a table for each category, with a column for each component. To get a table for each component, with a column for
# each project, pass each component as a category and each project as a component. A project without records has no column.
output "report" {
  value = provider::waldur::usage_report(flatten([
    for project, year in data.waldur_category_component_usages.year : [
      for u in year.usages : merge(u, {
        category_uuid  = "${u.category_uuid}/${u.type}"
        category_title = "${u.category_title}: ${u.name}"
        type           = project
        name           = project
      })
    ]
  ]), { title = "Usage in ${var.year}" })
}
