package provider

import (
	"math"
	"math/big"
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// int64Of fails the test if the number is not exactly an int64.
func int64Of(tb testing.TB, value tftypes.Value) int64 {
	tb.Helper()
	var number big.Float
	if err := value.As(&number); err != nil {
		tb.Fatal(err)
	}
	integer, accuracy := number.Int64()
	if accuracy != big.Exact {
		tb.Fatalf("%s is not an int64", number.Text('g', 30))
	}
	return integer
}

// sent returns the attribute usages as a CLI receives it: encoded for the
// protocol and decoded.
func sent(t *testing.T, usages []waldur.Usage) any {
	t.Helper()
	config := usagesConfig(t)
	state := tfsdk.State(config)
	if diagnostics := state.SetAttribute(t.Context(), path.Root("usages"), usagesValue(usages)); diagnostics.HasError() {
		t.Fatal(diagnostics)
	}
	wire, err := tfprotov6.NewDynamicValue(state.Raw.Type(), state.Raw)
	if err != nil {
		t.Fatal(err)
	}
	value, err := wire.Unmarshal(state.Raw.Type())
	if err != nil {
		t.Fatal(err)
	}
	return plain(t, value).(map[string]any)["usages"]
}

// Terraform numbers have any precision. A usage above 2^53 is not a float64, and
// must not become one on the way.
func TestUsagesReachTheStateUnchanged(t *testing.T) {
	t.Parallel()
	for name, usage := range map[string]waldur.Usage{
		"all attributes": {
			Name: waldur.Of("CPU"), Type: waldur.Of("cpu"), MeasuredUnit: waldur.Of("hours"),
			CategoryTitle: waldur.Of("Virtual machines"), CategoryUUID: waldur.Of("0123456789abcdef0123456789abcdef"),
			Date: waldur.Of("2024-09-01"), ReportedUsage: waldur.Of(int64(5)), FixedUsage: waldur.Of(int64(7)),
			Scope: waldur.Of("https://waldur.example.com/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"),
		},
		"nulls only":           {},
		"zero is not null":     {ReportedUsage: waldur.Of(int64(0)), MeasuredUnit: waldur.Of("")},
		"largest and smallest": {ReportedUsage: waldur.Of(int64(math.MaxInt64)), FixedUsage: waldur.Of(int64(math.MinInt64))},
		"beyond a float":       {ReportedUsage: waldur.Of(int64(1<<53 + 1)), FixedUsage: waldur.Of(int64(-(1<<53 + 1)))},
		"umlauts and emoji":    {Name: waldur.Of("Größe 🚀 ñ e\u0301"), Type: waldur.Of("größe")},
		"quotes and controls":  {Name: waldur.Of(`"quoted" \ ${not} %{a} template`), MeasuredUnit: waldur.Of("a\u2028b\u2029c\td\ne")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]any{}
			for field := range waldur.AllFields().Each {
				switch attribute := usage.Attribute(field).(type) {
				case *waldur.Nullable[string]:
					want[field.String()] = orNil(*attribute)
				case *waldur.Nullable[int64]:
					want[field.String()] = orNil(*attribute)
				}
			}
			if got := sent(t, []waldur.Usage{usage}); !reflect.DeepEqual(got, []any{want}) {
				t.Errorf("\n got %v\nwant %v", got, []any{want})
			}
		})
	}
}

func orNil[T any](n waldur.Nullable[T]) any {
	if !n.Valid {
		return nil
	}
	return n.Value
}

// With a null list, length() and for would fail for a project without records.
func TestNoRecordsAreAnEmptyList(t *testing.T) {
	t.Parallel()
	for name, usages := range map[string][]waldur.Usage{"nil": nil, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sent(t, usages); !reflect.DeepEqual(got, []any{}) {
				t.Errorf("got %#v, want an empty list", got)
			}
		})
	}
}

// Equal texts share one Terraform value. A mistake there would mix up records.
func TestRecordsKeepTheirOwnTexts(t *testing.T) {
	t.Parallel()
	usages := manyUsages(1000)
	list := sent(t, usages).([]any)
	for i, usage := range usages {
		record := list[i].(map[string]any)
		if record["name"] != usage.Name.Value || record["type"] != usage.Type.Value || record["date"] != usage.Date.Value ||
			record["reported_usage"] != usage.ReportedUsage.Value {
			t.Fatalf("record %d is %v, want %v", i, record, usage)
		}
	}
}

// Reflection over structs takes about 900 allocations per record, and most of a
// second for 10,000 records.
func TestConversionIsCheap(t *testing.T) {
	const n = 1000
	usages := manyUsages(n)
	config := usagesConfig(t)
	set := func(value any) float64 {
		return testing.AllocsPerRun(3, func() {
			state := tfsdk.State(config)
			if diagnostics := state.SetAttribute(t.Context(), path.Root("usages"), value); diagnostics.HasError() {
				t.Fatal(diagnostics)
			}
		}) / n
	}
	convert := testing.AllocsPerRun(3, func() { usagesValue(usages) }) / n
	if got := convert + set(usagesValue(usages)); got > 20 {
		t.Errorf("%.1f allocations per record, want at most 20", got)
	}
	if got := set(structs(usages)); got < 200 {
		t.Errorf("structs take only %.1f allocations per record: use them, the framework has become faster", got)
	}
}
