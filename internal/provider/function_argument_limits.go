package provider

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// limits reads the limits by their names.
func (a *argument) limits() map[string]budget.Limit {
	var given map[string]tftypes.Value
	if a.value.IsNull() || a.value.As(&given) != nil {
		a.problem("limits", "must be a map of limits, not %s", kind(a.value))
		return nil
	}
	if len(given) == 0 {
		a.problem("limits", "must not be empty: without a limit, the check always passes")
	}
	limits := make(map[string]budget.Limit, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		place := fmt.Sprintf("limits[%q]", shortened(name))
		attributes, ok := a.attributes(place, given[name], "type", "limit", "category_uuid", "category_title", "measure")
		if !ok {
			continue
		}
		limit := budget.Limit{Component: a.component(place, attributes), Amount: a.limit(place+".limit", attributes["limit"])}
		if _, given := attributes["limit"]; !given {
			a.problem(place+".limit", "is required")
		}
		limits[name] = limit
	}
	return limits
}

// component reads the attributes that select a component.
func (a *argument) component(place string, attributes map[string]tftypes.Value) budget.Component {
	component := budget.Component{
		Type:          a.text(place+".type", attributes["type"]),
		CategoryUUID:  a.text(place+".category_uuid", attributes["category_uuid"]),
		CategoryTitle: a.text(place+".category_title", attributes["category_title"]),
		Measure:       a.measure(place+".measure", attributes["measure"]),
	}
	if _, given := attributes["type"]; !given {
		a.problem(place+".type", "is required")
	}
	if component.CategoryUUID != "" {
		uuid, err := waldur.ParseUUID(component.CategoryUUID)
		if err != nil {
			a.problem(place+".category_uuid", "must be 32 hexadecimal digits, with or without hyphens, not %q", shortened(component.CategoryUUID))
		}
		component.CategoryUUID = uuid
	}
	if component.CategoryUUID != "" && component.CategoryTitle != "" {
		a.problem(place, "has both category_uuid and category_title: give one of them")
	}
	return component
}

// measure reads the name of a measure. Reported usage is the default.
func (a *argument) measure(place string, value tftypes.Value) budget.Measure {
	text := a.text(place, value)
	if text == "" {
		return budget.ReportedUsage
	}
	measure, err := budget.ParseMeasure(text)
	if err != nil {
		a.problem(place, "%s, not %q", err, shortened(text))
	}
	return measure
}

// largestLimit is the number of bits that a limit may have. Numbers in a
// configuration are exact up to 512 bits.
const largestLimit = 4096

// limit reads an amount, which may be larger than any record's. It is nil if
// there is none.
func (a *argument) limit(place string, value tftypes.Value) *big.Int {
	number := a.number(place, value)
	switch {
	case number == nil:
		return nil
	case number.Sign() < 0:
		a.problem(place, "must not be negative, as %s is", written(number))
		return nil
	case number.IsInf() || number.MantExp(nil) > largestLimit:
		a.problem(place, "is too large")
		return nil
	case !number.IsInt():
		a.problem(place, "must be an integer, not %s", written(number))
		return nil
	}
	whole, _ := number.Int(nil)
	return whole
}
