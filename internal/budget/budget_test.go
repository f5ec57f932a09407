package budget

import (
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

// cpu is a record of the CPU of virtual machines, changed.
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
func noCategory(u *waldur.Usage)  { u.CategoryUUID = waldur.Nullable[string]{} }
func inGigabytes(u *waldur.Usage) { u.MeasuredUnit = waldur.Of("GB") }
func noUnit(u *waldur.Usage)      { u.MeasuredUnit = waldur.Nullable[string]{} }
func inArchive(u *waldur.Usage) {
	u.CategoryTitle, u.CategoryUUID = waldur.Of("Archive"), waldur.Of(archive)
}
func sameTitle(u *waldur.Usage) { u.CategoryUUID = waldur.Of(archive) }
func fixed(amount int64) func(*waldur.Usage) {
	return func(u *waldur.Usage) { u.FixedUsage = waldur.Of(amount) }
}
func of(kind string) func(*waldur.Usage) {
	return func(u *waldur.Usage) { u.Type, u.Name = waldur.Of(kind), waldur.Of(strings.ToUpper(kind)) }
}
func in(month string) func(*waldur.Usage) {
	return func(u *waldur.Usage) { u.Date = waldur.Of(month + "-01") }
}

func limitOf(kind string, amount int64) Limit {
	return Limit{Component: Component{Type: kind, Measure: ReportedUsage}, Amount: big.NewInt(amount)}
}

func anyCPU(limit int64) Limit { return limitOf("cpu", limit) }

// outcomeOf judges one limit.
func outcomeOf(usages []waldur.Usage, limit Limit, options Options) Outcome {
	return NewCheck(usages, map[string]Limit{"x": limit}, options).Limits["x"]
}

func moment(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return parsed
}

func period(first, last, now string) *Period {
	period, err := NewPeriod(moment(first+"T00:00:00Z"), moment(last+"T00:00:00Z"), moment(now))
	if err != nil {
		panic(err)
	}
	return &period
}

func october(now string) *Period { return period("2024-10-01", "2024-10-31", now) }

// TestLimitIsInTheFirstStateThatApplies also holds what is used, and the forecast.
func TestLimitIsInTheFirstStateThatApplies(t *testing.T) {
	t.Parallel()
	largest := big.NewInt(math.MaxInt64)
	most, oneLess := anyCPU(0), anyCPU(-1)
	most.Amount.Add(largest, largest)
	oneLess.Amount.Add(oneLess.Amount, most.Amount)
	titled := func(title, uuid string) Limit {
		limit := anyCPU(100)
		limit.Component.CategoryTitle, limit.Component.CategoryUUID = title, uuid
		return limit
	}
	plans := anyCPU(100)
	plans.Component.Measure = FixedUsage
	for name, row := range map[string]struct {
		usages []waldur.Usage
		limit  Limit
		period *Period
		want   string // the state, the amount that is used and the forecast
	}{
		"at the share, as it was written":    {[]waldur.Usage{cpu(1500)}, anyCPU(1875), nil, "near 1500"},
		"one below the share":                {[]waldur.Usage{cpu(1499)}, anyCPU(1875), nil, "ok 1499"},
		"at the limit":                       {[]waldur.Usage{cpu(100)}, anyCPU(100), nil, "near 100"},
		"above the limit":                    {[]waldur.Usage{cpu(101)}, anyCPU(100), nil, "over 101"},
		"more than 64 bits, at the limit":    {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, most, nil, "near 18446744073709551614"},
		"more than 64 bits, above the limit": {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, oneLess, nil, "over 18446744073709551614"},
		"months and scopes are added":        {[]waldur.Usage{cpu(30, in("2024-09")), cpu(40), cpu(5)}, anyCPU(100), nil, "ok 75"},
		"negative amounts count":             {[]waldur.Usage{cpu(110), cpu(-40)}, anyCPU(100), nil, "ok 70"},
		"nothing allowed, nothing used":      {[]waldur.Usage{cpu(0)}, anyCPU(0), nil, "ok 0"},
		"nothing allowed, less used":         {[]waldur.Usage{cpu(-1)}, anyCPU(0), nil, "ok -1"},
		"nothing allowed, something used":    {[]waldur.Usage{cpu(1)}, anyCPU(0), nil, "over 1"},
		"the other measure":                  {[]waldur.Usage{cpu(500, fixed(10))}, plans, nil, "ok 10"},
		"null in the other measure":          {[]waldur.Usage{cpu(10)}, plans, nil, "missing"},
		"another component":                  {[]waldur.Usage{cpu(10), cpu(500, of("ram"))}, anyCPU(100), nil, "ok 10"},

		"no record at all":                  {nil, anyCPU(100), nil, "missing"},
		"no record of the component":        {[]waldur.Usage{cpu(1, of("ram"))}, anyCPU(100), nil, "missing"},
		"an amount that is null":            {[]waldur.Usage{cpu(1), cpu(0, noAmount)}, anyCPU(100), nil, "missing"},
		"a null, and above the limit":       {[]waldur.Usage{cpu(101), cpu(0, noAmount)}, anyCPU(100), nil, "over 101"},
		"two components":                    {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, anyCPU(100), nil, "missing"},
		"two components, one of them above": {[]waldur.Usage{cpu(1), cpu(101, inArchive)}, anyCPU(100), nil, "over 101"},
		"two components, above if added":    {[]waldur.Usage{cpu(60), cpu(60, inArchive)}, anyCPU(100), nil, "missing"},
		"told apart by the title":           {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, titled("Archive", ""), nil, "ok 2"},
		"told apart by the uuid":            {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, titled("", machines), nil, "ok 1"},
		"a title that two categories have":  {[]waldur.Usage{cpu(1), cpu(2, sameTitle)}, titled("Virtual machines", ""), nil, "missing"},
		"two units":                         {[]waldur.Usage{cpu(1), cpu(2, inGigabytes)}, anyCPU(100), nil, "missing"},
		"no unit in any record":             {[]waldur.Usage{cpu(1, noUnit), cpu(2, noUnit)}, anyCPU(100), nil, "ok 3"},
		"a record without a type":           {[]waldur.Usage{cpu(1), cpu(2, noType)}, anyCPU(100), nil, "missing"},
		"a record without a type elsewhere": {[]waldur.Usage{cpu(1), cpu(2, noType, inArchive)}, titled("", machines), nil, "ok 1"},
		"a record without a category":       {[]waldur.Usage{cpu(1), cpu(1, noCategory)}, titled("", machines), nil, "missing"},
		"no categories, one record above":   {[]waldur.Usage{cpu(1, noCategory), cpu(101, noCategory)}, anyCPU(100), nil, "over 101"},
		"no categories, above if added":     {[]waldur.Usage{cpu(60, noCategory), cpu(60, noCategory)}, anyCPU(100), nil, "missing"},
		"no category, above by the title":   {[]waldur.Usage{cpu(101, noCategory)}, titled("Virtual machines", ""), nil, "over 101"},
		"no category, perhaps not the one":  {[]waldur.Usage{cpu(101, noCategory)}, titled("", machines), nil, "missing"},
		"no type, perhaps not the one":      {[]waldur.Usage{cpu(101, noType)}, anyCPU(100), nil, "missing"},
		"no category, a null amount":        {[]waldur.Usage{cpu(1, noCategory, noAmount)}, anyCPU(100), nil, "missing"},
		"two units, one of them above":      {[]waldur.Usage{cpu(1), cpu(101, inGigabytes)}, anyCPU(100), nil, "over 101"},

		"half of the month":              {[]waldur.Usage{cpu(50)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "ok 50, 100"},
		"half of the month, one more":    {[]waldur.Usage{cpu(51)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "forecast 51, 102"},
		"half of the month, negative":    {[]waldur.Usage{cpu(-99)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "ok -99, -198"},
		"a nanosecond before the half":   {[]waldur.Usage{cpu(5)}, anyCPU(100), october("2024-10-16T11:59:59.999999999Z"), "ok 5, 13392000000000000/1339199999999999"},
		"another time zone":              {[]waldur.Usage{cpu(50)}, anyCPU(100), october("2024-10-16T14:00:00+02:00"), "ok 50, 100"},
		"before the fourth day":          {[]waldur.Usage{cpu(90)}, anyCPU(100), october("2024-10-03T23:59:59Z"), "near 90"},
		"on the fourth day":              {[]waldur.Usage{cpu(10)}, anyCPU(100), october("2024-10-04T00:00:00Z"), "forecast 10, 310/3"},
		"before the period":              {[]waldur.Usage{cpu(10)}, anyCPU(100), october("2024-09-15T00:00:00Z"), "ok 10"},
		"on the last day":                {[]waldur.Usage{cpu(99)}, anyCPU(100), october("2024-10-31T00:00:00Z"), "forecast 99, 1023/10"},
		"after the period":               {[]waldur.Usage{cpu(99)}, anyCPU(100), october("2024-12-01T00:00:00Z"), "near 99, 99"},
		"a period of one day":            {[]waldur.Usage{cpu(99)}, anyCPU(100), period("2024-10-01", "2024-10-01", "2024-10-02T00:00:00Z"), "near 99, 99"},
		"half of eight centuries":        {[]waldur.Usage{cpu(50)}, anyCPU(100), period("1600-01-01", "2399-12-31", "2000-01-01T00:00:00Z"), "ok 50, 100"},
		"over, with a forecast":          {[]waldur.Usage{cpu(101)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "over 101, 202"},
		"over, and more is not known":    {[]waldur.Usage{cpu(101), cpu(0, noAmount)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "over 101"},
		"missing comes before forecasts": {[]waldur.Usage{cpu(99), cpu(0, noAmount)}, anyCPU(100), october("2024-10-16T12:00:00Z"), "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := DefaultOptions()
			options.Period = row.period
			outcome, limit := outcomeOf(row.usages, row.limit, options), row.limit.Amount
			got := string(outcome.State)
			if outcome.Used != nil {
				got += " " + outcome.Used.String()
				if sum := new(big.Int).Add(outcome.Used, outcome.Remaining); sum.Cmp(limit) != 0 {
					t.Errorf("%s remain of %s", outcome.Remaining, limit)
				}
				if limit.Sign() > 0 && outcome.Share.Cmp(new(big.Rat).SetFrac(outcome.Used, limit)) != 0 {
					t.Errorf("the share is %s", outcome.Share)
				}
			}
			if outcome.Forecast != nil {
				got += ", " + outcome.Forecast.RatString()
			}
			if got != row.want {
				t.Errorf("it is %s: %s", got, outcome.explanation())
			}
		})
	}
}
