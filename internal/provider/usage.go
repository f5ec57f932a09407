package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// meanings returns the descriptions of the attributes of a record. The attributes of
// an object have no descriptions, so the page of the list data source contains a
// table of them.
func meanings() map[waldur.Field]string {
	return map[waldur.Field]string{
		waldur.FieldName:          "Display name of the component, such as `CPU`.",
		waldur.FieldType:          "Type of the component, such as `cpu`. Components of different categories can have the same type.",
		waldur.FieldMeasuredUnit:  "Unit of `reported_usage` and `fixed_usage`, such as `hours` or `GB`. Can be empty.",
		waldur.FieldCategoryTitle: "Title of the marketplace category, in English if available. Titles can change; to compare categories, use `category_uuid`.",
		waldur.FieldCategoryUUID:  "UUID of the marketplace category: 32 hexadecimal digits without hyphens.",
		waldur.FieldDate:          "First day of the month: `2024-09-01` for all of September 2024.",
		waldur.FieldReportedUsage: "Sum of the usage reports of the month, in `measured_unit`: an integer from -2^63 to 2^63 - 1. " +
			"Null means that there is no report, which is not the same as 0. " +
			"Do not add it to `fixed_usage`, which is another measure of the same usage.",
		waldur.FieldFixedUsage: "Sum of the amounts in the Waldur plans of the resources for the month, in `measured_unit`: an integer from -2^63 to 2^63 - 1. " +
			"Null means that no plan has an amount, which is not the same as 0. " +
			"Do not add it to `reported_usage`, which is another measure of the same usage.",
		waldur.FieldScope: "URL of the project or customer, as returned by Waldur. " +
			"Behind a proxy, its scheme and host can differ from those of `endpoint`.",
	}
}

// usageAttributes returns the schema of a record, whose names and types are those of
// waldur.Usage.
func usageAttributes() map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for field, meaning := range meanings() {
		switch new(waldur.Usage).Attribute(field).(type) {
		case *waldur.Nullable[string]:
			attributes[field.String()] = schema.StringAttribute{Computed: true, MarkdownDescription: meaning}
		case *waldur.Nullable[int64]:
			attributes[field.String()] = schema.Int64Attribute{Computed: true, MarkdownDescription: meaning}
		}
	}
	return attributes
}

// usageObject returns the type of a record in a list. It is an object, since
// "terraform test" cannot set a list of nested attributes with override_data:
// https://github.com/hashicorp/terraform/issues/38369.
func usageObject() types.ObjectType {
	attributes := map[string]attr.Type{}
	for name, attribute := range usageAttributes() {
		attributes[name] = attribute.GetType()
	}
	return types.ObjectType{AttrTypes: attributes}
}

// usagesValue converts records to the value of a list attribute, which is empty, not
// null, if there are none. A list of structs, which the framework converts by
// reflection, would need 70 times as many allocations.
func usagesValue(ctx context.Context, usages []waldur.Usage) tftypes.Value {
	recordType := usageObject().TerraformType(ctx)
	records := make([]tftypes.Value, len(usages))
	convert := make(converter)
	for i := range usages {
		records[i] = tftypes.NewValue(recordType, convert.attributes(&usages[i]))
	}
	return tftypes.NewValue(tftypes.List{ElementType: recordType}, records)
}

// converter converts records to Terraform values. It holds the value of each string,
// since units, categories, dates and scopes are the same in many records, and a value
// takes four allocations.
type converter map[string]tftypes.Value

// attributes returns the attributes of a record by name.
func (c converter) attributes(usage *waldur.Usage) map[string]tftypes.Value {
	values := make(map[string]tftypes.Value, 9) // only a hint of its size
	for field := range waldur.AllFields().Each {
		switch attribute := usage.Attribute(field).(type) {
		case *waldur.Nullable[string]:
			values[field.String()] = c.text(*attribute)
		case *waldur.Nullable[int64]:
			values[field.String()] = number(*attribute)
		}
	}
	return values
}

func (c converter) text(text waldur.Nullable[string]) tftypes.Value {
	if !text.Valid {
		return tftypes.NewValue(tftypes.String, nil)
	}
	value, known := c[text.Value]
	if !known {
		value = tftypes.NewValue(tftypes.String, text.Value)
		c[text.Value] = value
	}
	return value
}

func number(number waldur.Nullable[int64]) tftypes.Value {
	if !number.Valid {
		return tftypes.NewValue(tftypes.Number, nil)
	}
	return tftypes.NewValue(tftypes.Number, number.Value)
}
