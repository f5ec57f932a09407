#!/bin/sh
# Shows the report and the chart of ci/check.sh on the page of the run, after a failed check too.
set -eu

{
	printf '## Budget\n\n'
	cat budget-out/report.md
	echo
	cat budget-out/chart.md
} >>"$GITHUB_STEP_SUMMARY"
