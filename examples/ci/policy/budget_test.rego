package waldur.budget_test

import data.waldur.budget

project := "2b5719686db84f24bf64c3dfec58fbeb"

machines := "0123456789abcdef0123456789abcdef"

cpu := {
	"project_uuid": project,
	"category_title": "Virtual machines",
	"type": "cpu",
	"measure": "reported_usage",
	"limit": 1000,
}

usage(date, amount) := {
	"type": "cpu",
	"category_title": "Virtual machines",
	"category_uuid": machines,
	"date": date,
	"reported_usage": amount,
	"fixed_usage": 5000,
}

read(change, usages) := {
	"mode": "data",
	"type": "waldur_category_component_usages",
	"values": object.union(
		{
			"scope": sprintf("https://waldur.example.com/api/projects/%s/", [project]),
			"date_after": "2024-10-01",
			"date_before": null,
			"usages": usages,
		},
		change,
	),
}

plan(reads) := {
	"timestamp": "2024-10-20T05:23:00Z",
	"errored": false,
	"prior_state": {"values": {"root_module": {"child_modules": [{"resources": reads}]}}},
}

# denied asserts that the plan is denied for this reason only.
denied(limit, input_plan, reason) if {
	not budget.allow with input as input_plan with data.limits as {"CPU": limit}
	messages := budget.deny with input as input_plan with data.limits as {"CPU": limit}
	count(messages) == 1
	every message in messages {
		contains(message, reason)
	}
}

allowed(limit, input_plan) if {
	budget.allow with input as input_plan with data.limits as {"CPU": limit}
	messages := budget.deny with input as input_plan with data.limits as {"CPU": limit}
	count(messages) == 0
}

october := [usage("2024-10-01", 1000)]

test_at_the_limit_is_allowed if allowed(cpu, plan([read({}, october)]))

test_one_above_is_denied if denied(cpu, plan([read({}, [usage("2024-10-01", 1001)])]), "CPU: 1001 of 1000 used, 1 over.")

test_earlier_months_do_not_count if allowed(cpu, plan([read({"date_after": null}, [usage("2024-10-01", 1000), usage("2024-09-01", 1)])]))

test_months_are_added_up if {
	since_september := object.union(cpu, {"date_after": "2024-09-01"})
	both := plan([read({"date_after": "2024-09-01"}, [usage("2024-10-01", 600), usage("2024-09-01", 401)])])
	denied(since_september, both, "1001 of 1000")
}

test_records_after_the_end_do_not_count if {
	september := object.union(cpu, {"date_after": "2024-09-01", "date_before": "2024-09-30"})
	allowed(september, plan([read({"date_after": "2024-09-01"}, [usage("2024-10-01", 600), usage("2024-09-01", 1000)])]))
}

test_fixed_usage_is_checked_if_it_is_the_measure if denied(object.union(cpu, {"measure": "fixed_usage"}), plan([read({}, october)]), "5000 of 1000")

test_amounts_are_exact if {
	most := 9223372036854775807
	both := plan([read({}, [usage("2024-10-01", most), usage("2024-10-01", most)])])
	allowed(object.union(cpu, {"limit": 18446744073709551614}), both)
	denied(object.union(cpu, {"limit": 18446744073709551613}), both, "1 over")
}

test_null_is_unknown if denied(cpu, plan([read({}, [usage("2024-10-01", null)])]), "not known")

test_null_in_addition_to_an_amount_is_unknown if denied(cpu, plan([read({}, [usage("2024-10-01", null), usage("2024-10-01", 1)])]), "not known")

test_a_missing_measure_is_unknown if {
	denied(cpu, plan([read({}, [object.remove(usage("2024-10-01", 1), {"reported_usage"})])]), "not known")
}

test_no_record_of_the_component_is_unknown if denied(object.union(cpu, {"type": "cpus"}), plan([read({}, october)]), "not known")

test_no_record_at_all_is_unknown if denied(cpu, plan([read({}, [])]), "not known")

test_a_record_without_a_type_makes_the_usage_unknown if {
	denied(cpu, plan([read({}, array.concat(october, [object.union(usage("2024-10-01", 1), {"type": null})]))]), "not known")
}

test_usage_of_two_categories_with_one_title_is_unknown if {
	archive := object.union(usage("2024-10-01", 1), {"category_uuid": "ffffffffffffffffffffffffffffffff"})
	denied(cpu, plan([read({}, [usage("2024-10-01", 1), archive])]), "not known")
}

test_a_uuid_selects_a_category if {
	archive := object.union(usage("2024-10-01", 5000), {"category_uuid": "ffffffffffffffffffffffffffffffff"})
	by_uuid := object.remove(object.union(cpu, {"category_uuid": "01234567-89AB-CDEF-0123-456789ABCDEF"}), {"category_title"})
	allowed(by_uuid, plan([read({}, [usage("2024-10-01", 1), archive])]))
}

test_a_plan_that_reads_nothing_is_denied if denied(cpu, plan([]), "has not read")

test_a_plan_without_a_state_is_denied if denied(cpu, {"timestamp": "2024-10-20T05:23:00Z"}, "has not read")

