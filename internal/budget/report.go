package budget

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

const noRecords = "There are no usage records.\n"

// report draws the outcomes: the number of limits in each state, a table with a
// row for each limit, and the components to choose from if a limit selects none
// or several.
func report(usages []waldur.Usage, outcomes map[string]Outcome, options Options) string {
	columns := []column{
		{heading: "Limit"}, {heading: "Used", right: true}, {heading: "Of", right: true}, {heading: "Unit"},
		{heading: "Share"}, {heading: "Forecast", right: true}, {heading: "State"},
	}
	counts := map[State]int{}
	listsComponents := false
	for _, name := range slices.Sorted(maps.Keys(outcomes)) {
		outcome := outcomes[name]
		for i, cell := range outcome.row(name) {
			columns[i].cells = append(columns[i].cells, cell)
		}
		counts[outcome.State]++
		selected := len(outcome.selection.series)
		listsComponents = listsComponents || outcome.State == Missing && selected == 0 || selected > 1
	}
	if options.Period == nil {
		columns = slices.DeleteFunc(columns, func(c column) bool { return c.heading == "Forecast" })
	}
	var summary []string
	for _, state := range States() {
		if counts[state] > 0 {
			summary = append(summary, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	sections := []string{fmt.Sprintf("%s: %s.\n", cmp.Or(lineStart(options.Title), "Budget"), strings.Join(summary, ", ")), table(columns)}
	if listsComponents {
		sections = append(sections, components(usages))
	}
	note := ""
	if options.Period != nil {
		note = options.Period.note()
	} else if slices.Contains(options.FailOn, Forecast) {
		note = "There is no forecast, as no period is given."
	}
	if note != "" {
		sections = append(sections, note+"\n")
	}
	return strings.Join(sections, "\n")
}

// row returns the cells of a limit. The forecast, and the percentage of a limit
// that is over, are rounded up to show the excess.
func (o Outcome) row(name string) []string {
	used, share, forecast, state := "?", "?", "?", string(o.State)
	known := o.Used
	if all := o.selection.series; known == nil && len(all) == 1 && all[0].total.known > 0 {
		known = &all[0].total.amount
	}
	if known != nil {
		used = digits(known)
		if !o.selection.isComplete() {
			used += " + ?"
		}
	}
	if o.Used != nil {
		share = fmt.Sprintf("%s %s %%", bar(o.Used, o.Limit), o.percentage())
	}
	if o.Forecast != nil {
		forecast = digits(ceil(o.Forecast))
	}
	switch o.State {
	case Over:
		state += " by " + digits(new(big.Int).Neg(o.Remaining))
	case Forecast:
		state += ": over by " + digits(new(big.Int).Sub(ceil(o.Forecast), o.Limit))
	}
	state = strings.Join(append([]string{state}, o.selection.reasons()...), ", ")
	return []string{inline(name), used, digits(o.Limit), inline(o.Unit.Value), share, forecast, state}
}

func (o Outcome) percentage() string {
	switch {
	case o.Share == nil && o.State == Over:
		return "> 100"
	case o.Share == nil:
		return "0"
	}
	percentage := new(big.Rat).Mul(o.Share, big.NewRat(100, 1))
	if o.State == Over {
		return digits(ceil(percentage))
	}
	return digits(new(big.Int).Div(percentage.Num(), percentage.Denom()))
}

// reasons explains why the amounts do not add up to the usage of the component.
func (s *selection) reasons() []string {
	var reasons []string
	var units []waldur.Nullable[string]
	categories, nulls := map[category]bool{}, map[string]bool{}
	for _, one := range s.series {
		categories[one.category] = true
		units = append(units, one.unit)
		for month, total := range one.months {
			if total.unknown > 0 {
				nulls[month] = true
			}
		}
	}
	switch units := unitNames(units); {
	case len(s.series) == 0 && len(s.unidentified) == 0:
		reasons = append(reasons, "no record")
	case len(categories) > 1:
		attribute := "category_uuid"
		if s.component.CategoryTitle == "" {
			attribute = "category_title or category_uuid"
		}
		reasons = append(reasons, fmt.Sprintf("%d categories have this type: set %s", len(categories), attribute))
	case len(units) > 1:
		reasons = append(reasons, "several units: "+strings.Join(units, ", "))
	}
	if len(s.unidentified) > 0 {
		reasons = append(reasons, s.unidentifiedReason())
	}
	null := "null in "
	if s.component.Measure == FixedUsage {
		null = "fixed_usage null in "
	}
	if len(nulls) > 3 {
		return append(reasons, fmt.Sprintf("%s%d months", null, len(nulls)))
	}
	for _, month := range slices.Sorted(maps.Keys(nulls)) {
		reasons = append(reasons, null+inline(month))
	}
	return reasons
}

// unidentifiedReason names the attributes that are null in the unidentified
// records, perhaps because they were not requested.
func (s *selection) unidentifiedReason() string {
	var attributes []string
	for field := range waldur.Fields(waldur.FieldType, waldur.FieldCategoryTitle, waldur.FieldCategoryUUID).Each {
		isNull := func(usage waldur.Usage) bool { return !usage.Attribute(field).(*waldur.Nullable[string]).Valid }
		isNeeded := field != waldur.FieldCategoryTitle || s.component.CategoryTitle != ""
		if isNeeded && slices.ContainsFunc(s.unidentified, isNull) {
			attributes = append(attributes, field.String())
		}
	}
	records, question := fmt.Sprintf("%d records", len(s.unidentified)), "are they in `fields`?"
	if len(s.unidentified) == 1 {
		records = "1 record"
	}
	if len(attributes) == 1 {
		question = "is it in `fields`?"
	}
	return fmt.Sprintf("%s without %s: %s", records, strings.Join(attributes, " or "), question)
}

// components lists the components of the records by category, with their units
// if there are several.
func components(usages []waldur.Usage) string {
	if len(usages) == 0 {
		return noRecords
	}
	type listItem struct{ title, uuid waldur.Nullable[string] }
	units := map[listItem]map[string][]waldur.Nullable[string]{} // by category and type
	for i := range usages {
		usage := &usages[i]
		item := listItem{usage.CategoryTitle, usage.CategoryUUID}
		if units[item] == nil {
			units[item] = map[string][]waldur.Nullable[string]{}
		}
		units[item][usage.Type.Value] = append(units[item][usage.Type.Value], usage.MeasuredUnit)
	}
	var list strings.Builder
	list.WriteString("There are records of these components:\n\n")
	byTitle := func(a, b listItem) int { return cmp.Or(compareText(a.title, b.title), compareText(a.uuid, b.uuid)) }
	for _, item := range slices.SortedFunc(maps.Keys(units), byTitle) {
		var types []string
		for _, componentType := range slices.Sorted(maps.Keys(units[item])) {
			text := cmp.Or(inline(componentType), "null")
			if names := unitNames(units[item][componentType]); len(names) > 1 {
				text += " (" + strings.Join(names, ", ") + ")"
			}
			types = append(types, text)
		}
		fmt.Fprintf(&list, "- %s (category_uuid %s): %s\n",
			cmp.Or(lineStart(item.title.Value), "null"), cmp.Or(inline(item.uuid.Value), "null"), strings.Join(types, ", "))
	}
	return list.String()
}

// unitNames returns the names of the different units.
func unitNames(units []waldur.Nullable[string]) []string {
	slices.SortFunc(units, compareText)
	var names []string
	for _, unit := range slices.Compact(units) {
		names = append(names, cmp.Or(inline(unit.Value), "no unit"))
	}
	return names
}
