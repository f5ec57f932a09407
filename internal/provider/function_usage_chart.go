package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
)

// usageChart is the function that draws the monthly usage of a component.
type usageChart struct{}

func newUsageChart() function.Function { return usageChart{} }

// Metadata implements function.Function.
func (usageChart) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "usage_chart"
}

// Definition implements function.Function.
func (usageChart) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Draws the monthly usage of a component as a Mermaid chart",
		MarkdownDescription: "Returns a fenced code block with a [Mermaid](https://mermaid.js.org/syntax/xyChart.html) `xychart-beta`, which GitHub and GitLab render " +
			"in job summaries, comments and Markdown files. The chart shows the months of one component as bars and, optionally, a limit as a line. " +
			"A month without a record has an empty bar. One whose amount is null has an empty bar labeled `no data`, or, if other amounts of the month are known, a bar labeled `at least`. " +
			"If no record matches, or if the records are not known to be of one component in one unit, the function returns the reason as text instead.",
		Parameters: []function.Parameter{
			usagesParameter(),
			function.DynamicParameter{
				Name:       "selector",
				CustomType: argumentType{},
				MarkdownDescription: "The component, as an object with the attributes of a limit of [budget_check](budget_check.md): `type` and, optionally, " +
					"`category_uuid` or `category_title`, `measure` (`\"reported_usage\"`, the default, or `\"fixed_usage\"`) and `limit`.",
			},
		},
		VariadicParameter: optionsParameter("At most one object with these optional attributes:" +
			"\n   - `limit`: Amount to draw as a line. Defaults to the `limit` of the selector." +
			"\n   - `title`: Title of the chart. Defaults to the names of the component and its category, followed by the limit if there is one."),
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (usageChart) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	all, err := callInputs(ctx, req.Arguments, "usages", "selector")
	if resp.Error = err; all == nil {
		return
	}
	usages, selector := all[0].usages(), all[1]
	selected, _ := selector.object("type", "category_uuid", "category_title", "measure", "limit")
	component, limit := selector.component(selected), selected["limit"].limit()
	attributes := options(all[2:], "limit", "title")
	if given := attributes["limit"]; !given.value.IsNull() {
		limit = given.limit()
	}
	title := attributes["title"].text()
	if resp.Error = firstError(all); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, budget.NewUsageChart(usages, component, limit, title))
	}
}
