package budget

import (
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
	present := rapid.Map(value, waldur.Of[T])
	return rapid.OneOf(present, present, present, present, present, rapid.Just(waldur.Nullable[T]{}))
}

func oneOf(values ...string) *rapid.Generator[waldur.Nullable[string]] {
	return nullable(rapid.SampledFrom(values))
}

// someUsage generates records of a few components, so that several are of the
// same one.
func someUsage(minAmount int64) *rapid.Generator[waldur.Usage] {
	return rapid.Custom(func(t *rapid.T) waldur.Usage {
		small := rapid.Int64Range(max(minAmount, -100), 200)
		return waldur.Usage{
			Name:          oneOf("CPU", "RAM").Draw(t, "name"),
			Type:          oneOf("cpu", "ram").Draw(t, "type"),
			MeasuredUnit:  oneOf("hours", "hours", "hours", "GB").Draw(t, "unit"),
			CategoryTitle: oneOf("Virtual machines", "Archive").Draw(t, "title"),
			CategoryUUID:  oneOf(machines, archive).Draw(t, "category"),
			Date:          oneOf("2024-09-01", "2024-10-01", "2023-01-01").Draw(t, "date"),
			ReportedUsage: nullable(rapid.OneOf(small, rapid.Int64Min(minAmount))).Draw(t, "reported"),
			FixedUsage:    nullable(small).Draw(t, "fixed"),
		}
	})
}

func someUsages() *rapid.Generator[records] { return rapid.SliceOfN(someUsage(math.MinInt64), 0, 12) }

func someLimit() *rapid.Generator[Limit] {
	return rapid.Custom(func(t *rapid.T) Limit {
		selected := rapid.SampledFrom([]Component{{}, {CategoryUUID: machines}, {CategoryTitle: "Virtual machines"}}).Draw(t, "category")
		selected.Type = rapid.SampledFrom([]string{"cpu", "ram", "gpu"}).Draw(t, "type")
		selected.Measure = rapid.SampledFrom([]Measure{ReportedUsage, FixedUsage}).Draw(t, "measure")
		return limitOf(rapid.Int64Range(0, 300).Draw(t, "limit"), selected)
	})
}

func TestPropertyResultsDoNotDependOnTheOrderOfRecords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages, one, options := someUsages().Draw(t, "usages"), someLimit().Draw(t, "one"), DefaultOptions()
		limits := map[string]Limit{"one": one, "another": someLimit().Draw(t, "another")}
		options.FailOn = rapid.SliceOf(rapid.SampledFrom(States())).Draw(t, "fail_on")
		results := func(usages records) string {
			check := NewCheck(usages, limits, options)
			fails := func(o Outcome) bool { return slices.Contains(options.FailOn, o.State) }
			if want := !slices.ContainsFunc(slices.Collect(maps.Values(check.Limits)), fails); check.Passed != want {
				t.Errorf("passed: got %t, want %t:\n%s", check.Passed, want, check.Report)
			}
			return check.Report + NewUsageReport(usages, ReportedUsage, "") + NewUsageChart(usages, one.Component, nil, "")
		}
		want := results(usages)
		if got := results(rapid.Permutation(usages).Draw(t, "shuffled")); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

// A record with a negative amount could end it.
func TestPropertyAddingARecordKeepsOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages, limit := someUsages().Draw(t, "usages"), someLimit().Draw(t, "limit")
		before := outcomeOf(usages, limit, DefaultOptions()).State
		after := outcomeOf(append(usages, someUsage(0).Draw(t, "another")), limit, DefaultOptions()).State
		if before == Over && after != Over {
			t.Errorf("got %q, want %q", after, before)
		}
	})
}

func TestPropertyNearAndOverAreComparisonsOfFractions(t *testing.T) {
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
		if got := outcomeOf(records{cpu(used)}, anyCPU(limit), options).State; got != want {
			t.Errorf("%d of %d: got %q, want %q", used, limit, got, want)
		}
	})
}

// hostileText generates texts that contain markup, links, invisible characters
// or the end of a line, a cell or a text.
func hostileText() *rapid.Generator[string] {
	pieces := append([]string{
		"a", "B", "1", " ", "  ", "\n", "\r\n", "\t", "# ", "- ", "+ ", "1. ", "1) ", "> ", "\x00", "\x1b[31m", "\u202e", "\u2066", "\u200b", "\u200d",
		"\u2028", "\u0085", "\ufeff", "\xff", "é", "ü", "e\u0301", "🚀", "漢", strings.Repeat("x", 300), "{{ }}", "%%{init: {}}%%", "[^1]: x",
	}, strings.Fields("| \\ \\| ` ``` * ** _ __ ~ ~~ [ ] ( ) < > <b> <!-- --> &lt; &#60; & ; # #1 !1 ![x](y) [x](https://example.com) https://example.com "+
		"www.example.com a@example.com @all :tada: /close ~\"x\" GH-12 1:100: $x$ $$ %% \" ' --- === ${x} ^ = footnote[^1] http: //")...)
	piece := rapid.OneOf(rapid.SampledFrom(pieces), rapid.StringN(0, 4, -1))
	return rapid.Map(rapid.SliceOfN(piece, 0, 8), func(pieces []string) string { return strings.Join(pieces, "") })
}

