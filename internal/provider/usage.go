package provider

import (
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// usageAttributes is the schema of a usage record, which both data sources
// show. The attributes, their order and their types are those of
// waldur.Usage; only what they mean to a reader stands here.
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

// usageObject is the type of a record in a list: a list of objects rather than
// of nested attributes, as terraform test can set only the former with
// override_data. Both cost the CLI the same.
func usageObject() types.ObjectType {
	attributes := map[string]attr.Type{}
	for name, attribute := range usageAttributes() {
		attributes[name] = attribute.GetType()
	}
	return types.ObjectType{AttrTypes: attributes}
}

// usageMeanings explains the attributes of an object, which cannot do so
// themselves, as a list in Markdown.
func usageMeanings() string {
	var list strings.Builder
	for field := range waldur.AllFields().Each {
		fmt.Fprintf(&list, "\n  - `%s`: %s", field, meaning(field))
	}
	list.WriteString("\n\n  Their types:") // the generator goes on with a link to them
	return list.String()
}

func meaning(field waldur.Field) string {
	switch field {
	case waldur.FieldName:
		return "Name of the component, for people: `CPU`."
	case waldur.FieldType:
		return "Type of the component, for programs: `cpu`. Components of several categories may have the same type."
	case waldur.FieldMeasuredUnit:
		return "Unit of `reported_usage` and `fixed_usage`, as the component defines it: `hours`, `GB`. It may be empty."
	case waldur.FieldCategoryTitle:
		return "Title of the marketplace category, in English where Waldur has it. It is a text for people and may change: " +
			"compare `category_uuid`."
	case waldur.FieldCategoryUUID:
		return "UUID of the marketplace category: 32 hexadecimal digits, without hyphens."
	case waldur.FieldDate:
		return "The first day of the month that the record is about: `2024-09-01` stands for the whole of September 2024."
	case waldur.FieldReportedUsage:
		return "How much was used, by the usage reports of the month: a whole number of `measured_unit`, from -2^63 to 2^63 - 1. " +
			"Null says that there was no report, which is not the same as a usage of 0. " +
			"It is another measure than `fixed_usage`: the two are not parts of one total."
	case waldur.FieldFixedUsage:
		return "How much the plans of the resources grant for the month: a whole number of `measured_unit`, from -2^63 to 2^63 - 1. " +
			"Null says that no plan had an amount, which is not the same as 0. " +
			"It is another measure than `reported_usage`: the two are not parts of one total."
	case waldur.FieldScope:
		return "URL of the project or the customer that the record is about, as Waldur writes it. " +
			"Behind a proxy, its scheme and host may differ from those of `endpoint`."
	default:
		return ""
	}
}

// setState makes the state what is configured, with the values that were read.
// It sets the state as one value: by attributes, the framework would take each
// record apart by reflection.
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

// usageValues gives the attributes of a record by their names.
func usageValues(usage *waldur.Usage) map[string]tftypes.Value {
	return make(converter).attributes(usage)
}

// usagesValue turns records into the value of a list attribute. As a list of
// structs, which the framework takes apart by reflection, they would need 70
// times the allocations. No records make an empty list, not null.
func usagesValue(usages []waldur.Usage) tftypes.Value {
	var recordType tftypes.Type = usageType()
	records := make([]tftypes.Value, len(usages))
	convert := make(converter)
	for i := range usages {
		records[i] = tftypes.NewValue(recordType, convert.attributes(&usages[i]))
	}
	return tftypes.NewValue(tftypes.List{ElementType: recordType}, records)
}

// usageType is the Terraform type of a record.
func usageType() tftypes.Object {
	types := map[string]tftypes.Type{}
	for name, value := range usageValues(new(waldur.Usage)) {
		types[name] = value.Type()
	}
	return tftypes.Object{AttributeTypes: types}
}

// converter turns records into Terraform values. It keeps the value of each
// text: units, categories, dates and the scope stand in record after record,
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
