package budget

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func nullable[T any](value *rapid.Generator[T]) *rapid.Generator[waldur.Nullable[T]] {
	return rapid.Custom(func(t *rapid.T) waldur.Nullable[T] {
		if rapid.IntRange(0, 7).Draw(t, "null") == 0 {
			return waldur.Nullable[T]{}
		}
		return waldur.Of(value.Draw(t, "value"))
	})
}

// someUsage draws records of few components, so that several are of one.
func someUsage(least int64) *rapid.Generator[waldur.Usage] {
	category := rapid.SampledFrom([]string{machines, archive})
	return rapid.Custom(func(t *rapid.T) waldur.Usage {
		return waldur.Usage{
			Name:          nullable(rapid.SampledFrom([]string{"CPU", "RAM"})).Draw(t, "name"),
			Type:          nullable(rapid.SampledFrom([]string{"cpu", "ram"})).Draw(t, "type"),
			MeasuredUnit:  nullable(rapid.SampledFrom([]string{"hours", "hours", "hours", "GB"})).Draw(t, "unit"),
			CategoryTitle: nullable(rapid.SampledFrom([]string{"Virtual machines", "Archive"})).Draw(t, "title"),
			CategoryUUID:  nullable(category).Draw(t, "category"),
			Date:          nullable(rapid.SampledFrom([]string{"2024-09-01", "2024-10-01", "2023-01-01"})).Draw(t, "date"),
			ReportedUsage: nullable(rapid.OneOf(rapid.Int64Range(max(least, -100), 200), rapid.Int64Min(least))).Draw(t, "reported"),
			FixedUsage:    nullable(rapid.Int64Range(max(least, -100), 200)).Draw(t, "fixed"),
		}
	})
}

func someLimit(t *rapid.T) Limit {
	limit := Limit{Component: Component{
		Type:    rapid.SampledFrom([]string{"cpu", "ram", "gpu"}).Draw(t, "type"),
		Measure: rapid.SampledFrom([]Measure{ReportedUsage, FixedUsage}).Draw(t, "measure"),
	}, Amount: big.NewInt(rapid.Int64Range(0, 300).Draw(t, "limit"))}
	switch rapid.IntRange(0, 2).Draw(t, "by") {
	case 1:
		limit.Component.CategoryUUID = machines
	case 2:
		limit.Component.CategoryTitle = "Virtual machines"
	}
	return limit
}

func someLimits(t *rapid.T) map[string]Limit {
	limits := map[string]Limit{}
	for i := range rapid.IntRange(1, 4).Draw(t, "limits") {
		limits[fmt.Sprint(i)] = someLimit(t)
	}
	return limits
}

const anyInteger = -1 << 63

func TestPropertyOrderOfRecordsMakesNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(someUsage(anyInteger), 0, 12).Draw(t, "usages")
		limits := someLimits(t)
		shuffled := slices.Clone(usages)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a, b := NewCheck(usages, limits, defaults()), NewCheck(shuffled, limits, defaults()); a.Report != b.Report || a.Passed != b.Passed || !reflect.DeepEqual(states(a), states(b)) {
			t.Errorf("the check:\n%s\nand\n%s", a.Report, b.Report)
		}
		if a, b := NewUsageReport(usages, ReportedUsage, ""), NewUsageReport(shuffled, ReportedUsage, ""); a != b {
			t.Errorf("the report:\n%s\nand\n%s", a, b)
		}
		component := limits["0"].Component
		if a, b := NewUsageChart(usages, component, nil, ""), NewUsageChart(shuffled, component, nil, ""); a != b {
			t.Errorf("the chart:\n%s\nand\n%s", a, b)
		}
	})
}

func states(check Check) map[string]State {
	states := map[string]State{}
	for name, outcome := range check.Limits {
		states[name] = outcome.State
	}
	return states
}

// A negative amount counts as it is, so it can.
func TestPropertyRecordThatIsAddedNeverEndsOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(someUsage(anyInteger), 0, 8).Draw(t, "usages")
		limits := map[string]Limit{"x": someLimit(t)}
		before := NewCheck(usages, limits, defaults())
		after := NewCheck(append(usages, someUsage(0).Draw(t, "added")), limits, defaults())
		if before.Limits["x"].State == Over && after.Limits["x"].State != Over {
			t.Errorf("it was over and is %s:\n%s\n%s", after.Limits["x"].State, before.Report, after.Report)
		}
	})
}

func TestPropertyNearAndOverAreWhatFractionsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		used, limit := rapid.Int64Min(0).Draw(t, "used"), rapid.Int64Min(1).Draw(t, "limit")
		warnAt := big.NewRat(rapid.Int64Range(1, 1000).Draw(t, "thousandths"), 1000)
		options := defaults()
		options.WarnAt = warnAt
		want := OK
		if used > limit {
			want = Over
		} else if big.NewRat(used, limit).Cmp(warnAt) >= 0 {
			want = Near
		}
		if state := NewCheck([]waldur.Usage{cpu(used)}, map[string]Limit{"x": anyCPU(limit)}, options).Limits["x"].State; state != want {
			t.Errorf("%d of %d is %s", used, limit, state)
		}
	})
}

