output "limits" {
  description = "Each limit by its name: used and limit (whole numbers of unit), share (used of limit, to four decimal places, rounded away from 1), unit, and state: \"ok\", \"near\" (from warn_at on), \"over\" or \"missing\" (used is not known). A limit that is over has at least the amount used: an unknown one may come on top."
  value = { for name, limit in local.evaluation : name => {
    used  = tonumber(limit.state == "missing" ? null : limit.used)
    limit = limit.limit
    share = tonumber(limit.state == "missing" ? null : limit.share)
    unit  = tostring(limit.unit)
    state = limit.state
  } }
}

output "within_budget" {
  description = "Whether no limit is exceeded and, unless allow_missing is set, the amount of each is known."
  value = alltrue([
    for limit in values(local.evaluation) : limit.state != "over" && (limit.state != "missing" || var.allow_missing)
  ])

  # The second lock behind the postcondition of the data source.
  precondition {
    condition     = alltrue([for limit in values(local.evaluation) : !contains(local.failing, limit.state)])
    error_message = replace(local.report, "/(?m)^\\|/", " |")
  }
}

output "report" {
  description = "The state of the budget as a Markdown table with a bar for each limit."
  value       = local.report
}
