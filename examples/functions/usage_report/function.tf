data "waldur_category_component_usages" "year" {
  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
  date_after   = "2024-01-01"
  date_before  = "2024-12-31"
}

output "report" {
  value = provider::waldur::usage_report(data.waldur_category_component_usages.year.usages, {
    title = "Usage of the climate project in 2024"
  })
}
