# The records that all runs share:
#
#   cpu       Virtual machines   200 in October, 300 in September; plans grant 1,000 each month
#   cpu       Clusters           40 in October
#   ram       Virtual machines   0 in October, in a unit that a table must not take for the end of a cell
#   storage   Virtual machines   70 in October, null in September
#   gpu       Virtual machines   null in four months; plans grant 8 each month
#   tape      Archives           1 and 2 in October: two categories have the same title
#   transfer  Virtual machines   the largest amount that there can be, twice
#   credit    Virtual machines   -1,234 in October
mock_provider "waldur" {}

override_data {
  target = data.waldur_category_component_usages.budget
  values = {
    scope = "https://waldur.example.com/api/projects/0123456789abcdef0123456789abcdef/"
    usages = [
      { name = null, type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 200, fixed_usage = 1000, scope = null },
      { name = null, type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-09-01", reported_usage = 300, fixed_usage = 1000, scope = null },
      { name = null, type = "cpu", measured_unit = "hours", category_title = "Clusters", category_uuid = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", date = "2024-10-01", reported_usage = 40, fixed_usage = null, scope = null },
      { name = null, type = "ram", measured_unit = "GB | h", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 0, fixed_usage = null, scope = null },
      { name = null, type = "storage", measured_unit = "GB", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 70, fixed_usage = null, scope = null },
      { name = null, type = "storage", measured_unit = "GB", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-09-01", reported_usage = null, fixed_usage = null, scope = null },
      { name = null, type = "gpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = null, fixed_usage = 8, scope = null },
      { name = null, type = "gpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-09-01", reported_usage = null, fixed_usage = 8, scope = null },
      { name = null, type = "gpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-08-01", reported_usage = null, fixed_usage = 8, scope = null },
      { name = null, type = "gpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-07-01", reported_usage = null, fixed_usage = 8, scope = null },
      { name = null, type = "tape", measured_unit = "TB", category_title = "Archives", category_uuid = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", date = "2024-10-01", reported_usage = 1, fixed_usage = null, scope = null },
      { name = null, type = "tape", measured_unit = "TB", category_title = "Archives", category_uuid = "cccccccccccccccccccccccccccccccc", date = "2024-10-01", reported_usage = 2, fixed_usage = null, scope = null },
      { name = null, type = "transfer", measured_unit = "B", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = 9223372036854775807, fixed_usage = null, scope = null },
      { name = null, type = "transfer", measured_unit = "B", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-09-01", reported_usage = 9223372036854775807, fixed_usage = null, scope = null },
      { name = null, type = "credit", measured_unit = "h", category_title = "Virtual machines", category_uuid = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", date = "2024-10-01", reported_usage = -1234, fixed_usage = null, scope = null },
    ]
  }
}

variables {
  project_uuid = "0123456789abcdef0123456789abcdef"
  date_after   = "2024-07-01"
  date_before  = "2024-10-31"
}

run "months_are_added_up_and_within" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  assert {
    condition     = output.within_budget
    error_message = "500 of 1,000 must be within the budget."
  }

  assert {
    condition     = output.limits["CPU"].used == 500 && output.limits["CPU"].limit == 1000 && output.limits["CPU"].share == 0.5
    error_message = "200 and 300 of 1,000 are a share of 0.5."
  }

  assert {
    condition     = output.limits["CPU"].unit == "hours" && output.limits["CPU"].state == "ok"
    error_message = "The unit and the state must be those of the component."
  }
}

run "the_other_measure_is_never_added" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "fixed_usage", limit = 3000 }
    }
  }

  assert {
    condition     = output.limits["CPU"].used == 2000
    error_message = "Only the amounts of plans count: 2 x 1,000."
  }
}

run "just_below_the_warning_share_is_ok" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 626 }
    }
  }

  assert {
    condition     = output.limits["CPU"].state == "ok"
    error_message = "500 of 626 is less than 0.8."
  }
}

run "at_the_warning_share_is_near_and_warns" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 625 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "near" && output.within_budget
    error_message = "500 of 625 is exactly 0.8."
  }
}

run "the_warning_share_can_be_chosen" {
  command = plan

  variables {
    warn_at = 0.5
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "near"
    error_message = "500 of 1,000 is 0.5."
  }
}

