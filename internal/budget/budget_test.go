package budget

import (
	"fmt"
	"math"
	"math/big"
	"slices"
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

func anyCPU(limit int64) Limit {
	return Limit{Component: Component{Type: "cpu", Measure: ReportedUsage}, Amount: big.NewInt(limit)}
}

func defaults() Options { return Options{WarnAt: DefaultWarnAt(), FailOn: DefaultFailOn()} }

func integer(text string) *big.Int {
	number, _ := new(big.Int).SetString(text, 10)
	return number
}

func TestLimitIsInTheFirstStateThatApplies(t *testing.T) {
	t.Parallel()
	most := Limit{Component: Component{Type: "cpu", Measure: ReportedUsage}, Amount: integer("18446744073709551614")}
	oneLess := Limit{Component: most.Component, Amount: integer("18446744073709551613")}
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
		"below":                              {[]waldur.Usage{cpu(79)}, anyCPU(100), OK, "79"},
		"at the share to warn from":          {[]waldur.Usage{cpu(80)}, anyCPU(100), Near, "80"},
		"at the share, as it was written":    {[]waldur.Usage{cpu(1500)}, anyCPU(1875), Near, "1500"},
		"one below the share":                {[]waldur.Usage{cpu(1499)}, anyCPU(1875), OK, "1499"},
		"at the limit":                       {[]waldur.Usage{cpu(100)}, anyCPU(100), Near, "100"},
		"above the limit":                    {[]waldur.Usage{cpu(101)}, anyCPU(100), Over, "101"},
		"more than 64 bits, at the limit":    {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, most, Near, "18446744073709551614"},
		"more than 64 bits, above the limit": {[]waldur.Usage{cpu(math.MaxInt64), cpu(math.MaxInt64)}, oneLess, Over, "18446744073709551614"},
		"months and scopes are added":        {[]waldur.Usage{cpu(30, in("2024-09")), cpu(40), cpu(5)}, anyCPU(100), OK, "75"},
		"negative amounts count":             {[]waldur.Usage{cpu(110), cpu(-40)}, anyCPU(100), OK, "70"},
		"negative in all":                    {[]waldur.Usage{cpu(-40)}, anyCPU(100), OK, "-40"},
		"nothing allowed, nothing used":      {[]waldur.Usage{cpu(0)}, anyCPU(0), OK, "0"},
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
		"records without a type, above":     {[]waldur.Usage{cpu(101), cpu(2, noType)}, anyCPU(100), Over, "101"},
		"a record without a category":       {[]waldur.Usage{cpu(1), cpu(1, noCategory)}, untitled("", machines), Missing, ""},
		"no categories, one record above":   {[]waldur.Usage{cpu(1, noCategory), cpu(101, noCategory)}, anyCPU(100), Over, "101"},
		"no categories, above if added":     {[]waldur.Usage{cpu(60, noCategory), cpu(60, noCategory)}, anyCPU(100), Missing, ""},
		"no category, above by the title":   {[]waldur.Usage{cpu(101, noCategory)}, untitled("Virtual machines", ""), Over, "101"},
		"no category, perhaps not the one":  {[]waldur.Usage{cpu(101, noCategory)}, untitled("", machines), Missing, ""},
		"no type, perhaps not the one":      {[]waldur.Usage{cpu(101, noType)}, anyCPU(100), Missing, ""},
		"no category, a null amount":        {[]waldur.Usage{cpu(1, noCategory, noAmount)}, anyCPU(100), Missing, ""},
		"two units, above if added":         {[]waldur.Usage{cpu(60), cpu(60, inGigabytes)}, anyCPU(100), Missing, ""},
		"two units, one of them above":      {[]waldur.Usage{cpu(1), cpu(101, inGigabytes)}, anyCPU(100), Over, "101"},
		"categories told apart by nothing":  {[]waldur.Usage{cpu(1, noCategory), cpu(1, inArchive, noCategory)}, anyCPU(100), Missing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcome := NewCheck(row.usages, map[string]Limit{"x": row.limit}, defaults()).Limits["x"]
			used := ""
			if outcome.Used != nil {
				used = outcome.Used.String()
				if remaining := new(big.Int).Sub(row.limit.Amount, outcome.Used); outcome.Remaining.Cmp(remaining) != 0 {
					t.Errorf("%s of %s remain", outcome.Remaining, remaining)
				}
			}
			if outcome.State != row.state || used != row.used {
				t.Errorf("state %s, used %q: %s", outcome.State, used, outcome.explanation())
			}
		})
	}
}

