package budget

import (
	"math/big"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestReportHasALineForEachLimitAndTheComponentsThatThereAre(t *testing.T) {
	t.Parallel()
	usages := []waldur.Usage{
		cpu(4124), cpu(598, of("gpu")), cpu(44_964, of("ram")), cpu(5, of("storage")), cpu(7, of("storage"), inArchive, inGigabytes),
		cpu(3, of("tape"), in("2024-09")), cpu(0, of("tape"), noAmount),
	}
	limits := map[string]Limit{
		"CPU": anyCPU(10_000), "GPU": limitOf("gpu", 500), "RAM": limitOf("ram", 50_000),
		"Storage": limitOf("storage", 9), "Tape": limitOf("tape", 9), "Typo": limitOf("gpus", 1),
	}
	options := DefaultOptions()
	options.Title = "Budget of October"
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
	options := DefaultOptions()
	options.Period = october("2024-10-16T12:00:00Z")
	const want = `Budget: 1 missing, 1 forecast.

| Limit |  Used |    Of | Unit  | Share           | Forecast | State                   |
|:------|------:|------:|:------|:----------------|---------:|:------------------------|
| CPU   | 4,124 | 5,000 | hours | ████████░░ 82 % |    8,248 | forecast: over by 3,248 |
| GPU   |     ? |     1 |       | ?               |        ? | missing, no record      |
`
	if report := NewCheck([]waldur.Usage{cpu(4124)}, map[string]Limit{"CPU": anyCPU(5000), "GPU": limitOf("gpu", 1)}, options).Report; !strings.HasPrefix(report, want) {
		t.Errorf("it is\n%s", report)
	}
}

func TestReportExplainsWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	plans := anyCPU(100)
	plans.Component.Measure = FixedUsage
	for name, row := range map[string]struct {
		usages []waldur.Usage
		limit  Limit
		words  string
	}{
		"no records":                 {nil, anyCPU(100), "There are no usage records."},
		"units":                      {[]waldur.Usage{cpu(1), cpu(1, inGigabytes), cpu(1, noUnit)}, anyCPU(100), "several units: GB, hours, no unit"},
		"the units, in the list":     {[]waldur.Usage{cpu(1), cpu(1, inGigabytes), cpu(1, of("ram"))}, anyCPU(100), "): cpu (GB, hours), ram"},
		"nulls of plans":             {[]waldur.Usage{cpu(1, noAmount), cpu(1, fixed(2), in("2024-09"))}, plans, "| missing, fixed_usage null in 2024-10 |"},
		"what else over needs":       {[]waldur.Usage{cpu(101), cpu(1, inArchive)}, anyCPU(100), "- Archive (category_uuid " + archive + "): cpu"},
		"over in one of units lists": {[]waldur.Usage{cpu(60), cpu(101, inGigabytes)}, anyCPU(100), "): cpu (GB, hours)"},
		"records without a type":     {[]waldur.Usage{cpu(1, noType)}, anyCPU(100), "| missing, 1 record without type: is it in `fields`? |"},
		"records without anything":   {[]waldur.Usage{cpu(1, noType, noCategory), cpu(1, noCategory)}, anyCPU(100), "| missing, 2 records without type or category_uuid: are they in `fields`? |"},
		"over by one record":         {[]waldur.Usage{cpu(101, noCategory), cpu(1, noCategory)}, anyCPU(100), "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, 2 records without category_uuid: is it in `fields`? |"},
		"over in one of units":       {[]waldur.Usage{cpu(60), cpu(101, inGigabytes)}, anyCPU(100), "| 101 + ? | 100 | GB | ██████████ 101 % | over by 1, several units"},
		"and what they are":          {[]waldur.Usage{cpu(1, noType, noCategory)}, anyCPU(100), "- Virtual machines (category_uuid null): null"},
		"many nulls":                 {[]waldur.Usage{cpu(1, noAmount), cpu(1, noAmount, in("2024-09")), cpu(1, noAmount, in("2024-08")), cpu(1, noAmount, in("2024-07"))}, anyCPU(100), "null in 4 months"},
		"over by known amounts":      {[]waldur.Usage{cpu(101), cpu(1, noAmount)}, anyCPU(100), "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, null in 2024-10 |"},
		"over in one of components":  {[]waldur.Usage{cpu(101), cpu(1, inArchive)}, anyCPU(100), "over by 1, 2 categories have this type: set category_uuid"},
		"just below the limit":       {[]waldur.Usage{cpu(99_999_999)}, anyCPU(100_000_000), " 99 % | near |"},
		"at the limit":               {[]waldur.Usage{cpu(100_000_000)}, anyCPU(100_000_000), " 100 % | near |"},
		"just above the limit":       {[]waldur.Usage{cpu(100_000_001)}, anyCPU(100_000_000), " 101 % | over by 1 |"},
		"a multiple of the limit":    {[]waldur.Usage{cpu(123_400_000_000)}, anyCPU(100_000_000), " 123,400 % |"},
		"nothing of nothing":         {[]waldur.Usage{cpu(0)}, anyCPU(0), "░░░░░░░░░░ 0 % | ok |"},
		"something of nothing":       {[]waldur.Usage{cpu(1)}, anyCPU(0), "██████████ > 100 % | over by 1 |"},
		"less than nothing":          {[]waldur.Usage{cpu(-1)}, anyCPU(0), "░░░░░░░░░░ 0 % | ok |"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := NewCheck(row.usages, map[string]Limit{"CPU": row.limit}, DefaultOptions()).Report
			if !strings.Contains(strings.Join(strings.Fields(report), " "), row.words) {
				t.Errorf("no %q in\n%s", row.words, report)
			}
		})
	}
}

