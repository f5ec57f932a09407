package provider

import (
	"context"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
)

// budgetCheck is the function that holds limits against usage records.
type budgetCheck struct{}

func newBudgetCheck() function.Function { return budgetCheck{} }

// Metadata implements function.Function.
func (budgetCheck) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "budget_check"
}

// Definition implements function.Function.
func (budgetCheck) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "Checks usage against limits",
		MarkdownDescription: "Adds up the usage records of each limit's component.",
		Parameters: []function.Parameter{
			usagesParameter(),
			function.DynamicParameter{Name: "limits", CustomType: argumentType{}, MarkdownDescription: "The limits by their names."},
		},
		VariadicParameter: optionsParameter("One object at most."),
		Return:            function.ObjectReturn{AttributeTypes: checkAttributes()},
	}
}

// Run implements function.Function.
func (budgetCheck) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	all, err := callArguments(ctx, req.Arguments, 2)
	if err != nil || !known(all) {
		resp.Error = err // without one, the result is unknown as it is
		return
	}
	usages, limits, options := all[0].usages(), all[1].limits(), budgetOptions(all[2:])
	if resp.Error = firstError(all); resp.Error != nil {
		return
	}
	resp.Error = resp.Result.Set(ctx, checkValue(budget.NewCheck(usages, limits, options)))
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
			"share": fraction(outcome.Share), "forecast": integer(outcome.Forecast),
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

// precision is the number of bits that the CLI keeps of a number.
const precision = 512

// integer returns a number to its last digit, null if there is none.
func integer(number *big.Int) types.Number {
	if number == nil {
		return types.NumberNull()
	}
	return types.NumberValue(new(big.Float).SetPrec(max(precision, uint(number.BitLen()))).SetInt(number))
}

// fraction returns a number as the CLI reads its decimals, null if there is
// none.
func fraction(number *big.Rat) types.Number {
	if number == nil {
		return types.NumberNull()
	}
	return types.NumberValue(new(big.Float).SetPrec(precision).SetRat(number))
}
