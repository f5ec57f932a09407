package provider

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// parser is a validator that accepts what a function parses, so that validation
// and use follow one rule.
type parser[T any] struct {
	summary string // of the error
	parse   func(string) (T, error)
}

// parsed returns a validator that parses the text.
func parsed[T any](summary string, parse func(string) (T, error)) validator.String {
	return parser[T]{summary, parse}
}

// Description implements validator.Describer.
func (p parser[T]) Description(context.Context) string { return "value must be well-formed" }

// MarkdownDescription implements validator.Describer.
func (p parser[T]) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

// ValidateString implements validator.String.
func (p parser[T]) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := p.parse(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.Append(diag.NewAttributeErrorDiagnostic(req.Path, p.summary, argumentProblem(req.Path.String(), err)))
	}
}

// integerValidator validates a number that is used as an int64. The framework's
// own Int64Attribute reports 1.5 as a bug of the provider.
type integerValidator struct {
	summary string // of the error
	minimum int64
}

// Description implements validator.Describer.
func (v integerValidator) Description(context.Context) string {
	return fmt.Sprintf("value must be an integer of at least %d", v.minimum)
}

// MarkdownDescription implements validator.Describer.
func (v integerValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateNumber implements validator.Number.
func (v integerValidator) ValidateNumber(_ context.Context, req validator.NumberRequest, resp *validator.NumberResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := parseInteger(digits(req.ConfigValue.ValueBigFloat()), v.minimum); err != nil {
		resp.Diagnostics.Append(diag.NewAttributeErrorDiagnostic(req.Path, v.summary, sentence(err.Error())))
	}
}

// digits returns the decimal digits of an int64, and nothing for another number.
func digits(number *big.Float) string {
	integer, accuracy := number.Int64()
	if accuracy != big.Exact {
		return ""
	}
	return strconv.FormatInt(integer, 10)
}

// parseInteger parses an integer from the configuration or the environment.
func parseInteger(digits string, minimum int64) (int64, error) {
	integer, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || integer < minimum {
		return 0, fmt.Errorf("the value must be an integer of at least %d", minimum)
	}
	return integer, nil
}
