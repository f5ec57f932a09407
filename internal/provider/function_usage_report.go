package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
)

// usageReport is the function that reports usage as tables.
type usageReport struct{}

func newUsageReport() function.Function { return usageReport{} }

// Metadata implements function.Function.
func (usageReport) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "usage_report"
}

// Definition implements function.Function.
func (usageReport) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Reports usage as Markdown tables",
		MarkdownDescription: "Returns a Markdown report with a table for each marketplace category. A table has a row for each month, a column for each component " +
			"and its unit, a bar for each amount, and totals. A month without a record is shown as `–` and counts as zero. " +
			"A null amount is shown as `no data`. A total that includes one is the sum of the known amounts, marked with `at least`, or `no data` if no amount is known.",
		Parameters: []function.Parameter{usagesParameter()},
		VariadicParameter: optionsParameter("At most one object with these optional attributes:" +
			"\n   - `measure`: `\"reported_usage\"` (the default) or `\"fixed_usage\"`. A report shows only one of the two." +
			"\n   - `title`: Heading of the report. Defaults to `Reported usage` or `Fixed usage`."),
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (usageReport) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	all, err := callInputs(ctx, req.Arguments, "usages")
	if resp.Error = err; all == nil {
		return
	}
	usages := all[0].usages()
	attributes := options(all[1:], "measure", "title")
	measure, title := attributes["measure"].measure(), attributes["title"].text()
	if resp.Error = firstError(all); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, budget.NewUsageReport(usages, measure, title))
	}
}
