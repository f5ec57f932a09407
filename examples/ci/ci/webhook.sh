#!/bin/sh
# Posts the outcome of the job to an incoming webhook. A failure to post does not fail the job.
#
# BUDGET_WEBHOOK_URL is the URL of the webhook. It is a secret, because anyone who knows it can post. BUDGET_WEBHOOK_STYLE is slack (the default)
# or teams. JOB_STATUS (GitHub) or CI_JOB_STATUS (GitLab) is the status of the job.
set -u

# The shell never expands the URL, so neither "set -x" nor the arguments of a process can reveal it.
if [ -z "${BUDGET_WEBHOOK_URL:+set}" ]; then
	echo 'BUDGET_WEBHOOK_URL is not set: nothing is posted.'
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# In Slack, &, < and > begin markup; in a card, the text of a TextRun is never markup.
message() {
	jq '
		((env.JOB_STATUS // env.CI_JOB_STATUS // "success") == "success") as $job |
		(if .passed and $job then "Budget check passed" elif .passed then "The budget check passed, but the job failed"
			else "Budget check failed" end) as $title |
		(env.CI_PIPELINE_URL // "\(env.GITHUB_SERVER_URL)/\(env.GITHUB_REPOSITORY)/actions/runs/\(env.GITHUB_RUN_ID)") as $job_url |
		(.report | .[:3000]) as $report |
		if env.BUDGET_WEBHOOK_STYLE == "teams" then
			{type: "message", attachments: [{contentType: "application/vnd.microsoft.card.adaptive", content: {
				type: "AdaptiveCard", version: "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
				body: ([{type: "TextBlock", weight: "Bolder", text: $title}] + [$report | splits("\n") |
					{type: "RichTextBlock", spacing: "None", inlines: [{type: "TextRun", fontType: "Monospace", text: .}]}]),
				actions: [{type: "Action.OpenUrl", title: "Job", url: $job_url}]
			}}]}
		else
			{text: "\($title): \($job_url)\n```\n\($report |
				gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;") | gsub("`"; "\u0027"))```"}
		end
	' budget-out/check.json >"$work/message.json"
}

# Prints the status of the response. curl reads the URL from a pipe. It ignores ~/.curlrc, which could make it verbose, and its errors,
# which may contain the URL, are discarded.
post() {
	jq -nr '"url = \(env.BUDGET_WEBHOOK_URL | sub("\\s+$"; "") | tojson)"' |
		curl --disable --config - --globoff --proto '=https' --silent --max-time 30 --retry 2 --output /dev/null --write-out '%{http_code}' \
			--header 'Content-Type: application/json' --data-binary "@$work/message.json" 2>/dev/null
}

status=none
if message; then
	status=$(post)
fi
case $status in
2??) echo 'Posted the outcome to the webhook.' ;;
*) echo "warning: the outcome was not posted to the webhook (status $status)." >&2 ;;
esac
exit 0
