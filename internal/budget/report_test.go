package budget

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestReportHasALineForEachLimitAndTheComponentsThatThereAre(t *testing.T) {
	t.Parallel()
	usages := records{
		cpu(1124), cpu(598, ofType("gpu")), cpu(44_964, ofType("ram")), cpu(5, ofType("cold")), cpu(7, ofType("cold"), inArchive, inGigabytes),
		cpu(3, ofType("tape"), in("2024-09")), cpu(0, ofType("tape"), noAmount),
	}
	limits := map[string]Limit{
		"CPU": anyCPU(10_000), "GPU": limitOf(500, Component{Type: "gpu"}), "RAM": limitOf(50_000, Component{Type: "ram"}),
		"Cold": limitOf(9, Component{Type: "cold"}), "Tape": limitOf(9, Component{Type: "tape"}), "Typo": limitOf(1, Component{Type: "gpus"}),
	}
	options := DefaultOptions()
	options.Title, options.Period = "Budget of October", october("2024-10-11T00:00:00Z")
	const want = `Budget of October: 1 over, 3 missing, 1 forecast, 1 ok.

| Limit |   Used |     Of | Unit  | Share            | Forecast | State                                                   |
|:------|-------:|-------:|:------|:-----------------|---------:|:--------------------------------------------------------|
| CPU   |  1,124 | 10,000 | hours | █░░░░░░░░░ 11 %  |    3,485 | ok                                                      |
| Cold  |      ? |      9 |       | ?                |        ? | missing, 2 categories have this type: set category_uuid |
| GPU   |    598 |    500 | hours | ██████████ 120 % |    1,854 | over by 98                                              |
| RAM   | 44,964 | 50,000 | hours | ████████░░ 89 %  |  139,389 | forecast: over by 89,389                                |
| Tape  |  3 + ? |      9 | hours | ?                |        ? | missing, null in 2024-10                                |
| Typo  |      ? |      1 |       | ?                |        ? | missing, no record                                      |

There are records of these components:

- Archive (category_uuid fedcba9876543210fedcba9876543210): cold
- Virtual machines (category_uuid 0123456789abcdef0123456789abcdef): cold, cpu, gpu, ram, tape
`
	check := NewCheck(usages, limits, options)
	if check.Report != want {
		t.Errorf("it is\n%s", check.Report)
	}
	if message := strings.ReplaceAll(strings.ReplaceAll(want, "\n|", "\n |"), "\n- ", "\n - "); check.Message != message {
		t.Errorf("the message is\n%s", check.Message)
	}
}

