package budget

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
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

const anyInteger = math.MinInt64

func TestPropertyOrderOfRecordsMakesNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages, limits, options := rapid.SliceOfN(someUsage(anyInteger), 0, 12).Draw(t, "usages"), someLimits(t), DefaultOptions()
		options.FailOn = rapid.SliceOf(rapid.SampledFrom(States())).Draw(t, "fail_on")
		shuffled := rapid.Permutation(usages).Draw(t, "shuffled")
		a, b := NewCheck(usages, limits, options), NewCheck(shuffled, limits, options)
		fails := func(o Outcome) bool { return slices.Contains(options.FailOn, o.State) }
		if passed := !slices.ContainsFunc(slices.Collect(maps.Values(a.Limits)), fails); a.Report != b.Report || a.Passed != passed || b.Passed != passed {
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

// A negative amount counts as it is, so it can.
func TestPropertyRecordThatIsAddedNeverEndsOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages, limit := rapid.SliceOfN(someUsage(anyInteger), 0, 8).Draw(t, "usages"), someLimit(t)
		before := outcomeOf(usages, limit, DefaultOptions())
		after := outcomeOf(append(usages, someUsage(0).Draw(t, "added")), limit, DefaultOptions())
		if before.State == Over && after.State != Over {
			t.Errorf("it was %s and is %s", before.State, after.State)
		}
	})
}

func TestPropertyNearAndOverAreWhatFractionsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		used, limit := rapid.Int64Min(0).Draw(t, "used"), rapid.Int64Min(1).Draw(t, "limit")
		options := DefaultOptions()
		options.WarnAt = big.NewRat(rapid.Int64Range(1, 1000).Draw(t, "thousandths"), 1000)
		want := OK
		if used > limit {
			want = Over
		} else if big.NewRat(used, limit).Cmp(options.WarnAt) >= 0 {
			want = Near
		}
		if state := outcomeOf(records{cpu(used)}, anyCPU(limit), options).State; state != want {
			t.Errorf("%d of %d is %s", used, limit, state)
		}
	})
}

// nasty draws texts of what ends a line, a cell or a text, marks it up, links,
// or hides.
func nasty() *rapid.Generator[string] {
	pieces := append([]string{
		"a", "B", "1", " ", "  ", "\n", "\r\n", "\t", "# ", "- ", "+ ", "1. ", "1) ", "> ", "\x00", "\x1b[31m", "\u202e", "\u2066", "\u200b", "\u200d",
		"\u2028", "\u0085", "\ufeff", "\xff", "é", "ü", "e\u0301", "🚀", "漢", strings.Repeat("x", 300), "{{ }}", "%%{init: {}}%%", "[^1]: x",
	}, strings.Fields("| \\ \\| ` ``` * ** _ __ ~ ~~ [ ] ( ) < > <b> <!-- --> &lt; &#60; & ; # #1 !1 ![x](y) [x](https://example.com) https://example.com "+
		"www.example.com a@example.com @all :tada: /close ~\"x\" GH-12 1:100: $x$ $$ %% \" ' --- === ${x} ^ = footnote[^1] http: //")...)
	piece := rapid.OneOf(rapid.SampledFrom(pieces), rapid.StringN(0, 4, -1))
	return rapid.Map(rapid.SliceOfN(piece, 0, 8), func(parts []string) string { return strings.Join(parts, "") })
}

// nastyUsage draws a record whose texts may be nasty, except those of the given
// fields.
func nastyUsage(usage *rapid.Generator[waldur.Usage], except ...waldur.Field) *rapid.Generator[waldur.Usage] {
	return rapid.Custom(func(t *rapid.T) waldur.Usage {
		usage := usage.Draw(t, "usage")
		for field := range waldur.AllFields().Each {
			if text, isText := usage.Attribute(field).(*waldur.Nullable[string]); isText && !slices.Contains(except, field) && rapid.Bool().Draw(t, "nasty") {
				*text = waldur.Of(nasty().Draw(t, "text"))
			}
		}
		return usage
	})
}

// draw counts what a page consists of, except for plain text and the code that
// a report itself contains.
func draw(source string) map[string]int {
	drawn := map[string]int{}
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote))
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader([]byte(source))), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		kind := node.Kind().String()
		isPlain := slices.Contains([]string{"Document", "Paragraph", "Text", "TextBlock", "String", "List"}, kind)
		isOurs := kind == "CodeSpan" && string(node.FirstChild().(*ast.Text).Segment.Value([]byte(source))) == "fields"
		if entering && !isPlain && !isOurs {
			drawn[kind]++
		}
		return ast.WalkContinue, nil
	})
	for _, r := range source {
		if r != '\n' && !unicode.IsGraphic(r) {
			drawn["invisible"]++
		}
	}
	return drawn
}

func TestPropertyReportHasOneLineForEachLimitWhateverTheTextsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := map[string]Limit{}
		for range rapid.IntRange(1, 3).Draw(t, "limits") {
			limits[nasty().Draw(t, "name")] = someLimit(t)
		}
		options := DefaultOptions()
		options.Title = nasty().Draw(t, "title")
		report := NewCheck(rapid.SliceOfN(nastyUsage(someUsage(anyInteger)), 0, 4).Draw(t, "usages"), limits, options).Report
		drawn := draw(report)
		delete(drawn, "ListItem") // the components
		want := map[string]int{"Table": 1, "TableHeader": 1, "TableRow": len(limits), "TableCell": 6 * (1 + len(limits))}
		if lines := strings.Count(report, "\n|"); lines != len(limits)+2 || !maps.Equal(drawn, want) {
			t.Errorf("%d lines, drawn as %v:\n%s", lines, drawn, report)
		}
	})
}

func TestPropertyUsageReportDrawsNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(nastyUsage(someUsage(anyInteger)), 1, 5).Draw(t, "usages")
		series, categories := seriesOf(usages, ReportedUsage), map[category]bool{}
		for _, s := range series {
			categories[s.category] = true
		}
		tables, rows := len(categories), len(monthsOf(series...))+1
		want := map[string]int{
			"Heading": 1 + tables, "Table": tables, "TableHeader": tables, "TableRow": rows * tables, "TableCell": (rows + 1) * (len(series) + tables),
		}
		report := NewUsageReport(usages, ReportedUsage, nasty().Draw(t, "title"))
		if drawn := draw(report); !maps.Equal(drawn, want) {
			t.Errorf("drawn as %v, not %v:\n%s", drawn, want, report)
		}
	})
}

func TestPropertyChartIsOneBlockOfFewLines(t *testing.T) {
	t.Parallel()
	usages := nastyUsage(rapid.Just(cpu(7)), waldur.FieldType, waldur.FieldDate)
	unsafe := regexp.MustCompile(`""|[<;{#\\]|%%`)
	rapid.Check(t, func(t *rapid.T) {
		chart := NewUsageChart(records{usages.Draw(t, "usage")}, anyCPU(1).Component, big.NewInt(5), nasty().Draw(t, "title"))
		isBlock := maps.Equal(draw(chart), map[string]int{"FencedCodeBlock": 1}) && strings.Count(chart, "`") == 6
		if !isBlock || strings.Count(chart, "\n") != 8 || strings.Count(chart, `"`)%2 != 0 || unsafe.MatchString(chart) {
			t.Errorf("it is\n%s", chart)
		}
	})
}
