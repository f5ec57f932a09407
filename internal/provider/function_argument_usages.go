package provider

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// usagesParameter is the parameter of the usage records, which each function
// has first.
func usagesParameter() function.Parameter {
	return function.DynamicParameter{
		Name:       "usages",
		CustomType: argumentType{},
		MarkdownDescription: "Usage records: `usages` of the data source `waldur_category_component_usages`, several of them in `concat(…)`, " +
			"or some of them in `[for u in … : u if …]`.",
	}
}

// usages reads records. An attribute that a record lacks is null; attributes
// of its own are ignored.
func (a *argument) usages() []waldur.Usage {
	elements := a.elements("usages", a.value, "usage records")
	usages := make([]waldur.Usage, len(elements))
	for i, element := range elements {
		var attributes map[string]tftypes.Value
		if element.IsNull() || element.As(&attributes) != nil {
			a.problem(fmt.Sprintf("usages[%d]", i), "must be a usage record, not %s", kind(element))
			continue
		}
		for field := range waldur.AllFields().Each {
			value, given := attributes[field.String()]
			if !given || value.IsNull() {
				continue
			}
			switch place := usages[i].Attribute(field).(type) {
			case *waldur.Nullable[string]:
				place.Valid = value.As(&place.Value) == nil
				if !place.Valid {
					a.problem(fmt.Sprintf("usages[%d].%s", i, field), "must be a string, not %s", kind(value))
				}
			case *waldur.Nullable[int64]:
				*place = a.amount(value, i, field)
			}
		}
		// Waldur writes them so; a test may not.
		if uuid, err := waldur.ParseUUID(usages[i].CategoryUUID.Value); err == nil {
			usages[i].CategoryUUID.Value = uuid
		}
	}
	return usages
}

func (a *argument) amount(value tftypes.Value, i int, field waldur.Field) waldur.Nullable[int64] {
	var number *big.Float
	if err := value.As(&number); err != nil {
		if number = a.number(fmt.Sprintf("usages[%d].%s", i, field), value); number == nil {
			return waldur.Nullable[int64]{}
		}
	}
	amount, accuracy := number.Int64()
	if accuracy != big.Exact {
		a.problem(fmt.Sprintf("usages[%d].%s", i, field), "must be an integer from -2^63 to 2^63 - 1, not %s", written(number))
	}
	return waldur.Of(amount)
}