func TestReportSaysOnceWhyThereIsNoForecast(t *testing.T) {
	t.Parallel()
	for note, periods := range map[string][]*Period{
		"There is no forecast, as no period is given.":                 {nil},
		"There is no forecast: the period has not begun.":              {october("2024-09-30T23:59:59Z")},
		"There is no forecast: the period is in its first three days.": {october("2024-10-01T00:00:00Z"), october("2024-10-03T23:59:59Z")},
		"": {october("2024-10-04T00:00:00Z"), october("2024-10-31T23:59:59Z")},
		"The period has ended: the forecast is what was used.": {october("2024-11-01T00:00:00Z")},
	} {
		for _, period := range periods {
			options := DefaultOptions()
			options.Period, options.FailOn = period, States()
			report := NewCheck([]waldur.Usage{cpu(1)}, map[string]Limit{"CPU": anyCPU(100), "also": anyCPU(50)}, options).Report
			_, after, _ := strings.Cut(report, "|\n\n")
			if strings.TrimSpace(after) != note {
				t.Errorf("not %q:\n%s", note, report)
			}
		}
	}
}

func TestUsageReportHasATableForEachCategory(t *testing.T) {
	t.Parallel()
	usages := []waldur.Usage{
		cpu(5248, in("2024-08")), cpu(6000, in("2024-09")), cpu(373, in("2024-09")), cpu(4124, fixed(1)),
		cpu(10, of("gpu"), in("2024-08")), cpu(-3, of("gpu")),
		cpu(0, of("ram"), noAmount, in("2024-08")), cpu(7, of("ram")), cpu(0, of("ram"), noAmount),
		cpu(0, of("disk"), noAmount),
		cpu(1, of("tape"), inArchive, inGigabytes),
	}
	const want = `# Usage of the climate project

A full bar is the largest month of its column; – is a month without a record.

## Archive

| Month   |    TAPE (GB) |
|:--------|-------------:|
| 2024-08 |            – |
| 2024-09 |            – |
| 2024-10 | ██████████ 1 |
| Total   |            1 |

## Virtual machines

| Month   |      CPU (hours) | DISK (hours) |   GPU (hours) |           RAM (hours) |
|:--------|-----------------:|-------------:|--------------:|----------------------:|
| 2024-08 | ████████░░ 5,248 |            – | ██████████ 10 |               no data |
| 2024-09 | ██████████ 6,373 |            – |             – |                     – |
| 2024-10 | ██████░░░░ 4,124 |      no data | ░░░░░░░░░░ -3 | ██████████ at least 7 |
| Total   |           15,745 |      no data |             7 |            at least 7 |
`
	if report := NewUsageReport(usages, ReportedUsage, "Usage of the climate project"); report != want {
		t.Errorf("it is\n%s", report)
	}
}

