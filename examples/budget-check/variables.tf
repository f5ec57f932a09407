variable "scope" {
  description = "URL of the project or customer whose usage is checked. Exactly one of scope, project_uuid and customer_uuid is required."
  type        = string
  default     = null
}

variable "project_uuid" {
  description = "UUID of the project whose usage is checked."
  type        = string
  default     = null
}

variable "customer_uuid" {
  description = "UUID of the customer whose usage is checked. The usage includes that of the customer's projects."
  type        = string
  default     = null
}

variable "date_after" {
  description = "First day of the budget's period, YYYY-MM-01."
  type        = string
  nullable    = false

  # Records are dated the first of their month, so a later day would exclude the month.
  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-01$", var.date_after))
    error_message = "Must be the first day of a month, YYYY-MM-01."
  }
}

variable "date_before" {
  description = "Last day of the budget's period, YYYY-MM-DD. Adds a forecast to the report. Defaults to no end."
  type        = string
  default     = null
}

# There is no type constraint, because it would drop attributes that it does not list. budget_check reports misspelled attributes.
variable "limits" {
  description = "Limits, keyed by names of your choice, as in the argument limits of the function budget_check."
  type        = any
  nullable    = false
}

variable "warn_at" {
  description = "Share of a limit from which its state is near: more than 0 and at most 1."
  type        = number
  default     = 0.8
  nullable    = false
}

variable "fail_on" {
  description = "States that fail the plan: any of over, missing, forecast and near. The others cause warnings, except ok. A failed read always fails the plan."
  type        = list(string)
  default     = ["over", "missing"]
  nullable    = false
}
