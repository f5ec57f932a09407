package budget

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// series holds the amounts of one component in one unit, which may be added.
// Null is a unit of its own: amounts without a unit are added to each other, but not
// to others.
type series struct {
	category      category
	componentType waldur.Nullable[string]
	unit          waldur.Nullable[string]
	name          string          // of the component
	months        map[string]*sum // by YYYY-MM, or "?"
	total         sum
}

// category is identified by its uuid or, without one, by its title.
type category struct {
	uuid  waldur.Nullable[string]
	title string
}

// sum adds up amounts.
type sum struct {
	amount  big.Int // total of the known amounts
	known   int     // number of amounts that are not null
	unknown int     // number of amounts that are null
}

func (s *sum) add(amount waldur.Nullable[int64]) {
	if !amount.Valid {
		s.unknown++
		return
	}
	s.known++
	s.amount.Add(&s.amount, big.NewInt(amount.Value))
}

// seriesOf groups the records into series, sorted by category and component. If
// their titles or names differ, the last one in alphabetical order is used.
func seriesOf(usages []waldur.Usage, measure Measure) []*series {
	titles := map[waldur.Nullable[string]]string{} // by category uuid
	for i := range usages {
		uuid := usages[i].CategoryUUID
		titles[uuid] = max(titles[uuid], usages[i].CategoryTitle.Value)
	}
	type identity struct {
		category            category
		componentType, unit waldur.Nullable[string]
	}
	found := map[identity]*series{}
	for i := range usages {
		usage := &usages[i]
		id := identity{category{usage.CategoryUUID, titles[usage.CategoryUUID]}, usage.Type, usage.MeasuredUnit}
		if !usage.CategoryUUID.Valid {
			id.category.title = usage.CategoryTitle.Value
		}
		s := found[id]
		if s == nil {
			s = &series{category: id.category, componentType: id.componentType, unit: id.unit, months: map[string]*sum{}}
			found[id] = s
		}
		s.name = max(s.name, usage.Name.Value)
		s.add(monthOf(usage), measure.amount(usage))
	}
	for _, s := range found {
		s.name = cmp.Or(s.name, s.componentType.Value, "(no name)")
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *series) int {
		return cmp.Or(
			cmp.Compare(a.category.title, b.category.title),
			compareText(a.category.uuid, b.category.uuid),
			cmp.Compare(a.name, b.name),
			compareText(a.componentType, b.componentType),
			compareText(a.unit, b.unit),
		)
	})
}

func (s *series) add(month string, amount waldur.Nullable[int64]) {
	if s.months[month] == nil {
		s.months[month] = new(sum)
	}
	s.months[month].add(amount)
	s.total.add(amount)
}

const monthLayout = "2006-01"

func monthOf(usage *waldur.Usage) string {
	if date := usage.Date.Value; len(date) >= len(monthLayout) {
		return date[:len(monthLayout)]
	}
	return "?"
}

// compareText orders null last.
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
