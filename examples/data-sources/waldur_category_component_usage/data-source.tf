data "waldur_category_component_usage" "record" {
  id = 7
}

output "record" {
  value = data.waldur_category_component_usage.record.reported_usage
}
