package budget

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

const (
	machines = "0123456789abcdef0123456789abcdef"
	archive  = "fedcba9876543210fedcba9876543210"
)

type records = []waldur.Usage

// cpu returns a record of the CPU hours of virtual machines, with changes.
func cpu(reported int64, changes ...func(*waldur.Usage)) waldur.Usage {
	usage := waldur.Usage{
		Name: waldur.Of("CPU"), Type: waldur.Of("cpu"), MeasuredUnit: waldur.Of("hours"),
		CategoryTitle: waldur.Of("Virtual machines"), CategoryUUID: waldur.Of(machines),
		Date: waldur.Of("2024-10-01"), ReportedUsage: waldur.Of(reported),
	}
	for _, change := range changes {
		change(&usage)
	}
	return usage
}

func noAmount(u *waldur.Usage)    { u.ReportedUsage = waldur.Nullable[int64]{} }
func noType(u *waldur.Usage)      { u.Type = waldur.Nullable[string]{} }
func renamed(u *waldur.Usage)     { u.CategoryTitle = waldur.Of("VMs") }
func untitled(u *waldur.Usage)    { u.CategoryTitle = waldur.Nullable[string]{} }
func noCategory(u *waldur.Usage)  { u.CategoryUUID = waldur.Nullable[string]{} }
func noUnit(u *waldur.Usage)      { u.MeasuredUnit = waldur.Nullable[string]{} }
func inGigabytes(u *waldur.Usage) { u.MeasuredUnit = waldur.Of("GB") }
func sameTitle(u *waldur.Usage)   { u.CategoryUUID = waldur.Of(archive) }
func inArchive(u *waldur.Usage) {
	u.CategoryTitle, u.CategoryUUID = waldur.Of("Archive"), waldur.Of(archive)
}
func fixed(amount int64) func(*waldur.Usage) {
	return func(u *waldur.Usage) { u.FixedUsage = waldur.Of(amount) }
}
func ofType(componentType string) func(*waldur.Usage) {
	return func(u *waldur.Usage) {
		u.Type, u.Name = waldur.Of(componentType), waldur.Of(strings.ToUpper(componentType))
	}
}
func in(month string) func(*waldur.Usage) {
	return func(u *waldur.Usage) { u.Date = waldur.Of(month + "-01") }
}

func limitOf(amount int64, component Component) Limit { return Limit{component, big.NewInt(amount)} }
func anyCPU(amount int64) Limit                       { return limitOf(amount, Component{Type: "cpu"}) }

func outcomeOf(usages []waldur.Usage, limit Limit, options Options) Outcome {
	return NewCheck(usages, map[string]Limit{"x": limit}, options).Limits["x"]
}

func period(first, last, now string) *Period {
	start, startErr := time.Parse(time.DateOnly, first)
	end, endErr := time.Parse(time.DateOnly, last)
	seen, nowErr := time.Parse(time.RFC3339, now)
	period, err := NewPeriod(start, end, seen)
	if err := errors.Join(startErr, endErr, nowErr, err); err != nil {
		panic(err)
	}
	return &period
}

func october(now string) *Period { return period("2024-10-01", "2024-10-31", now) }

