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

func TestLimitIsInTheFirstStateThatApplies(t *testing.T) {
	t.Parallel()
	largest := big.NewInt(math.MaxInt64)
	most, oneLess := anyCPU(0), anyCPU(-1)
	most.Amount.Add(largest, largest)
	oneLess.Amount.Add(oneLess.Amount, most.Amount)
	untitled := func(title, uuid string) Limit {
		return Limit{Component: Component{Type: "cpu", CategoryTitle: title, CategoryUUID: uuid, Measure: ReportedUsage}, Amount: big.NewInt(100)}
	}
	granted := Limit{Component: Component{Type: "cpu", Measure: FixedUsage}, Amount: big.NewInt(100)}
	for name, row := range map[string]struct {
		usages []waldur.Usage
		limit  Limit
		state  State
		used   string // "": not known
	}{
		"at the share, as it was written":    {[]waldur.Usage{cpu(1500)}, anyCPU(1875), Near, "1500"},
		"one below the share":                {[]waldur.Usage{cpu(1499)}, anyCPU(1875), OK, "1499"},
		"at the limit":                       {[]waldur.Usage{cpu(100)}, anyCPU(100), Near, "100"},
		"above the limit":                    {[]waldur.Usage{cpu(101)}, anyCPU(100), Over, "101"},
		"more than 64 bits, at the limit":    {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, most, Near, "18446744073709551614"},
		"more than 64 bits, above the limit": {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, oneLess, Over, "18446744073709551614"},
		"months and scopes are added":        {[]waldur.Usage{cpu(30, in("2024-09")), cpu(40), cpu(5)}, anyCPU(100), OK, "75"},
		"negative amounts count":             {[]waldur.Usage{cpu(110), cpu(-40)}, anyCPU(100), OK, "70"},
		"nothing allowed, nothing used":      {[]waldur.Usage{cpu(0)}, anyCPU(0), OK, "0"},
		"nothing allowed, less used":         {[]waldur.Usage{cpu(-1)}, anyCPU(0), OK, "-1"},
		"nothing allowed, something used":    {[]waldur.Usage{cpu(1)}, anyCPU(0), Over, "1"},
		"the other measure":                  {[]waldur.Usage{cpu(500, fixed(10))}, granted, OK, "10"},
		"null in the other measure":          {[]waldur.Usage{cpu(10)}, granted, Missing, ""},
		"another component":                  {[]waldur.Usage{cpu(10), cpu(500, of("ram"))}, anyCPU(100), OK, "10"},

		"no record at all":                  {nil, anyCPU(100), Missing, ""},
		"no record of the component":        {[]waldur.Usage{cpu(1, of("ram"))}, anyCPU(100), Missing, ""},
		"an amount that is null":            {[]waldur.Usage{cpu(1), cpu(0, noAmount)}, anyCPU(100), Missing, ""},
		"a null, and above the limit":       {[]waldur.Usage{cpu(101), cpu(0, noAmount)}, anyCPU(100), Over, "101"},
		"two components":                    {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, anyCPU(100), Missing, ""},
		"two components, one of them above": {[]waldur.Usage{cpu(1), cpu(101, inArchive)}, anyCPU(100), Over, "101"},
		"two components, above if added":    {[]waldur.Usage{cpu(60), cpu(60, inArchive)}, anyCPU(100), Missing, ""},
		"told apart by the title":           {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, untitled("Archive", ""), OK, "2"},
		"told apart by the uuid":            {[]waldur.Usage{cpu(1), cpu(2, inArchive)}, untitled("", machines), OK, "1"},
		"a title that two categories have":  {[]waldur.Usage{cpu(1), cpu(2, sameTitle)}, untitled("Virtual machines", ""), Missing, ""},
		"two units":                         {[]waldur.Usage{cpu(1), cpu(2, inGigabytes)}, anyCPU(100), Missing, ""},
		"no unit in any record":             {[]waldur.Usage{cpu(1, noUnit), cpu(2, noUnit)}, anyCPU(100), OK, "3"},
		"a record without a type":           {[]waldur.Usage{cpu(1), cpu(2, noType)}, anyCPU(100), Missing, ""},
		"a record without a type elsewhere": {[]waldur.Usage{cpu(1), cpu(2, noType, inArchive)}, untitled("", machines), OK, "1"},
		"a record without a category":       {[]waldur.Usage{cpu(1), cpu(1, noCategory)}, untitled("", machines), Missing, ""},
		"no categories, one record above":   {[]waldur.Usage{cpu(1, noCategory), cpu(101, noCategory)}, anyCPU(100), Over, "101"},
		"no categories, above if added":     {[]waldur.Usage{cpu(60, noCategory), cpu(60, noCategory)}, anyCPU(100), Missing, ""},
		"no category, above by the title":   {[]waldur.Usage{cpu(101, noCategory)}, untitled("Virtual machines", ""), Over, "101"},
		"no category, perhaps not the one":  {[]waldur.Usage{cpu(101, noCategory)}, untitled("", machines), Missing, ""},
		"no type, perhaps not the one":      {[]waldur.Usage{cpu(101, noType)}, anyCPU(100), Missing, ""},
		"no category, a null amount":        {[]waldur.Usage{cpu(1, noCategory, noAmount)}, anyCPU(100), Missing, ""},
		"two units, one of them above":      {[]waldur.Usage{cpu(1), cpu(101, inGigabytes)}, anyCPU(100), Over, "101"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcome := outcomeOf(row.usages, row.limit, DefaultOptions())
			used, limit := "", row.limit.Amount
			if outcome.Used != nil {
				used = outcome.Used.String()
				if sum := new(big.Int).Add(outcome.Used, outcome.Remaining); sum.Cmp(limit) != 0 {
					t.Errorf("%s remain of %s", outcome.Remaining, limit)
				}
				if limit.Sign() > 0 && outcome.Share.Cmp(new(big.Rat).SetFrac(outcome.Used, limit)) != 0 {
					t.Errorf("the share is %s", outcome.Share)
				}
			}
			if outcome.State != row.state || used != row.used {
				t.Errorf("state %s, used %q: %s", outcome.State, used, outcome.explanation())
			}
		})
	}
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

