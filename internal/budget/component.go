package budget

import (
	"cmp"
	"maps"
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

// of returns the record's amount.
func (m Measure) of(usage *waldur.Usage) waldur.Nullable[int64] {
	if m == FixedUsage {
		return usage.FixedUsage
	}
	return usage.ReportedUsage
}

// selection is the records that a component selects.
type selection struct {
	component Component
	records   []waldur.Usage
	series    []*series      // of the records: amounts of several must not be added
	unclear   []waldur.Usage // records that lack an attribute that would tell, or their category
}

// find selects the component's records. Only the uuid identifies a category: a
// record without one cannot be added to any other.
func (c Component) find(usages []waldur.Usage) selection {
	s := selection{component: c}
	for i := range usages {
		switch found := c.compare(&usages[i]); {
		case found == same && usages[i].CategoryUUID.Valid:
			s.records = append(s.records, usages[i])
		case found != different:
			s.unclear = append(s.unclear, usages[i])
		}
	}
	s.series = seriesOf(s.records, c.Measure)
	return s
}

// likeness is how an attribute compares with what is wanted.
type likeness uint8

const (
	different likeness = iota
	unknown            // it is null
	same
)

func (c Component) compare(usage *waldur.Usage) likeness {
	return min(
		compareAttribute(c.Type, usage.Type),
		compareAttribute(c.CategoryUUID, usage.CategoryUUID),
		compareAttribute(c.CategoryTitle, usage.CategoryTitle),
	)
}

func compareAttribute(wanted string, found waldur.Nullable[string]) likeness {
	switch {
	case wanted == "" || found.Valid && found.Value == wanted:
		return same
	case found.Valid:
		return different
	default:
		return unknown
	}
}

// complete reports whether the amounts add up to what was used.
func (s *selection) complete() bool {
	return len(s.series) == 1 && s.series[0].total.unknown == 0 && len(s.unclear) == 0
}

// largest returns the series with the largest total, nil if there is none. A
// record of the component whose category is not known is a series of its own.
func (s *selection) largest() *series {
	all := slices.Clone(s.series)
	for i := range s.unclear {
		if s.component.compare(&s.unclear[i]) == same {
			all = append(all, seriesOf(s.unclear[i:i+1], s.component.Measure)...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *series) int {
		// Series with equal totals may differ in their units.
		return cmp.Or(a.total.amount.Cmp(&b.total.amount), compareText(b.category.uuid, a.category.uuid), compareText(b.unit, a.unit))
	})
}

// sum is the amounts of records that may be added.
type sum struct {
	amount  big.Int // of the amounts that are known
	known   int     // the number of those
	unknown int     // the number of the others
}

func (s *sum) add(amount waldur.Nullable[int64]) {
	if !amount.Valid {
		s.unknown++
		return
	}
	s.known++
	s.amount.Add(&s.amount, big.NewInt(amount.Value))
}

// series is the records whose amounts may be added, by month: those of one
// component in one unit. Null is a unit of its own, since it may be any other.
type series struct {
	category *category
	kind     waldur.Nullable[string] // the component's type
	unit     waldur.Nullable[string]
	name     string // of the component, for people
	months   map[string]*sum
	total    sum
}

// category is one of the records. Without a uuid, its title identifies it.
type category struct {
	uuid  waldur.Nullable[string]
	title string
}

// seriesOf returns the series of the records, sorted. Those of one category
// share its value.
func seriesOf(usages []waldur.Usage, measure Measure) []*series {
	type key struct {
		category   *category
		kind, unit waldur.Nullable[string]
	}
	categories := map[category]*category{}
	found := map[key]*series{}
	for i := range usages {
		usage := &usages[i]
		identity := category{uuid: usage.CategoryUUID}
		if !identity.uuid.Valid {
			identity.title = usage.CategoryTitle.Value
		}
		of := categories[identity]
		if of == nil {
			of = new(identity)
			categories[identity] = of
		}
		k := key{of, usage.Type, usage.MeasuredUnit}
		s := found[k]
		if s == nil {
			s = &series{category: of, kind: k.kind, unit: k.unit, months: map[string]*sum{}}
			found[k] = s
		}
		// Titles and names are texts that may change from one record to the next: the
		// last one in the alphabet is as good as any, whatever the order.
		of.title = max(of.title, usage.CategoryTitle.Value)
		s.name = max(s.name, usage.Name.Value)
		m := month(usage)
		if s.months[m] == nil {
			s.months[m] = new(sum)
		}
		s.months[m].add(measure.of(usage))
		s.total.add(measure.of(usage))
	}
	for _, s := range found {
		s.name = cmp.Or(s.name, s.kind.Value, "(no name)")
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *series) int {
		return cmp.Or(
			cmp.Compare(a.category.title, b.category.title),
			compareText(a.category.uuid, b.category.uuid),
			cmp.Compare(a.name, b.name),
			compareText(a.kind, b.kind),
			compareText(a.unit, b.unit),
		)
	})
}

// month returns YYYY-MM.
func month(usage *waldur.Usage) string {
	if len(usage.Date.Value) < len("2024-10") {
		return "?"
	}
	return usage.Date.Value[:len("2024-10")]
}

// compareText orders texts by their characters, null last.
func compareText(a, b waldur.Nullable[string]) int {
	switch {
	case a.Valid == b.Valid:
		return cmp.Compare(a.Value, b.Value)
	case a.Valid:
		return -1
	default:
		return 1
	}
}