func TestUsageReportHeadsWhatItShows(t *testing.T) {
	t.Parallel()
	named := func(u *waldur.Usage) { u.Name = waldur.Of("CPU") }
	blank := func(u *waldur.Usage) { u.Name, u.MeasuredUnit = waldur.Of(" "), waldur.Of("\t ") }
	noKind := func(u *waldur.Usage) { u.Type = waldur.Of("  ") }
	for name, row := range map[string]struct {
		usages  []waldur.Usage
		measure Measure
		words   []string
	}{
		"no records":          {nil, ReportedUsage, []string{"# Reported usage\n\nThere are no usage records.\n"}},
		"the measure":         {[]waldur.Usage{cpu(5, fixed(1))}, FixedUsage, []string{"# Fixed usage\n", "██████████ 1 |"}},
		"blank texts":         {[]waldur.Usage{cpu(1, blank), cpu(2, blank, noKind)}, ReportedUsage, []string{" cpu |", " (no name), no type |"}},
		"no uuids":            {[]waldur.Usage{cpu(1, noCategory), cpu(2, inArchive, noCategory)}, ReportedUsage, []string{"## Archive\n", "## Virtual machines\n"}},
		"no category":         {[]waldur.Usage{cpu(1, noCategory, func(u *waldur.Usage) { u.CategoryTitle = waldur.Of("") })}, ReportedUsage, []string{"## No category\n"}},
		"the same names":      {[]waldur.Usage{cpu(1), cpu(2, of("vcpu"), named), cpu(3, inGigabytes)}, ReportedUsage, []string{" CPU, cpu (hours) |", " CPU, cpu (GB) |", " CPU, vcpu (hours) |"}},
		"the same titles":     {[]waldur.Usage{cpu(1), cpu(4, sameTitle)}, ReportedUsage, []string{"## Virtual machines (" + machines + ")\n", "## Virtual machines (" + archive + ")\n"}},
		"20 years":            {[]waldur.Usage{cpu(1, in("2004-10")), cpu(1)}, ReportedUsage, []string{"| 2004-11 |", "| 2024-09 |"}},
		"more than that":      {[]waldur.Usage{cpu(1, in("0001-01")), cpu(1, in("9999-12"))}, ReportedUsage, []string{" 1 |\n| 9999-12 |"}},
		"a date that is none": {[]waldur.Usage{cpu(1), cpu(1, in("?"))}, ReportedUsage, []string{"| 2024-10 |", "| ?       |"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := NewUsageReport(row.usages, row.measure, "")
			for _, words := range row.words {
				if !strings.Contains(report, words) || strings.Contains(report, "()") {
					t.Errorf("no %q, or nothing in brackets, in\n%s", words, report)
				}
			}
		})
	}
}

