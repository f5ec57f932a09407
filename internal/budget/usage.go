package budget

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// NewUsageReport draws what was used, as Markdown: for each category a table of
// months and components, with a bar for each amount and totals. A month without
// a record has no amount and counts as not used; a null is "no data", and a
// total over one is "at least" what is known. Title "" is "Reported usage" or
// "Fixed usage".
func NewUsageReport(usages []waldur.Usage, measure Measure, heading string) string {
	standard := "Reported usage"
	if measure == FixedUsage {
		standard = "Fixed usage"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n", cmp.Or(markdown(oneLine(heading, longestTitle)), standard))
	all := seriesOf(usages, measure)
	if len(all) == 0 {
		return text.String() + noRecords
	}
	text.WriteString("A full bar is the largest month of its column; – is a month without a record.\n")
	months := monthsOf(all...)
	for rest := all; len(rest) > 0; {
		category := rest[0].category
		end := slices.IndexFunc(rest, func(s *series) bool { return s.category != category })
		if end < 0 {
			end = len(rest)
		}
		fmt.Fprintf(&text, "\n## %s", cmp.Or(name(category.title), "No category"))
		if slices.ContainsFunc(all, func(s *series) bool { return s.category != category && s.category.title == category.title }) {
			fmt.Fprintf(&text, " (%s)", cmp.Or(name(category.uuid.Value), "no category_uuid"))
		}
		fmt.Fprintf(&text, "\n\n%s", usageTable(months, rest[:end]))
		rest = rest[end:]
	}
	return text.String()
}

func usageTable(months []string, all []*series) string {
	head := column{heading: "Month"}
	for _, m := range months {
		head.cells = append(head.cells, name(m))
	}
	head.cells = append(head.cells, "Total")
	columns := []column{head}
	for _, s := range all {
		columns = append(columns, column{heading: s.heading(all), right: true, cells: append(s.bars(months), s.total.text())})
	}
	return table(columns)
}

// heading is the name and the unit of a component, and its type where another
// one has the same name.
func (s *series) heading(all []*series) string {
	text := cmp.Or(name(s.name), name(s.kind.Value), "(no name)")
	if slices.ContainsFunc(all, func(other *series) bool { return other.name == s.name && other.kind != s.kind }) {
		text += ", " + cmp.Or(name(s.kind.Value), "no type")
	}
	if unit := name(s.unit.Value); unit != "" {
		text += fmt.Sprintf(" (%s)", unit)
	}
	return text
}

// bars draws the amount of each month, the numbers below each other.
func (s *series) bars(months []string) []string {
	largest := new(big.Int)
	widest := 0
	for _, at := range s.months {
		if at.amount.Cmp(largest) > 0 {
			largest = &at.amount
		}
		if at.known > 0 {
			widest = max(widest, width(at.text()))
		}
	}
	cells := make([]string, len(months))
	for i, m := range months {
		at := s.months[m]
		cells[i] = at.text()
		if at != nil && at.known > 0 {
			cells[i] = bar(part(&at.amount, largest)) + strings.Repeat(" ", 1+widest-width(cells[i])) + cells[i]
		}
	}
	return cells
}

// text is the amount: "no data" if none is known, "at least" if some are not,
// and a dash if there is no record.
func (s *sum) text() string {
	switch {
	case s == nil:
		return "–"
	case s.known == 0:
		return "no data"
	case s.unknown > 0:
		return "at least " + digits(&s.amount)
	default:
		return digits(&s.amount)
	}
}

// longestSpan is how many months without a record may be shown with the others.
const longestSpan = 240

// monthsOf returns the months from the first to the last record, those without
// a record among them too, unless they are more than 20 years.
func monthsOf(all ...*series) []string {
	sums := map[string]*sum{}
	for _, s := range all {
		maps.Copy(sums, s.months)
	}
	months := slices.Sorted(maps.Keys(sums))
	first, err1 := time.Parse("2006-01", months[0])
	last, err2 := time.Parse("2006-01", months[len(months)-1])
	if errors.Join(err1, err2) != nil || last.After(first.AddDate(0, longestSpan, 0)) {
		return months
	}
	months = nil
	for at := first; !at.After(last); at = at.AddDate(0, 1, 0) {
		months = append(months, at.Format("2006-01"))
	}
	return months
}

// NewUsageChart draws the months of one component as bars and, unless it is
// nil, a limit for a month as a line: a block of Mermaid, which GitHub and
// GitLab draw, within Markdown. Where there is nothing to draw, it is a sentence
// that says why. Title "" is the component and its category.
func NewUsageChart(usages []waldur.Usage, component Component, limit *big.Int, heading string) string {
	found := component.find(usages)
	kind := name(component.Type)
	switch {
	case len(found.unclear) > 0:
		return fmt.Sprintf("No chart of %s: %s\n", kind, found.lacking())
	case len(found.series) == 0:
		return fmt.Sprintf("No chart of %s: there is no record of it.\n", kind)
	case len(found.series) > 1:
		return fmt.Sprintf("No chart of %s: there are records of several components or in several units.\n\n%s", kind, components(found.records))
	}
	return "```mermaid\n" + found.series[0].chart(limit, heading) + "```\n"
}

func (s *series) chart(limit *big.Int, heading string) string {
	var names, amounts []string
	axis := []*big.Int{new(big.Int)} // what it must show
	for _, m := range monthsOf(s) {
		at := s.months[m]
		switch {
		case at == nil:
			at = new(sum)
		case at.known == 0:
			m += " no data"
		case at.unknown > 0:
			m += " at least"
		}
		names = append(names, `"`+cmp.Or(drawable(m), "?")+`"`)
		amounts = append(amounts, at.amount.String())
		axis = append(axis, &at.amount)
	}
	title := []string{cmp.Or(drawable(s.name), "Usage")}
	if category := drawable(s.category.title); category != "" {
		title = append(title, category)
	}
	line := ""
	if limit != nil {
		axis = append(axis, limit)
		title = append(title, "limit "+digits(limit))
		if len(names) == 1 {
			// A line needs two points to be seen.
			names, amounts = []string{`" "`, names[0], `"  "`}, []string{"0", amounts[0], "0"}
		}
		line = "    line [" + strings.Join(slices.Repeat([]string{limit.String()}, len(names)), ", ") + "]\n"
	}
	lowest, highest := slices.MinFunc(axis, (*big.Int).Cmp), slices.MaxFunc(axis, (*big.Int).Cmp)
	if lowest.Cmp(highest) == 0 {
		highest = big.NewInt(1)
	}
	unit := drawable(s.unit.Value)
	if unit != "" {
		unit = `"` + unit + `" `
	}
	return "xychart-beta\n" +
		`    title "` + cmp.Or(drawable(heading), strings.Join(title, ", ")) + "\"\n" +
		"    x-axis [" + strings.Join(names, ", ") + "]\n" +
		"    y-axis " + unit + lowest.String() + " --> " + highest.String() + "\n" +
		"    bar [" + strings.Join(amounts, ", ") + "]\n" +
		line
}

// drawable returns a text without what Mermaid takes for something else. It has
// no escapes: what would end the text, or begin a directive, an entity, a tag
// or other markup, is left out.
func drawable(text string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '`':
			return '\''
		case unicode.In(r, unicode.L, unicode.M, unicode.N), strings.ContainsRune("'-_.,:/()+=%°–…", r):
			return r
		default:
			return ' '
		}
	}, oneLine(text, longestTitle))
	return strings.Join(strings.Fields(strings.ReplaceAll(kept, "%%", "% ")), " ")
}
