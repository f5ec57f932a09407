#!/bin/sh
# Checks the plan that ci/check.sh saved against the policy.
#
#   ci/policy.sh
set -eu

plan=budget-out/plan.json
[ -s "$plan" ] || {
	echo "error: there is no $plan: ci/check.sh has not saved a plan." >&2
	exit 1
}

opa eval --strict-builtin-errors --format raw --data policy --input "$plan" 'concat("\n", data.waldur.budget.deny)'

# A plan passes only if the policy allows it, since a policy that is not found denies nothing.
opa eval --strict-builtin-errors --format discard --fail --data policy --input "$plan" data.waldur.budget.allow >/dev/null || {
	echo 'error: the policy does not allow the plan.' >&2
	exit 1
}
