#!/bin/sh
# Adds the report and the chart of ci/check.sh to the job summary, even after a failed check.
set -eu

{
	printf '## Budget\n\n'
	cat budget-out/report.md
	echo
	cat budget-out/chart.md
} >>"$GITHUB_STEP_SUMMARY"
