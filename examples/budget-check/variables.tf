variable "scope" {
  description = "URL of the project or the customer whose usage is checked. Give exactly one of scope, project_uuid and customer_uuid."
  type        = string
  default     = null
}

variable "project_uuid" {
  description = "UUID of the project whose usage is checked."
  type        = string
  default     = null
}

variable "customer_uuid" {
  description = "UUID of the customer whose usage is checked. The records of a customer include those of its projects."
  type        = string
  default     = null
}

variable "date_after" {
  description = "First day of the first month that counts, as YYYY-MM-01. The months up to date_before are added up."
  type        = string
  nullable    = false

  # With any other day, the month would be left out of the sum.
  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-01$", var.date_after))
    error_message = "The first day of a month is needed, as YYYY-MM-01: usage records are dated so, and a later day would leave its month out."
  }
}

variable "date_before" {
  description = "Any day of the last month that counts, as YYYY-MM-DD. Null means that there is no end."
  type        = string
  default     = null
}

variable "limits" {
  description = <<-EOT
    What may be used, by a name of your choice. Each limit is for one component: its type, and its category by title or by UUID
    (components of several categories may have the same type). measure is "reported_usage" (usage reports) or "fixed_usage"
    (amounts of plans): they are two measures of the same component and are never added. limit is a whole number of the
    component's unit.
  EOT
  type = map(object({
    category_title = optional(string)
    category_uuid  = optional(string)
    type           = string
    measure        = string
    limit          = number
  }))
  nullable = false

  validation {
    condition     = length(var.limits) > 0
    error_message = "At least one limit is needed: a check without any would always pass."
  }

  validation {
    condition     = alltrue([for name in keys(var.limits) : can(regex("^[^\\pC\\s]([^\\pC]{0,58}[^\\pC\\s])?$", name))])
    error_message = "The name of a limit is 1 to 60 characters without control characters, line breaks, or spaces at its ends."
  }

  validation {
    condition = alltrue([for limit in values(var.limits) : try(
      length([for category in [limit.category_title, limit.category_uuid] : category if category != null]) == 1, false
    )])
    error_message = "Exactly one of category_title and category_uuid is needed: ${join(", ", [
      for name, limit in var.limits : name if try(
        length([for category in [limit.category_title, limit.category_uuid] : category if category != null]) != 1, true
      )
    ])}."
  }

  validation {
    condition = alltrue([for limit in values(var.limits) : try(
      limit.category_uuid == null || can(regex("^[0-9a-f]{32}$", lower(replace(limit.category_uuid, "-", "")))), true
    )])
    error_message = "A category_uuid is 32 hexadecimal digits, with or without hyphens."
  }

  validation {
    condition     = alltrue([for limit in values(var.limits) : try(trimspace(limit.type) != "" && limit.category_title != "", false)])
    error_message = "A type is needed, such as \"cpu\", and neither it nor a category_title may be empty."
  }

  validation {
    condition = alltrue([for limit in values(var.limits) : try(contains(["reported_usage", "fixed_usage"], limit.measure), false)])
    error_message = "The measure is \"reported_usage\" or \"fixed_usage\", unlike in: ${join(", ", [
      for name, limit in var.limits : name if !try(contains(["reported_usage", "fixed_usage"], limit.measure), false)
    ])}."
  }

  validation {
    condition = alltrue([for limit in values(var.limits) : try(limit.limit >= 0 && floor(limit.limit) == limit.limit, false)])
    error_message = "The limit is a whole number, 0 or more, as Waldur's amounts are, unlike in: ${join(", ", [
      for name, limit in var.limits : name if !try(limit.limit >= 0 && floor(limit.limit) == limit.limit, false)
    ])}."
  }
}

variable "warn_at" {
  description = "Share of a limit from which its state is \"near\" and a warning is given, to six decimal places."
  type        = number
  default     = 0.8
  nullable    = false

  validation {
    condition     = var.warn_at > 0 && var.warn_at <= 1
    error_message = "The share is more than 0 and at most 1: 0.8 warns from 80 % of a limit on."
  }
}

variable "on_overrun" {
  description = "\"fail\": the plan fails when a limit is exceeded. \"warn\": it gives a warning. Whatever is chosen, a failed read fails, and so does a missing amount (see allow_missing)."
  type        = string
  default     = "fail"
  nullable    = false

  validation {
    condition     = contains(["fail", "warn"], var.on_overrun)
    error_message = "It is \"fail\" or \"warn\"."
  }
}

variable "allow_missing" {
  description = "Whether the plan passes, with a warning, when the amount of a limit is not known: when there is no record of its component, or one whose amount is null. By default it fails, as a typing error in a type would otherwise pass as no usage."
  type        = bool
  default     = false
  nullable    = false
}
