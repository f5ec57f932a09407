package documents

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
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

// project is the path of the project whose UUID the documents show.
const project = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// needsFunctions reports whether a configuration calls functions of the provider,
// itself or in the budget module.
func needsFunctions(configuration string) bool {
	return strings.Contains(configuration, "provider::") || strings.Contains(configuration, "budget-check")
}

// initialize returns a folder with the files and the examples, after "init". It
// skips the test if main.tf needs functions and the CLI has none.
func initialize(t *testing.T, server *waldurtest.Waldur, files map[string]string) cli.WorkingDir {
	t.Helper()
	sandbox := clitest.Sandbox(t)
	if needsFunctions(files["main.tf"]) {
		sandbox = clitest.SandboxWithFunctions(t)
	}
	w := sandbox.WorkingDir(t.TempDir(), "WALDUR_API_URL="+server.Start(t), "WALDUR_ACCESS_TOKEN="+waldurtest.Token, "WALDUR_MAX_RETRIES=0")
	if sandbox.CLI.Since(8, 7) { // the others cannot parse the calls in the examples
		if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join(repository, "examples"))); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		clitest.Write(t, w, name, content)
	}
	clitest.MustRun(t, w, "init", "-no-color")
	return w
}

func firstOfMonth(at time.Time) string { return at.UTC().Format("2006-01") + "-01" }

// usage returns a record of the project and of this month, in the category that
// the documents show.
func usage(kind, unit string, reported, fixed int64) waldurtest.Record {
	return waldurtest.Record{
		Type: kind, MeasuredUnit: unit, CategoryTitle: "Virtual machines", CategoryUUID: "4f1d2c3b5a69788796a5b4c3d2e1f00f",
		Date: firstOfMonth(time.Now()), ReportedUsage: &reported, FixedUsage: &fixed, Scope: project,
	}
}

// Each configuration is a module of the same plan. Every budget is kept, since
// little is used. Amounts are null only where no document has a limit.
func TestAccEveryConfigurationShownCanBePlanned(t *testing.T) {
	t.Parallel()
	program, server, now := clitest.Sandbox(t).CLI, waldurtest.New(), time.Now()
	for _, scope := range []string{project, "/api/projects/9c1d4e5f60718293a4b5c6d7e8f90a1b/", "/api/customers/7e0d3c1a9b284f6d8a5c1f2e3d4b5a69/"} {
		for _, date := range slices.Compact([]string{"2024-09-01", "2024-10-01", firstOfMonth(now.AddDate(0, 0, -1)), firstOfMonth(now)}) {
			for _, kind := range []string{"cpu", "ram", "gpu", "storage", "tape", "snapshots"} {
				record := usage(kind, "hours", 1, 1)
				record.Scope, record.Date = scope, date
				if kind == "snapshots" {
					record.ReportedUsage, record.FixedUsage = nil, nil
				}
				server.Add(record)
			}
		}
	}
	certificate := httptest.NewTLSServer(nil)
	certificate.Close()
	files := map[string]string{
		"ca.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate().Raw})),
	}
	var modules strings.Builder
	for document, p := range readPages(t) {
		for i, configuration := range p.configurations() {
			if strings.Contains(configuration, `"waldur/waldur"`) || needsFunctions(configuration) && !program.Since(8, 7) {
				continue // the official provider cannot be installed here, and not all CLIs have functions
			}
			name := fmt.Sprintf("%s_%d", regexp.MustCompile(`\W`).ReplaceAllString(document, "_"), i+1)
			files[name+"/main.tf"] = strings.ReplaceAll(configuration, `"./budget-check"`, `"../budget-check"`)
			fmt.Fprintf(&modules, "module %q {\n  source = \"./%s\"\n}\n", name, name)
		}
	}
	files["main.tf"] = modules.String()
	w := initialize(t, server, files)
	clitest.MustRun(t, w, "fmt", "-check", "-diff", "-recursive", ".")
	clitest.MustRun(t, w, "plan", "-no-color")
}