func TestReportExplainsTheState(t *testing.T) {
	t.Parallel()
	many, plans := anyCPU(100_000_000), anyCPU(100)
	var nulls []waldur.Usage
	for _, month := range []string{"2024-07", "2024-08", "2024-09", "2024-10"} {
		nulls = append(nulls, cpu(0, in(month), noAmount), cpu(1, in(month)))
	}
	plans.Component.Measure = FixedUsage
	for _, row := range []struct {
		limit  Limit
		usages []waldur.Usage
		words  string
	}{
		{anyCPU(100), nil, "There are no usage records."},
		{anyCPU(100), records{cpu(1), cpu(1, inGigabytes), cpu(1, noUnit)}, "several units: GB, hours, no unit"},
		{anyCPU(100), records{cpu(1), cpu(1, inGigabytes), cpu(1, ofType("ram"))}, "): cpu (GB, hours), ram"},
		{anyCPU(100), records{cpu(60), cpu(101, inGigabytes)}, "| 101 + ? | 100 | GB | ██████████ 101 % | over by 1, several units"},
		{anyCPU(100), records{cpu(60), cpu(101, inGigabytes)}, "): cpu (GB, hours)"},
		{anyCPU(100), records{cpu(101), cpu(1, inArchive)}, "over by 1, 2 categories have this type: set category_uuid"},
		{anyCPU(100), records{cpu(101), cpu(1, inArchive)}, "- Archive (category_uuid " + archive + "): cpu"},
		{anyCPU(100), records{cpu(1, noType)}, "| missing, 1 record without type: is it in `fields`? |"},
		{anyCPU(100), records{cpu(1, noType, noCategory)}, "- Virtual machines (category_uuid null): null"},
		{anyCPU(100), records{cpu(1, noType), cpu(1, noCategory)}, "| missing, 2 records without type or category_uuid: are they in `fields`? |"},
		{anyCPU(100), records{cpu(101, noCategory), cpu(1, noCategory)}, "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, 2 records without"},
		{anyCPU(100), records{cpu(101, noCategory), cpu(101, inGigabytes, noCategory)}, "| 101 + ? | 100 | GB |"},
		{anyCPU(100), records{cpu(101), cpu(1, noAmount)}, "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, null in 2024-10 |"},
		{anyCPU(100), nulls[:6], "null in 2024-07, null in 2024-08, null in 2024-09 |"},
		{anyCPU(100), nulls, "null in 4 months |"},
		{plans, records{cpu(1, noAmount), cpu(1, fixed(2), in("2024-09"))}, "| missing, fixed_usage null in 2024-10 |"},
		{many, records{cpu(99_999_999)}, " 99 % | near |"},
		{many, records{cpu(100_000_000)}, " 100 % | near |"},
		{many, records{cpu(100_000_001)}, " 101 % | over by 1 |"},
		{many, records{cpu(123_400_000_000)}, " 123,400 % |"},
		{anyCPU(0), records{cpu(0)}, "░░░░░░░░░░ 0 % | ok |"},
		{anyCPU(0), records{cpu(1)}, "██████████ > 100 % | over by 1 |"},
		{anyCPU(0), records{cpu(-1)}, "░░░░░░░░░░ 0 % | ok |"},
	} {
		report := NewCheck(row.usages, map[string]Limit{"CPU": row.limit}, DefaultOptions()).Report
		if !strings.Contains(strings.Join(strings.Fields(report), " "), row.words) {
			t.Errorf("no %q in\n%s", row.words, report)
		}
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
			report := NewCheck(records{cpu(1)}, map[string]Limit{"CPU": anyCPU(100), "also": anyCPU(50)}, options).Report
			_, after, _ := strings.Cut(report, "|\n\n")
			if strings.TrimSpace(after) != note {
				t.Errorf("not %q:\n%s", note, report)
			}
		}
	}
}

