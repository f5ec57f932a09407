package budget

import (
	"fmt"
	"slices"
	"strings"

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
	fmt.Fprintf(&text, "# %s\n\n", or(markdown(oneLine(heading, longestTitle)), standard))
	all := seriesOf(usages, measure)
	if len(all) == 0 {
		text.WriteString("There are no usage records.\n")
		return text.String()
	}
	text.WriteString("A full bar is the largest month of its column; – is a month without a record.\n")
	months := monthsOf(all...)
	for first := 0; first < len(all); {
		end := first + 1
		for end < len(all) && all[end].category == all[first].category {
			end++
		}
		of := all[first].category
		fmt.Fprintf(&text, "\n## %s", or(name(of.title), "No category"))
		if first > 0 && all[first-1].category.title == of.title || end < len(all) && all[end].category.title == of.title {
			fmt.Fprintf(&text, " (%s)", or(name(of.uuid.Value), "no category_uuid"))
		}
		fmt.Fprintf(&text, "\n\n%s", usageTable(months, all[first:end]))
		first = end
	}
	return text.String()
}

func usageTable(months []string, all []*series) string {
	columns := []column{{heading: "Month"}}
	rows := make([][]string, len(months)+1)
	for i, m := range months {
		rows[i] = []string{name(m)}
	}
	rows[len(months)] = []string{"Total"}
	for _, s := range all {
		columns = append(columns, column{heading: s.heading(all), right: true})
		largest := s.largest()
		amounts := make([]string, len(months))
		widest := 0
		for i, m := range months {
			amounts[i] = s.months[m].text()
			if at := s.months[m]; at != nil && at.known > 0 {
				widest = max(widest, width(amounts[i]))
			}
		}
		for i, m := range months {
			cell := amounts[i]
			if at := s.months[m]; at != nil && at.known > 0 {
				cell = bar(part(&at.amount, largest)) + " " + strings.Repeat(" ", widest-width(cell)) + cell
			}
			rows[i] = append(rows[i], cell)
		}
		rows[len(months)] = append(rows[len(months)], s.total().text())
	}
	return table(columns, rows)
}

// heading is the name and the unit of a component, and its type where another
// one has the same name.
func (s *series) heading(all []*series) string {
	text := or(name(s.name), or(name(s.component.Value), "(no name)"))
	if slices.ContainsFunc(all, func(other *series) bool { return other.name == s.name && other.component != s.component }) {
		text += ", " + or(name(s.component.Value), "no type")
	}
	if unit := name(s.unit.Value); unit != "" {
		text += fmt.Sprintf(" (%s)", unit)
	}
	return text
}

// text is the amount: "no data" if none is known, "at least" if some are not.
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