// A user copies a configuration into an empty folder. The guide warns about reads
// inside check blocks: if a CLI lets them fail, the guide has to change. The
// reports of the examples are of a year in which one project has one month fewer
// than another, and a third one has no records.
func TestAccConfigurationsPrintWhatTheDocumentsShow(t *testing.T) {
	t.Parallel()
	pages, reports := readPages(t), readFiles(t, "internal/documents/testdata/*.md")
	readme, module, guide := pages["README.md"], pages["examples/budget-check/README.md"], pages["docs/guides/budget-checks.md"]
	first, second, third := waldurtest.ProjectScope(1), waldurtest.ProjectScope(2), waldurtest.ProjectScope(3)
	for name, test := range map[string]struct {
		configuration string
		records       []waldurtest.Record
		exitCode      int
		shown         []string
	}{
		"README gate": {
			readme.configurations()[0],
			[]waldurtest.Record{usage("cpu", "hours", 16250, 0), usage("ram", "GB-hours", 71500, 0)},
			1, []string{readme.block(t, "text", "over by 1,250")},
		},
		"budget module": {
			module.configurations()[0],
			[]waldurtest.Record{usage("cpu", "hours", 710, 900), usage("storage", "GB", 1250, 900), usage("tape", "TB", 41, 36)},
			1, []string{module.block(t, "text", "over by 250")},
		},
		"rule without functions": {
			cli.Required + guide.block(t, "terraform", "100 GPU hours were used"),
			[]waldurtest.Record{usage("gpu", "hours", 101, 0)},
			1, []string{"More than 100 GPU hours were used"},
		},
		"check block that cannot read": {
			cli.Required + `
				check "gpu" {
				  data "waldur_category_component_usages" "own" { project_uuid = "2b5719686db84f24bf64c3dfec58fbeb" }
				  assert {
				    condition     = length(data.waldur_category_component_usages.own.usages) > 0
				    error_message = "There is no usage."
				  }
				}`,
			nil, // so the project does not exist
			0, []string{"Warning: Unable to read usages"},
		},
		"reports and charts": {
			cli.Required + fmt.Sprintf(`
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
				}`, path.Base(first), path.Base(second), path.Base(third)),
			slices.Concat(waldurtest.History(first, 4, 4), waldurtest.History(second, 3, 3), waldurtest.History(third, 1, 1, waldurtest.Newest(2023, time.October))),
			0, []string{
				reports["internal/documents/testdata/usage-report.md"],
				reports["internal/documents/testdata/many-projects.md"],
				"```mermaid\n" + guide.block(t, "mermaid", "xychart") + "```\n",
				guide.block(t, "text", "Forecast"),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(test.records...)
			w := initialize(t, server, map[string]string{"main.tf": test.configuration})
			r := clitest.Run(t, w, "apply", "-auto-approve", "-no-color")
			printed := regexp.MustCompile(`(?ms)^  (?:with|on) .+?\n\n`).ReplaceAllString(r.Output, "") // where the condition is
			for _, shown := range test.shown {
				if r.ExitCode != test.exitCode || shown == "" || !strings.Contains(printed, shown) {
					t.Errorf("got exit code %d, want %d and\n%s\nin:\n%s", r.ExitCode, test.exitCode, shown, printed)
				}
			}
		})
	}
}

func TestAccReadmeShowsWhatTheDemoPrints(t *testing.T) {
	t.Parallel()
	clitest.SandboxWithFunctions(t) // otherwise, the demo shows no budget
	demo := exec.CommandContext(t.Context(), "go", "run", "./internal/demo")
	demo.Dir = repository
	demo.Env = append(os.Environ(), "WALDUR_DEMO_SCOPE=")
	r, readme := clitest.Finish(t, demo), readPages(t)["README.md"]
	for _, part := range []string{"CATEGORY", "████ 120 %"} {
		if shown := readme.block(t, "text", part); r.ExitCode != 0 || !strings.Contains(r.Output, shown) {
			t.Errorf("got exit code %d, want 0 and\n%s\nin:\n%s", r.ExitCode, shown, r.Output)
		}
	}
}

// The periods are evaluated at the ends of months, quarters and years, in leap
// years and in other years.
func TestAccBudgetGuideComputesPeriods(t *testing.T) {
	t.Parallel()
	periods := readPages(t)["docs/guides/budget-checks.md"].block(t, "terraform", "quarter_start =")
	w := initialize(t, waldurtest.New(), map[string]string{
		"at/main.tf": "variable \"now\" {}\n" + strings.Replace(periods, "plantimestamp()", "var.now", 1) + `
			output "dates" {
			  value = join(" ", [local.month_start, local.month_end, local.quarter_start, local.quarter_end, local.year_start, local.year_end])
			}`,
		"main.tf": `
			locals {
			  want = {
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
			output "periods" {
			  value = { for now, at in module.at : now => at.dates }
			  precondition {
			    condition     = alltrue([for now, at in module.at : at.dates == local.want[now]])
			    error_message = jsonencode(module.at)
			  }
			}`,
	})
	clitest.MustRun(t, w, "plan", "-no-color")
}
