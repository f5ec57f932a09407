package documents

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// explained gives the summaries that the guide explains.
func explained(t *testing.T) (summaries []string) {
	t.Helper()
	guide := readPage(t, "docs/guides/troubleshooting.md")
	section := ""
	for _, h := range guide.headings {
		switch {
		case h.level == 2:
			section = h.text
		case section == "Failed reads":
			summaries = append(summaries, "Unable to read usages: "+h.text)
		case section == "Warnings":
			summaries = append(summaries, h.text)
		}
	}
	for _, r := range guide.rows {
		if r.under == "Wrong arguments" {
			summaries = append(summaries, r.cells[0])
		}
	}
	if len(summaries) < 30 {
		t.Fatalf("only %d messages are explained: %q", len(summaries), summaries)
	}
	return summaries
}

// The parameter of each function that is the summary of a message. For the
// first two, it is the part of "Unable to read …" behind the colon.
func summaryParameter(function string) (number int, ok bool) {
	number, ok = map[string]int{
		"unable": 0, "unableAt": 0,
		"AddError": 0, "AddWarning": 0, "NewErrorDiagnostic": 0, "NewWarningDiagnostic": 0, "parsed": 0,
		"AddAttributeError": 1, "AddAttributeWarning": 1, "NewAttributeErrorDiagnostic": 1, "NewAttributeWarningDiagnostic": 1,
	}[function]
	return number, ok
}

// written gives the summaries that stand in the source of the provider, as
// patterns: what is put together while it runs may be anything.
func written(t *testing.T) (patterns []*regexp.Regexp) {
	t.Helper()
	sources, err := fs.Glob(os.DirFS(repository), "internal/provider/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repository, source), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := calledName(call.Fun)
			number, ok := summaryParameter(name)
			if !ok || len(call.Args) <= number {
				return true
			}
			pattern := patternOf(call.Args[number])
			if pattern == ".*" { // passed on from where it is written
				return true
			}
			if strings.HasPrefix(name, "unable") {
				pattern = "Unable to read usages: " + pattern
			}
			patterns = append(patterns, regexp.MustCompile("^"+pattern+"$"))
			return true
		})
	}
	if len(patterns) < 25 {
		t.Fatalf("only %d messages were found in the source: %v", len(patterns), patterns)
	}
	return patterns
}

func calledName(function ast.Expr) string {
	switch function := function.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	case *ast.IndexExpr: // of a generic function
		return calledName(function.X)
	default:
		return ""
	}
}

func patternOf(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.BasicLit:
		if value, err := strconv.Unquote(expression.Value); err == nil {
			return regexp.QuoteMeta(value)
		}
	case *ast.BinaryExpr:
		return patternOf(expression.X) + patternOf(expression.Y)
	}
	return ".*"
}

// configured gives the arguments of the provider, and the variables that stand
// for them.
func configured(t *testing.T) (names []string) {
	t.Helper()
	for _, expression := range []string{`tfsdk:"(\w+)"`, `"(WALDUR_\w+)"`} {
		names = append(names, inSources(t, "internal/provider/config.go", expression)...)
	}
	if len(names) < 8 {
		t.Fatalf("only these are known: %q", names)
	}
	return names
}

func TestEachMessageIsExplained(t *testing.T) {
	t.Parallel()
	summaries := explained(t)
	for _, pattern := range written(t) {
		if !slices.ContainsFunc(summaries, pattern.MatchString) {
			t.Errorf("the guide about troubleshooting does not explain %s", pattern)
		}
	}
	for _, name := range configured(t) {
		if !slices.Contains(summaries, "Invalid "+name) {
			t.Errorf("the guide about troubleshooting does not explain Invalid %s", name)
		}
	}
}

// The messages of the library that validates, in the words of the CLI.
func (w workshop) eachExplainedMessageExists(t *testing.T) {
	t.Parallel()
	dir := w.configuration(t, required+`
		provider "waldur" {
		  max_retries = -1
		}
		data "waldur_category_component_usage" "any" { id = 1 }`)
	summaries := w.summaries(t, dir)
	dir = w.configuration(t, required+`
		data "waldur_category_component_usages" "none" {}
		data "waldur_category_component_usages" "name" {
		  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
		  fields       = ["nam"]
		}
		data "waldur_category_component_usages" "null" {
		  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
		  fields       = [null]
		}`)
	summaries = append(summaries, w.summaries(t, dir)...)
	all := explained(t)
	for _, summary := range summaries {
		if !slices.Contains(all, summary) {
			t.Errorf("the guide about troubleshooting does not explain %q", summary)
		}
	}
	patterns := written(t)
	for _, summary := range all {
		inSource := func(pattern *regexp.Regexp) bool { return pattern.MatchString(summary) }
		if !slices.ContainsFunc(patterns, inSource) && !slices.Contains(summaries, summary) {
			t.Errorf("the guide about troubleshooting explains %q, which is no message of the provider", summary)
		}
		if strings.HasPrefix(summary, "Invalid WALDUR_") && !slices.Contains(configured(t), strings.TrimPrefix(summary, "Invalid ")) {
			t.Errorf("the guide about troubleshooting explains %q, a variable that nothing reads", summary)
		}
	}
}

func (w workshop) summaries(t *testing.T, dir string) (summaries []string) {
	t.Helper()
	output, _ := w.run(t, dir, "validate", "-json")
	var result struct{ Diagnostics []struct{ Summary string } }
	if err := json.Unmarshal([]byte(output), &result); err != nil || len(result.Diagnostics) == 0 {
		t.Fatalf("no messages: %v\n%s", err, output)
	}
	for _, d := range result.Diagnostics {
		summaries = append(summaries, d.Summary)
	}
	return summaries
}
