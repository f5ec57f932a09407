package provider

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// argumentType is the type of a function argument of any type: records in a list
// or a tuple, limits in a map or an object. The framework's own dynamic type
// converts each attribute of each record once more, at several times the cost of
// reading it.
type argumentType struct{ basetypes.DynamicType }

// argumentValue holds an argument without converting it. The framework needs the
// embedded value only for its type.
type argumentValue struct {
	basetypes.DynamicValue
	raw tftypes.Value
}

// ValueFromTerraform implements attr.Type.
func (argumentType) ValueFromTerraform(_ context.Context, raw tftypes.Value) (attr.Value, error) {
	return argumentValue{raw: raw}, nil
}

// ValueType implements attr.Type.
func (argumentType) ValueType(context.Context) attr.Value { return argumentValue{} }

// usagesParameter returns the first parameter of each function: the usage records.
func usagesParameter() function.Parameter {
	return function.DynamicParameter{
		Name:       "usages",
		CustomType: argumentType{},
		MarkdownDescription: "List of usage records, such as `usages` of the data source `waldur_category_component_usages`. " +
			"Use `concat(…)` to combine several lists, and `[for u in … : u if …]` to select records. Do not use `toset` or `distinct`, which drop records with equal attributes.",
	}
}

// optionsParameter returns the variadic parameter for at most one object of
// optional arguments. The object must not be null: OpenTofu 1.12 makes the result of
// a call with an untyped null unknown, so a gate would pass, and it cannot send a
// typed null.
func optionsParameter(description string) function.Parameter {
	return function.DynamicParameter{Name: "options", CustomType: argumentType{}, MarkdownDescription: description}
}

// input is an argument of a call, or a value in an argument. It is null if it is
// not set. Its methods read it, and add to problems if they cannot.
type input struct {
	place    string // its name in errors: limits["CPU"].type
	value    tftypes.Value
	problems *[]string // of the argument, shared by all values in it
}

// callInputs returns the arguments of a call: those of the parameters, then the
// options. It returns nil if any part of them is unknown: the result is then unknown
// too, as the framework sets it before the call.
func callInputs(ctx context.Context, data function.ArgumentsData, parameters ...string) ([]input, *function.FuncError) {
	var all []input
	for i, name := range append(parameters, "options") {
		var value attr.Value
		if err := data.GetArgument(ctx, i, &value); err != nil {
			return nil, err
		}
		values := []attr.Value{value}
		if variadic, is := value.(types.Tuple); is { // the framework collects variadic arguments in a tuple
			values = variadic.Elements()
		}
		for _, value := range values {
			raw := value.(argumentValue).raw //nolint:forcetypeassert // the type of each parameter
			if !raw.IsFullyKnown() {
				return nil, nil
			}
			all = append(all, input{name, raw, new([]string)})
		}
	}
	return all, nil
}

// firstError returns the error of the first argument that has problems, or nil.
func firstError(all []input) *function.FuncError {
	for position, in := range all {
		if problems := *in.problems; len(problems) > 0 {
			text := strings.Join(problems, "\n")
			if len(problems) > 1 {
				text = "\n" + text // the CLI puts its own words at the beginning of the line
			}
			return function.NewArgumentFuncError(int64(position), text)
		}
	}
	return nil
}

func (in input) problem(format string, details ...any) {
	*in.problems = append(*in.problems, in.place+": "+fmt.Sprintf(format, details...))
}

// require reports whether the value is set, and adds a problem if it is not.
func (in input) require() bool {
	if in.value.IsNull() {
		in.problem("is required")
	}
	return !in.value.IsNull()
}

// object reads an object or a map with the given attributes. An attribute that is
// null is not set, like an optional attribute of a module's variable. A name that
// is not one of the given ones is a problem, even with a null value.
func (in input) object(names ...string) (attributes map[string]input, ok bool) {
	var all map[string]tftypes.Value
	if ok = !in.value.IsNull() && in.value.As(&all) == nil; !ok {
		in.problem("must be an object, not %s", kind(in.value))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(names, name) {
			in.problem("unknown attribute %q; the attributes are %s", shortened(name), strings.Join(names, ", "))
			ok = false
		}
	}
	attributes = make(map[string]input, len(names))
	for _, name := range names {
		attributes[name] = in.attribute(name, all[name])
	}
	return attributes, ok
}

func (in input) attribute(name string, value tftypes.Value) input {
	return input{in.place + "." + name, value, in.problems}
}

// options reads the attributes of the object of optional arguments, if there is one.
func options(inputs []input, names ...string) map[string]input {
	if len(inputs) == 0 {
		return nil
	}
	if len(inputs) > 1 {
		inputs[1].problem("at most one object may be given, not %d", len(inputs))
	}
	attributes, _ := inputs[0].object(names...)
	return attributes
}

