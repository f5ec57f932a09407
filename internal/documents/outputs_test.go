package documents

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// outputs applies a configuration and returns its outputs, which are texts.
func outputs(t *testing.T, w cli.WorkingDir, configuration string) (found map[string]struct{ Value string }) {
	t.Helper()
	clitest.Write(t, w, "main.tf", configuration)
	clitest.MustRun(t, w, "init", "-no-color")
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	if err := json.Unmarshal([]byte(clitest.MustRun(t, w, "output", "-json")), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// usage returns a record of this month.
func usage(kind, unit, category string, reported, fixed int64) waldurtest.Record {
	return waldurtest.Record{
		Type: kind, MeasuredUnit: unit, CategoryTitle: category, CategoryUUID: strings.Repeat("a", 32),
		Date: time.Now().UTC().Format("2006-01-") + "01", ReportedUsage: &reported, FixedUsage: &fixed, Scope: projectOfTheDocuments,
	}
}

// A user copies the gate into an empty folder. It fails as the document shows,
// and passes when less was used.
func TestAccBudgetGatesPrintWhatTheDocumentsShow(t *testing.T) {
	t.Parallel()
	clitest.SandboxWithFunctions(t)
	for path, test := range map[string]struct {
		over string // in the output that is shown
		used []waldurtest.Record
	}{
		"README.md": {"over by 1,250", []waldurtest.Record{
			usage("cpu", "hours", "Virtual machines", 16250, 0), usage("ram", "GB-hours", "Virtual machines", 71500, 0),
		}},
		"examples/budget-check/README.md": {"over by 250", []waldurtest.Record{
			usage("cpu", "hours", "Virtual machines", 710, 900), usage("storage", "GB", "Virtual machines", 1250, 900), usage("tape", "TB", "Archive", 41, 36),
		}},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p, server := readPage(t, path), waldurtest.New()
			server.Add(test.used...)
			w := open(t, server.Start(t))
			copyExamples(t, "budget-check", filepath.Join(w.Dir, "budget-check"))
			clitest.Write(t, w, "main.tf", strings.Join(p.configurations(t)[0], ""))
			clitest.MustRun(t, w, "init", "-no-color")
			title, message, _ := strings.Cut(p.block(t, "text", test.over), "\n\n")
			if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != 1 || !strings.Contains(r.Output, title) || !strings.Contains(r.Output, "\n"+message) {
				t.Errorf("exit code %d; the document shows:\n%s\n%s\nthe plan prints:\n%s", r.ExitCode, title, message, r.Output)
			}
			server.Update(func(records []waldurtest.Record) []waldurtest.Record {
				for i := range records {
					records[i].ReportedUsage = new(int64(1))
				}
				return records
			})
			clitest.MustRun(t, w, "plan", "-no-color")
		})
	}
}

func TestAccReadmeShowsWhatTheDemoPrints(t *testing.T) {
	t.Parallel()
	clitest.SandboxWithFunctions(t) // the demo shows a budget only with them
	demo := exec.CommandContext(t.Context(), "go", "run", "./internal/demo")
	demo.Dir = repository
	demo.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WALDUR_") })
	printed, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, part := range []string{"CATEGORY", "████ 120 %"} {
		if shown := readPage(t, "README.md").block(t, "text", part); !strings.Contains(string(printed), strings.TrimSpace(shown)) {
			t.Errorf("the README shows:\n%s\nmake demo prints:\n%s", shown, printed)
		}
	}
}

// The periods are evaluated at several points in time, such as the ends of
// months and years, in leap years and others.
func TestAccBudgetGuideComputesPeriods(t *testing.T) {
	t.Parallel()
	periods := readPage(t, "docs/guides/budget-checks.md").block(t, "terraform", "quarter_start =")
	w := open(t, "")
	clitest.Write(t, w, "at/periods.tf", "variable \"now\" {}\n"+strings.Replace(periods, "plantimestamp()", "var.now", 1)+`
		output "dates" {
		  value = join(" ", [local.month_start, local.month_end, local.quarter_start, local.quarter_end, local.year_start, local.year_end])
		}`)
	found := outputs(t, w, `
		locals {
		  want = {
		    "2024-10-15T12:00:00Z" = "2024-10-01 2024-10-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31"
		    "2024-10-01T00:00:00Z" = "2024-10-01 2024-10-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31"
		    "2024-09-30T23:59:59Z" = "2024-09-01 2024-09-30 2024-07-01 2024-09-30 2024-01-01 2024-12-31"
		    "2024-02-29T23:59:59Z" = "2024-02-01 2024-02-29 2024-01-01 2024-03-31 2024-01-01 2024-12-31"
		    "2023-02-28T23:59:59Z" = "2023-02-01 2023-02-28 2023-01-01 2023-03-31 2023-01-01 2023-12-31"
		    "2024-12-31T23:59:59Z" = "2024-12-01 2024-12-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31"
		    "2024-06-08T09:00:00Z" = "2024-06-01 2024-06-30 2024-04-01 2024-06-30 2024-01-01 2024-12-31"
		  }
		}
		module "at" {
		  source   = "./at"
		  for_each = local.want
		  now      = each.key
		}
		output "different" {
		  value = join("\n", [for now, dates in local.want : "at ${now}: ${module.at[now].dates}, not ${dates}" if module.at[now].dates != dates])
		}`)
	if different, evaluated := found["different"]; !evaluated || different.Value != "" {
		t.Errorf("the periods are different, or were not evaluated:\n%s", different.Value)
	}
}

