package provider

import (
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// usageAttributes returns the schema of a usage record. The attributes and their
// types follow from waldur.Usage; only the descriptions are written here.
func usageAttributes() map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for field := range waldur.AllFields().Each {
		switch new(waldur.Usage).Attribute(field).(type) {
		case *waldur.Nullable[string]:
			attributes[field.String()] = schema.StringAttribute{Computed: true, MarkdownDescription: meaning(field)}
		case *waldur.Nullable[int64]:
			attributes[field.String()] = schema.Int64Attribute{Computed: true, MarkdownDescription: meaning(field)}
		}
	}
	return attributes
}

// usageObject returns the type of a record in a list. It is an object, as
// "terraform test" cannot set a list of nested attributes with override_data:
// https://github.com/hashicorp/terraform/issues/38369.
func usageObject() types.ObjectType {
	attributes := map[string]attr.Type{}
	for name, attribute := range usageAttributes() {
		attributes[name] = attribute.GetType()
	}
	return types.ObjectType{AttrTypes: attributes}
}

// meaning returns the description of an attribute. The page of the list data
// source has it too, in a table, since the attributes of an object have none.
func meaning(field waldur.Field) string {
	switch field {
	case waldur.FieldName:
		return "Display name of the component: `CPU`."
	case waldur.FieldType:
		return "Type of the component: `cpu`. Components of different categories can have the same type."
	case waldur.FieldMeasuredUnit:
		return "Unit of `reported_usage` and `fixed_usage`: `hours`, `GB`. Can be empty."
	case waldur.FieldCategoryTitle:
		return "Title of the marketplace category, in English if available. Titles can change: compare `category_uuid` instead."
	case waldur.FieldCategoryUUID:
		return "UUID of the marketplace category: 32 hexadecimal digits without hyphens."
	case waldur.FieldDate:
		return "First day of the month: `2024-09-01` for all of September 2024."
	case waldur.FieldReportedUsage:
		return "Sum of the usage reports of the month, in `measured_unit`: an integer from -2^63 to 2^63 - 1. " +
			"Null means that there is no report, which is not the same as 0. " +
			"Do not add it to `fixed_usage`, which is another measure of the same thing."
	case waldur.FieldFixedUsage:
		return "Sum of the amounts in the plans of the resources for the month, in `measured_unit`: an integer from -2^63 to 2^63 - 1. " +
			"Null means that no plan has an amount, which is not the same as 0. " +
			"Do not add it to `reported_usage`, which is another measure of the same thing."
	case waldur.FieldScope:
		return "URL of the project or customer, as returned by Waldur. " +
			"Behind a proxy, its scheme and host can differ from those of `endpoint`."
	default:
		return ""
	}
}

// setState sets the state to the configuration with the values that were read.
// It sets it as one value: attribute by attribute, the framework would convert
// each record by reflection.
func setState(state *tfsdk.State, config tfsdk.Config, read map[string]tftypes.Value) (diagnostics diag.Diagnostics) {
	var values map[string]tftypes.Value
	if err := config.Raw.As(&values); err != nil {
		diagnostics.AddError("Unable to set the state", err.Error()+"\n\nThis is a bug of the provider: please report it.")
		return diagnostics
	}
	values = maps.Clone(values) // As returns the map of the value itself
	maps.Copy(values, read)
	state.Raw = tftypes.NewValue(config.Raw.Type(), values)
	return nil
}

// usageValues returns the attributes of a record by name.
func usageValues(usage *waldur.Usage) map[string]tftypes.Value {
	return make(converter).attributes(usage)
}

// usagesValue converts records to the value of a list attribute. As a list of
// structs, which the framework converts by reflection, they would need 70 times
// the allocations. Without records, it is an empty list, not null.
func usagesValue(usages []waldur.Usage) tftypes.Value {
	var recordType tftypes.Type = usageType()
	records := make([]tftypes.Value, len(usages))
	convert := make(converter)
	for i := range usages {
		records[i] = tftypes.NewValue(recordType, convert.attributes(&usages[i]))
	}
	return tftypes.NewValue(tftypes.List{ElementType: recordType}, records)
}

// usageType returns the Terraform type of a record.
func usageType() tftypes.Object {
	types := map[string]tftypes.Type{}
	for name, value := range usageValues(new(waldur.Usage)) {
		types[name] = value.Type()
	}
	return tftypes.Object{AttributeTypes: types}
}

// converter converts records to Terraform values. It keeps the value of each
// string: units, categories, dates and the scope are the same in many records,
// and a value costs four allocations.
type converter map[string]tftypes.Value

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

// fieldsAttribute returns the argument that selects the attributes to request
// from Waldur. Both data sources have it.
func fieldsAttribute() schema.SetAttribute {
	names := fieldNames()
	return schema.SetAttribute{
		ElementType: types.StringType,
		Optional:    true,
		MarkdownDescription: fmt.Sprintf("Attributes to request from Waldur; the others are null. `date` is always requested. "+
			"Defaults to all attributes. Waldur spends most of its time on `category_title` and `category_uuid`, then on `name`, `type` and "+
			"`measured_unit`. Valid values: `%s`.", strings.Join(names, "`, `")),
		Validators: []validator.Set{
			setvalidator.SizeAtLeast(1),
			setvalidator.NoNullValues(),
			setvalidator.ValueStringsAre(stringvalidator.OneOf(names...)),
		},
	}
}

func fieldNames() []string {
	var names []string
	for field := range waldur.AllFields().Each {
		names = append(names, field.String())
	}
	return names
}

// fieldSet returns the fields of the argument, whose names have been validated.
func fieldSet(configured types.Set) waldur.FieldSet {
	if configured.IsNull() {
		return waldur.AllFields()
	}
	var set waldur.FieldSet
	for _, element := range configured.Elements() {
		if name, ok := element.(types.String); ok {
			if field, known := waldur.ParseField(name.ValueString()); known {
				set |= waldur.Fields(field)
			}
		}
	}
	return set
}
