package provider

import (
	"maps"
	"math/big"
	"slices"
	"strings"
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

// callFunction calls a function as a CLI does. The result is nil if it is not
// known.
func callFunction(tb testing.TB, name string, arguments ...any) (any, *tfprotov6.FunctionError) {
	tb.Helper()
	s := newSession(tb, nil)
	request := &tfprotov6.CallFunctionRequest{Name: name}
	for _, argument := range arguments {
		request.Arguments = append(request.Arguments, dynamicArgument(tb, terraformValue(tb, argument)))
	}
	resp, err := s.server.CallFunction(tb.Context(), request)
	if err != nil {
		tb.Fatal(err)
	}
	if resp.Error != nil {
		return nil, resp.Error
	}
	result, err := resp.Result.Unmarshal(s.schemas.Functions[name].Return.Type)
	if err != nil {
		tb.Fatal(err)
	}
	if !result.IsFullyKnown() {
		return nil, nil
	}
	return literal(tb, result), nil
}

// literal turns a Terraform value into nil, string, bool, decimal or object.
func literal(tb testing.TB, value tftypes.Value) any {
	tb.Helper()
	var (
		text    string
		number  big.Float
		truth   bool
		members map[string]tftypes.Value
	)
	switch {
	case value.IsNull():
		return nil
	case value.As(&text) == nil:
		return text
	case value.As(&number) == nil:
		return decimal(number.Text('f', -1))
	case value.As(&truth) == nil:
		return truth
	case value.As(&members) == nil:
		result := object{}
		for name, member := range members {
			result[name] = literal(tb, member)
		}
		return result
	}
	tb.Fatalf("no literal of %s", value)
	return nil
}

// refusedCall is what must be said about an argument.
type refusedCall struct {
	arguments []any
	position  int64
	words     string
}

// requireRefused calls the function with each of the arguments.
func requireRefused(t *testing.T, name string, rows map[string]refusedCall) {
	t.Helper()
	for of, row := range rows {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			_, problem := callFunction(t, name, row.arguments...)
			if problem == nil || problem.FunctionArgument == nil || *problem.FunctionArgument != row.position || !strings.Contains(problem.Text, row.words) {
				t.Errorf("not %q on argument %d but %+v", row.words, row.position, problem)
			}
		})
	}
}

func TestFunctionsAreExplained(t *testing.T) {
	t.Parallel()
	functions := newSession(t, nil).schemas.Functions
	if names := slices.Sorted(maps.Keys(functions)); !slices.Equal(names, []string{"budget_check", "usage_chart", "usage_report"}) {
		t.Errorf("the functions are %q", names)
	}
	for name, function := range functions {
		if function.Summary == "" || function.Description == "" {
			t.Errorf("%s is not explained", name)
		}
		for _, parameter := range append(function.Parameters, function.VariadicParameter) {
			if parameter.Description == "" || parameter.AllowNullValue || parameter.AllowUnknownValues {
				t.Errorf("%s of %s is not explained, or may be null or unknown", parameter.Name, name)
			}
		}
	}
}

func TestFunctionOfSomethingUnknownIsUnknown(t *testing.T) {
	t.Parallel()
	usages, limits := []any{record(nil)}, someLimits(nil)
	for name, row := range map[string]struct {
		function  string
		arguments []any
	}{
		"usages":            {"budget_check", []any{unknown, limits}},
		"a record":          {"budget_check", []any{[]any{unknown}, limits}},
		"an amount":         {"budget_check", []any{[]any{record(object{"reported_usage": unknown})}, limits}},
		"limits":            {"budget_check", []any{usages, unknown}},
		"a limit":           {"budget_check", []any{usages, object{"CPU": unknown}}},
		"an attribute":      {"budget_check", []any{usages, someLimits(object{"limit": unknown})}},
		"options":           {"budget_check", []any{usages, limits, unknown}},
		"now":               {"budget_check", []any{usages, limits, object{"period": object{"start": "2024-10-01", "end": "2024-10-31", "now": unknown}}}},
		"usages of reports": {"usage_report", []any{unknown}},
		"title of reports":  {"usage_report", []any{usages, object{"title": unknown}}},
		"usages of charts":  {"usage_chart", []any{unknown, object{"type": "cpu"}}},
		"selectors":         {"usage_chart", []any{usages, object{"type": unknown}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if result, problem := callFunction(t, row.function, row.arguments...); result != nil || problem != nil {
				t.Errorf("it is %v, %+v", result, problem)
			}
		})
	}
}
