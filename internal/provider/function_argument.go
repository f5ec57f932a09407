package provider

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// argumentType is the type of an argument of a function that may be anything:
// records in a list or a tuple, limits in a map or an object. The framework's
// own type turns each attribute of each record into a value of its own once
// more, at several times the cost of reading it.
type argumentType struct{ basetypes.DynamicType }

// argumentValue is an argument as it came.
type argumentValue struct{ value tftypes.Value }

var (
	_ basetypes.DynamicTypable  = argumentType{}
	_ basetypes.DynamicValuable = argumentValue{}
)

// Equal implements attr.Type.
func (t argumentType) Equal(o attr.Type) bool {
	_, same := o.(argumentType)
	return same
}

// String implements attr.Type.
func (t argumentType) String() string { return "argumentType" }

// ValueFromTerraform implements attr.Type.
func (t argumentType) ValueFromTerraform(_ context.Context, in tftypes.Value) (attr.Value, error) {
	return argumentValue{value: in}, nil
}

// ValueType implements attr.Type.
func (t argumentType) ValueType(context.Context) attr.Value { return argumentValue{} }

// Type implements attr.Value.
func (v argumentValue) Type(context.Context) attr.Type { return argumentType{} }

// ToTerraformValue implements attr.Value.
func (v argumentValue) ToTerraformValue(context.Context) (tftypes.Value, error) { return v.value, nil }

// Equal implements attr.Value.
func (v argumentValue) Equal(o attr.Value) bool {
	other, same := o.(argumentValue)
	return same && v.value.Equal(other.value)
}

// IsNull implements attr.Value.
func (v argumentValue) IsNull() bool { return v.value.IsNull() }

// IsUnknown implements attr.Value.
func (v argumentValue) IsUnknown() bool { return !v.value.IsKnown() }

// String implements attr.Value.
func (v argumentValue) String() string { return v.value.String() }

// ToDynamicValue implements basetypes.DynamicValuable for validators, of which
// no parameter has any.
func (v argumentValue) ToDynamicValue(ctx context.Context) (basetypes.DynamicValue, diag.Diagnostics) {
	value, err := basetypes.DynamicType{}.ValueFromTerraform(ctx, v.value)
	if dynamic, ok := value.(basetypes.DynamicValue); ok && err == nil {
		return dynamic, nil
	}
	return basetypes.NewDynamicUnknown(), nil
}

// argument is one argument of a call, with what is wrong with it.
type argument struct {
	position int64
	value    tftypes.Value
	problems []string
}

// callArguments returns the arguments of a call: those of the parameters, then
// the variadic ones.
func callArguments(ctx context.Context, data function.ArgumentsData, parameters int) ([]*argument, *function.FuncError) {
	var all []*argument
	for i := range parameters + 1 {
		var value attr.Value
		if err := data.GetArgument(ctx, i, &value); err != nil {
			return nil, err
		}
		values := []attr.Value{value}
		if i == parameters {
			values = value.(types.Tuple).Elements() //nolint:forcetypeassert // so the framework hands over a variadic argument
		}
		for _, value := range values {
			raw, err := value.ToTerraformValue(ctx)
			if err != nil {
				return nil, function.NewArgumentFuncError(int64(len(all)), err.Error())
			}
			all = append(all, &argument{position: int64(len(all)), value: raw})
		}
	}
	return all, nil
}

// known reports whether nothing in the arguments is unknown.
func known(all []*argument) bool {
	return !slices.ContainsFunc(all, func(a *argument) bool { return !a.value.IsFullyKnown() })
}

// firstError returns what is wrong with the first argument that has a problem,
// or nil.
func firstError(all []*argument) *function.FuncError {
	for _, a := range all {
		if len(a.problems) > 0 {
			text := strings.Join(a.problems, "\n")
			if len(a.problems) > 1 {
				text = "\n" + text // the CLI begins the line with words of its own
			}
			return function.NewArgumentFuncError(a.position, text)
		}
	}
	return nil
}

// problem notes what is wrong at a place: `limits["CPU"].type`.
func (a *argument) problem(place, format string, details ...any) {
	a.problems = append(a.problems, place+": "+fmt.Sprintf(format, details...))
}

// attributes reads an object, or a map, whose attributes are known by name.
// Those that are null are left out: they count as not set, as optional
// attributes of a module's variable do. A wrong name is wrong even so.
func (a *argument) attributes(place string, value tftypes.Value, names ...string) (map[string]tftypes.Value, bool) {
	var all map[string]tftypes.Value
	if value.IsNull() || value.As(&all) != nil {
		a.problem(place, "must be an object, not %s", kind(value))
		return nil, false
	}
	ok := true
	set := make(map[string]tftypes.Value, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(names, name) {
			a.problem(place, "unknown attribute %q; the attributes are %s", shortened(name), strings.Join(names, ", "))
			ok = false
		} else if !all[name].IsNull() {
			set[name] = all[name]
		}
	}
	return set, ok
}

// elements reads a list, a set or a tuple.
func (a *argument) elements(place string, value tftypes.Value, of string) []tftypes.Value {
	var all []tftypes.Value
	if value.IsNull() || value.As(&all) != nil {
		a.problem(place, "must be a list of %s, not %s", of, kind(value))
	}
	return all
}

// text reads a text. It is empty if there is none, or what is there is no text.
func (a *argument) text(place string, value tftypes.Value) string {
	var text string
	if value.Type() == nil || value.IsNull() {
		return ""
	}
	if value.As(&text) != nil {
		a.problem(place, "must be a string, not %s", kind(value))
	} else if text == "" {
		a.problem(place, "must not be empty")
	}
	return text
}

// number reads a number, or a text that Terraform would turn into one. It is
// nil if there is none, or what is there is no number.
func (a *argument) number(place string, value tftypes.Value) *big.Float {
	if value.Type() == nil || value.IsNull() {
		return nil
	}
	var number big.Float
	var text string
	if value.As(&number) == nil {
		return &number
	}
	if value.As(&text) == nil {
		if parsed, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven); err == nil && !parsed.IsInf() {
			return parsed
		}
	}
	a.problem(place, "must be a number, not %s", kind(value))
	return nil
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
