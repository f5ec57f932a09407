package provider

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Reflection over structs takes about 900 allocations per record, and most of a
// second for 10,000 records.
func TestConversionIsCheap(t *testing.T) {
	const n = 400
	var resp datasource.SchemaResponse
	newUsagesDataSource().Schema(t.Context(), datasource.SchemaRequest{}, &resp)
	stateType, values := resp.Schema.Type().TerraformType(t.Context()).(tftypes.Object), map[string]tftypes.Value{}
	for name, of := range stateType.AttributeTypes {
		values[name] = tftypes.NewValue(of, nil)
	}
	usages := slices.Repeat([]waldur.Usage{{
		Name: waldur.Of("CPU"), Type: waldur.Of("cpu"), MeasuredUnit: waldur.Of("hours"), CategoryTitle: waldur.Of("VM"), CategoryUUID: waldur.Of(someUUID),
		Date: waldur.Of("2024-09-01"), ReportedUsage: waldur.Of(int64(5)), Scope: waldur.Of("https://waldur.example.com/api/projects/" + someUUID + "/"),
	}}, n)
	got := testing.AllocsPerRun(3, func() {
		state := tfsdk.State{Schema: resp.Schema, Raw: tftypes.NewValue(stateType, values)}
		if found := state.SetAttribute(t.Context(), path.Root("usages"), usagesValue(t.Context(), usages)); found.HasError() {
			t.Fatal(found)
		}
	}) / n
	if t.Logf("%.1f allocations per record", got); got > 20 {
		t.Error("want at most 20")
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
