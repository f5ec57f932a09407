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

// fieldsAttribute is the argument that says which attributes of a record to
// ask Waldur for. Both data sources have it.
func fieldsAttribute() schema.SetAttribute {
	names := fieldNames()
	return schema.SetAttribute{
		ElementType: types.StringType,
		Optional:    true,
		MarkdownDescription: fmt.Sprintf("Names of the attributes to ask Waldur for; the others stay null. `date` always comes. All by default. "+
			"Asking for less spares the server work: most of its time goes into `category_title`, `category_uuid`, `scope`, `type`, `name` and `measured_unit`. "+
			"Names: `%s`.", strings.Join(names, "`, `")),
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

// fieldSet reads the argument. Its names have been validated.
func fieldSet(written types.Set) waldur.FieldSet {
	if written.IsNull() {
		return waldur.AllFields()
	}
	var set waldur.FieldSet
	for _, element := range written.Elements() {
		if name, ok := element.(types.String); ok {
			if field, known := waldur.ParseField(name.ValueString()); known {
				set |= waldur.Fields(field)
			}
		}
	}
	return set
}
