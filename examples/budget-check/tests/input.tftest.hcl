# Wrong input ends the plan before anything is read.
mock_provider "waldur" {}

variables {
  project_uuid = "0123456789abcdef0123456789abcdef"
  date_after   = "2024-10-01"
  limits = {
    CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
  }
}

run "a_day_that_is_not_the_first_of_a_month" {
  command = plan

  variables {
    date_after = "2024-10-02"
  }

  expect_failures = [var.date_after]
}

run "a_month_without_a_day" {
  command = plan

  variables {
    date_after = "2024-10"
  }

  expect_failures = [var.date_after]
}

run "no_limit_at_all" {
  command = plan

  variables {
    limits = {}
  }

  expect_failures = [var.limits]
}

run "a_name_that_is_empty" {
  command = plan

  variables {
    limits = {
      "" = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_name_with_a_line_break" {
  command = plan

  variables {
    limits = {
      "CPU\nand more" = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_limit_that_is_null" {
  command = plan

  variables {
    limits = {
      CPU = null
    }
  }

  expect_failures = [var.limits]
}

run "no_category" {
  command = plan

  variables {
    limits = {
      CPU = { type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "both_a_title_and_a_uuid" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", category_uuid = "0123456789abcdef0123456789abcdef", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_uuid_that_is_none" {
  command = plan

  variables {
    limits = {
      CPU = { category_uuid = "0123456789abcdef", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "an_empty_title" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "", type = "cpu", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "an_empty_type" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = " ", measure = "reported_usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_measure_that_there_is_not" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "usage", limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_measure_that_is_null" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = null, limit = 1000 }
    }
  }

  expect_failures = [var.limits]
}

run "a_negative_limit" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = -1 }
    }
  }

  expect_failures = [var.limits]
}

run "a_limit_with_a_fraction" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 0.5 }
    }
  }

  expect_failures = [var.limits]
}

run "a_limit_without_a_number" {
  command = plan

  variables {
    limits = {
      CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = null }
    }
  }

  expect_failures = [var.limits]
}

run "a_warning_share_of_0" {
  command = plan

  variables {
    warn_at = 0
  }

  expect_failures = [var.warn_at]
}

run "a_warning_share_above_1" {
  command = plan

  variables {
    warn_at = 80
  }

  expect_failures = [var.warn_at]
}

run "an_overrun_that_is_neither_fail_nor_warn" {
  command = plan

  variables {
    on_overrun = "ignore"
  }

  expect_failures = [var.on_overrun]
}