func TestShareIsTheExactQuotient(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		used, limit int64
		share       *big.Rat
	}{
		{0, 100, new(big.Rat)}, {1, 3, big.NewRat(1, 3)}, {-1, 3, big.NewRat(-1, 3)}, {100, 100, big.NewRat(1, 1)},
		{99_999_999, 100_000_000, big.NewRat(99_999_999, 100_000_000)}, {4, 3, big.NewRat(4, 3)}, {0, 0, new(big.Rat)}, {1, 0, nil}, {-1, 0, nil},
	} {
		share := share(big.NewInt(row.used), big.NewInt(row.limit))
		if (share == nil) != (row.share == nil) || share != nil && share.Cmp(row.share) != 0 {
			t.Errorf("%d of %d: %s, not %s", row.used, row.limit, share, row.share)
		}
	}
}

func TestReportShowsAHundredPerCentOnlyAtTheLimit(t *testing.T) {
	t.Parallel()
	for used, words := range map[int64]string{99_999_999: " 99 %", 100_000_000: " 100 %", 100_000_001: " 101 %", 123_400_000_000: " 123,400 %"} {
		if report := NewCheck([]waldur.Usage{cpu(used)}, map[string]Limit{"CPU": anyCPU(100_000_000)}, defaults()).Report; !strings.Contains(report, words) {
			t.Errorf("no %q in\n%s", words, report)
		}
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func october(t *testing.T, now string) *Period {
	t.Helper()
	period, err := NewPeriod(moment(t, "2024-10-01T00:00:00Z"), moment(t, "2024-10-31T00:00:00Z"), moment(t, now))
	if err != nil {
		t.Fatal(err)
	}
	return &period
}

func TestForecastIsWhatIsUsedAtTheEndOfThePeriod(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		usages   []waldur.Usage
		now      string
		state    State
		forecast string
	}{
		"half of the month":              {[]waldur.Usage{cpu(50)}, "2024-10-16T12:00:00Z", OK, "100"},
		"a third of the month":           {[]waldur.Usage{cpu(50)}, "2024-10-11T08:00:00Z", Forecast, "150"},
		"ten days":                       {[]waldur.Usage{cpu(10)}, "2024-10-11T00:00:00Z", OK, "31"},
		"half of the month, one more":    {[]waldur.Usage{cpu(51)}, "2024-10-16T12:00:00Z", Forecast, "102"},
		"a nanosecond before the half":   {[]waldur.Usage{cpu(50)}, "2024-10-16T11:59:59.999999999Z", Forecast, "133920000000000000/1339199999999999"},
		"another time zone":              {[]waldur.Usage{cpu(50)}, "2024-10-16T14:00:00+02:00", OK, "100"},
		"before the fourth day":          {[]waldur.Usage{cpu(90)}, "2024-10-03T23:59:59Z", Near, ""},
		"on the fourth day":              {[]waldur.Usage{cpu(10)}, "2024-10-04T00:00:00Z", Forecast, "310/3"},
		"before the period":              {[]waldur.Usage{cpu(10)}, "2024-09-15T00:00:00Z", OK, ""},
		"on the last day":                {[]waldur.Usage{cpu(99)}, "2024-10-31T00:00:00Z", Forecast, "1023/10"},
		"after the period":               {[]waldur.Usage{cpu(99)}, "2024-12-01T00:00:00Z", Near, "99"},
		"over, with a forecast":          {[]waldur.Usage{cpu(101)}, "2024-10-16T12:00:00Z", Over, "202"},
		"over, and more is not known":    {[]waldur.Usage{cpu(101), cpu(0, noAmount)}, "2024-10-16T12:00:00Z", Over, ""},
		"missing comes before forecasts": {[]waldur.Usage{cpu(99), cpu(0, noAmount)}, "2024-10-16T12:00:00Z", Missing, ""},
		"negative":                       {[]waldur.Usage{cpu(-99)}, "2024-10-16T12:00:00Z", OK, "-198"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := defaults()
			options.Period = october(t, row.now)
			outcome := NewCheck(row.usages, map[string]Limit{"x": anyCPU(100)}, options).Limits["x"]
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

func TestForecastOfAPeriodOfCenturiesIsExact(t *testing.T) {
	t.Parallel()
	period, err := NewPeriod(moment(t, "1600-01-01T00:00:00Z"), moment(t, "2399-12-31T00:00:00Z"), moment(t, "2000-01-01T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if forecast := period.forecast(big.NewInt(100)); forecast.Cmp(big.NewRat(200, 1)) != 0 {
		t.Errorf("after half of the time it is %s", forecast)
	}
}

func TestPeriodMustNotEndBeforeItStarts(t *testing.T) {
	t.Parallel()
	first := moment(t, "2024-10-02T00:00:00Z")
	if _, err := NewPeriod(first, first.Add(-day), first); err == nil {
		t.Error("it may")
	}
	if _, err := NewPeriod(first, first, first); err != nil {
		t.Errorf("a period of one day: %v", err)
	}
}

func TestCheckFailsOnTheStatesThatAreGiven(t *testing.T) {
	t.Parallel()
	usages := []waldur.Usage{cpu(90)}
	limits := map[string]Limit{"near": anyCPU(100), "over": anyCPU(80), "missing": {Component: Component{Type: "gpu"}, Amount: big.NewInt(1)}, "ok": anyCPU(1000)}
	for _, state := range States() {
		_, exists := limits[string(state)]
		options := defaults()
		options.FailOn = []State{state}
		if passed := NewCheck(usages, limits, options).Passed; passed == exists {
			t.Errorf("failing on %s, passed is %v", state, passed)
		}
	}
	options := defaults()
	options.FailOn = nil
	if !NewCheck(usages, limits, options).Passed {
		t.Error("failing on nothing, it fails")
	}
}

func TestReportHasALineForEachLimitAndTheComponentsThatThereAre(t *testing.T) {
	t.Parallel()
	options := defaults()
	options.Title = "Budget of October"
	limits := map[string]Limit{
		"CPU":     anyCPU(10_000),
		"GPU":     {Component: Component{Type: "gpu", Measure: ReportedUsage}, Amount: big.NewInt(500)},
		"RAM":     {Component: Component{Type: "ram", Measure: ReportedUsage}, Amount: big.NewInt(50_000)},
		"Storage": {Component: Component{Type: "storage", Measure: ReportedUsage}, Amount: big.NewInt(9)},
		"Tape":    {Component: Component{Type: "tape", Measure: ReportedUsage}, Amount: big.NewInt(9)},
		"Typo":    {Component: Component{Type: "gpus", Measure: ReportedUsage}, Amount: big.NewInt(1)},
	}
	usages := []waldur.Usage{
		cpu(4124), cpu(598, of("gpu")), cpu(44_964, of("ram")), cpu(5, of("storage")), cpu(7, of("storage"), inArchive, inGigabytes),
		cpu(3, of("tape"), in("2024-09")), cpu(0, of("tape"), noAmount),
	}
	const want = `Budget of October: 1 over, 3 missing, 1 near, 1 ok.

| Limit   |   Used |     Of | Unit  | Share            | State                                                   |
|:--------|-------:|-------:|:------|:-----------------|:--------------------------------------------------------|
| CPU     |  4,124 | 10,000 | hours | ████░░░░░░ 41 %  | ok                                                      |
| GPU     |    598 |    500 | hours | ██████████ 120 % | over by 98                                              |
| RAM     | 44,964 | 50,000 | hours | ████████░░ 89 %  | near                                                    |
| Storage |      ? |      9 |       | ?                | missing, 2 categories have this type: set category_uuid |
| Tape    |  3 + ? |      9 | hours | ?                | missing, null in 2024-10                                |
| Typo    |      ? |      1 |       | ?                | missing, no record                                      |

There are records of these components:

- Archive (category_uuid fedcba9876543210fedcba9876543210): storage
- Virtual machines (category_uuid 0123456789abcdef0123456789abcdef): cpu, gpu, ram, storage, tape
`
	check := NewCheck(usages, limits, options)
	if check.Report != want {
		t.Errorf("it is\n%s", check.Report)
	}
	if message := strings.ReplaceAll(strings.ReplaceAll(want, "\n|", "\n |"), "\n- ", "\n - "); check.Message != message {
		t.Errorf("the message is\n%s", check.Message)
	}
}

func TestReportOfAPeriodHasTheForecast(t *testing.T) {
	t.Parallel()
	options := defaults()
	options.Period = october(t, "2024-10-16T12:00:00Z")
	limits := map[string]Limit{"CPU": anyCPU(5000), "GPU": {Component: Component{Type: "gpu", Measure: ReportedUsage}, Amount: big.NewInt(1)}}
	const want = `Budget: 1 missing, 1 forecast.

| Limit |  Used |    Of | Unit  | Share           | Forecast | State                   |
|:------|------:|------:|:------|:----------------|---------:|:------------------------|
| CPU   | 4,124 | 5,000 | hours | ████████░░ 82 % |    8,248 | forecast: over by 3,248 |
| GPU   |     ? |     1 |       | ?               |        ? | missing, no record      |
`
	if report := NewCheck([]waldur.Usage{cpu(4124)}, limits, options).Report; !strings.HasPrefix(report, want) {
		t.Errorf("it is\n%s", report)
	}
}

func TestReportExplainsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		usages []waldur.Usage
		words  string
	}{
		"no records":                 {nil, "There are no usage records."},
		"units":                      {[]waldur.Usage{cpu(1), cpu(1, inGigabytes), cpu(1, noUnit)}, "several units: GB, hours, no unit"},
		"the units, in the list":     {[]waldur.Usage{cpu(1), cpu(1, inGigabytes), cpu(1, of("ram"))}, "): cpu (GB, hours), ram"},
		"nulls of plans":             {[]waldur.Usage{cpu(1, noAmount), cpu(1, fixed(2), in("2024-09"))}, "| missing, fixed_usage null in 2024-10 |"},
		"what else over needs":       {[]waldur.Usage{cpu(101), cpu(1, inArchive)}, "- Archive (category_uuid " + archive + "): cpu"},
		"over in one of units lists": {[]waldur.Usage{cpu(60), cpu(101, inGigabytes)}, "): cpu (GB, hours)"},
		"records without a type":     {[]waldur.Usage{cpu(1, noType)}, "| missing, 1 record without type: is it in `fields`? |"},
		"records without anything":   {[]waldur.Usage{cpu(1, noType, noCategory), cpu(1, noCategory)}, "| missing, 2 records without type or category_uuid: are they in `fields`? |"},
		"over by one record":         {[]waldur.Usage{cpu(101, noCategory), cpu(1, noCategory)}, "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, 2 records without category_uuid: is it in `fields`? |"},
		"over in one of units":       {[]waldur.Usage{cpu(60), cpu(101, inGigabytes)}, "| 101 + ? | 100 | GB | ██████████ 101 % | over by 1, several units"},
		"and what they are":          {[]waldur.Usage{cpu(1, noType, noCategory)}, "- Virtual machines (category_uuid null): null"},
		"many nulls":                 {[]waldur.Usage{cpu(1, noAmount), cpu(1, noAmount, in("2024-09")), cpu(1, noAmount, in("2024-08")), cpu(1, noAmount, in("2024-07"))}, "null in 4 months"},
		"over by known amounts":      {[]waldur.Usage{cpu(101), cpu(1, noAmount)}, "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, null in 2024-10 |"},
		"over in one of components":  {[]waldur.Usage{cpu(101), cpu(1, inArchive)}, "over by 1, 2 categories have this type: set category_uuid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := anyCPU(100)
			if strings.Contains(row.words, "fixed_usage") {
				limit.Component.Measure = FixedUsage
			}
			report := NewCheck(row.usages, map[string]Limit{"CPU": limit}, defaults()).Report
			if !strings.Contains(strings.Join(strings.Fields(report), " "), row.words) {
				t.Errorf("no %q in\n%s", row.words, report)
			}
		})
	}
}

func TestReportSaysOnceWhyThePeriodHasNoForecast(t *testing.T) {
	t.Parallel()
	for now, note := range map[string]string{
		"2024-09-30T23:59:59Z": "There is no forecast: the period has not begun.",
		"2024-10-01T00:00:00Z": "There is no forecast: the period is in its first three days.",
		"2024-10-03T23:59:59Z": "There is no forecast: the period is in its first three days.",
		"2024-10-04T00:00:00Z": "",
		"2024-10-31T23:59:59Z": "",
		"2024-11-01T00:00:00Z": "The period has ended: the forecast is what was used.",
	} {
		options := defaults()
		options.Period, options.FailOn = october(t, now), States()
		report := NewCheck([]waldur.Usage{cpu(1)}, map[string]Limit{"CPU": anyCPU(100), "also": anyCPU(50)}, options).Report
		_, after, _ := strings.Cut(report, "|\n\n")
		if strings.TrimSpace(after) != note {
			t.Errorf("at %s, not %q:\n%s", now, note, report)
		}
	}
}

func TestReportSaysThatThereIsNoForecast(t *testing.T) {
	t.Parallel()
	options := defaults()
	options.FailOn = []State{Over, Forecast}
	if report := NewCheck([]waldur.Usage{cpu(1)}, map[string]Limit{"CPU": anyCPU(100)}, options).Report; !strings.Contains(report, "no forecast") {
		t.Errorf("it does not:\n%s", report)
	}
}

func TestBarOfALimitOfZeroIsFullOrEmpty(t *testing.T) {
	t.Parallel()
	for used, words := range map[int64]string{0: "░░░░░░░░░░ 0 %", 1: "██████████ > 100 %", -1: "░░░░░░░░░░ 0 %"} {
		if report := NewCheck([]waldur.Usage{cpu(used)}, map[string]Limit{"CPU": anyCPU(0)}, defaults()).Report; !strings.Contains(report, words) {
			t.Errorf("%d of 0:\n%s", used, report)
		}
	}
}

func TestNamesAreParsed(t *testing.T) {
	t.Parallel()
	for _, state := range States() {
		if parsed, err := ParseState(string(state)); err != nil || parsed != state {
			t.Errorf("%s: %v", state, err)
		}
	}
	for _, measure := range []Measure{ReportedUsage, FixedUsage} {
		if parsed, err := ParseMeasure(string(measure)); err != nil || parsed != measure {
			t.Errorf("%s: %v", measure, err)
		}
	}
	if _, err := ParseState("Over"); err == nil || !strings.Contains(err.Error(), `"over", "missing", "forecast", "near", "ok"`) {
		t.Error(err)
	}
	if _, err := ParseMeasure("usage"); err == nil {
		t.Error("no error")
	}
	for _, text := range []string{"", "2024-10", "2024-10-32", "01.10.2024", "2024-10-01T00:00:00Z"} {
		if _, err := ParseDay(text); err == nil {
			t.Errorf("%q is a day", text)
		}
	}
	for _, text := range []string{"", "2024-10-01", "2024-10-01T00:00:00", "now"} {
		if _, err := ParseTime(text); err == nil {
			t.Errorf("%q is a time", text)
		}
	}
}

func TestOneRecordIsFoundAmongThousands(t *testing.T) {
	t.Parallel()
	usages := make([]waldur.Usage, 0, 3001)
	for i := range 3000 {
		usages = append(usages, cpu(1, of(fmt.Sprintf("other_%d", i%40))))
	}
	usages = slices.Insert(usages, 1500, cpu(7))
	if outcome := NewCheck(usages, map[string]Limit{"CPU": anyCPU(100)}, defaults()).Limits["CPU"]; outcome.Used.Int64() != 7 {
		t.Errorf("used is %s", outcome.Used)
	}
}
