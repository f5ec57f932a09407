package budget

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// NewUsageReport draws the usage as Markdown: a table for each category with a
// row for each month, a column for each component, and totals. Each amount has a
// bar. A null is shown as "no data", and a total that includes one as "at least"
// the known amount. A title of "" is "Reported usage" or "Fixed usage".
func NewUsageReport(usages []waldur.Usage, measure Measure, title string) string {
	defaultTitle := "Reported usage"
	if measure == FixedUsage {
		defaultTitle = "Fixed usage"
	}
	var report strings.Builder
	fmt.Fprintf(&report, "# %s\n\n", cmp.Or(escape(oneLine(title, maxTitle)), defaultTitle))
	all := seriesOf(usages, measure)
	if len(all) == 0 {
		return report.String() + noRecords
	}
	report.WriteString("A full bar is the largest month of its column; – is a month without a record.\n")
	months := monthsOf(all...)
	for i, first := range all {
		if i > 0 && all[i-1].category == first.category {
			continue
		}
		isOther := func(s *series) bool { return s.category != first.category }
		hasSameTitle := func(s *series) bool { return isOther(s) && s.category.title == first.category.title }
		fmt.Fprintf(&report, "\n## %s", cmp.Or(inline(first.category.title), "No category"))
		if slices.ContainsFunc(all, hasSameTitle) {
			fmt.Fprintf(&report, " (%s)", cmp.Or(inline(first.category.uuid.Value), "no category_uuid"))
		}
		table := slices.DeleteFunc(slices.Clone(all), isOther)
		fmt.Fprintf(&report, "\n\n%s%s", unidentifiedNote(table), usageTable(months, table))
	}
	return report.String()
}

// unidentifiedNote is what the reader of a table must know if its records do not
// identify their components, so different ones may share a column.
func unidentifiedNote(table []*series) string {
	var missing []string
	if !table[0].category.uuid.Valid {
		missing = append(missing, "category_uuid")
	}
	if slices.ContainsFunc(table, func(s *series) bool { return !s.componentType.Valid }) {
		missing = append(missing, "type")
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("Records without %s may be of several components, whose amounts are added up here. Check fields.\n\n", strings.Join(missing, " or "))
}

func usageTable(months []string, all []*series) string {
	first := column{heading: "Month"}
	for _, month := range months {
		first.cells = append(first.cells, inline(month))
	}
	first.cells = append(first.cells, "Total")
	columns := []column{first}
	for _, s := range all {
		columns = append(columns, column{heading: s.heading(all), cells: append(s.bars(months), s.total.String()), right: true})
	}
	return table(columns)
}

// heading returns the name and the unit of the component, and its type if
// another component of the table has the same name.
func (s *series) heading(all []*series) string {
	heading := cmp.Or(inline(s.name), inline(s.componentType.Value), "(no name)")
	hasSameName := func(other *series) bool { return other.name == s.name && other.componentType != s.componentType }
	if slices.ContainsFunc(all, hasSameName) {
		heading += ", " + cmp.Or(inline(s.componentType.Value), "no type")
	}
	if unit := inline(s.unit.Value); unit != "" {
		heading += fmt.Sprintf(" (%s)", unit)
	}
	return heading
}

// bars draws the amount of each month. The bars are aligned, as are the amounts.
func (s *series) bars(months []string) []string {
	largest, widest := new(big.Int), 0
	for _, total := range s.months {
		if total.amount.Cmp(largest) > 0 {
			largest = &total.amount
		}
		if total.known > 0 {
			widest = max(widest, width(total.String()))
		}
	}
	cells := make([]string, len(months))
	for i, month := range months {
		total := s.months[month]
		cells[i] = total.String()
		if total != nil && total.known > 0 {
			cells[i] = bar(&total.amount, largest) + strings.Repeat(" ", 1+widest-width(cells[i])) + cells[i]
		}
	}
	return cells
}

// String returns the amount as a table shows it. The sum of a month without a
// record is nil.
func (s *sum) String() string {
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

// monthsOf returns the months from the first record to the last. If they are
// more than 20 years apart, or any date is invalid, it returns those with a record.
func monthsOf(all ...*series) []string {
	totals := map[string]*sum{}
	for _, s := range all {
		maps.Copy(totals, s.months)
	}
	months := slices.Sorted(maps.Keys(totals))
	dates := make([]time.Time, len(months))
	for i, month := range months {
		var err error
		if dates[i], err = time.Parse(monthLayout, month); err != nil {
			return months
		}
	}
	first, last := dates[0], dates[len(dates)-1]
	if last.After(first.AddDate(20, 0, 0)) {
		return months
	}
	months = nil
	for month := first; !month.After(last); month = month.AddDate(0, 1, 0) {
		months = append(months, month.Format(monthLayout))
	}
	return months
}
