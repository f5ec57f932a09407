package provider

import (
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// dynamicArgument encodes an argument as a CLI does.
func dynamicArgument(tb testing.TB, value tftypes.Value) *tfprotov6.DynamicValue {
	tb.Helper()
	encoded, err := tfprotov6.NewDynamicValue(tftypes.DynamicPseudoType, value)
	if err != nil {
		tb.Fatal(err)
	}
	return &encoded
}

// decimal is a number as it is written in a configuration.
type decimal string

// terraformValue turns Go values into those of a literal in a configuration:
// maps are objects and slices are tuples.
func terraformValue(tb testing.TB, value any) tftypes.Value {
	tb.Helper()
	switch value := value.(type) {
	case nil:
		return tftypes.NewValue(tftypes.DynamicPseudoType, nil)
	case tftypes.Value:
		return value
	case string:
		return tftypes.NewValue(tftypes.String, value)
	case bool:
		return tftypes.NewValue(tftypes.Bool, value)
	case int:
		return tftypes.NewValue(tftypes.Number, int64(value))
	case decimal:
		number, _, err := big.ParseFloat(string(value), 10, 512, big.ToNearestEven)
		if err != nil {
			tb.Fatal(err)
		}
		return tftypes.NewValue(tftypes.Number, number)
	case map[string]any:
		types, values := map[string]tftypes.Type{}, map[string]tftypes.Value{}
		for name, attribute := range value {
			values[name] = terraformValue(tb, attribute)
			types[name] = values[name].Type()
		}
		return tftypes.NewValue(tftypes.Object{AttributeTypes: types}, values)
	case []any:
		types, values := make([]tftypes.Type, len(value)), make([]tftypes.Value, len(value))
		for i, element := range value {
			values[i] = terraformValue(tb, element)
			types[i] = values[i].Type()
		}
		return tftypes.NewValue(tftypes.Tuple{ElementTypes: types}, values)
	default:
		if value == unknown {
			return tftypes.NewValue(tftypes.DynamicPseudoType, unknown)
		}
		tb.Fatalf("no value for %T", value)
		return tftypes.Value{}
	}
}
