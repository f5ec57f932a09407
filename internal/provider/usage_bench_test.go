package provider

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// BenchmarkState sets 10,000 records in the state: as one value, as the provider
// does, and as a list of structs, as is usual.
//
//	go test -run '^$' -bench State ./internal/provider
func BenchmarkState(b *testing.B) {
	const n = 10_000
	usages := manyUsages(n)
	config := usagesConfig(b)
	report := func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
	}
	b.Run("one value", func(b *testing.B) {
		for b.Loop() {
			state := tfsdk.State(config)
			if diagnostics := state.SetAttribute(b.Context(), path.Root("usages"), usagesValue(usages)); diagnostics.HasError() {
				b.Fatal(diagnostics)
			}
		}
		report(b)
	})
	b.Run("structs", func(b *testing.B) {
		for b.Loop() {
			state := tfsdk.State(config)
			if diagnostics := state.SetAttribute(b.Context(), path.Root("usages"), structs(usages)); diagnostics.HasError() {
				b.Fatal(diagnostics)
			}
		}
		report(b)
	})
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

func structs(usages []waldur.Usage) []recordStruct {
	records := make([]recordStruct, len(usages))
	for i, u := range usages {
		records[i] = recordStruct{
			pointer(u.Name), pointer(u.Type), pointer(u.MeasuredUnit), pointer(u.CategoryTitle), pointer(u.CategoryUUID),
			pointer(u.Date), pointer(u.ReportedUsage), pointer(u.FixedUsage), pointer(u.Scope),
		}
	}
	return records
}

func pointer[T any](n waldur.Nullable[T]) *T {
	if !n.Valid {
		return nil
	}
	return &n.Value
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
	return tfsdk.Config{Schema: resp.Schema, Raw: nullConfig(tb.Context(), resp.Schema)}
}

func nullConfig(ctx context.Context, schema schema.Schema) tftypes.Value {
	object := schema.Type().TerraformType(ctx).(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, attribute := range object.AttributeTypes {
		values[name] = tftypes.NewValue(attribute, nil)
	}
	return tftypes.NewValue(object, values)
}
