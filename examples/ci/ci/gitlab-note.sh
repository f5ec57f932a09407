#!/bin/sh
# Adds the report and the chart of ci/check.sh to the merge request, as one note that each pipeline updates.
#
# GITLAB_NOTE_TOKEN is a project access token with the scope api: a job's own token cannot write notes.
set -eu

if [ -z "${CI_MERGE_REQUEST_IID:-}" ]; then
	echo 'Not a merge request: no note.'
	exit 0
fi

notes=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes
marker='<!-- budget-check -->'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Any process on the machine can read the arguments of a command, so the token is not one of them.
printf 'PRIVATE-TOKEN: %s\n' "$GITLAB_NOTE_TOKEN" >"$work/token"

api() {
	curl --silent --show-error --fail --retry 3 --max-time 30 --header "@$work/token" "$@"
}

# The note of an earlier pipeline may be on any page.
page=1
id=
while [ -z "$id" ] && [ -n "$page" ]; do
	api --dump-header "$work/header" "$notes?per_page=100&page=$page" >"$work/notes.json"
	id=$(jq -r --arg marker "$marker" 'first(.[] | select(.body | startswith($marker))).id // empty' "$work/notes.json")
	page=$(sed -n 's/^[Xx]-[Nn]ext-[Pp]age: *\([0-9]*\).*$/\1/p' "$work/header")
done

{
	printf '%s\n## Budget\n\n' "$marker"
	cat budget-out/report.md
	echo
	cat budget-out/chart.md
	printf '\n[Pipeline of %s](%s)\n' "$CI_COMMIT_SHORT_SHA" "$CI_PIPELINE_URL"
} >"$work/body.md"
jq -n --rawfile body "$work/body.md" '{body: $body}' >"$work/note.json"

if [ -n "$id" ]; then
	set -- --request PUT "$notes/$id"
else
	set -- --request POST "$notes"
fi
api "$@" --header 'Content-Type: application/json' --data "@$work/note.json" >"$work/response.json"
