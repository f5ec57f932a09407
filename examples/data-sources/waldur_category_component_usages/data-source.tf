# Monthly usage of a project this year.
data "waldur_category_component_usages" "project" {
  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
  date_after   = formatdate("YYYY-01-01", plantimestamp())
}

# Usage of a customer in September 2024, including all of its projects. Requests
# only the attributes that the output cpu_of_the_customer needs.
data "waldur_category_component_usages" "customer" {
  customer_uuid = "7e0d3c1a9b284f6d8a5c1f2e3d4b5a69"
  date_after    = "2024-09-01"
  date_before   = "2024-09-30"
  fields        = ["category_title", "type", "reported_usage"]
}

output "this_year" {
  value = [
    for u in data.waldur_category_component_usages.project.usages :
    format("%s, %s, %s: %v %s", u.date, u.category_title, u.name, u.reported_usage, u.measured_unit)
  ]
}

# A null means that the usage is not known. It is not a usage of 0.
output "cpu_of_the_customer" {
  value = {
    for u in data.waldur_category_component_usages.customer.usages :
    u.category_title => u.reported_usage... if u.type == "cpu" && u.reported_usage != null
  }
}
