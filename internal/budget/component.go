package budget

import (
	"cmp"
	"errors"
	"math/big"
	"slices"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Component selects the records of one component, and one measure of them. The
// components of several categories may have the same type; a title is a
// translated text that several categories may have.
type Component struct {
	Type          string
	CategoryUUID  string // as waldur.ParseUUID returns it; "": any
	CategoryTitle string // "": any
	Measure       Measure
}

// Measure is one of the two amounts of a record, which are not parts of one
// total.
type Measure string

// The two measures, by the names of their attributes.
const (
	ReportedUsage Measure = "reported_usage"
	FixedUsage    Measure = "fixed_usage"
)

// ParseMeasure reads the name of a measure.
func ParseMeasure(name string) (Measure, error) {
	switch measure := Measure(name); measure {
	case ReportedUsage, FixedUsage:
		return measure, nil
	default:
		return "", errors.New(`must be "reported_usage" or "fixed_usage"`)
	}
}

// of returns the record's amount.
func (m Measure) of(usage *waldur.Usage) waldur.Nullable[int64] {
	if m == FixedUsage {
		return usage.FixedUsage
	}
	return usage.ReportedUsage
}

// match is whether a record is of a component.
type match uint8

const (
	other     match = iota
	possible        // the record lacks an attribute that would tell
	partly          // it is, but of which category is not known
	certainly       // it is
)

// match compares the attributes. Only the uuid identifies a category.
func (c *Component) match(usage *waldur.Usage) match {
	found := min(
		compareAttribute(c.Type, usage.Type),
		compareAttribute(c.CategoryUUID, usage.CategoryUUID),
		compareAttribute(c.CategoryTitle, usage.CategoryTitle),
	)
	if found == certainly && !usage.CategoryUUID.Valid {
		return partly
	}
	return found
}

func compareAttribute(wanted string, found waldur.Nullable[string]) match {
	switch {
	case wanted == "" || found.Valid && found.Value == wanted:
		return certainly
	case found.Valid:
		return other
	default:
		return possible
	}
}

// identity is what must be the same in records whose amounts are added, in
// addition to the type. Null is a unit of its own: it may stand for any other.
type identity struct {
	category string // its uuid
	unit     waldur.Nullable[string]
}

func (a identity) compare(b identity) int {
	return cmp.Or(cmp.Compare(a.category, b.category), compareText(a.unit, b.unit))
}

func compareText(a, b waldur.Nullable[string]) int {
	if a.Valid != b.Valid {
		if b.Valid {
			return 1 // null last
		}
		return -1
	}
	return cmp.Compare(a.Value, b.Value)
}

// sum is the amounts of records that may be added.
type sum struct {
	identity identity
	amount   big.Int // of the amounts that are known
	known    int     // the number of those
	unknown  int     // the number of the others
}

// add adds the record's amount.
func (s *sum) add(amount waldur.Nullable[int64]) {
	if !amount.Valid {
		s.unknown++
		return
	}
	s.known++
	s.amount.Add(&s.amount, big.NewInt(amount.Value))
}

// total is what records add up to.
type total struct {
	measure      Measure
	sums         []*sum       // one for each identity, in their order
	single       *sum         // the largest record of the component whose category is not known; nil: none
	unidentified unidentified // records that may not be of the component, or not be added
	unknown      []string     // the months in which an amount is null, in their order
}

// unidentified is records that lack attributes.
type unidentified struct {
	records                       int
	kind, categoryTitle, category bool // what any of them lacks
}

// add notes what the record lacks of what the component is selected by.
func (u *unidentified) add(c *Component, usage *waldur.Usage) {
	u.records++
	u.kind = u.kind || !usage.Type.Valid
	u.categoryTitle = u.categoryTitle || c.CategoryTitle != "" && !usage.CategoryTitle.Valid
	u.category = u.category || !usage.CategoryUUID.Valid
}

func (c *Component) total(usages []waldur.Usage) total {
	t := total{measure: c.Measure}
	for i := range usages {
		usage := &usages[i]
		amount := c.Measure.of(usage)
		switch c.match(usage) {
		case other:
		case possible:
			t.unidentified.add(c, usage)
		case partly:
			t.unidentified.add(c, usage)
			t.include(usage, amount)
		case certainly:
			t.sum(identity{usage.CategoryUUID.Value, usage.MeasuredUnit}).add(amount)
			if !amount.Valid {
				t.unknown = append(t.unknown, month(usage))
			}
		}
	}
	slices.SortFunc(t.sums, func(a, b *sum) int { return a.identity.compare(b.identity) })
	slices.Sort(t.unknown)
	t.unknown = slices.Compact(t.unknown)
	return t
}

// include keeps the record if it is the largest of those that cannot be added.
func (t *total) include(usage *waldur.Usage, amount waldur.Nullable[int64]) {
	if !amount.Valid {
		return
	}
	s := &sum{identity: identity{unit: usage.MeasuredUnit}}
	s.add(amount)
	if t.single == nil || cmp.Or(s.amount.Cmp(&t.single.amount), t.single.identity.compare(s.identity)) > 0 {
		t.single = s
	}
}

func (t *total) sum(id identity) *sum {
	for _, s := range t.sums {
		if s.identity == id {
			return s
		}
	}
	t.sums = append(t.sums, &sum{identity: id})
	return t.sums[len(t.sums)-1]
}

// largest returns the largest amount that is known to be of one component and
// one unit, nil if there is none.
func (t *total) largest() *sum {
	all := t.sums
	if t.single != nil {
		all = append(slices.Clone(all), t.single)
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *sum) int { return a.amount.Cmp(&b.amount) })
}

// month returns YYYY-MM.
func month(usage *waldur.Usage) string {
	if len(usage.Date.Value) < len("2024-10") {
		return "?"
	}
	return usage.Date.Value[:len("2024-10")]
}
