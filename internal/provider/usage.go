package provider

import (
	"maps"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
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
		return "The first day of the month that the record is about: `2024-09-01` stands for the whole of September 2024. It is never null."
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

// usageType is the Terraform type of a usage record.
func usageType() tftypes.Object {
	types := map[string]tftypes.Type{}
	for field := range waldur.AllFields().Each {
		types[field.String()] = attributeValue(new(waldur.Usage).Attribute(field)).Type()
	}
	return tftypes.Object{AttributeTypes: types}
}

// usagesValue turns records into the value of a list attribute. No records
// make an empty list, not null.
func usagesValue(usages []waldur.Usage) tftypes.Value {
	recordType := usageType()
	records := make([]tftypes.Value, len(usages))
	for i := range usages {
		records[i] = tftypes.NewValue(recordType, usageValues(&usages[i]))
	}
	return tftypes.NewValue(tftypes.List{ElementType: recordType}, records)
}

// usageValues gives the attributes of a record by their names.
func usageValues(usage *waldur.Usage) map[string]tftypes.Value {
	values := make(map[string]tftypes.Value)
	for field := range waldur.AllFields().Each {
		values[field.String()] = attributeValue(usage.Attribute(field))
	}
	return values
}

func attributeValue(attribute any) tftypes.Value {
	switch attribute := attribute.(type) {
	case *waldur.Nullable[string]:
		if attribute.Valid {
			return tftypes.NewValue(tftypes.String, attribute.Value)
		}
		return tftypes.NewValue(tftypes.String, nil)
	case *waldur.Nullable[int64]:
		if attribute.Valid {
			return tftypes.NewValue(tftypes.Number, new(big.Float).SetInt64(attribute.Value))
		}
		return tftypes.NewValue(tftypes.Number, nil)
	default:
		panic("a usage record has an attribute of another type")
	}
}

// withComputed gives the state of a data source: its configuration and what
// was read. The value goes into tfsdk.State.Raw as it is: setting a list of
// structs takes the framework some 1,000 allocations a record, by reflection.
func withComputed(config tftypes.Value, computed map[string]tftypes.Value) (tftypes.Value, error) {
	attributes := map[string]tftypes.Value{}
	if err := config.As(&attributes); err != nil {
		return tftypes.Value{}, err
	}
	maps.Copy(attributes, computed)
	return tftypes.NewValue(config.Type(), attributes), nil
}
