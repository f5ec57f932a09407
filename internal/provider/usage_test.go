package provider

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Terraform numbers have any precision. A usage above 2^53 is not a float64, and
// must not become one on the way. With a null list, length() and for would fail
// for a project without records.
func TestUsagesReachTheStateUnchanged(t *testing.T) {
	t.Parallel()
	for name, usages := range map[string][]waldur.Usage{
		"no records": nil,
		"all attributes": {{
			Name: waldur.Of("CPU"), Type: waldur.Of("cpu"), MeasuredUnit: waldur.Of("hours"),
			CategoryTitle: waldur.Of("Virtual machines"), CategoryUUID: waldur.Of("0123456789abcdef0123456789abcdef"),
			Date: waldur.Of("2024-09-01"), ReportedUsage: waldur.Of(int64(5)), FixedUsage: waldur.Of(int64(7)),
			Scope: waldur.Of("https://waldur.example.com/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"),
		}},
		"nulls only":           {{}},
		"zero is not null":     {{ReportedUsage: waldur.Of(int64(0)), MeasuredUnit: waldur.Of("")}},
		"largest and smallest": {{ReportedUsage: waldur.Of(int64(math.MaxInt64)), FixedUsage: waldur.Of(int64(math.MinInt64))}},
		"beyond a float":       {{ReportedUsage: waldur.Of(int64(1<<53 + 1)), FixedUsage: waldur.Of(int64(-(1<<53 + 1)))}},
		"umlauts and emoji":    {{Name: waldur.Of("Größe 🚀 ñ e\u0301"), Type: waldur.Of("größe")}},
		"quotes and controls":  {{Name: waldur.Of(`"quoted" \ ${not} %{a} template`), MeasuredUnit: waldur.Of("a\u2028b\u2029c\td\ne")}},
		// Equal texts share one value. A mistake there would mix up records.
		"many records": manyUsages(400),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := []any{}
			for _, usage := range usages {
				record := map[string]any{}
				for field := range waldur.AllFields().Each {
					record[field.String()] = nil
					if nullable := reflect.ValueOf(usage.Attribute(field)).Elem(); nullable.FieldByName("Valid").Bool() {
						record[field.String()] = nullable.FieldByName("Value").Interface()
					}
				}
				want = append(want, record)
			}
			// As a CLI receives it: encoded for the protocol and decoded.
			state := setUsages(t, usagesConfig(t), usagesValue(t.Context(), usages))
			wire, err := tfprotov6.NewDynamicValue(state.Raw.Type(), state.Raw)
			if err != nil {
				t.Fatal(err)
			}
			value, err := wire.Unmarshal(state.Raw.Type())
			if err != nil {
				t.Fatal(err)
			}
			if got := plain(t, value).(map[string]any)["usages"]; !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %v\nwant %v", got, want)
			}
		})
	}
}

// Reflection over structs takes about 900 allocations per record, and most of a
// second for 10,000 records.
func TestConversionIsCheap(t *testing.T) {
	const n = 400
	usages, config := manyUsages(n), usagesConfig(t)
	if got := testing.AllocsPerRun(3, func() { setUsages(t, config, usagesValue(t.Context(), usages)) }) / n; got > 20 {
		t.Errorf("%.1f allocations per record, want at most 20", got)
	}
}

// The attributes of an object have no descriptions in a schema, so the page of
// the data source explains them in a table.
func TestPageOfTheListExplainsEveryAttributeOfARecord(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../templates/data-sources/category_component_usages.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for field := range waldur.AllFields().Each {
		kind := "String"
		if usageObject().AttrTypes[field.String()].TerraformType(t.Context()).Is(tftypes.Number) {
			kind = "Number"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", field, kind, meanings()[field])
	}
	if _, table, _ := strings.Cut(string(page), "| Attribute | Type | Meaning |\n|---|---|---|\n"); table != want.String() {
		t.Errorf("got:\n%s\nwant:\n%s", table, want.String())
	}
}

// BenchmarkState sets 10,000 records in the state: as one value, as the provider
// does, and as a list of structs, as is usual.
//
//	go test -run '^$' -bench State ./internal/provider
func BenchmarkState(b *testing.B) {
	const n = 10_000
	usages, config := manyUsages(n), usagesConfig(b)
	for name, convert := range map[string]func() any{
		"one value": func() any { return usagesValue(b.Context(), usages) },
		"structs":   func() any { return structs(usages) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				setUsages(b, config, convert())
			}
			b.ReportAllocs()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
		})
	}
}

// recordStruct is a record that is set by reflection.
type recordStruct struct {
	Name          *string `tfsdk:"name"`
	Type          *string `tfsdk:"type"`
	MeasuredUnit  *string `tfsdk:"measured_unit"`
	CategoryTitle *string `tfsdk:"category_title"`
	CategoryUUID  *string `tfsdk:"category_uuid"`
	Date          *string `tfsdk:"date"`
	ReportedUsage *int64  `tfsdk:"reported_usage"`
	FixedUsage    *int64  `tfsdk:"fixed_usage"`
	Scope         *string `tfsdk:"scope"`
}

// structs converts records of manyUsages, which have no fixed usage.
func structs(usages []waldur.Usage) []recordStruct {
	records := make([]recordStruct, len(usages))
	for i := range usages {
		u := &usages[i]
		records[i] = recordStruct{
			&u.Name.Value, &u.Type.Value, &u.MeasuredUnit.Value, &u.CategoryTitle.Value, &u.CategoryUUID.Value,
			&u.Date.Value, &u.ReportedUsage.Value, nil, &u.Scope.Value,
		}
	}
	return records
}

// manyUsages returns n records of a project, 168 a month.
func manyUsages(n int) []waldur.Usage {
	usages := make([]waldur.Usage, n)
	for i := range usages {
		month := 12_000 - i/168
		usages[i] = waldur.Usage{
			Name:          waldur.Of(fmt.Sprintf("Component %d", i%168)),
			Type:          waldur.Of(fmt.Sprintf("component_%d", i%168)),
			MeasuredUnit:  waldur.Of("hours"),
			CategoryTitle: waldur.Of("Virtual machines"),
			CategoryUUID:  waldur.Of("0123456789abcdef0123456789abcdef"),
			Date:          waldur.Of(fmt.Sprintf("%04d-%02d-01", month/12, month%12+1)),
			ReportedUsage: waldur.Of(int64(i)),
			Scope:         waldur.Of("https://waldur.example.com/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"),
		}
	}
	return usages
}

// usagesConfig returns a configuration of the list data source in which every
// argument is null.
func usagesConfig(tb testing.TB) tfsdk.Config {
	tb.Helper()
	var resp datasource.SchemaResponse
	newUsagesDataSource().Schema(tb.Context(), datasource.SchemaRequest{}, &resp)
	object := resp.Schema.Type().TerraformType(tb.Context()).(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, attribute := range object.AttributeTypes {
		values[name] = tftypes.NewValue(attribute, nil)
	}
	return tfsdk.Config{Schema: resp.Schema, Raw: tftypes.NewValue(object, values)}
}

// setUsages sets the records in the state as the data source does.
func setUsages(tb testing.TB, config tfsdk.Config, usages any) tfsdk.State {
	tb.Helper()
	state := tfsdk.State(config)
	if found := state.SetAttribute(tb.Context(), path.Root("usages"), usages); found.HasError() {
		tb.Fatal(found)
	}
	return state
}
