#!/bin/sh
# Plans the configuration in a folder. Exits with the exit code of the plan, or with 1 if the plan succeeds although not all of its
# conditions are met. The outcome is always in budget-out: report.md and chart.md in Markdown, check.json for programs ({"passed": …,
# "limits": …, "report": …}), and plan.json, the plan, if there is one.
#
#   ci/check.sh FOLDER
#
# The configuration has an output "report" and, optionally, "limits" and "chart". TF is the program: terraform (the default) or tofu.
set -eu

tf=${TF:-terraform}
folder=$1
out=$PWD/budget-out

# write_check BOOLEAN writes check.json. Limits that are not known are null.
write_check() {
	jq -n --argjson passed "$1" --rawfile report "$out/report.md" --slurpfile limits "$out/limits.json" \
		'{passed: $passed, limits: $limits[0], report: $report}' >"$out/check.json"
}

# Files of an earlier run must not be mistaken for results of this one.
rm -rf "$out"
mkdir -p "$out"
echo 'The budget check ended before it had a result. See the log of the job.' >"$out/report.md"
: >"$out/chart.md"
: >"$out/limits.json"
write_check false

"$tf" -chdir="$folder" init -input=false -no-color

# There is no pipe, because the exit code of a pipe is that of its last command.
status=0
"$tf" -chdir="$folder" plan -input=false -json -out="$out/plan.bin" >"$out/plan.jsonl" || status=$?

# Prints a readable log. A line that is not JSON comes from a program that crashed.
jq -rR '. as $line | try (
	fromjson | if .diagnostic then "\(.diagnostic.severity): \(.diagnostic.summary)\n\n\(.diagnostic.detail)\n" else ."@message" end
) catch $line' "$out/plan.jsonl"

# A failed plan is also saved, with the outputs that do not depend on the failure.
if [ -s "$out/plan.bin" ]; then
	"$tf" -chdir="$folder" show -json "$out/plan.bin" >"$out/plan.json"
	jq -r '.planned_values.outputs.chart.value // empty' "$out/plan.json" >"$out/chart.md"
	jq '.planned_values.outputs.limits.value' "$out/plan.json" >"$out/limits.json"
fi

if [ "$status" -ne 0 ]; then
	# The message of the failed condition is the report. Several reads can fail in the same way.
	jq -nrR '[inputs | fromjson? | .diagnostic // empty | select(.severity == "error") |
		(if .summary | endswith("condition failed") then "" else "**\(.summary)**\n\n" end) + .detail + "\n"] | unique[]
	' "$out/plan.jsonl" >"$out/errors.md"
	if [ -s "$out/errors.md" ]; then
		mv "$out/errors.md" "$out/report.md"
	fi
	write_check false
	exit "$status"
fi

jq -er '.planned_values.outputs.report.value // empty' "$out/plan.json" >"$out/report.new" || {
	echo 'The plan succeeded, but its output "report" is missing or not known yet, so it does not check the budget.' | tee "$out/report.md" >&2
	write_check false
	exit 1
}
mv "$out/report.new" "$out/report.md"

# A plan can succeed although a condition failed (with -refresh-only, which the environment variable TF_CLI_ARGS_plan can set) or is not
# checked until the apply. A check block only warns.
jq -e '[.checks[]? | select(.address.kind != "check" and .status != "pass")] == []' "$out/plan.json" >/dev/null || {
	echo 'error: the plan succeeded, but not all of its conditions are met.' >&2
	write_check false
	exit 1
}
write_check true
