package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

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
