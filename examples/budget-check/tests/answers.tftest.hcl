# What Waldur may answer on a bad day.
mock_provider "waldur" {}

variables {
  customer_uuid = "0123456789abcdef0123456789abcdef"
  date_after    = "2024-10-01"
  limits = {
    CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
  }
}

# As on the first of a month.
run "no_record_at_all_fails" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = { usages = [] }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "no_record_at_all_can_be_allowed" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = { usages = [] }
  }

  variables {
    allow_missing = true
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "missing" && strcontains(output.report, "There is no usage record at all.")
    error_message = "The report must say that there is none."
  }

  assert {
    condition     = startswith(output.report, "Budget of customer 0123456789abcdef0123456789abcdef since 2024-10-01: 1 missing.")
    error_message = "The report must say whose budget of which time it is."
  }
}

# It could be a record of any component.
run "a_record_without_a_type_fails" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = {
      usages = [
        { name = null, type = null, measured_unit = "h", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 1, fixed_usage = null, scope = null },
      ]
    }
  }

  variables {
    on_overrun    = "warn"
    allow_missing = true
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_record_without_a_category_fails" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = {
      usages = [
        { name = null, type = "cpu", measured_unit = "h", category_title = "Virtual machines", category_uuid = null, date = "2024-10-01", reported_usage = 1, fixed_usage = null, scope = null },
      ]
    }
  }

  variables {
    on_overrun    = "warn"
    allow_missing = true
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_record_without_the_title_of_its_category_fails" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = {
      usages = [
        { name = null, type = "cpu", measured_unit = "h", category_title = null, category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 1, fixed_usage = null, scope = null },
      ]
    }
  }

  variables {
    on_overrun    = "warn"
    allow_missing = true
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_unit_draws_nothing" {
  command = plan

  override_data {
    target = data.waldur_category_component_usages.budget
    values = {
      usages = [
        { name = null, type = "cpu", measured_unit = "h\n[x](y) <b>\u001b\u2028| z", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 1, fixed_usage = null, scope = null },
      ]
    }
  }

  assert {
    condition     = strcontains(output.report, "| h \\[x](y) \\<b> \\| z")
    error_message = output.report
  }
}
