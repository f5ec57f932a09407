output "limits" {
  description = "For each limit: used, limit, remaining, share, forecast, unit and state, as budget_check returns them."
  value       = local.budget.limits
  depends_on  = [terraform_data.known_before_apply] # so that a plan with -target fails too if a value is unknown
}

output "report" {
  description = "The report of budget_check, in Markdown."
  value       = local.budget.report
  depends_on  = [terraform_data.known_before_apply]
}
