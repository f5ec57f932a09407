#!/bin/sh
# Plans the configuration in a folder, and ends as the plan ends. Whatever comes of it, budget-out/report.md says it in Markdown;
# budget-out/plan.json is the plan, when there is one.
#
#   ci/check.sh FOLDER
#
# The configuration has an output "report". TF names the program: terraform (default) or tofu.
set -eu

tf=${TF:-terraform}
folder=$1
out=$PWD/budget-out

# Nothing of an earlier run may be taken for a result of this one.
rm -rf "$out"
mkdir -p "$out"
echo 'The budget check ended before it had a result. See the log of the job.' >"$out/report.md"

"$tf" -chdir="$folder" init -input=false -no-color

# No pipe: the status of a pipe is that of its last command.
status=0
"$tf" -chdir="$folder" plan -input=false -json -out="$out/plan.bin" >"$out/plan.jsonl" || status=$?

# The log for people. A line that is no JSON comes from a program that broke down.
jq -rR '. as $line | try (
	fromjson | if .diagnostic then "\(.diagnostic.severity): \(.diagnostic.summary)\n\n\(.diagnostic.detail)\n" else ."@message" end
) catch $line' "$out/plan.jsonl"

if [ "$status" -ne 0 ]; then
	# A failed plan has no outputs. The message of the failed condition holds the report.
	jq -rR 'fromjson? | .diagnostic // empty | select(.severity == "error") |
		(if .summary | endswith("condition failed") then "" else "**\(.summary)**\n\n" end) + .detail + "\n"
	' "$out/plan.jsonl" >"$out/errors.md"
	if [ -s "$out/errors.md" ]; then
		mv "$out/errors.md" "$out/report.md"
	fi
	exit "$status"
fi

"$tf" -chdir="$folder" show -json "$out/plan.bin" >"$out/plan.json"
jq -er '.planned_values.outputs.report.value' "$out/plan.json" >"$out/report.md"

# A plan can succeed with a condition that failed (-refresh-only, by whatever variable it came) or waits for the apply. A check
# block may fail: it warns.
jq -e '[.checks[]? | select(.address.kind != "check" and .status != "pass")] == []' "$out/plan.json" >/dev/null || {
	echo 'error: the plan succeeded, but not all of its conditions are met.' >&2
	exit 1
}