// The report and the chart of the guide are those of the functions. The reports
// of the examples are of a year in which one project has a month less than the
// other, and a third one has no records.
func TestAccReportsAndChartsAreThoseThatAreShown(t *testing.T) {
	t.Parallel()
	clitest.SandboxWithFunctions(t)
	first, second, empty := waldurtest.ProjectScope(1), waldurtest.ProjectScope(2), waldurtest.ProjectScope(9)
	server := waldurtest.New()
	server.AddScope(empty)
	server.Add(waldurtest.History(first, 4, 4)...) // up to October 2024
	server.Add(waldurtest.History(second, 3, 3)...)
	w := open(t, server.Start(t))
	copyExamples(t, "", w.Dir)
	found := outputs(t, w, required+fmt.Sprintf(`
		module "report" {
		  source       = "./usage-report"
		  project_uuid = %[1]q
		  year         = 2024
		}
		module "many" {
		  source   = "./many-projects"
		  projects = { a = %[1]q, b = %[2]q, empty = %[3]q }
		  year     = 2024
		}
		locals {
		  usages = [for month, amount in { "05" = 3815, "06" = 4630, "07" = null, "08" = 5248, "09" = 6373, "10" = 4124 } : {
		    name = "CPU", type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "a"
		    date = "2024-${month}-01", reported_usage = amount
		  }]
		}
		output "example" { value = module.report.report }
		output "examples" { value = module.many.report }
		output "chart" { value = provider::waldur::usage_chart(local.usages, { type = "cpu", limit = 5000 }) }
		output "forecast" {
		  value = provider::waldur::budget_check([merge(local.usages[0], { reported_usage = 4000 })], { CPU = { type = "cpu", limit = 6000 } }, {
		    period = { start = "2024-10-01", end = "2024-10-31", now = "2024-10-16T12:00:00Z" }
		  }).report
		}`, path.Base(first), path.Base(second), path.Base(empty)))
	guide := readPage(t, "docs/guides/budget-checks.md")
	for name, shown := range map[string]string{
		"example":  string(readFile(t, "internal/documents/testdata/usage-report.md")),
		"examples": string(readFile(t, "internal/documents/testdata/many-projects.md")),
		"chart":    "```mermaid\n" + guide.block(t, "mermaid", "xychart") + "```\n",
		"forecast": guide.block(t, "text", "Forecast"),
	} {
		if got := found[name].Value; got != shown {
			t.Errorf("the %s is shown as\n%s\nbut is\n%s", name, shown, got)
		}
	}
}

// A test of the benchmark compares DESIGN.md with what is computed.
func TestFiguresOfTheDocumentsAreInTheDesign(t *testing.T) {
	t.Parallel()
	design, figures := readFile(t, "DESIGN.md"), 0
	for _, path := range []string{"README.md", "docs/guides/large-lists.md"} {
		for _, row := range regexp.MustCompile(`(?m)^\| (?:Time|Server's time|[0-9,]+ records).*`).FindAll(readFile(t, path), -1) {
			for _, figure := range regexp.MustCompile(`\| ([0-9.]+) (m?s) `).FindAllSubmatch(row, -1) {
				figures++
				cell := fmt.Sprintf(`[|/] %s(?: / [0-9.]+)* %s [|/]`, regexp.QuoteMeta(string(figure[1])), figure[2])
				if !regexp.MustCompile(cell).Match(design) {
					t.Errorf("%s %s of %s is not in DESIGN.md: %s", figure[1], figure[2], path, row)
				}
			}
		}
	}
	if figures < 20 {
		t.Errorf("only %d figures were found", figures)
	}
}
