# These tests show how to test your own limits against mocked records, without a Waldur.
mock_provider "waldur" {}

override_data {
  target = data.waldur_category_component_usages.budget
  values = {
    usages = [
      { name = "CPU", type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 200, fixed_usage = 1000, scope = null },
      { name = "CPU", type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-09-01", reported_usage = 300, fixed_usage = 1000, scope = null },
      { name = "RAM", type = "ram", measured_unit = "GB-hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 40, fixed_usage = null, scope = null },
      { name = "RAM", type = "ram", measured_unit = "GB-hours", category_title = "Clusters", category_uuid = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", date = "2024-10-01", reported_usage = 70, fixed_usage = null, scope = null },
      { name = "GPU", type = "gpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = null, fixed_usage = 8, scope = null },
    ]
  }
}

variables {
  project_uuid = "0123456789abcdef0123456789abcdef"
  date_after   = "2024-09-01"
  limits       = { CPU = { type = "cpu", limit = 1000 } }
}

run "usage_within_the_limit_passes" {
  command = plan

  assert {
    condition     = output.limits["CPU"].used == 500 && output.limits["CPU"].state == "ok"
    error_message = output.report
  }

  assert {
    condition     = startswith(output.report, "Budget of project 0123456789abcdef0123456789abcdef since 2024-09-01: 1 ok.\n")
    error_message = output.report
  }
}

run "usage_near_the_limit_warns" {
  command         = plan
  expect_failures = [check.budget]

  variables {
    limits = { CPU = { type = "cpu", limit = 500 } }
  }

  assert {
    condition     = output.limits["CPU"].state == "near"
    error_message = output.report
  }
}

run "usage_over_the_limit_fails" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    limits = { CPU = { type = "cpu", limit = 499 }, Memory = { type = "ram", category_title = "Clusters", limit = 100 } }
  }
}

run "usage_over_the_limit_only_warns_without_over_in_fail_on" {
  command         = plan
  expect_failures = [check.budget]

  variables {
    fail_on = ["missing"]
    limits  = { CPU = { type = "cpu", limit = 499 } }
  }

  assert {
    condition     = output.limits["CPU"].state == "over" && output.limits["CPU"].remaining == -1
    error_message = output.report
  }
}

run "warn_at_sets_the_share_that_warns" {
  command         = plan
  expect_failures = [check.budget]

  variables {
    warn_at = 0.5
  }
}

run "fixed_usage_is_checked_if_it_is_the_measure" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    limits = { CPU = { type = "cpu", measure = "fixed_usage", limit = 1999 } }
  }
}

run "a_misspelled_type_fails" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    limits = { CPU = { type = "cpus", limit = 1000 } }
  }
}

run "a_type_of_two_categories_fails_without_a_category" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    limits = { Memory = { type = "ram", limit = 1000 } }
  }
}

run "a_category_selects_one_component" {
  command = plan

  variables {
    limits = {
      Machines = { type = "ram", category_title = "Virtual machines", limit = 100 }
      Clusters = { type = "ram", category_uuid = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb", limit = 100 }
    }
  }

  assert {
    condition     = output.limits["Machines"].used == 40 && output.limits["Clusters"].used == 70
    error_message = output.report
  }
}

run "a_null_amount_fails" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    limits = { GPU = { type = "gpu", limit = 100 } }
  }
}

run "missing_usage_only_warns_without_missing_in_fail_on" {
  command         = plan
  expect_failures = [check.budget]

  override_data {
    target = data.waldur_category_component_usages.budget
    values = { usages = [] }
  }

  variables {
    fail_on = ["over"]
  }

  assert {
    condition     = output.limits["CPU"].state == "missing" && output.limits["CPU"].used == null
    error_message = output.report
  }
}

# Less than half of this century has passed, so the forecast is more than twice the usage.
run "a_forecast_over_the_limit_fails_if_it_is_in_fail_on" {
  command         = plan
  expect_failures = [data.waldur_category_component_usages.budget]

  variables {
    date_after  = "2000-01-01"
    date_before = "2099-12-31"
    fail_on     = ["over", "missing", "forecast"]
  }
}

run "a_period_that_starts_in_the_middle_of_a_month_is_rejected" {
  command         = plan
  expect_failures = [var.date_after]

  variables {
    date_after = "2024-09-02"
  }
}