func TestChartDrawsTheMonthsAndTheLimit(t *testing.T) {
	t.Parallel()
	months := []waldur.Usage{cpu(5248, in("2024-08")), cpu(0, noAmount, in("2024-09")), cpu(4124, in("2024-11")), cpu(5, in("2024-12")), cpu(0, noAmount, in("2024-12"))}
	component := anyCPU(0).Component
	for name, row := range map[string]struct {
		usages    []waldur.Usage
		component Component
		limit     *big.Int
		title     string
		want      string
	}{
		"months": {months, component, nil, "", "```mermaid\nxychart-beta\n" + `    title "CPU, Virtual machines"
    x-axis ["2024-08", "2024-09 no data", "2024-10", "2024-11", "2024-12 at least"]
    y-axis "hours" 0 --> 5248
    bar [5248, 0, 0, 4124, 5]
` + "```\n"},
		"a limit and a title": {months[:1], component, big.NewInt(6000), "Climate", "```mermaid\nxychart-beta\n" + `    title "Climate"
    x-axis [" ", "2024-08", "  "]
    y-axis "hours" 0 --> 6000
    bar [0, 5248, 0]
    line [6000, 6000, 6000]
` + "```\n"},
		"a limit without a title": {[]waldur.Usage{cpu(-7, in("2024-09"), noUnit), cpu(9, noUnit)}, component, big.NewInt(6), "", "```mermaid\nxychart-beta\n" + `    title "CPU, Virtual machines, limit 6"
    x-axis ["2024-09", "2024-10"]
    y-axis -7 --> 9
    bar [-7, 9]
    line [6, 6]
` + "```\n"},
		"nothing used":       {[]waldur.Usage{cpu(0)}, component, nil, "Nothing", "```mermaid\nxychart-beta\n    title \"Nothing\"\n    x-axis [\"2024-10\"]\n    y-axis \"hours\" 0 --> 1\n    bar [0]\n```\n"},
		"no record":          {nil, component, nil, "", "No chart of cpu: there is no record of it.\n"},
		"no type":            {[]waldur.Usage{cpu(1, noType)}, component, nil, "", "No chart of cpu: 1 record without type: is it in `fields`?\n"},
		"several components": {[]waldur.Usage{cpu(1), cpu(1, inArchive), cpu(1, of("ram"))}, component, nil, "", "No chart of cpu: there are records of several components or in several units.\n\nThere are records of these components:\n\n- Archive (category_uuid " + archive + "): cpu\n- Virtual machines (category_uuid " + machines + "): cpu\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if chart := NewUsageChart(row.usages, row.component, row.limit, row.title); chart != row.want {
				t.Errorf("it is\n%s", chart)
			}
		})
	}
}

func TestTextIsShownAndNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CPU":                      "CPU",
		"gpu_a100 (80 GB), 50 %":   "gpu_a100 (80 GB), 50 %",
		"Größe 漢字 🚀":               "Größe 漢字 🚀",
		"R&D, C#":                  "R&D, C#",
		"short | one":              `short \| one`,
		`a\|b`:                     `a\\\|b`,
		" a\n\tb\r\n":              "a b",
		"a\u202eb\u200bc\x1b[31md": `a b c \[31md`,
		"`x` *y* _z_ ~q~ $m$":      "\\`x\\` \\*y\\* \\_z\\_ \\~ q\\~ \\$ m\\$",
		"<b>&lt;":                  `\<b>\& lt;`,
		"https://example.com":      "https: //example.com",
		"WWW.example.com":          "WWW .example.com",
		"me@example.com @all":      "me@ example.com @ all",
		":tada: :100: 12:30":       ": tada: : 100: 12:30",
		"#1 x!2 ~bug %3":           `# 1 x! 2 \~ bug % 3`,
		`~"a b" x~"c" %"2024 Q4"`:  `\~ "a b" x\~ "c" % "2024 Q4"`,
		"GH-12 gh-1 laugh-3 AGH-4": "GH- 12 gh- 1 laugh-3 AGH-4",
		"1:100: 12:30:45 2:8ball:": "1: 100: 12:30:45 2: 8ball:",
		"\xff":                     "\uFFFD",
		strings.Repeat("x", 61):    strings.Repeat("x", 59) + "…",
	} {
		if shown := name(text); shown != want {
			t.Errorf("%q is shown as %q, not %q", text, shown, want)
		}
	}
	for text, want := range map[string]string{"# x": `\# x`, "- x": `\- x`, "1. x": `1\. x`, "12) x": `12\) x`, "> x": `\> x`, "2024": "2024", "===": `\===`, "/close": `\/close`, "": ""} {
		if shown := title(text); shown != want {
			t.Errorf("%q begins a line as %q, not %q", text, shown, want)
		}
	}
}