// nasty draws texts of what ends a line, a cell or a text, marks it up, links,
// or hides.
func nasty() *rapid.Generator[string] {
	pieces := []string{
		"a", "B", "1", " ", "  ", "\n", "\r\n", "\t", "|", "\\", "\\|", "`", "```", "*", "**", "_", "__", "~", "~~", "[", "]", "(", ")", "<", ">", "<b>", "<!--", "-->",
		"&lt;", "&#60;", "&", ";", "#", "# ", "#1", "!1", "![x](y)", "[x](https://example.com)", "https://example.com", "www.example.com", "a@example.com", "@all", ":tada:", "/close", "~\"x\"", "GH-12", "1:100:",
		"$x$", "$$", "%%", "%%{init: {}}%%", "\"", "'", "---", "- ", "+ ", "1. ", "1) ", "> ", "===", "\x00", "\x1b[31m", "\u202e", "\u2066", "\u200b", "\u200d", "\u2028", "\u0085",
		"\ufeff", "\xff", "é", "ü", "e\u0301", "🚀", "漢", strings.Repeat("x", 300), "{{ }}", "${x}", "^", "=", "footnote[^1]", "[^1]: x", "http:", "//",
	}
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.StringN(0, 4, -1)), 0, 8), func(parts []string) string { return strings.Join(parts, "") })
}

func nastyUsage() *rapid.Generator[waldur.Usage] {
	return rapid.Custom(func(t *rapid.T) waldur.Usage {
		usage := someUsage(anyInteger).Draw(t, "usage")
		for field := range waldur.AllFields().Each {
			if place, isText := usage.Attribute(field).(*waldur.Nullable[string]); isText && rapid.Bool().Draw(t, "nasty") {
				*place = waldur.Of(nasty().Draw(t, "text"))
			}
		}
		return usage
	})
}

// drawn is what a page consists of.
type drawn struct {
	tables   int
	cells    []int // in each row
	headings int
	items    int
	other    []string // nothing of which a report has
}

func draw(source string) drawn {
	var d drawn
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote))
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader([]byte(source))), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node.Kind() {
		case ast.KindDocument, ast.KindParagraph, ast.KindText, ast.KindTextBlock, ast.KindString, ast.KindList, extast.KindTableCell:
		case ast.KindHeading:
			d.headings++
		case ast.KindListItem:
			d.items++
		case extast.KindTable:
			d.tables++
		case extast.KindTableHeader, extast.KindTableRow:
			d.cells = append(d.cells, node.ChildCount())
		case ast.KindCodeSpan:
			if code := string(node.FirstChild().(*ast.Text).Segment.Value([]byte(source))); code != "fields" {
				d.other = append(d.other, code)
			}
		default:
			d.other = append(d.other, node.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	return d
}

func TestPropertyReportHasOneLineForEachLimitWhateverTheTextsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(nastyUsage(), 0, 4).Draw(t, "usages")
		limits := map[string]Limit{}
		for range rapid.IntRange(1, 3).Draw(t, "limits") {
			limits[nasty().Draw(t, "name")] = someLimit(t)
		}
		options := defaults()
		options.Title = nasty().Draw(t, "title")
		report := NewCheck(usages, limits, options).Report
		lines := 0
		for line := range strings.Lines(report) {
			if strings.HasPrefix(line, "|") {
				lines++
			}
		}
		d := draw(report)
		if lines != len(limits)+2 || d.tables != 1 || len(d.cells) != len(limits)+1 || d.headings > 0 || len(d.other) > 0 {
			t.Errorf("%d lines, drawn as %+v:\n%s", lines, d, report)
		}
		for _, cells := range d.cells {
			if cells != 6 {
				t.Errorf("a row of %d cells:\n%s", cells, report)
			}
		}
		requireVisible(t, report)
	})
}

func requireVisible(t *rapid.T, text string) {
	for _, r := range text {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%U in\n%s", r, text)
		}
	}
}

func TestPropertyUsageReportDrawsNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(nastyUsage(), 0, 5).Draw(t, "usages")
		categories := map[*category]bool{}
		for _, of := range categoriesOf(usages) {
			categories[of] = true
		}
		report := NewUsageReport(usages, ReportedUsage, nasty().Draw(t, "title"))
		if d := draw(report); d.tables != len(categories) || d.headings != len(categories)+1 || len(d.other) > 0 || d.items > 0 {
			t.Errorf("drawn as %+v:\n%s", d, report)
		}
		requireVisible(t, report)
	})
}

func TestPropertyChartIsOneBlockOfFewLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usage := cpu(7)
		for field := range waldur.AllFields().Each {
			if place, isText := usage.Attribute(field).(*waldur.Nullable[string]); isText && field != waldur.FieldType && field != waldur.FieldDate {
				*place = waldur.Of(nasty().Draw(t, "text"))
			}
		}
		chart := NewUsageChart([]waldur.Usage{usage}, anyCPU(1).Component, big.NewInt(5), nasty().Draw(t, "title"))
		var rendered bytes.Buffer
		if err := goldmark.Convert([]byte(chart), &rendered); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(chart, "\n"), "\n")
		if len(lines) != 8 || strings.Count(chart, "`") != 6 || strings.Contains(chart, `""`) || strings.Count(chart, `"`)%2 != 0 || strings.ContainsAny(chart, "<;{#\\") || strings.Contains(chart, "%%") {
			t.Errorf("it is\n%s", chart)
		}
		requireVisible(t, chart)
	})
}