// elements reads the elements of a list, a set or a tuple.
func (in input) elements(of string) []input {
	var all []tftypes.Value
	if in.value.IsNull() || in.value.As(&all) != nil {
		in.problem("must be a list of %s, not %s", of, kind(in.value))
	}
	elements := make([]input, len(all))
	for i, value := range all {
		elements[i] = input{fmt.Sprintf("%s[%d]", in.place, i), value, in.problems}
	}
	return elements
}

// text reads a string. It returns "" if it is not set.
func (in input) text() string {
	var text string
	switch {
	case in.value.IsNull():
	case in.value.As(&text) != nil:
		in.problem("must be a string, not %s", kind(in.value))
	case text == "":
		in.problem("must not be empty")
	}
	return text
}

// number reads a number, or a string that Terraform would convert to one. It
// returns nil if the value is not set, or is another one.
func (in input) number() *big.Float {
	var number *big.Float
	var text string
	if in.value.IsNull() || in.value.As(&number) == nil {
		return number
	}
	if in.value.As(&text) == nil {
		if parsed, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven); err == nil && !parsed.IsInf() {
			return parsed
		}
	}
	in.problem("must be a number, not %s", kind(in.value))
	return nil
}

// largestLimit is the number of bits that a limit may have. Numbers in a
// configuration are exact up to 512 bits.
const largestLimit = 4096

// limit reads an amount, which may be larger than that of any record.
func (in input) limit() *big.Int {
	number := in.number()
	switch {
	case number == nil:
	case number.Sign() < 0:
		in.problem("must be at least 0, not %s", written(number))
	case number.IsInf() || number.MantExp(nil) > largestLimit:
		in.problem("is too large")
	case !number.IsInt():
		in.problem("must be an integer, not %s", written(number))
	default:
		amount, _ := number.Int(nil)
		return amount
	}
	return nil
}

// usages reads records. An attribute that a record does not have is null; other
// attributes are ignored.
func (in input) usages() []waldur.Usage {
	elements := in.elements("usage records")
	usages := make([]waldur.Usage, len(elements))
	for i, element := range elements {
		var attributes map[string]tftypes.Value
		if element.value.IsNull() || element.value.As(&attributes) != nil {
			element.problem("must be a usage record, not %s", kind(element.value))
			continue
		}
		for field := range waldur.AllFields().Each {
			value := attributes[field.String()]
			if value.IsNull() {
				continue
			}
			switch target := usages[i].Attribute(field).(type) {
			case *waldur.Nullable[string]:
				if target.Valid = value.As(&target.Value) == nil; !target.Valid {
					element.attribute(field.String(), value).problem("must be a string, not %s", kind(value))
				}
			case *waldur.Nullable[int64]:
				attribute := element.attribute(field.String(), value)
				if number := attribute.number(); number != nil {
					amount, accuracy := number.Int64()
					if accuracy != big.Exact {
						attribute.problem("must be an integer from -2^63 to 2^63 - 1, not %s", written(number))
					}
					*target = waldur.Of(amount)
				}
			}
		}
		// Waldur's UUIDs are in this form already; those in a test may not be.
		if uuid, err := waldur.ParseUUID(usages[i].CategoryUUID.Value); err == nil {
			usages[i].CategoryUUID.Value = uuid
		}
	}
	return usages
}

// component reads the attributes that select a component.
func (in input) component(attributes map[string]input) budget.Component {
	component := budget.Component{
		Type:          attributes["type"].text(),
		CategoryUUID:  attributes["category_uuid"].text(),
		CategoryTitle: attributes["category_title"].text(),
		Measure:       attributes["measure"].measure(),
	}
	attributes["type"].require()
	if component.CategoryUUID != "" {
		uuid, err := waldur.ParseUUID(component.CategoryUUID)
		if err != nil {
			attributes["category_uuid"].problem("must be 32 hexadecimal digits, with or without hyphens, not %q", shortened(component.CategoryUUID))
		}
		component.CategoryUUID = uuid
	}
	if component.CategoryUUID != "" && component.CategoryTitle != "" {
		in.problem("has both category_uuid and category_title: set only one of them")
	}
	return component
}

// measure reads the name of a measure. The default is reported usage.
func (in input) measure() budget.Measure {
	measure := budget.Measure(cmp.Or(in.text(), string(budget.ReportedUsage)))
	if measure != budget.ReportedUsage && measure != budget.FixedUsage {
		in.problem(`must be "reported_usage" or "fixed_usage", not %q`, shortened(string(measure)))
	}
	return measure
}

