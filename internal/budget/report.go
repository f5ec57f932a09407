package budget

import (
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
	columns := []column{{"Limit", false}, {"Used", true}, {"Of", true}, {"Unit", false}, {"Share", false}}
	if options.Period != nil {
		columns = append(columns, column{"Forecast", true})
	}
	columns = append(columns, column{"State", false})
	var rows [][]string
	for _, limit := range slices.Sorted(maps.Keys(outcomes)) {
		outcome := outcomes[limit]
		row := []string{name(limit), outcome.used(), digits(outcome.Limit), name(outcome.Unit.Value), outcome.share()}
		if options.Period != nil {
			row = append(row, outcome.forecast())
		}
		rows = append(rows, append(row, outcome.explanation()))
	}
	text := summary(outcomes, options.Title) + "\n\n" + table(columns, rows)
	if slices.ContainsFunc(slices.Collect(maps.Values(outcomes)), Outcome.needsComponents) {
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

// summary is the number of limits in each state: "Budget: 1 over, 2 ok."
func summary(outcomes map[string]Outcome, heading string) string {
	counts := map[State]int{}
	for _, outcome := range outcomes {
		counts[outcome.State]++
	}
	var parts []string
	for _, state := range States() {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	return or(title(heading), "Budget") + ": " + strings.Join(parts, ", ") + "."
}

func (o Outcome) used() string {
	switch {
	case o.Used != nil && o.total.complete():
		return digits(o.Used)
	case o.Used != nil:
		return digits(o.Used) + " + ?"
	case len(o.total.sums) == 1 && o.total.sums[0].known > 0:
		return digits(&o.total.sums[0].amount) + " + ?"
	default:
		return "?"
	}
}

// share draws ten cells and writes per cent, rounded away from 100.
func (o Outcome) share() string {
	switch {
	case o.Used == nil:
		return "?"
	case o.Limit.Sign() == 0 && o.Used.Sign() > 0:
		return bar(barCells) + " > 100 %"
	case o.Limit.Sign() == 0:
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
	words := []string{string(o.State)}
	switch o.State {
	case Over:
		words[0] += " by " + digits(new(big.Int).Sub(o.Used, o.Limit))
	case Forecast:
		words[0] += ": over by " + digits(new(big.Int).Sub(ceil(o.Forecast), o.Limit))
	case Missing, Near, OK:
	}
	categories := map[string]bool{}
	var units []string
	for _, s := range o.total.sums {
		categories[s.identity.category] = true
		units = append(units, unitName(s.identity.unit))
	}
	switch {
	case len(o.total.sums) == 0 && o.total.unidentified.records == 0:
		words = append(words, "no record")
	case len(categories) > 1:
		words = append(words, fmt.Sprintf("%d categories have this type: set category_uuid", len(categories)))
	case len(units) > 1:
		words = append(words, "several units: "+strings.Join(units, ", "))
	}
	if o.total.unidentified.records > 0 {
		words = append(words, o.total.unidentified.text())
	}
	null := "null in "
	if o.total.measure == FixedUsage {
		null = "fixed_usage null in "
	}
	if n := len(o.total.unknown); n > 3 {
		words = append(words, fmt.Sprintf("%s%d months", null, n))
	} else {
		for _, month := range o.total.unknown {
			words = append(words, null+name(month))
		}
	}
	return strings.Join(words, ", ")
}

// text names the records and what they lack, which a read of some attributes
// only may have left out.
func (u *unidentified) text() string {
	var lacking []string
	if u.kind {
		lacking = append(lacking, "type")
	}
	if u.categoryTitle {
		lacking = append(lacking, "category_title")
	}
	if u.category {
		lacking = append(lacking, "category_uuid")
	}
	text, question := fmt.Sprintf("%d records without ", u.records), "are they in `fields`?"
	if u.records == 1 {
		text = "1 record without "
	}
	if len(lacking) == 1 {
		question = "is it in `fields`?"
	}
	return text + strings.Join(lacking, " or ") + ": " + question
}

func unitName(unit waldur.Nullable[string]) string {
	return or(name(unit.Value), "no unit")
}

// needsComponents reports whether the limit selects no component, or several.
func (o Outcome) needsComponents() bool {
	return o.State == Missing && len(o.total.sums) != 1 || o.State == Over && len(o.total.sums) > 1
}

// components lists the components of the records, by category, and the units of
// those that have several.
func components(usages []waldur.Usage) string {
	type category struct{ uuid, title waldur.Nullable[string] }
	units := map[category]map[string]map[waldur.Nullable[string]]bool{}
	for i := range usages {
		usage := &usages[i]
		c := category{usage.CategoryUUID, usage.CategoryTitle}
		if units[c] == nil {
			units[c] = map[string]map[waldur.Nullable[string]]bool{}
		}
		if units[c][usage.Type.Value] == nil {
			units[c][usage.Type.Value] = map[waldur.Nullable[string]]bool{}
		}
		units[c][usage.Type.Value][usage.MeasuredUnit] = true
	}
	if len(units) == 0 {
		return "There are no usage records.\n"
	}
	var text strings.Builder
	text.WriteString("There are records of these components:\n\n")
	compare := func(a, b category) int {
		if order := compareText(a.title, b.title); order != 0 {
			return order
		}
		return compareText(a.uuid, b.uuid)
	}
	for _, c := range slices.SortedFunc(maps.Keys(units), compare) {
		var names []string
		for _, kind := range slices.Sorted(maps.Keys(units[c])) {
			text := or(name(kind), "null")
			if of := units[c][kind]; len(of) > 1 {
				var all []string
				for _, unit := range slices.SortedFunc(maps.Keys(of), compareText) {
					all = append(all, unitName(unit))
				}
				text += " (" + strings.Join(all, ", ") + ")"
			}
			names = append(names, text)
		}
		fmt.Fprintf(&text, "- %s (category_uuid %s): %s\n",
			or(title(c.title.Value), "null"), or(name(c.uuid.Value), "null"), strings.Join(names, ", "))
	}
	return text.String()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
