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

// report draws the outcomes: the number of limits in each state, a table with a
// line for each limit, and what corrects those that are missing.
func report(usages []waldur.Usage, outcomes map[string]Outcome, options Options) string {
	columns := []column{
		{heading: "Limit"}, {heading: "Used", right: true}, {heading: "Of", right: true}, {heading: "Unit"},
		{heading: "Share"}, {heading: "Forecast", right: true}, {heading: "State"},
	}
	counts := map[State]int{}
	needsComponents := false
	for _, limit := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[limit]
		cells := []string{name(limit), o.used(), digits(o.Limit), name(o.Unit.Value), o.share(), o.forecast(), o.explanation()}
		for i, cell := range cells {
			columns[i].cells = append(columns[i].cells, cell)
		}
		counts[o.State]++
		// The limit selects no component, or several.
		needsComponents = needsComponents || o.State == Missing && len(o.records.series) != 1 || o.State == Over && len(o.records.series) > 1
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
	text := fmt.Sprintf("%s: %s.\n\n%s", cmp.Or(title(options.Title), "Budget"), strings.Join(summary, ", "), table(columns))
	if needsComponents {
		text += "\n" + components(usages)
	}
	switch {
	case options.Period != nil:
		if note := options.Period.note(); note != "" {
			text += "\n" + note + "\n"
		}
	case slices.Contains(options.FailOn, Forecast):
		text += "\nThere is no forecast, as no period is given.\n"
	}
	return text
}

func (o Outcome) used() string {
	switch of := o.records.series; {
	case o.Used != nil && o.records.complete():
		return digits(o.Used)
	case o.Used != nil:
		return digits(o.Used) + " + ?"
	case len(of) == 1 && of[0].total.known > 0:
		return digits(&of[0].total.amount) + " + ?"
	default:
		return "?"
	}
}

// share draws ten cells and writes per cent, rounded away from 100.
func (o Outcome) share() string {
	switch {
	case o.Used == nil:
		return "?"
	case o.Share == nil && o.State == Over:
		return bar(barCells) + " > 100 %"
	case o.Share == nil:
		return bar(0) + " 0 %"
	}
	percent := new(big.Rat).Mul(o.Share, big.NewRat(100, 1))
	if o.State == Over {
		return fmt.Sprintf("%s %s %%", bar(barCells), digits(ceil(percent)))
	}
	return fmt.Sprintf("%s %s %%", bar(part(o.Used, o.Limit)), digits(floor(percent)))
}

// forecast writes the forecast, rounded up so that it shows an excess.
func (o Outcome) forecast() string {
	if o.Forecast == nil {
		return "?"
	}
	return digits(ceil(o.Forecast))
}

// explanation is the state and the reasons of it.
func (o Outcome) explanation() string {
	state := string(o.State)
	switch o.State {
	case Over:
		state += " by " + digits(new(big.Int).Sub(o.Used, o.Limit))
	case Forecast:
		state += ": over by " + digits(new(big.Int).Sub(ceil(o.Forecast), o.Limit))
	case Missing, Near, OK:
	}
	return strings.Join(append([]string{state}, o.records.doubts()...), ", ")
}

// doubts are the reasons why the amounts do not add up to what was used.
func (s *selection) doubts() []string {
	var doubts, nulls []string
	categories := map[*category]bool{}
	units := map[waldur.Nullable[string]]bool{}
	for _, of := range s.series {
		categories[of.category], units[of.unit] = true, true
		for month, at := range of.months {
			if at.unknown > 0 {
				nulls = append(nulls, month)
			}
		}
	}
	switch {
	case len(s.series) == 0 && len(s.unclear) == 0:
		doubts = append(doubts, "no record")
	case len(categories) > 1:
		doubts = append(doubts, fmt.Sprintf("%d categories have this type: set category_uuid", len(categories)))
	case len(units) > 1:
		doubts = append(doubts, "several units: "+unitNames(slices.SortedFunc(maps.Keys(units), compareText)))
	}
	if len(s.unclear) > 0 {
		doubts = append(doubts, s.lacking())
	}
	null := "null in "
	if s.component.Measure == FixedUsage {
		null = "fixed_usage null in "
	}
	slices.Sort(nulls)
	nulls = slices.Compact(nulls)
	if len(nulls) > 3 {
		return append(doubts, fmt.Sprintf("%s%d months", null, len(nulls)))
	}
	for _, month := range nulls {
		doubts = append(doubts, null+name(month))
	}
	return doubts
}

// lacking names what the unclear records lack, which a read of some attributes
// only may have left out.
func (s *selection) lacking() string {
	var attributes []string
	for field := range waldur.Fields(waldur.FieldType, waldur.FieldCategoryTitle, waldur.FieldCategoryUUID).Each {
		isNull := func(usage waldur.Usage) bool { return !usage.Attribute(field).(*waldur.Nullable[string]).Valid }
		isNeeded := field != waldur.FieldCategoryTitle || s.component.CategoryTitle != ""
		if isNeeded && slices.ContainsFunc(s.unclear, isNull) {
			attributes = append(attributes, field.String())
		}
	}
	records, question := fmt.Sprintf("%d records", len(s.unclear)), "are they in `fields`?"
	if len(s.unclear) == 1 {
		records = "1 record"
	}
	if len(attributes) == 1 {
		question = "is it in `fields`?"
	}
	return fmt.Sprintf("%s without %s: %s", records, strings.Join(attributes, " or "), question)
}

func unitNames(units []waldur.Nullable[string]) string {
	names := make([]string, len(units))
	for i, unit := range units {
		names[i] = cmp.Or(name(unit.Value), "no unit")
	}
	return strings.Join(names, ", ")
}

const noRecords = "There are no usage records.\n"

// components lists the components of the records, by category, and the units of
// those that have several.
func components(usages []waldur.Usage) string {
	if len(usages) == 0 {
		return noRecords
	}
	type category struct{ title, uuid waldur.Nullable[string] }
	type component struct {
		category category
		kind     string
	}
	units := map[component]map[waldur.Nullable[string]]bool{}
	for i := range usages {
		usage := &usages[i]
		of := component{category{usage.CategoryTitle, usage.CategoryUUID}, usage.Type.Value}
		if units[of] == nil {
			units[of] = map[waldur.Nullable[string]]bool{}
		}
		units[of][usage.MeasuredUnit] = true
	}
	names := map[category][]string{}
	byKind := func(a, b component) int { return cmp.Compare(a.kind, b.kind) }
	for _, of := range slices.SortedFunc(maps.Keys(units), byKind) {
		text := cmp.Or(name(of.kind), "null")
		if len(units[of]) > 1 {
			text += " (" + unitNames(slices.SortedFunc(maps.Keys(units[of]), compareText)) + ")"
		}
		names[of.category] = append(names[of.category], text)
	}
	var text strings.Builder
	text.WriteString("There are records of these components:\n\n")
	byTitle := func(a, b category) int { return cmp.Or(compareText(a.title, b.title), compareText(a.uuid, b.uuid)) }
	for _, of := range slices.SortedFunc(maps.Keys(names), byTitle) {
		fmt.Fprintf(&text, "- %s (category_uuid %s): %s\n",
			cmp.Or(title(of.title.Value), "null"), cmp.Or(name(of.uuid.Value), "null"), strings.Join(names[of], ", "))
	}
	return text.String()
}