// hostileUsage generates records with hostile texts, except in the given fields.
func hostileUsage(usage *rapid.Generator[waldur.Usage], except ...waldur.Field) *rapid.Generator[waldur.Usage] {
	return rapid.Custom(func(t *rapid.T) waldur.Usage {
		usage := usage.Draw(t, "usage")
		for field := range waldur.AllFields().Each {
			if text, isText := usage.Attribute(field).(*waldur.Nullable[string]); isText && !slices.Contains(except, field) && rapid.Bool().Draw(t, "hostile") {
				*text = waldur.Of(hostileText().Draw(t, "text"))
			}
		}
		return usage
	})
}

// checkElements counts the elements of a Markdown document, except for plain
// text and the code that a report itself contains.
func checkElements(t *rapid.T, document string, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote))
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader([]byte(document))), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		kind := node.Kind().String()
		isPlain := slices.Contains([]string{"Document", "Paragraph", "Text", "TextBlock", "String", "List"}, kind)
		isOurs := kind == "CodeSpan" && string(node.FirstChild().(*ast.Text).Segment.Value([]byte(document))) == "fields"
		if entering && !isPlain && !isOurs {
			got[kind]++
		}
		return ast.WalkContinue, nil
	})
	for _, r := range document {
		if r != '\n' && !unicode.IsGraphic(r) {
			got["invisible character"]++
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v:\n%s", got, want, document)
	}
}

func TestPropertyReportHasOneLineForEachLimitWhateverTheTextsContain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := rapid.MapOfN(hostileText(), someLimit(), 1, 3).Draw(t, "limits")
		options := DefaultOptions()
		options.Title = hostileText().Draw(t, "title")
		report := NewCheck(rapid.SliceOfN(hostileUsage(someUsage(math.MinInt64)), 0, 4).Draw(t, "usages"), limits, options).Report
		want := map[string]int{"Table": 1, "TableHeader": 1, "TableRow": len(limits), "TableCell": 6 * (1 + len(limits))}
		if components := strings.Count(report, "\n- "); components > 0 {
			want["ListItem"] = components
		}
		if got, want := strings.Count(report, "\n|"), len(limits)+2; got != want {
			t.Errorf("got %d lines, want %d:\n%s", got, want, report)
		}
		checkElements(t, report, want)
	})
}

func TestPropertyUsageReportConsistsOfHeadingsAndTablesWhateverTheTextsContain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usages := rapid.SliceOfN(hostileUsage(someUsage(math.MinInt64)), 1, 5).Draw(t, "usages")
		series, categories := seriesOf(usages, ReportedUsage), map[category]bool{}
		for _, s := range series {
			categories[s.category] = true
		}
		tables, rows := len(categories), len(monthsOf(series...))+1
		checkElements(t, NewUsageReport(usages, ReportedUsage, hostileText().Draw(t, "title")), map[string]int{
			"Heading": 1 + tables, "Table": tables, "TableHeader": tables, "TableRow": rows * tables, "TableCell": (rows + 1) * (len(series) + tables),
		})
	})
}

func TestPropertyChartIsOneBlockWhateverTheTextsContain(t *testing.T) {
	t.Parallel()
	usages := hostileUsage(rapid.Just(cpu(7)), waldur.FieldType, waldur.FieldDate)
	quoted := "\"[^\"`<;{#\\\\\n]+\""
	want := regexp.MustCompile("^```mermaid\nxychart-beta\n    title " + quoted + `
    x-axis \[" ", "2024-10", "  "\]
    y-axis (` + quoted + ` )?0 --> 7
    bar \[0, 7, 0\]
    line \[5, 5, 5\]
` + "```\n$")
	rapid.Check(t, func(t *rapid.T) {
		got := NewUsageChart(records{usages.Draw(t, "usage")}, anyCPU(1).Component, big.NewInt(5), hostileText().Draw(t, "title"))
		if !want.MatchString(got) || strings.Contains(got, "%%") {
			t.Errorf("got\n%s", got)
		}
		checkElements(t, got, map[string]int{"FencedCodeBlock": 1})
	})
}
