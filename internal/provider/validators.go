package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// parser is a validator that accepts what a parser accepts, so that what is
// validated and what is used follow one rule.
type parser[T any] struct {
	invalid string // summary of the error
	parse   func(string) (T, error)
}

// parsed validates a text by parsing it.
func parsed[T any](invalid string, parse func(string) (T, error)) validator.String {
	return parser[T]{invalid, parse}
}

// Description implements validator.Describer.
func (p parser[T]) Description(context.Context) string { return "the value must be well-formed" }

// MarkdownDescription implements validator.Describer.
func (p parser[T]) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

// ValidateString implements validator.String.
func (p parser[T]) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := p.parse(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, p.invalid, err.Error())
	}
}
