output "limits" {
  description = "By the names of the limits: used, limit, remaining, share, forecast, unit and state, as budget_check returns them."
  value       = local.budget.limits
}

output "report" {
  description = "The state of the budget as a Markdown table."
  value       = local.budget.report
}
