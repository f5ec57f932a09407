package provider

import (
	"context"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
)

// budgetCheck is the function that checks usage records against limits.
type budgetCheck struct{}

func newBudgetCheck() function.Function { return budgetCheck{} }

// Metadata implements function.Function.
func (budgetCheck) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "budget_check"
}

// Definition implements function.Function.
func (budgetCheck) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Checks usage records against limits",
		MarkdownDescription: "Adds up the usage records of each limit's component, across all given months and scopes, and returns an object with:" +
			"\n\n- `passed` (Boolean) True if no limit is in one of the states in `fail_on`." +
			"\n- `limits` (Map of Object) Results, keyed by the name of the limit: `used`, `limit`, `remaining` (`limit` - `used`), " +
			"`share` (`used` / `limit`; exactly 1 only if `used` equals `limit`), `forecast`, `unit` and `state`. " +
			"`share` and `forecast` are rounded only in the report: `forecast` is rounded up; `share` is rounded up if the limit is `over`, and down otherwise. Values that cannot be determined are null. If `state` is `over`, `used` may include only a part of the usage." +
			"\n- `report` (String) The number of limits in each state, followed by a Markdown table with a row for each limit. " +
			"If a limit is `missing` because it has no records, or if its records are of several components or in several units, the report also lists the components that have records." +
			"\n- `message` (String) The report for an `error_message`. The lines of its table and list begin with a space, so the CLI does not wrap them." +
			"\n\nThe state of a limit is the first that applies:" +
			"\n\n| State | When |\n|---|---|" +
			"\n| `over` | The known amounts exceed the limit, even if other amounts are not known. |" +
			"\n| `missing` | The usage is not known. |" +
			"\n| `forecast` | With `period`: `used` ÷ the elapsed share of the period exceeds the limit. |" +
			"\n| `near` | `used` is at least `warn_at` × `limit`. |" +
			"\n| `ok` | Otherwise. A limit of 0 with a usage of 0 is `ok`. |" +
			"\n\nThe usage is not known if there is no record of the component in any month, if an amount is null, or if the records are of several components or in several units. " +
			"It is also not known if a record lacks the attributes that identify its component. " +
			"A limit with a misspelled `type` is `missing`; its usage does not count as zero." +
			"\n\nAmounts of several components, or in several units, are never added up. Amounts whose `measured_unit` is null are added to each other, but not to amounts that have a unit. " +
			"A limit whose records are of several components or in several units is `over` only if the amounts of one component in one unit exceed it, or if a single record whose category is not known exceeds it." +
			"\n\nThe forecast is calculated only from the fourth day of the period onward, because earlier figures are unreliable." +
			"\n\nResults are exact: amounts are added and compared as integers of any size, and `warn_at` is compared as a decimal. Negative amounts are added like any other." +
			"\n\nRecords must have `type`, `category_uuid`, `measured_unit`, `date` and the measure, and `category_title` if a limit has it. " +
			"If the data source sets `fields`, it must include them, except `date`, which is always requested.",
		Parameters: []function.Parameter{
			usagesParameter(),
			function.DynamicParameter{
				Name:       "limits",
				CustomType: argumentType{},
				MarkdownDescription: "A map or an object with at least one limit, keyed by names of your choice. Each limit is an object with these attributes; " +
					"an attribute that is null counts as not set." +
					"\n   - `type`: Required. Type of the component, such as `cpu`." +
					"\n   - `limit`: Required. Amount that may be used, in the component's unit. Must be an integer of at least 0." +
					"\n   - `category_uuid` or `category_title`: Category of the component, if several categories have a component of this type. Set at most one of them. " +
					"Titles are display text and can change; only the UUID identifies a category." +
					"\n   - `measure`: `\"reported_usage\"` (the default) or `\"fixed_usage\"`.",
			},
		},
		VariadicParameter: optionsParameter("At most one object with these optional attributes. It must not be null; use `{}` to set none of them." +
			"\n   - `warn_at`: Share of a limit at or above which its state is `near`. Must be more than 0 and at most 1. Defaults to `0.8`. Write a decimal: a quotient such as `2 / 3` is rounded, possibly up." +
			"\n   - `fail_on`: List of the states that fail. Defaults to `[\"over\", \"missing\"]`. " +
			"A limit has only one state, so list every state that must fail: with `[\"forecast\"]` alone, a limit that is already `over` passes. With an empty list, the check always passes." +
			"\n   - `title`: Beginning of the report. Defaults to `Budget`." +
			"\n   - `period`: Object with `start` and `end`, the first and last day of the budget's period as `YYYY-MM-DD` in UTC, and `now`, " +
			"the current time in RFC 3339 format, such as `plantimestamp()`. Without `period`, there is no forecast. " +
			"`period` does not filter the records: all given records are added up, so they must be those of the period."),
		Return: function.ObjectReturn{AttributeTypes: checkAttributes()},
	}
}

// Run implements function.Function.
func (budgetCheck) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	all, err := callInputs(ctx, req.Arguments, "usages", "limits")
	if resp.Error = err; all == nil {
		return
	}
	usages, limits, options := all[0].usages(), all[1].limits(), budgetOptions(all[2:])
	if resp.Error = firstError(all); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, checkValue(budget.NewCheck(usages, limits, options)))
	}
}

func checkAttributes() map[string]attr.Type {
	return map[string]attr.Type{
		"passed":  types.BoolType,
		"limits":  types.MapType{ElemType: types.ObjectType{AttrTypes: outcomeAttributes()}},
		"report":  types.StringType,
		"message": types.StringType,
	}
}

func outcomeAttributes() map[string]attr.Type {
	return map[string]attr.Type{
		"used": types.NumberType, "limit": types.NumberType, "remaining": types.NumberType,
		"share": types.NumberType, "forecast": types.NumberType,
		"unit": types.StringType, "state": types.StringType,
	}
}

func checkValue(check budget.Check) types.Object {
	outcomes := make(map[string]attr.Value, len(check.Limits))
	for name, outcome := range check.Limits {
		unit := types.StringNull()
		if outcome.Unit.Valid {
			unit = types.StringValue(outcome.Unit.Value)
		}
		outcomes[name] = types.ObjectValueMust(outcomeAttributes(), map[string]attr.Value{
			"used": integer(outcome.Used), "limit": integer(outcome.Limit), "remaining": integer(outcome.Remaining),
			"share": quotient(outcome.Share), "forecast": quotient(outcome.Forecast),
			"unit": unit, "state": types.StringValue(string(outcome.State)),
		})
	}
	return types.ObjectValueMust(checkAttributes(), map[string]attr.Value{
		"passed":  types.BoolValue(check.Passed),
		"limits":  types.MapValueMust(types.ObjectType{AttrTypes: outcomeAttributes()}, outcomes),
		"report":  types.StringValue(check.Report),
		"message": types.StringValue(check.Message),
	})
}

// integer returns a number with all of its digits, or null for nil.
func integer(number *big.Int) types.Number {
	if number == nil {
		return types.NumberNull()
	}
	return quotient(new(big.Rat).SetInt(number))
}

// quotient returns a number with the precision of those in a configuration, or a
// higher one if its numerator has more digits. It returns null for nil.
func quotient(number *big.Rat) types.Number {
	if number == nil {
		return types.NumberNull()
	}
	precision := max(512, uint(number.Num().BitLen()))
	return types.NumberValue(new(big.Float).SetPrec(precision).SetRat(number))
}