test_usage_of_another_project_does_not_count if {
	other := "https://waldur.example.com/api/projects/ffffffffffffffffffffffffffffffff/"
	denied(cpu, plan([read({"scope": other}, october)]), "has not read")
}

test_usage_of_a_customer_does_not_count_for_a_project if {
	customer := sprintf("https://waldur.example.com/api/customers/%s/", [project])
	denied(cpu, plan([read({"scope": customer}, october)]), "has not read")
	allowed(object.remove(object.union(cpu, {"customer_uuid": project}), {"project_uuid"}), plan([read({"scope": customer}, october)]))
}

test_a_scope_is_normalized if {
	allowed(cpu, plan([read({"scope": "/api/projects/2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"}, october)]))
}

test_a_read_that_begins_later_is_denied if {
	denied(object.union(cpu, {"date_after": "2024-09-01"}), plan([read({}, october)]), "has not read the usage of projects/2b5719686db84f24bf64c3dfec58fbeb since 2024-09-01")
}

test_a_read_that_ends_earlier_is_denied if denied(cpu, plan([read({"date_before": "2024-10-31"}, october)]), "has not read")

test_each_of_several_reads_is_checked if {
	denied(cpu, plan([read({}, october), read({"date_after": null}, [usage("2024-10-01", 1001)])]), "1001 of 1000")
}

test_a_failed_plan_is_denied if denied(cpu, object.union(plan([read({}, october)]), {"errored": true}), "The plan failed")

test_a_read_during_the_apply_is_denied if {
	later := {"resource_changes": [{
		"address": "data.waldur_category_component_usages.later",
		"type": "waldur_category_component_usages",
		"change": {"actions": ["read"]},
	}]}
	denied(cpu, object.union(plan([read({}, october)]), later), "data.waldur_category_component_usages.later is read during the apply")
}

test_no_limits_allow_nothing if {
	not budget.allow with input as plan([read({}, october)]) with data.limits as {}
}

test_a_limit_that_is_not_valid_is_denied if {
	changes := [
		{"limit": "1000"}, {"limit": null}, {"measure": null}, {"measure": "usage"}, {"measur": "reported_usage"}, {"type": null},
		{"customer_uuid": project}, {"category_uuid": machines}, {"date_after": "2024-09-15"}, {"date_after": "2024-9-01"},
		{"date_before": "2024-10"}, {"date_before": null},
	]
	every change in changes {
		denied(object.union(cpu, change), plan([read({}, october)]), "CPU: an attribute of this limit is missing, unknown or invalid.")
	}
	every attribute in ["project_uuid", "category_title", "type", "measure", "limit"] {
		denied(object.remove(cpu, {attribute}), plan([read({}, october)]), "CPU: an attribute of this limit is missing, unknown or invalid.")
	}
}

test_a_limit_that_is_not_an_object_is_denied if denied(1000, plan([read({}, october)]), "CPU: an attribute of this limit is missing, unknown or invalid.")

test_a_limit_may_have_a_fraction if denied(object.union(cpu, {"limit": 999.5}), plan([read({}, october)]), "CPU: 1000 of 999.5 used, 0.5 over.")

# An author could keep an output of an earlier apply and remove the read.
test_a_value_that_looks_like_a_read_does_not_count if {
	denied(cpu, {"prior_state": {"values": {"outputs": {"x": {"value": read({}, october)}}}}, "timestamp": "2024-10-20T05:23:00Z"}, "has not read")
	denied(cpu, plan([{"mode": "managed", "type": "terraform_data", "values": {"input": read({}, october)}}]), "has not read")
}

test_a_read_of_a_check_block_is_allowed if {
	again := {"resource_changes": [{
		"address": "data.waldur_category_component_usages.checked",
		"type": "waldur_category_component_usages",
		"change": {"actions": ["read"]},
		"action_reason": "read_because_check_nested",
	}]}
	allowed(cpu, object.union(plan([read({}, october)]), again))
}

test_a_plan_of_a_part_is_denied if denied(cpu, object.union(plan([read({}, october)]), {"complete": false}), "of a part of the configuration")

condition(kind, status) := {"checks": [{"address": {"kind": kind, "to_display": "data.x.y"}, "status": status}]}

test_conditions_must_pass if {
	every status in ["fail", "error", "unknown"] {
		denied(cpu, object.union(plan([read({}, october)]), condition("resource", status)), "data.x.y: a condition is not met, or the plan does not check it.")
		allowed(cpu, object.union(plan([read({}, october)]), condition("check", status)))
	}
	allowed(cpu, object.union(plan([read({}, october)]), condition("resource", "pass")))
}

test_a_limit_without_a_scope_allows_nothing if {
	not budget.allow with input as plan([read({}, october)]) with data.limits as {"CPU": object.remove(cpu, {"project_uuid"})}
}

test_a_limit_without_an_amount_allows_nothing if {
	not budget.allow with input as plan([read({}, october)]) with data.limits as {"CPU": object.remove(cpu, {"limit"})}
}