func TestUsageReportHasATableForEachCategory(t *testing.T) {
	t.Parallel()
	usages := records{
		cpu(5248, in("2024-08")), cpu(6000, in("2024-09")), cpu(373, in("2024-09")), cpu(4124, fixed(1)),
		cpu(10, ofType("gpu"), in("2024-08")), cpu(-3, ofType("gpu")),
		cpu(0, ofType("ram"), noAmount, in("2024-08")), cpu(7, ofType("ram")), cpu(0, ofType("ram"), noAmount),
		cpu(0, ofType("disk"), noAmount),
		cpu(1, ofType("tape"), inArchive, inGigabytes),
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
	noTitle := func(u *waldur.Usage) { u.CategoryTitle = waldur.Of("") }
	for words, report := range map[string]string{
		"# Reported usage\n\nThere are no usage records.\n": NewUsageReport(nil, ReportedUsage, ""),
		"# Fixed usage\n": NewUsageReport(records{cpu(5, fixed(1))}, FixedUsage, ""),
		"| 2024-10 | ██████████ 1 |":         NewUsageReport(records{cpu(5, fixed(1))}, FixedUsage, "x"),
		"| (no name), no type | cpu, cpu |":  NewUsageReport(records{cpu(1, blank), cpu(2, blank, noKind)}, ReportedUsage, ""),
		"## Archive\n":                       NewUsageReport(records{cpu(1, noCategory), cpu(2, inArchive, noCategory)}, ReportedUsage, ""),
		"## No category\n":                   NewUsageReport(records{cpu(1, noCategory, noTitle)}, ReportedUsage, ""),
		"## Virtual machines (" + machines:   NewUsageReport(records{cpu(1), cpu(4, sameTitle)}, ReportedUsage, ""),
		"| CPU, cpu (GB) | CPU, cpu (hours)": NewUsageReport(records{cpu(1), cpu(2, ofType("vcpu"), named), cpu(3, inGigabytes)}, ReportedUsage, ""),
		"| 2004-11 | – |":                    NewUsageReport(records{cpu(1, in("2004-10")), cpu(1)}, ReportedUsage, ""),
		"█ 1 |\n| 9999-12 |":                 NewUsageReport(records{cpu(1, in("0001-01")), cpu(1, in("9999-12"))}, ReportedUsage, ""),
		"█ 1 |\n| ? |":                       NewUsageReport(records{cpu(1), cpu(1, in("?"))}, ReportedUsage, ""),
	} {
		if squeezed := regexp.MustCompile(" +").ReplaceAllString(report, " "); !strings.Contains(squeezed, words) || strings.Contains(report, "()") {
			t.Errorf("no %q, or nothing in brackets, in\n%s", words, report)
		}
	}
}

func TestChartDrawsTheMonthsAndTheLimit(t *testing.T) {
	t.Parallel()
	component := anyCPU(0).Component
	months := records{
		cpu(5248, in("2024-08")), cpu(0, noAmount, in("2024-09")), cpu(4124, in("2024-11")), cpu(5, in("2024-12")), cpu(0, noAmount, in("2024-12")),
	}
	negative := records{cpu(-7, in("2024-09"), noUnit), cpu(9, noUnit)}
	for _, row := range []struct {
		chart string
		lines []string
	}{
		{NewUsageChart(months, component, nil, ""), []string{
			`title "CPU, Virtual machines"`, `x-axis ["2024-08", "2024-09 no data", "2024-10", "2024-11", "2024-12 at least"]`,
			`y-axis "hours" 0 --> 5248`, `bar [5248, 0, 0, 4124, 5]`,
		}},
		{NewUsageChart(months[:1], component, big.NewInt(6000), "\"Climate\""), []string{
			`title "'Climate'"`, `x-axis [" ", "2024-08", "  "]`, `y-axis "hours" 0 --> 6000`, `bar [0, 5248, 0]`, `line [6000, 6000, 6000]`,
		}},
		{NewUsageChart(negative, component, big.NewInt(6), ""), []string{
			`title "CPU, Virtual machines, limit 6"`, `x-axis ["2024-09", "2024-10"]`, `y-axis -7 --> 9`, `bar [-7, 9]`, `line [6, 6]`,
		}},
		{NewUsageChart(records{cpu(0)}, component, nil, "Nothing"), []string{
			`title "Nothing"`, `x-axis ["2024-10"]`, `y-axis "hours" 0 --> 1`, `bar [0]`,
		}},
	} {
		if want := "```mermaid\nxychart-beta\n    " + strings.Join(row.lines, "\n    ") + "\n```\n"; row.chart != want {
			t.Errorf("it is\n%s\nnot\n%s", row.chart, want)
		}
	}
}

func TestChartThatCannotBeDrawnSaysWhy(t *testing.T) {
	t.Parallel()
	for why, usages := range map[string]records{
		"there is no record of it.\n":                 nil,
		"1 record without type: is it in `fields`?\n": {cpu(1, noType)},
		"there are records of several components or in several units.\n\n" + components(records{cpu(1), cpu(1, inArchive)}): {cpu(1), cpu(1, inArchive), cpu(1, ofType("ram"))},
	} {
		if chart := NewUsageChart(usages, anyCPU(0).Component, nil, ""); chart != "No chart of cpu: "+why {
			t.Errorf("it is\n%s", chart)
		}
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
		if shown := inline(text); shown != want {
			t.Errorf("%q is shown as %q, not %q", text, shown, want)
		}
	}
	for text, want := range map[string]string{
		"# x": `\# x`, "- x": `\- x`, "1. x": `1\. x`, "12) x": `12\) x`, "> x": `\> x`, "2024": "2024", "===": `\===`, "/close": `\/close`, "": "",
	} {
		if shown := lineStart(text); shown != want {
			t.Errorf("%q begins a line as %q, not %q", text, shown, want)
		}
	}
}
