#!/bin/sh
# Holds the plan that ci/check.sh wrote against the policy.
#
#   ci/policy.sh
set -eu

plan=budget-out/plan.json

opa eval --strict-builtin-errors --format raw --data policy --input "$plan" 'concat("\n", data.waldur.budget.deny)'

# What is not allowed does not pass, whether a rule denies it or none is found.
opa eval --strict-builtin-errors --format discard --fail --data policy --input "$plan" data.waldur.budget.allow >/dev/null || {
	echo 'error: the policy does not allow the plan.' >&2
	exit 1
}