func TestForecastIsWhatIsUsedAtTheEndOfThePeriod(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		usages   []waldur.Usage
		period   *Period
		state    State
		forecast string
	}{
		"half of the month":              {[]waldur.Usage{cpu(50)}, october("2024-10-16T12:00:00Z"), OK, "100"},
		"a third of the month":           {[]waldur.Usage{cpu(50)}, october("2024-10-11T08:00:00Z"), Forecast, "150"},
		"ten days":                       {[]waldur.Usage{cpu(10)}, october("2024-10-11T00:00:00Z"), OK, "31"},
		"half of the month, one more":    {[]waldur.Usage{cpu(51)}, october("2024-10-16T12:00:00Z"), Forecast, "102"},
		"a nanosecond before the half":   {[]waldur.Usage{cpu(50)}, october("2024-10-16T11:59:59.999999999Z"), Forecast, "133920000000000000/1339199999999999"},
		"another time zone":              {[]waldur.Usage{cpu(50)}, october("2024-10-16T14:00:00+02:00"), OK, "100"},
		"before the fourth day":          {[]waldur.Usage{cpu(90)}, october("2024-10-03T23:59:59Z"), Near, ""},
		"on the fourth day":              {[]waldur.Usage{cpu(10)}, october("2024-10-04T00:00:00Z"), Forecast, "310/3"},
		"before the period":              {[]waldur.Usage{cpu(10)}, october("2024-09-15T00:00:00Z"), OK, ""},
		"on the last day":                {[]waldur.Usage{cpu(99)}, october("2024-10-31T00:00:00Z"), Forecast, "1023/10"},
		"after the period":               {[]waldur.Usage{cpu(99)}, october("2024-12-01T00:00:00Z"), Near, "99"},
		"a period of one day":            {[]waldur.Usage{cpu(99)}, period("2024-10-01", "2024-10-01", "2024-10-02T00:00:00Z"), Near, "99"},
		"half of eight centuries":        {[]waldur.Usage{cpu(100)}, period("1600-01-01", "2399-12-31", "2000-01-01T00:00:00Z"), Forecast, "200"},
		"over, with a forecast":          {[]waldur.Usage{cpu(101)}, october("2024-10-16T12:00:00Z"), Over, "202"},
		"over, and more is not known":    {[]waldur.Usage{cpu(101), cpu(0, noAmount)}, october("2024-10-16T12:00:00Z"), Over, ""},
		"missing comes before forecasts": {[]waldur.Usage{cpu(99), cpu(0, noAmount)}, october("2024-10-16T12:00:00Z"), Missing, ""},
		"negative":                       {[]waldur.Usage{cpu(-99)}, october("2024-10-16T12:00:00Z"), OK, "-198"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := DefaultOptions()
			options.Period = row.period
			outcome := outcomeOf(row.usages, anyCPU(100), options)
			forecast := ""
			if outcome.Forecast != nil {
				forecast = outcome.Forecast.RatString()
			}
			if outcome.State != row.state || forecast != row.forecast {
				t.Errorf("state %s, forecast %q", outcome.State, forecast)
			}
		})
	}
}
