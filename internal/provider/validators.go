package provider

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

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

// wholeNumberValidator validates a number that is used as an int64. The framework's
// Int64Attribute answers 1.5 with an error that calls itself a bug of the
// provider.
type wholeNumberValidator struct {
	invalid string // summary of the error
	least   int64
}

// Description implements validator.Describer.
func (n wholeNumberValidator) Description(context.Context) string {
	return fmt.Sprintf("the value must be a whole number, %d or more", n.least)
}

// MarkdownDescription implements validator.Describer.
func (n wholeNumberValidator) MarkdownDescription(ctx context.Context) string {
	return n.Description(ctx)
}

// ValidateNumber implements validator.Number.
func (n wholeNumberValidator) ValidateNumber(_ context.Context, req validator.NumberRequest, resp *validator.NumberResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := parseWhole(digits(req.ConfigValue.ValueBigFloat()), n.least); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, n.invalid, err.Error())
	}
}

// digits writes a number as parseWhole reads it: nothing if it is not whole.
func digits(number *big.Float) string {
	whole, accuracy := number.Int64()
	if accuracy != big.Exact {
		return ""
	}
	return strconv.FormatInt(whole, 10)
}

// parseWhole reads a whole number, from the configuration or the environment.
func parseWhole(digits string, least int64) (int64, error) {
	whole, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || whole < least {
		return 0, fmt.Errorf("It must be a whole number, %d or more, and fit into 64 bits.", least)
	}
	return whole, nil
}