// limits reads limits by their names.
func (in input) limits() map[string]budget.Limit {
	var given map[string]tftypes.Value
	if in.value.IsNull() || in.value.As(&given) != nil {
		in.problem("must be a map of limits, not %s", kind(in.value))
		return nil
	}
	if len(given) == 0 {
		in.problem("must not be empty: without a limit, the check always passes")
	}
	limits := make(map[string]budget.Limit, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		one := input{fmt.Sprintf("%s[%q]", in.place, shortened(name)), given[name], in.problems}
		if attributes, ok := one.object("type", "limit", "category_uuid", "category_title", "measure"); ok {
			limits[name] = budget.Limit{Component: one.component(attributes), Amount: attributes["limit"].limit()}
			attributes["limit"].require()
		}
	}
	return limits
}

func budgetOptions(inputs []input) budget.Options {
	attributes := options(inputs, "warn_at", "fail_on", "title", "period")
	read := budget.DefaultOptions()
	if warnAt := attributes["warn_at"]; !warnAt.value.IsNull() {
		read.WarnAt = warnAt.share()
	}
	if failOn := attributes["fail_on"]; !failOn.value.IsNull() {
		read.FailOn = failOn.states()
	}
	read.Title = attributes["title"].text()
	if period := attributes["period"]; !period.value.IsNull() {
		read.Period = period.period()
	}
	return read
}

// share reads a number above 0 and up to 1 as the decimal that is written, since 0.8
// is not a binary number of any length.
func (in input) share() *big.Rat {
	number := in.number()
	if number == nil {
		return nil
	}
	if number.Sign() <= 0 || number.Cmp(big.NewFloat(1)) > 0 {
		in.problem("must be more than 0 and at most 1, not %s", written(number))
		return nil
	}
	if number.MantExp(nil) < -largestLimit {
		in.problem("is too small")
		return nil
	}
	decimal, ok := new(big.Rat).SetString(number.Text('g', -1))
	if !ok {
		in.problem("must be more than 0 and at most 1")
	}
	return decimal
}

func (in input) states() []budget.State {
	var states []budget.State
	for _, element := range in.elements("states") {
		state := budget.State(element.text())
		if element.value.IsNull() {
			element.problem("must not be null")
		} else if state != "" && !slices.Contains(budget.States(), state) {
			element.problem(`must be one of "over", "missing", "forecast", "near", "ok", not %q`, shortened(string(state)))
		}
		states = append(states, state)
	}
	return states
}

func (in input) period() *budget.Period {
	problems := len(*in.problems)
	attributes, _ := in.object("start", "end", "now")
	start := attributes["start"].time(time.DateOnly, "a date, YYYY-MM-DD")
	end := attributes["end"].time(time.DateOnly, "a date, YYYY-MM-DD")
	now := attributes["now"].time(time.RFC3339, "a point in time as in RFC 3339, such as 2024-10-16T12:00:00Z")
	if len(*in.problems) > problems {
		return nil
	}
	period, err := budget.NewPeriod(start, end, now)
	if err != nil {
		in.problem("%s", err)
	}
	return &period
}

// time reads a required point in time.
func (in input) time(layout, form string) time.Time {
	if !in.require() {
		return time.Time{}
	}
	text := in.text()
	at, err := time.Parse(layout, text)
	if err != nil && text != "" {
		in.problem("must be %s, not %q", form, shortened(text))
	}
	return at
}

// written returns a number with all of its digits, since a rounded one could look
// like another number. Too many digits are shortened, and very large or small
// numbers are rounded to two digits.
func written(number *big.Float) string {
	if exponent := number.MantExp(nil); exponent > largestLimit || exponent < -largestLimit {
		// All decimal digits of such a number can take minutes to compute.
		mantissa, _ := new(big.Float).SetMantExp(number, -exponent).Float64()
		power := (float64(exponent) + math.Log2(math.Abs(mantissa))) * math.Log10(2)
		digits := math.Round(10 * math.Pow(10, power-math.Floor(power)))
		if digits == 100 {
			digits, power = 10, power+1
		}
		return fmt.Sprintf("%ve%+.0f", math.Copysign(digits/10, mantissa), math.Floor(power))
	}
	return shortened(number.Text('f', -1))
}

// kind names the type of a value as in a message.
func kind(value tftypes.Value) string {
	switch t := value.Type(); {
	case value.IsNull():
		return "null"
	case t.Is(tftypes.String):
		var text string
		_ = value.As(&text) // it is one
		return fmt.Sprintf("%q", shortened(text))
	case t.Is(tftypes.Number):
		return "a number"
	case t.Is(tftypes.Bool):
		return "a bool"
	case t.Is(tftypes.Object{}), t.Is(tftypes.Map{}):
		return "an object"
	default:
		return "a list"
	}
}

func shortened(text string) string {
	const most = 60
	if characters := []rune(text); len(characters) > most {
		return string(characters[:most]) + "…"
	}
	return text
}
