package provider

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// argumentType is the type of an argument of a function that may be anything:
// records in a list or a tuple, limits in a map or an object. The framework's
// own type turns each attribute of each record into a value of its own once
// more, at several times the cost of reading it.
type argumentType struct{ basetypes.DynamicType }

// argumentValue is an argument as it came. The embedded value only makes it one
// for the framework, which asks it for nothing but its type.
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

// usagesParameter is the parameter of the usage records, which each function
// has first.
func usagesParameter() function.Parameter {
	return function.DynamicParameter{
		Name:       "usages",
		CustomType: argumentType{},
		MarkdownDescription: "Usage records: `usages` of the data source `waldur_category_component_usages`, several of them in `concat(…)`, " +
			"or some of them in `[for u in … : u if …]`.",
	}
}

// optionsParameter is the variadic parameter that takes one object at most,
// which is how a function has optional arguments. It must not be null: OpenTofu
// 1.12 turns a null whose type is not known into an unknown result, in which
// a gate would get lost, and cannot send one whose type is known.
func optionsParameter(description string) function.Parameter {
	return function.DynamicParameter{Name: "options", CustomType: argumentType{}, MarkdownDescription: description}
}

// argument is an argument of a call, or a value in one. One that is not set is
// null.
type argument struct {
	place    string // what errors call it: limits["CPU"].type
	value    tftypes.Value
	problems *[]string // what is wrong with the argument, shared by all values in it
}

// callArguments returns the arguments of a call: those of the parameters, then
// the options. There are none if anything in them is unknown: then the result
// stays unknown.
func callArguments(ctx context.Context, data function.ArgumentsData, parameters ...string) ([]argument, *function.FuncError) {
	var all []argument
	for i, name := range append(parameters, "options") {
		var value attr.Value
		if err := data.GetArgument(ctx, i, &value); err != nil {
			return nil, err
		}
		values := []attr.Value{value}
		if variadic, is := value.(types.Tuple); is {
			values = variadic.Elements()
		}
		for _, value := range values {
			raw := value.(argumentValue).raw //nolint:forcetypeassert // the type of each parameter
			if !raw.IsFullyKnown() {
				return nil, nil
			}
			all = append(all, argument{name, raw, new([]string)})
		}
	}
	return all, nil
}

// firstError returns what is wrong with the first argument that has a problem,
// or nil.
func firstError(all []argument) *function.FuncError {
	for position, a := range all {
		if problems := *a.problems; len(problems) > 0 {
			text := strings.Join(problems, "\n")
			if len(problems) > 1 {
				text = "\n" + text // the CLI begins the line with words of its own
			}
			return function.NewArgumentFuncError(int64(position), text)
		}
	}
	return nil
}

func (a argument) problem(format string, details ...any) {
	*a.problems = append(*a.problems, a.place+": "+fmt.Sprintf(format, details...))
}

// require reports whether the value is set. It is a problem if it is not.
func (a argument) require() bool {
	if a.value.IsNull() {
		a.problem("is required")
	}
	return !a.value.IsNull()
}

// object reads an object, or a map, of the given attributes. One that is null
// counts as not set, as an optional attribute of a module's variable does. A
// wrong name is wrong even so.
func (a argument) object(names ...string) (attributes map[string]argument, ok bool) {
	var all map[string]tftypes.Value
	if ok = !a.value.IsNull() && a.value.As(&all) == nil; !ok {
		a.problem("must be an object, not %s", kind(a.value))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(names, name) {
			a.problem("unknown attribute %q; the attributes are %s", shortened(name), strings.Join(names, ", "))
			ok = false
		}
	}
	attributes = make(map[string]argument, len(names))
	for _, name := range names {
		attributes[name] = a.attribute(name, all[name])
	}
	return attributes, ok
}

func (a argument) attribute(name string, value tftypes.Value) argument {
	return argument{a.place + "." + name, value, a.problems}
}

// options reads the attributes of the one object that may be given.
func options(given []argument, names ...string) map[string]argument {
	if len(given) == 0 {
		return nil
	}
	if len(given) > 1 {
		given[1].problem("one object at most may be given, not %d", len(given))
	}
	attributes, _ := given[0].object(names...)
	return attributes
}

// elements reads a list, a set or a tuple.
func (a argument) elements(of string) []argument {
	var all []tftypes.Value
	if a.value.IsNull() || a.value.As(&all) != nil {
		a.problem("must be a list of %s, not %s", of, kind(a.value))
	}
	elements := make([]argument, len(all))
	for i, value := range all {
		elements[i] = argument{fmt.Sprintf("%s[%d]", a.place, i), value, a.problems}
	}
	return elements
}

// text reads a text, "" if it is not set.
func (a argument) text() string {
	var text string
	switch {
	case a.value.IsNull():
	case a.value.As(&text) != nil:
		a.problem("must be a string, not %s", kind(a.value))
	case text == "":
		a.problem("must not be empty")
	}
	return text
}

// number reads a number, or a text that Terraform would turn into one. It is
// nil if it is not set, or no number.
func (a argument) number() *big.Float {
	var number *big.Float
	var text string
	if a.value.IsNull() || a.value.As(&number) == nil {
		return number
	}
	if a.value.As(&text) == nil {
		if parsed, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven); err == nil && !parsed.IsInf() {
			return parsed
		}
	}
	a.problem("must be a number, not %s", kind(a.value))
	return nil
}

// largestLimit is the number of bits that a limit may have. Numbers in a
// configuration are exact up to 512 bits.
const largestLimit = 4096

// limit reads an amount, which may be larger than any record's.
func (a argument) limit() *big.Int {
	number := a.number()
	switch {
	case number == nil:
	case number.Sign() < 0:
		a.problem("must not be negative, as %s is", written(number))
	case number.IsInf() || number.MantExp(nil) > largestLimit:
		a.problem("is too large")
	case !number.IsInt():
		a.problem("must be an integer, not %s", written(number))
	default:
		whole, _ := number.Int(nil)
		return whole
	}
	return nil
}

// usages reads records. An attribute that a record lacks is null; attributes
// of its own are ignored.
func (a argument) usages() []waldur.Usage {
	elements := a.elements("usage records")
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
				at := element.attribute(field.String(), value)
				if number := at.number(); number != nil {
					amount, accuracy := number.Int64()
					if accuracy != big.Exact {
						at.problem("must be an integer from -2^63 to 2^63 - 1, not %s", written(number))
					}
					*target = waldur.Of(amount)
				}
			}
		}
		// Waldur writes them so; a test may not.
		if uuid, err := waldur.ParseUUID(usages[i].CategoryUUID.Value); err == nil {
			usages[i].CategoryUUID.Value = uuid
		}
	}
	return usages
}

// component reads the attributes that select a component.
func (a argument) component(attributes map[string]argument) budget.Component {
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
		a.problem("has both category_uuid and category_title: give one of them")
	}
	return component
}

// measure reads the name of a measure. Reported usage is the default.
func (a argument) measure() budget.Measure {
	measure := budget.Measure(cmp.Or(a.text(), string(budget.ReportedUsage)))
	if measure != budget.ReportedUsage && measure != budget.FixedUsage {
		a.problem(`must be "reported_usage" or "fixed_usage", not %q`, shortened(string(measure)))
	}
	return measure
}

// written is a number for people with all of its digits, of which a rounded one
// could look like another number. It is shortened if they are too many.
func written(number *big.Float) string {
	if exponent := number.MantExp(nil); exponent > largestLimit || exponent < -largestLimit {
		return number.Text('g', 20)
	}
	return shortened(number.Text('f', -1))
}

// kind names the type of a value for people.
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
