package budget

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestReportHasARowForEachLimitAndListsTheComponents(t *testing.T) {
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

| Limit |   Used |     Of | Unit  | Share            | Forecast | State                                                                     |
|:------|-------:|-------:|:------|:-----------------|---------:|:--------------------------------------------------------------------------|
| CPU   |  1,124 | 10,000 | hours | █░░░░░░░░░ 11 %  |    3,485 | ok                                                                        |
| Cold  |      ? |      9 |       | ?                |        ? | missing, 2 categories have this type: set category_title or category_uuid |
| GPU   |    598 |    500 | hours | ██████████ 120 % |    1,854 | over by 98                                                                |
| RAM   | 44,964 | 50,000 | hours | ████████░░ 89 %  |  139,389 | forecast: over by 89,389                                                  |
| Tape  |  3 + ? |      9 | hours | ?                |        ? | missing, null in 2024-10                                                  |
| Typo  |      ? |      1 |       | ?                |        ? | missing, no record                                                        |

There are records of these components:

- Archive (category_uuid fedcba9876543210fedcba9876543210): cold
- Virtual machines (category_uuid 0123456789abcdef0123456789abcdef): cold, cpu, gpu, ram, tape
`
	check := NewCheck(usages, limits, options)
	if check.Report != want {
		t.Errorf("got\n%s\nwant\n%s", check.Report, want)
	}
	if want := regexp.MustCompile(`(?m)^[|-]`).ReplaceAllString(want, " $0"); check.Message != want {
		t.Errorf("got the message\n%s\nwant\n%s", check.Message, want)
	}
}

func TestReportExplainsStates(t *testing.T) {
	t.Parallel()
	fixedCPU := limitOf(100, Component{Type: "cpu", Measure: FixedUsage})
	var nulls records
	for _, month := range []string{"2024-07", "2024-08", "2024-09", "2024-10"} {
		nulls = append(nulls, cpu(0, in(month), noAmount), cpu(1, in(month)))
	}
	for _, row := range []struct {
		limit  Limit
		usages records
		want   string
	}{
		{anyCPU(100), nil, "There are no usage records."},
		{anyCPU(100), records{cpu(1), cpu(1, inGigabytes), cpu(1, noUnit)}, "several units: GB, hours, no unit"},
		{anyCPU(100), records{cpu(1), cpu(1, inGigabytes), cpu(1, ofType("ram"))}, "): cpu (GB, hours), ram"},
		{anyCPU(100), records{cpu(60), cpu(101, inGigabytes)}, "| 101 + ? | 100 | GB | ██████████ 101 % | over by 1, several units"},
		{anyCPU(100), records{cpu(101), cpu(1, inArchive)}, "- Archive (category_uuid " + archive + "): cpu"},
		{anyCPU(100), records{cpu(1, noType)}, "| missing, 1 record without type: is it in `fields`? |"},
		{anyCPU(100), records{cpu(1, noType, noCategory)}, "- Virtual machines (category_uuid null): null"},
		{anyCPU(100), records{cpu(1, noType), cpu(1, noCategory)}, "| missing, 2 records without type or category_uuid: are they in `fields`? |"},
		{anyCPU(100), records{cpu(101, noCategory), cpu(101, inGigabytes, noCategory)}, "| 101 + ? | 100 | GB | ██████████ 101 % | over by 1, 2 records without"},
		{anyCPU(100), records{cpu(101), cpu(1, noAmount)}, "| 101 + ? | 100 | hours | ██████████ 101 % | over by 1, null in 2024-10 |"},
		{anyCPU(100), nulls[:6], "null in 2024-07, null in 2024-08, null in 2024-09 |"},
		{anyCPU(100), nulls, "null in 4 months |"},
		{fixedCPU, records{cpu(1, noAmount), cpu(1, fixed(2), in("2024-09"))}, "| missing, fixed_usage null in 2024-10 |"},
		{anyCPU(100_000_000), records{cpu(99_999_999)}, " 99 % | near |"},
		{anyCPU(100_000_000), records{cpu(100_000_001)}, " 101 % | over by 1 |"},
		{anyCPU(100_000_000), records{cpu(123_400_000_000)}, " 123,400 % |"},
		{anyCPU(0), records{cpu(1)}, "██████████ > 100 % | over by 1 |"},
		{anyCPU(0), records{cpu(-1)}, "░░░░░░░░░░ 0 % | ok |"},
	} {
		report := NewCheck(row.usages, map[string]Limit{"CPU": row.limit}, DefaultOptions()).Report
		if !strings.Contains(strings.Join(strings.Fields(report), " "), row.want) {
			t.Errorf("got\n%s\nwant %q", report, row.want)
		}
	}
}

func TestReportExplainsForecasts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		period *Period
		want   string
	}{
		{nil, "There is no forecast, as no period is given.\n"},
		{october("2024-09-30T23:59:59Z"), "There is no forecast: the period has not begun.\n"},
		{october("2024-10-01T00:00:00Z"), "There is no forecast: the period is in its first three days.\n"},
		{october("2024-10-03T23:59:59Z"), "There is no forecast: the period is in its first three days.\n"},
		{october("2024-10-04T00:00:00Z"), ""},
		{october("2024-10-31T23:59:59Z"), ""},
		{october("2024-11-01T00:00:00Z"), "The period has ended: the forecast is what was used.\n"},
	} {
		options := DefaultOptions()
		options.Period, options.FailOn = row.period, States()
		report := NewCheck(records{cpu(1)}, map[string]Limit{"CPU": anyCPU(100), "also": anyCPU(50)}, options).Report
		if _, got, _ := strings.Cut(report, "|\n\n"); got != row.want {
			t.Errorf("got\n%s\nwant %q", report, row.want)
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
	if got := NewUsageReport(usages, ReportedUsage, "Usage of the climate project"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUsageReportNamesCategoriesComponentsAndMonths(t *testing.T) {
	t.Parallel()
	cpuToo := func(u *waldur.Usage) { u.Name, u.Type = waldur.Of("CPU"), waldur.Of("vcpu") }
	blank := func(u *waldur.Usage) { u.Name, u.MeasuredUnit = waldur.Of(" "), waldur.Of("\t ") }
	blankType := func(u *waldur.Usage) { u.Type = waldur.Of("  ") }
	noTitle := func(u *waldur.Usage) { u.CategoryTitle = waldur.Of("") }
	for want, report := range map[string]string{
		"# Reported usage\n\nThere are no usage records.\n": NewUsageReport(nil, ReportedUsage, ""),
		"# Fixed usage\n": NewUsageReport(records{cpu(5, fixed(1))}, FixedUsage, ""),
		"| 2024-10 | ██████████ 1 |":                            NewUsageReport(records{cpu(5, fixed(1))}, FixedUsage, "x"),
		"| (no name), no type | cpu, cpu |":                     NewUsageReport(records{cpu(1, blank), cpu(2, blank, blankType)}, ReportedUsage, ""),
		"## Archive\n\nRecords without category_uuid may be of": NewUsageReport(records{cpu(1, noCategory), cpu(2, inArchive, noCategory)}, ReportedUsage, ""),
		"## Archive\n":     NewUsageReport(records{cpu(1, noCategory), cpu(2, inArchive, noCategory)}, ReportedUsage, ""),
		"## No category\n": NewUsageReport(records{cpu(1, noCategory, noTitle)}, ReportedUsage, ""),
		"## No category\n\nRecords without category_uuid may be of several components": NewUsageReport(records{cpu(1, noCategory, noTitle)}, ReportedUsage, ""),
		"Records without category_uuid or type may be of":                              NewUsageReport(records{cpu(1, noCategory, noTitle, noType)}, ReportedUsage, ""),
		"## Virtual machines\n\nRecords without type may be of":                        NewUsageReport(records{cpu(1, noType)}, ReportedUsage, ""),
		"## Virtual machines\n\n| Month":                                               NewUsageReport(records{cpu(1)}, ReportedUsage, ""),
		"## Virtual machines (" + machines:                                             NewUsageReport(records{cpu(1), cpu(4, sameTitle)}, ReportedUsage, ""),
		"## Virtual machines (no category_uuid)":                                       NewUsageReport(records{cpu(1), cpu(4, noCategory)}, ReportedUsage, ""),
		"| CPU, cpu (GB) | CPU, cpu (hours)":                                           NewUsageReport(records{cpu(1), cpu(2, cpuToo), cpu(3, inGigabytes)}, ReportedUsage, ""),
		"| 2004-11 | – |":                                                              NewUsageReport(records{cpu(1, in("2004-10")), cpu(1)}, ReportedUsage, ""),
		"█ 1 |\n| 9999-12 |":                                                           NewUsageReport(records{cpu(1, in("0001-01")), cpu(1, in("9999-12"))}, ReportedUsage, ""),
		"| 2024-09 | ██████████ 1 |\n| 2024-0x |":                                      NewUsageReport(records{cpu(1, in("2024-09")), cpu(1, in("2024-0x")), cpu(1)}, ReportedUsage, ""),
		"█ 1 |\n| ? |":                                                                 NewUsageReport(records{cpu(1), cpu(1, in("?"))}, ReportedUsage, ""),
	} {
		if got := regexp.MustCompile(" +").ReplaceAllString(report, " "); !strings.Contains(got, want) || strings.Contains(got, "()") {
			t.Errorf("got\n%s\nwant %q, and nothing in brackets", got, want)
		}
	}
}

func TestChartShowsTheMonthsOfOneComponent(t *testing.T) {
	t.Parallel()
	block := func(lines ...string) string {
		return "```mermaid\nxychart-beta\n    " + strings.Join(lines, "\n    ") + "\n```\n"
	}
	months := records{
		cpu(5248, in("2024-08")), cpu(0, noAmount, in("2024-09")), cpu(4124, in("2024-11")), cpu(5, in("2024-12")), cpu(0, noAmount, in("2024-12")),
	}
	two := records{cpu(1), cpu(1, inArchive)}
	for _, row := range []struct {
		usages records
		limit  *big.Int
		title  string
		want   string
	}{
		{months, nil, "", block(
			`title "CPU, Virtual machines"`, `x-axis ["2024-08", "2024-09 no data", "2024-10", "2024-11", "2024-12 at least"]`,
			`y-axis "hours" 0 --> 5248`, `bar [5248, 0, 0, 4124, 5]`,
		)},
		{months[:1], big.NewInt(6000), `"Climate"`, block(
			`title "'Climate'"`, `x-axis [" ", "2024-08", "  "]`, `y-axis "hours" 0 --> 6000`, `bar [0, 5248, 0]`, `line [6000, 6000, 6000]`,
		)},
		{records{cpu(-7, in("2024-09"), noUnit), cpu(9, noUnit)}, big.NewInt(6), "", block(
			`title "CPU, Virtual machines, limit 6"`, `x-axis ["2024-09", "2024-10"]`, `y-axis -7 --> 9`, `bar [-7, 9]`, `line [6, 6]`,
		)},
		{records{cpu(0)}, nil, "Nothing", block(`title "Nothing"`, `x-axis ["2024-10"]`, `y-axis "hours" 0 --> 1`, `bar [0]`)},
		{nil, nil, "", "No chart of cpu: there is no record of it.\n"},
		{records{cpu(1, noType)}, nil, "", "No chart of cpu: 1 record without type: is it in `fields`?\n"},
		{
			append(two, cpu(1, ofType("ram"))), nil, "",
			"No chart of cpu: there are records of several components or in several units.\n\n" + components(two),
		},
	} {
		if got := NewUsageChart(row.usages, Component{Type: "cpu"}, row.limit, row.title); got != row.want {
			t.Errorf("got\n%s\nwant\n%s", got, row.want)
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
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
		if got := inline(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"# x": `\# x`, "- x": `\- x`, "1. x": `1\. x`, "12) x": `12\) x`, "> x": `\> x`, "2024": "2024", "===": `\===`, "/close": `\/close`, "": "",
	} {
		if got := lineStart(text); got != want {
			t.Errorf("%q at the start of a line: got %q, want %q", text, got, want)
		}
	}
}
