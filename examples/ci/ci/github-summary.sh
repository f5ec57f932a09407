#!/bin/sh
# Shows the report of ci/check.sh on the page of the run, after a failed check too.
set -eu

{
	echo '## Budget'
	echo
	cat budget-out/report.md
} >>"$GITHUB_STEP_SUMMARY"