func TestLimitIsInTheFirstStateThatApplies(t *testing.T) {
	t.Parallel()
	const missing = "missing <nil> <nil> <nil> <nil>"
	maxInt64 := cpu(math.MaxInt64)
	belowTwoOfThem := Limit{Component{Type: "cpu"}, new(big.Int).SetUint64(math.MaxUint64 - 2)}
	inMachines := limitOf(100, Component{Type: "cpu", CategoryUUID: machines})
	titledMachines := limitOf(100, Component{Type: "cpu", CategoryTitle: "Virtual machines"})
	titledArchive := limitOf(100, Component{Type: "cpu", CategoryTitle: "Archive"})
	fixedCPU := limitOf(100, Component{Type: "cpu", Measure: FixedUsage})
	const noon = "2024-10-16T12:00:00Z" // half of October
	for name, row := range map[string]struct {
		usages []waldur.Usage
		limit  Limit
		period *Period
		want   string // state, used, remaining, share, forecast
	}{
		"at the share to warn at":          {records{cpu(1500)}, anyCPU(1875), nil, "near 1500 375 4/5 <nil>"},
		"one below the share":              {records{cpu(1499)}, anyCPU(1875), nil, "ok 1499 376 1499/1875 <nil>"},
		"at the limit":                     {records{cpu(100)}, anyCPU(100), nil, "near 100 0 1/1 <nil>"},
		"above the limit":                  {records{cpu(101)}, anyCPU(100), nil, "over 101 -1 101/100 <nil>"},
		"above a limit of 64 bits":         {records{maxInt64, maxInt64}, belowTwoOfThem, nil, "over 18446744073709551614 -1 18446744073709551614/18446744073709551613 <nil>"},
		"all records and months are added": {records{cpu(30, in("2024-09")), cpu(40), cpu(5)}, anyCPU(100), nil, "ok 75 25 3/4 <nil>"},
		"negative amounts are added":       {records{cpu(110), cpu(-40)}, anyCPU(100), nil, "ok 70 30 7/10 <nil>"},
		"limit of 0, no usage":             {records{cpu(0)}, anyCPU(0), nil, "ok 0 0 0/1 <nil>"},
		"limit of 0, negative usage":       {records{cpu(-1)}, anyCPU(0), nil, "ok -1 1 <nil> <nil>"},
		"limit of 0, usage":                {records{cpu(1)}, anyCPU(0), nil, "over 1 -1 <nil> <nil>"},
		"fixed usage":                      {records{cpu(500, fixed(10))}, fixedCPU, nil, "ok 10 90 1/10 <nil>"},
		"other components do not count":    {records{cpu(10), cpu(500, ofType("ram"))}, anyCPU(100), nil, "ok 10 90 1/10 <nil>"},

		"no record of the component":            {records{cpu(1, ofType("ram"))}, anyCPU(100), nil, missing},
		"null":                                  {records{cpu(1), cpu(0, noAmount)}, anyCPU(100), nil, missing},
		"null, known amounts above":             {records{cpu(101), cpu(0, noAmount)}, anyCPU(100), nil, "over 101 -1 101/100 <nil>"},
		"two categories, one above":             {records{cpu(1), cpu(101, inArchive)}, anyCPU(100), nil, "over 101 -1 101/100 <nil>"},
		"two categories, their sum above":       {records{cpu(60), cpu(60, inArchive)}, anyCPU(100), nil, missing},
		"renamed category":                      {records{cpu(60), cpu(60, renamed)}, titledMachines, nil, "over 120 -20 6/5 <nil>"},
		"renamed category, no type":             {records{cpu(60), cpu(60, renamed, noType)}, titledMachines, nil, missing},
		"renamed category, other type":          {records{cpu(60), cpu(60, renamed, ofType("ram"))}, titledMachines, nil, "ok 60 40 3/5 <nil>"},
		"selected by title":                     {records{cpu(1), cpu(2, inArchive)}, titledArchive, nil, "ok 2 98 1/50 <nil>"},
		"selected by uuid":                      {records{cpu(1), cpu(2, inArchive)}, inMachines, nil, "ok 1 99 1/100 <nil>"},
		"selected by uuid, others untitled":     {records{cpu(1), cpu(2, inArchive, untitled)}, inMachines, nil, "ok 1 99 1/100 <nil>"},
		"title of two categories":               {records{cpu(1), cpu(2, sameTitle)}, titledMachines, nil, missing},
		"two units":                             {records{cpu(1), cpu(2, inGigabytes)}, anyCPU(100), nil, missing},
		"two units, one above":                  {records{cpu(1), cpu(101, inGigabytes)}, anyCPU(100), nil, "over 101 -1 101/100 <nil>"},
		"no units":                              {records{cpu(1, noUnit), cpu(2, noUnit)}, anyCPU(100), nil, "ok 3 97 3/100 <nil>"},
		"no type":                               {records{cpu(1), cpu(2, noType)}, anyCPU(100), nil, missing},
		"no type, amount above":                 {records{cpu(101, noType)}, anyCPU(100), nil, missing},
		"no type, in another category":          {records{cpu(1), cpu(2, noType, inArchive)}, inMachines, nil, "ok 1 99 1/100 <nil>"},
		"no category":                           {records{cpu(1), cpu(1, noCategory)}, inMachines, nil, missing},
		"no category, amount above":             {records{cpu(101, noCategory)}, inMachines, nil, missing},
		"no category, selected by title, above": {records{cpu(101, noCategory)}, titledMachines, nil, "over 101 -1 101/100 <nil>"},
		"no categories, one record above":       {records{cpu(1, noCategory), cpu(101, noCategory)}, anyCPU(100), nil, "over 101 -1 101/100 <nil>"},
		"no categories, their sum above":        {records{cpu(60, noCategory), cpu(60, noCategory)}, anyCPU(100), nil, missing},

		"half of the month, half of the limit": {records{cpu(50)}, anyCPU(100), october(noon), "ok 50 50 1/2 100/1"},
		"half of the month, one more":          {records{cpu(51)}, anyCPU(100), october(noon), "forecast 51 49 51/100 102/1"},
		"half of the month, negative usage":    {records{cpu(-99)}, anyCPU(100), october(noon), "ok -99 199 -99/100 -198/1"},
		"a nanosecond earlier":                 {records{cpu(5)}, anyCPU(100), october("2024-10-16T11:59:59.999999999Z"), "ok 5 95 1/20 13392000000000000/1339199999999999"},
		"in another time zone":                 {records{cpu(50)}, anyCPU(100), october("2024-10-16T14:00:00+02:00"), "ok 50 50 1/2 100/1"},
		"before the fourth day":                {records{cpu(90)}, anyCPU(100), october("2024-10-03T23:59:59Z"), "near 90 10 9/10 <nil>"},
		"on the fourth day":                    {records{cpu(10)}, anyCPU(100), october("2024-10-04T00:00:00Z"), "forecast 10 90 1/10 310/3"},
		"before the period":                    {records{cpu(10)}, anyCPU(100), october("2024-09-15T00:00:00Z"), "ok 10 90 1/10 <nil>"},
		"on the last day":                      {records{cpu(99)}, anyCPU(100), october("2024-10-31T00:00:00Z"), "forecast 99 1 99/100 1023/10"},
		"after the period":                     {records{cpu(99)}, anyCPU(100), october("2024-12-01T00:00:00Z"), "near 99 1 99/100 99/1"},
		"half of eight centuries":              {records{cpu(50)}, anyCPU(100), period("1600-01-01", "2399-12-31", "2000-01-01T00:00:00Z"), "ok 50 50 1/2 100/1"},
		"over, with a forecast":                {records{cpu(101)}, anyCPU(100), october(noon), "over 101 -1 101/100 202/1"},
		"over, null":                           {records{cpu(101), cpu(0, noAmount)}, anyCPU(100), october(noon), "over 101 -1 101/100 <nil>"},
		"missing, with a period":               {records{cpu(99), cpu(0, noAmount)}, anyCPU(100), october(noon), missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := DefaultOptions()
			options.Period = row.period
			outcome := outcomeOf(row.usages, row.limit, options)
			got := fmt.Sprintf("%s %v %v %v %v", outcome.State, outcome.Used, outcome.Remaining, outcome.Share, outcome.Forecast)
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
