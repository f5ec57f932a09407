package budget

import (
	"math/big"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

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
	if report := NewUsageReport(usages, FixedUsage, ""); !strings.HasPrefix(report, "# Fixed usage\n") || !strings.Contains(report, "██████████ 1 ") {
		t.Errorf("of the other measure it is\n%s", report)
	}
	if report := NewUsageReport(nil, ReportedUsage, ""); report != "# Reported usage\n\nThere are no usage records.\n" {
		t.Errorf("of no records it is\n%s", report)
	}
}

func TestUsageReportTellsApartWhatHasTheSameName(t *testing.T) {
	t.Parallel()
	named := func(u *waldur.Usage) { u.Name = waldur.Of("CPU") }
	report := NewUsageReport([]waldur.Usage{cpu(1), cpu(2, of("vcpu"), named), cpu(3, inGigabytes), cpu(4, sameTitle)}, ReportedUsage, "")
	for _, heading := range []string{"## Virtual machines (" + machines + ")\n", "## Virtual machines (" + archive + ")\n", " CPU, cpu (hours) |", " CPU, cpu (GB) |", " CPU, vcpu (hours) |"} {
		if !strings.Contains(report, heading) {
			t.Errorf("no %q in\n%s", heading, report)
		}
	}
}

func TestUsageReportHasNoEmptyHeadings(t *testing.T) {
	t.Parallel()
	blank := func(u *waldur.Usage) { u.Name, u.MeasuredUnit = waldur.Of(" "), waldur.Of("\t ") }
	noKind := func(u *waldur.Usage) { u.Type = waldur.Of("  ") }
	report := NewUsageReport([]waldur.Usage{cpu(1, blank), cpu(2, blank, noKind)}, ReportedUsage, "")
	if strings.Contains(report, "()") || !strings.Contains(report, " cpu |") || !strings.Contains(report, " (no name), no type |") {
		t.Errorf("it is\n%s", report)
	}
}

func TestUsageReportTellsCategoriesWithoutUUIDsApartByTheirTitles(t *testing.T) {
	t.Parallel()
	report := NewUsageReport([]waldur.Usage{cpu(1, noCategory), cpu(2, inArchive, noCategory)}, ReportedUsage, "")
	if !strings.Contains(report, "## Archive\n") || !strings.Contains(report, "## Virtual machines\n") {
		t.Errorf("it is\n%s", report)
	}
}

func TestUsageReportOfDistantMonthsLeavesOutThoseBetween(t *testing.T) {
	t.Parallel()
	report := NewUsageReport([]waldur.Usage{cpu(1, in("0001-01")), cpu(1, in("9999-12"))}, ReportedUsage, "")
	if lines := strings.Count(report, "\n"); lines != 11 {
		t.Errorf("%d lines:\n%s", lines, report)
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
