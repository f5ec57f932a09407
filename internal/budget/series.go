package budget

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// series is records whose amounts may be added: those of one component in one
// unit. Null is a unit too, since it may be a different one.
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

// sum is a sum of amounts.
type sum struct {
	amount  big.Int // of those that are not null
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

// seriesOf returns the series of the records by category and component. Titles
// and names may differ between records: the last one in alphabetical order is
// taken.
func seriesOf(usages []waldur.Usage, measure Measure) []*series {
	titles := map[waldur.Nullable[string]]string{} // by category uuid
	for i := range usages {
		uuid := usages[i].CategoryUUID
		titles[uuid] = max(titles[uuid], usages[i].CategoryTitle.Value)
	}
	type key struct {
		category            category
		componentType, unit waldur.Nullable[string]
	}
	found := map[key]*series{}
	for i := range usages {
		usage := &usages[i]
		k := key{category{usage.CategoryUUID, titles[usage.CategoryUUID]}, usage.Type, usage.MeasuredUnit}
		if !usage.CategoryUUID.Valid {
			k.category.title = usage.CategoryTitle.Value
		}
		s := found[k]
		if s == nil {
			s = &series{category: k.category, componentType: k.componentType, unit: k.unit, months: map[string]*sum{}}
			found[k] = s
		}
		s.name = max(s.name, usage.Name.Value)
		s.add(month(usage), measure.amount(usage))
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

func month(usage *waldur.Usage) string {
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