run "exactly_at_the_limit_is_near_not_over" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 500 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "near" && output.limits["CPU"].share == 1
    error_message = "500 of 500 is not more than 500."
  }
}

run "one_above_the_limit_fails" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 499 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "one_above_the_limit_warns_when_asked_to" {
  command = plan

  variables {
    on_overrun = "warn"
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 499 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "over" && !output.within_budget
    error_message = "500 is more than 499."
  }

  assert {
    condition     = output.limits["CPU"].share == 1.0021
    error_message = "The share is rounded away from 1."
  }

  assert {
    condition     = strcontains(output.report, "over by 1")
    error_message = "The report must say by how much."
  }
}

run "one_of_two_over_fails" {
  command = plan

  variables {
    limits = {
      CPU    = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 499 }
      Memory = { category_title = "Virtual machines", type = "ram", measure = "reported_usage", limit = 10 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_limit_of_zero_allows_zero" {
  command = plan

  variables {
    limits = {
      Memory = { category_title = "Virtual machines", type = "ram", measure = "reported_usage", limit = 0 }
    }
  }

  assert {
    condition     = output.limits["Memory"].state == "ok" && output.limits["Memory"].share == 0
    error_message = "0 of 0 is neither near nor over."
  }
}

run "a_limit_of_zero_allows_no_more" {
  command = plan

  variables {
    on_overrun = "warn"
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 0 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "over" && output.limits["CPU"].share == null
    error_message = "500 of 0 has no share."
  }
}

run "a_negative_amount_is_within" {
  command = plan

  variables {
    limits = {
      Credit = { category_title = "Virtual machines", type = "credit", measure = "reported_usage", limit = 10 }
    }
  }

  assert {
    condition     = output.limits["Credit"].used == -1234 && output.limits["Credit"].state == "ok"
    error_message = "-1,234 is less than 10."
  }
}

# A typing error must not pass as no usage.
run "a_component_without_records_fails" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpus", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_component_without_records_fails_also_when_overruns_warn" {
  command = plan

  variables {
    on_overrun = "warn"
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpus", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "a_component_without_records_can_be_allowed" {
  command = plan

  variables {
    allow_missing = true
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpus", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["CPU"].state == "missing" && output.limits["CPU"].used == null && output.limits["CPU"].share == null
    error_message = "Nothing is known: not even 0."
  }

  assert {
    condition     = output.within_budget
    error_message = "It was allowed."
  }

  assert {
    condition     = strcontains(output.report, "There are records of: cpu (Clusters), cpu (Virtual machines), ")
    error_message = "The report must name the components that there are."
  }
}

run "null_is_unknown_not_zero" {
  command = plan

  variables {
    limits = {
      GPU = { category_title = "Virtual machines", type = "gpu", measure = "reported_usage", limit = 10 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "null_in_one_month_makes_the_sum_unknown" {
  command = plan

  variables {
    limits = {
      Storage = { category_title = "Virtual machines", type = "storage", measure = "reported_usage", limit = 100 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "null_can_be_allowed" {
  command = plan

  variables {
    allow_missing = true
    limits = {
      GPU     = { category_title = "Virtual machines", type = "gpu", measure = "reported_usage", limit = 10 }
      Storage = { category_title = "Virtual machines", type = "storage", measure = "reported_usage", limit = 100 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["GPU"].state == "missing" && output.limits["Storage"].state == "missing"
    error_message = "Both have months without an amount."
  }

  assert {
    condition     = output.limits["Storage"].used == null
    error_message = "70 is not all that was used."
  }

  assert {
    condition     = strcontains(output.report, "| 70 + ? |")
    error_message = "The report shows what is known."
  }

  assert {
    condition     = strcontains(output.report, "null in 2024-09")
    error_message = "The report names the month."
  }

  assert {
    condition     = strcontains(output.report, "null in 4 months")
    error_message = "The report counts many months."
  }
}

run "known_amounts_above_the_limit_are_over_whatever_is_unknown" {
  command = plan

  variables {
    on_overrun    = "warn"
    allow_missing = true
    limits = {
      Storage = { category_title = "Virtual machines", type = "storage", measure = "reported_usage", limit = 69 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["Storage"].state == "over" && output.limits["Storage"].used == 70
    error_message = "At least 70 of 69 were used."
  }
}

run "a_type_in_several_categories_is_not_added" {
  command = plan

  variables {
    limits = {
      Clusters = { category_title = "Clusters", type = "cpu", measure = "reported_usage", limit = 100 }
      Machines = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  assert {
    condition     = output.limits["Clusters"].used == 40 && output.limits["Machines"].used == 500
    error_message = "Each category has its own cpu."
  }
}

run "a_category_can_be_named_by_uuid" {
  command = plan

  variables {
    limits = {
      Clusters = { category_uuid = "BBBBBBBB-BBBB-BBBB-BBBB-BBBBBBBBBBBB", type = "cpu", measure = "reported_usage", limit = 100 }
      Tape     = { category_uuid = "cccccccccccccccccccccccccccccccc", type = "tape", measure = "reported_usage", limit = 100 }
    }
  }

  assert {
    condition     = output.limits["Clusters"].used == 40 && output.limits["Tape"].used == 2
    error_message = "The uuid counts, in whatever form."
  }
}

# No choice lets it pass: which of them is meant?
run "a_title_that_two_categories_have_fails" {
  command = plan

  variables {
    on_overrun    = "warn"
    allow_missing = true
    limits = {
      Tape = { category_title = "Archives", type = "tape", measure = "reported_usage", limit = 100 }
    }
  }

  expect_failures = [data.waldur_category_component_usages.budget]
}

run "amounts_are_compared_exactly" {
  command = plan

  variables {
    on_overrun = "warn"
    limits = {
      At   = { category_title = "Virtual machines", type = "transfer", measure = "reported_usage", limit = 18446744073709551614 }
      Over = { category_title = "Virtual machines", type = "transfer", measure = "reported_usage", limit = 18446744073709551613 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.limits["At"].state == "near" && output.limits["Over"].state == "over"
    error_message = "2 x 9,223,372,036,854,775,807 is 18,446,744,073,709,551,614."
  }

  assert {
    condition     = strcontains(output.report, "over by 1 ")
    error_message = "The excess is exact."
  }

  assert {
    condition     = strcontains(output.report, "18,446,744,073,709,551,614")
    error_message = "The report shows every digit."
  }
}

run "the_report_is_a_table" {
  command = plan

  variables {
    on_overrun    = "warn"
    allow_missing = true
    limits = {
      CPU              = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 704 }
      "CPU | clusters" = { category_title = "Clusters", type = "cpu", measure = "reported_usage", limit = 32 }
      GPU              = { category_title = "Virtual machines", type = "gpus", measure = "reported_usage", limit = 10 }
      Memory           = { category_title = "Virtual machines", type = "ram", measure = "reported_usage", limit = 1000000 }
      Storage          = { category_title = "Virtual machines", type = "storage", measure = "reported_usage", limit = 60 }
      "Töövõtt"        = { category_title = "Virtual machines", type = "credit", measure = "reported_usage", limit = 10000 }
    }
  }

  expect_failures = [check.budget]

  assert {
    condition     = output.report == <<-EOT
      Budget of project 0123456789abcdef0123456789abcdef from 2024-07-01 to 2024-10-31: 2 over, 1 missing, 3 ok.

      | Limit           |   Used |        Of | Unit    | Share            | State                       |
      |:----------------|-------:|----------:|:--------|:-----------------|:----------------------------|
      | CPU             |    500 |       704 | hours   | ███████░░░ 71 %  | ok                          |
      | CPU \| clusters |     40 |        32 | hours   | ██████████ 125 % | over by 8                   |
      | GPU             |      ? |        10 |         | ?                | missing, no record          |
      | Memory          |      0 | 1,000,000 | GB \| h | ░░░░░░░░░░ 0 %   | ok                          |
      | Storage         | 70 + ? |        60 | GB      | ██████████ 117 % | over by 10, null in 2024-09 |
      | Töövõtt         | -1,234 |    10,000 | h       | ░░░░░░░░░░ -13 % | ok                          |

      There are records of: cpu (Clusters), cpu (Virtual machines), credit (Virtual machines), gpu (Virtual machines), ram (Virtual machines), storage (Virtual machines), tape (Archives), transfer (Virtual machines).
    EOT
    error_message = output.report
  }
}
