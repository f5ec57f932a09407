# METADATA
# description: |
#   Checks the usage that a plan has read against limits that are separate from the configuration. If these files have a code
#   owner, the author of the configuration cannot raise the limits. A plan that does not read the usage, or whose conditions
#   do not all pass, is denied.
#
#   The input is a plan of Terraform or OpenTofu as JSON. Its prior_state contains the data that was read. Of the data
#   sources, its planned_values contain only those that are read during the apply.
#
#   data.limits (limits.json) contains the limits, keyed by name. A limit has project_uuid or customer_uuid, category_title or
#   category_uuid, type, measure (reported_usage or fixed_usage), limit, and optionally date_after and date_before. date_after
#   is the first of a month and defaults to the month of the plan. date_before defaults to no end.
package waldur.budget

# allow has no default: a plan is allowed only if its usage is known to be within each limit.
allow if {
	count(data.limits) > 0
	count(deny) == 0
	every name, _ in data.limits {
		within(name)
	}
}

deny contains "The plan failed, so the usage that it read may be incomplete." if input.errored

deny contains "The plan is of a part of the configuration only, so it may not have read the usage." if input.complete == false

deny contains message if {
	some check in input.checks
	check.address.kind != "check" # a check block only warns
	check.status != "pass"
	message := sprintf("%s: a condition is not met, or the plan does not check it.", [check.address.to_display])
}

deny contains message if {
	some change in input.resource_changes
	change.type == "waldur_category_component_usages"
	"read" in change.change.actions
	object.get(change, "action_reason", "") != "read_because_check_nested" # read during the plan and again during the apply
	message := sprintf("%s is read during the apply, so its usage is not known yet.", [change.address])
}

deny contains message if {
	some name, _ in data.limits
	not limits[name]
	message := sprintf("%s: an attribute of this limit is missing, unknown or invalid.", [name])
}

deny contains message if {
	some name, limit in limits
	count(reads(limit)) == 0
	message := sprintf("%s: the plan has not read the usage of %s since %s.", [name, trim(whose(limit), "/"), first_date(limit)])
}

deny contains message if {
	some name, limit in limits
	some usages in reads(limit)
	not known(usages, limit)
	message := sprintf("%s: the usage is not known. There is no record, or one without an amount, or several categories have the title.", [name])
}

deny contains message if {
	some name, limit in limits
	some usages in reads(limit)
	used := sum([amount | some amount in amounts(usages, limit); is_number(amount)])
	used > limit.limit
	message := sprintf("%s: %v of %v used, %v over.", [name, used, limit.limit, used - limit.limit])
}

# At least one list contains the usage of the limit, and in each such list the usage is known and at most the limit.
within(name) if {
	limit := limits[name]
	count(reads(limit)) > 0
	every usages in reads(limit) {
		known(usages, limit)
		sum(amounts(usages, limit)) <= limit.limit
	}
}

# The limits whose attributes are valid. One that lacks its measure, for example, would not be exceeded by any amount.
limits[name] := limit if {
	some name, limit in data.limits
	is_object(limit)
	optional := {"date_after", "date_before"}
	required := {"type", "measure", "limit"}
	scopes := {"project_uuid", "customer_uuid"}
	categories := {"category_title", "category_uuid"}
	names := object.keys(limit)
	count(required - names) == 0
	count(scopes & names) == 1
	count(categories & names) == 1
	count((((names - optional) - required) - scopes) - categories) == 0
	limit.measure in {"reported_usage", "fixed_usage"}
	is_number(limit.limit)
	every attribute in names - {"limit"} {
		is_string(limit[attribute])
	}
	regex.match(`^\d{4}-\d{2}-01$`, object.get(limit, "date_after", "2024-01-01"))
	regex.match(`^\d{4}-\d{2}-\d{2}$`, object.get(limit, "date_before", "2024-01-01"))
}

# The lists of records that contain all usage of the limit. Dates are compared as text; null is less than any date.
reads(limit) := {values.usages |
	walk(input.prior_state.values.root_module, [path, resource])
	count({step | some step in path; is_string(step)} - {"resources", "child_modules"}) == 0 # not a value of a resource
	resource.mode == "data"
	resource.type == "waldur_category_component_usages"
	values := resource.values
	endswith(sprintf("%s/", [trim_right(normal(values.scope), "/")]), whose(limit))
	object.get(values, "date_after", null) <= first_date(limit)
	last_date(values) >= last_date(limit)
}

whose(limit) := sprintf("/projects/%s/", [normal(limit.project_uuid)])

whose(limit) := sprintf("/customers/%s/", [normal(limit.customer_uuid)])

normal(uuid) := replace(lower(uuid), "-", "")

first_date(limit) := limit.date_after

first_date(limit) := sprintf("%s-01", [substring(input.timestamp, 0, 7)]) if not limit.date_after

last_date(time) := time.date_before if is_string(time.date_before)

last_date(time) := "9999-12-31" if not is_string(object.get(time, "date_before", null))

known(usages, limit) if {
	count(records(usages, limit)) > 0
	count({record.category_uuid | some record in records(usages, limit)}) == 1
	every amount in amounts(usages, limit) {
		is_number(amount)
	}

	# A record that does not identify its component could be of this component.
	every usage in usages {
		is_string(usage.type)
		is_string(usage.category_uuid)
		is_string(usage.category_title)
	}
}

# An attribute that was not requested is unknown, like one that is null.
amounts(usages, limit) := [object.get(record, limit.measure, null) | some record in records(usages, limit)]

records(usages, limit) := [usage |
	some usage in usages
	usage.type == limit.type
	of_category(usage, limit)
	usage.date >= first_date(limit)
	usage.date <= last_date(limit)
]

of_category(usage, limit) if usage.category_uuid == normal(limit.category_uuid)

of_category(usage, limit) if {
	not limit.category_uuid
	usage.category_title == limit.category_title
}
