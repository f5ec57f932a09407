package budget

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// series is what was used of one component in each month.
type series struct {
	component waldur.Nullable[string] // its type
	unit      waldur.Nullable[string]
	name      string // for people
	category  *category
	months    map[string]*sum
}

// category is one of the records. Without a uuid, its title identifies it.
type category struct {
	uuid  waldur.Nullable[string]
	title string
}

// categoriesOf returns the category of each record, shared by all of the same
// one.
func categoriesOf(usages []waldur.Usage) []*category {
	type key struct {
		uuid    waldur.Nullable[string]
		instead string
	}
	found := map[key]*category{}
	of := make([]*category, len(usages))
	for i := range usages {
		usage := &usages[i]
		k := key{uuid: usage.CategoryUUID}
		if !k.uuid.Valid {
			k.instead = usage.CategoryTitle.Value
		}
		if found[k] == nil {
			found[k] = &category{uuid: k.uuid}
		}
		// The title is a text that may change from one record to the next: the
		// last one in the alphabet is as good as any, whatever the order.
		found[k].title = max(found[k].title, usage.CategoryTitle.Value)
		of[i] = found[k]
	}
	return of
}

func (c *category) compare(other *category) int {
	return cmp.Or(cmp.Compare(c.title, other.title), compareText(c.uuid, other.uuid))
}

// seriesOf returns the series of the records, sorted.
func seriesOf(usages []waldur.Usage, measure Measure) []*series {
	type key struct {
		component, unit waldur.Nullable[string]
		category        *category
	}
	categories := categoriesOf(usages)
	found := map[key]*series{}
	var all []*series
	for i := range usages {
		usage := &usages[i]
		k := key{usage.Type, usage.MeasuredUnit, categories[i]}
		s := found[k]
		if s == nil {
			s = &series{component: k.component, unit: k.unit, category: k.category, months: map[string]*sum{}}
			found[k] = s
			all = append(all, s)
		}
		s.name = max(s.name, usage.Name.Value) // as with the title of the category
		m := month(usage)
		if s.months[m] == nil {
			s.months[m] = new(sum)
		}
		s.months[m].add(measure.of(usage))
	}
	for _, s := range all {
		s.name = or(s.name, or(s.component.Value, "(no name)"))
	}
	slices.SortFunc(all, func(a, b *series) int {
		return cmp.Or(
			a.category.compare(b.category),
			cmp.Compare(a.name, b.name),
			compareText(a.component, b.component),
			compareText(a.unit, b.unit),
		)
	})
	return all
}

// total adds up the months.
func (s *series) total() *sum {
	total := new(sum)
	for _, m := range s.months {
		total.amount.Add(&total.amount, &m.amount)
		total.known += m.known
		total.unknown += m.unknown
	}
	return total
}

// largest returns the largest amount of a month, 0 if none is above it.
func (s *series) largest() *big.Int {
	largest := new(big.Int)
	for _, m := range s.months {
		if m.amount.Cmp(largest) > 0 {
			largest = &m.amount
		}
	}
	return largest
}

// longestSpan is how many months without a record may be shown with the others.
const longestSpan = 240

// monthsOf returns the months from the first to the last record, those without
// a record among them too, unless they are more than 20 years.
func monthsOf(all ...*series) []string {
	seen := map[string]bool{}
	for _, s := range all {
		for m := range s.months {
			seen[m] = true
		}
	}
	var months []string
	for m := range seen {
		months = append(months, m)
	}
	slices.Sort(months)
	if len(months) == 0 {
		return nil
	}
	first, err1 := time.Parse("2006-01", months[0])
	last, err2 := time.Parse("2006-01", months[len(months)-1])
	if err1 != nil || err2 != nil || last.After(first.AddDate(0, longestSpan, 0)) {
		return months
	}
	months = nil
	for at := first; !at.After(last); at = at.AddDate(0, 1, 0) {
		months = append(months, at.Format("2006-01"))
	}
	return months
}
