package budget

import (
	"cmp"
	"slices"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Component selects the records of a component, and one of their amounts.
// Components of different categories may share a type, and categories may share
// a title, which is translated.
type Component struct {
	Type          string
	CategoryUUID  string // as waldur.ParseUUID returns it; "": any
	CategoryTitle string // "": any
	Measure       Measure
}

// Measure is one of the two amounts of a record, which are never added.
type Measure string

// The measures, named as the attributes of a record.
const (
	ReportedUsage Measure = "reported_usage"
	FixedUsage    Measure = "fixed_usage"
)

func (m Measure) amount(usage *waldur.Usage) waldur.Nullable[int64] {
	if m == FixedUsage {
		return usage.FixedUsage
	}
	return usage.ReportedUsage
}

// selection holds the records selected by a component.
type selection struct {
	component    Component
	records      []waldur.Usage
	series       []*series      // of the records; the amounts of several must not be added
	unidentified []waldur.Usage // records that may belong to the component; their type or category is unknown
}

// selectFrom selects the component's records. A category is identified by its
// uuid alone: the amount of a record without one must not be added to others, and a
// title selects all records of the categories that have it, also those with another
// title, from before a category was renamed.
func (c Component) selectFrom(usages []waldur.Usage) selection {
	selected := selection{component: c}
	titled := map[waldur.Nullable[string]]bool{} // category uuids
	for i := range usages {
		if uuid := usages[i].CategoryUUID; uuid.Valid && c.CategoryTitle == usages[i].CategoryTitle.Value {
			titled[uuid] = true
		}
	}
	for i := range usages {
		usage := usages[i]
		if titled[usage.CategoryUUID] {
			usage.CategoryTitle = waldur.Of(c.CategoryTitle)
		}
		matches, mayMatch := c.match(&usage)
		if matches && usages[i].CategoryUUID.Valid {
			selected.records = append(selected.records, usages[i])
		} else if mayMatch {
			selected.unidentified = append(selected.unidentified, usages[i])
		}
	}
	selected.series = seriesOf(selected.records, c.Measure)
	return selected
}

// match reports whether a record is the component's, and whether it may be,
// since an attribute that is null may have any value.
func (c Component) match(usage *waldur.Usage) (matches, mayMatch bool) {
	matches, mayMatch = true, true
	for _, attribute := range []struct {
		want string
		got  waldur.Nullable[string]
	}{{c.Type, usage.Type}, {c.CategoryUUID, usage.CategoryUUID}, {c.CategoryTitle, usage.CategoryTitle}} {
		isEqual := attribute.want == "" || attribute.got == waldur.Of(attribute.want)
		matches = matches && isEqual
		mayMatch = mayMatch && (isEqual || !attribute.got.Valid)
	}
	return matches, mayMatch
}

// isComplete reports whether the amounts add up to the usage of the component.
func (s *selection) isComplete() bool {
	return len(s.series) == 1 && s.series[0].total.unknown == 0 && len(s.unidentified) == 0
}

// largest returns the series with the largest total, or nil if there is none.
// A matching record without a category is a series of its own.
func (s *selection) largest() *series {
	all := slices.Clone(s.series)
	for i := range s.unidentified {
		if matches, _ := s.component.match(&s.unidentified[i]); matches {
			all = append(all, seriesOf(s.unidentified[i:i+1], s.component.Measure)...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *series) int {
		// The unit of series with equal totals must not depend on their order.
		return cmp.Or(a.total.amount.Cmp(&b.total.amount), compareText(b.category.uuid, a.category.uuid), compareText(b.unit, a.unit))
	})
}
