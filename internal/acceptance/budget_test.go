package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const module = "examples/budget-check"

const machinesUUID = "0123456789abcdef0123456789abcdef"

// usage returns a record of the project's virtual machines; amount "" is null.
func usage(kind, date, amount string) waldurtest.Record {
	r := waldurtest.Record{
		Name: strings.ToUpper(kind), Type: kind, MeasuredUnit: "hours",
		CategoryTitle: "Virtual machines", CategoryUUID: machinesUUID,
		Date: date, Scope: waldurtest.ProjectScope(1),
	}
	if reported, err := strconv.ParseInt(amount, 10, 64); err == nil {
		r.ReportedUsage = &reported
	}
	return r
}

// project returns a Waldur with 710 CPU hours since September 2024, and an
// unknown amount of GPU hours.
func project() *waldurtest.Waldur {
	server := waldurtest.New()
	server.Add(
		usage("cpu", "2024-10-01", "410"), usage("cpu", "2024-09-01", "300"), usage("cpu", "2024-08-01", "1000"),
		usage("gpu", "2024-10-01", ""), usage("gpu", "2024-09-01", "5"),
	)
	return server
}

func projectUUID() string {
	return strings.Trim(strings.TrimPrefix(waldurtest.ProjectScope(1), "/api/projects"), "/")
}

// connect returns the environment in which the provider finds a Waldur. Requests
// are not retried, so that no test waits.
func connect(endpoint, token string) []string {
	return []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "WALDUR_MAX_RETRIES=0"}
}

// inputs are those of the module. Maps, because some tests leave some out.
type inputs map[string]any

// setBudget sets a limit of the project's CPU hours since September, and other
// inputs.
func setBudget(t *testing.T, w cli.WorkingDir, limit int, change inputs) {
	t.Helper()
	with := inputs{"project_uuid": projectUUID(), "date_after": "2024-09-01", "limits": limits("cpu", limit)}
	maps.Copy(with, change)
	variables, err := json.Marshal(with)
	if err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, w, "terraform.tfvars.json", string(variables))
}

func limits(kind string, limit int) inputs {
	return inputs{"CPU": inputs{"type": kind, "limit": limit}}
}

func TestAccBudgetModuleExitCode(t *testing.T) {
	t.Parallel()
	base := budgetModule(t, sandbox(t))
	const fails, passes = 1, 0
	for name, test := range map[string]struct {
		limit  int
		change inputs
		exit   int
		prints string
	}{
		"within":                      {1000, nil, passes, "| CPU | 710 | 1,000 | hours | ███████░░░ 71 % | ok |"},
		"near":                        {710, nil, passes, "Warning: Check block assertion failed"},
		"over":                        {709, nil, fails, "| CPU | 710 | 709 | hours | ██████████ 101 % | over by 1 |"},
		"over, which does not fail":   {709, inputs{"fail_on": []string{"missing"}}, passes, "Warning: Check block assertion failed"},
		"typo in a type":              {0, inputs{"limits": limits("cpus", 1)}, fails, "missing, no record"},
		"missing, which is allowed":   {0, inputs{"limits": limits("cpus", 1), "fail_on": []string{"over"}}, passes, "Warning: Check block assertion failed"},
		"null":                        {0, inputs{"limits": limits("gpu", 100)}, fails, "missing, null in 2024-10"},
		"no record in the period":     {1, inputs{"date_after": "2024-11-01"}, fails, "There are no usage records."},
		"period in the past":          {709, inputs{"date_before": "2024-09-30"}, passes, "300 |"},
		"typo in a limit's attribute": {0, inputs{"limits": inputs{"CPU": inputs{"type": "cpu", "limit": 1000, "categoryuuid": machinesUUID}}, "fail_on": []string{}}, fails, `"categoryuuid"`},
		"no limits":                   {0, inputs{"limits": inputs{}, "fail_on": []string{}}, fails, "must not be empty"},
		"unknown state":               {1000, inputs{"fail_on": []string{"exceeded"}}, fails, `"exceeded"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := copyOf(t, base, connect(project().Start(t), waldurtest.Token)...)
			setBudget(t, w, test.limit, test.change)
			if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != test.exit || !r.Contains(test.prints) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", r.ExitCode, test.exit, test.prints, r.Output)
			}
		})
	}
}

// Nothing that is set makes a plan pass whose read fails.
func TestAccBudgetModuleFailsWhenTheReadFails(t *testing.T) {
	t.Parallel()
	base := budgetModule(t, sandbox(t))
	rewrite := func(change func(*waldurtest.Answer)) func(*waldurtest.Waldur) {
		return func(w *waldurtest.Waldur) {
			w.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) { change(answer) }
		}
	}
	for name, test := range map[string]struct {
		waldur   func(*waldurtest.Waldur)
		endpoint string // "": that of the Waldur
		token    string // "": a valid one
		change   inputs
		prints   string
	}{
		"server down":   {endpoint: "http://127.0.0.1:1", prints: "Waldur not reachable"},
		"token refused": {token: "wrong", prints: "token refused"},
		"token expired": {
			waldur: func(w *waldurtest.Waldur) { w.AddToken("old", waldurtest.User{Expired: true}) }, token: "old", prints: "expired",
		},
		"project not visible": {
			waldur: func(w *waldurtest.Waldur) { w.AddToken("stranger", waldurtest.User{Sees: []string{}}) }, token: "stranger",
			prints: "not visible",
		},
		"incomplete list":      {waldur: rewrite(func(a *waldurtest.Answer) { a.Header.Set("X-Result-Count", "0") }), prints: "Unable to read usages"},
		"list without a count": {waldur: rewrite(func(a *waldurtest.Answer) { a.Header.Del("X-Result-Count") }), prints: "Unable to read usages"},
		"login page":           {waldur: rewrite(func(a *waldurtest.Answer) { a.Body = []byte("<html>Please log in</html>") }), prints: "Unable to read usages"},
		"records of everybody": {
			waldur: func(w *waldurtest.Waldur) {
				w.IgnoreScope = true
				r := usage("cpu", "2024-10-01", "1")
				r.Scope = waldurtest.ProjectScope(2)
				w.Add(r)
			},
			prints: "Unable to read usages",
		},
		"server error": {
			waldur: func(w *waldurtest.Waldur) {
				w.Intercept = func(_ int, rw http.ResponseWriter, _ *http.Request) bool {
					http.Error(rw, "", http.StatusServiceUnavailable)
					return true
				}
			},
			prints: "Unable to read usages",
		},
		"no scope":               {change: inputs{"project_uuid": nil}, prints: "scope"},
		"two scopes":             {change: inputs{"customer_uuid": machinesUUID}, prints: "customer_uuid"},
		"malformed UUID":         {change: inputs{"project_uuid": "1"}, prints: "project_uuid"},
		"period that ends first": {change: inputs{"date_before": "2024-08-31"}, prints: "date_after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := project()
			if test.waldur != nil {
				test.waldur(server)
			}
			endpoint, token := server.Start(t), waldurtest.Token
			if test.endpoint != "" {
				endpoint = test.endpoint
			}
			if test.token != "" {
				token = test.token
			}
			w := copyOf(t, base, connect(endpoint, token)...)
			change := inputs{"fail_on": []string{}}
			maps.Copy(change, test.change)
			setBudget(t, w, 1000, change)
			r := clitest.Run(t, w, "plan", "-no-color")
			if r.ExitCode != 1 || !r.Contains(test.prints) {
				t.Errorf("exit code %d, want 1 and %q in:\n%s", r.ExitCode, test.prints, r.Output)
			}
			if strings.Contains(r.Output, "| CPU") {
				t.Errorf("a table of a read that failed:\n%s", r.Output)
			}
		})
	}
}

// The life of a budget: applied, unchanged, exceeded, and destroyed although it
// is exceeded.
func TestAccBudgetModuleThroughItsLife(t *testing.T) {
	t.Parallel()
	server := project()
	w := budgetModule(t, sandbox(t), connect(server.Start(t), waldurtest.Token)...)
	setBudget(t, w, 1000, nil)
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	report := clitest.MustRun(t, w, "output", "-raw", "report")
	if !strings.HasPrefix(report, "Budget of project "+projectUUID()+" since 2024-09-01: 1 ok.\n") {
		t.Errorf("the report is %q", report)
	}
	if r := clitest.Run(t, w, "plan", "-detailed-exitcode", "-no-color"); r.ExitCode != 0 {
		t.Errorf("a second plan has changes:\n%s", r.Output)
	}

	server.Add(usage("cpu", "2024-10-01", "1000"))
	for _, command := range [][]string{{"plan"}, {"plan", "-refresh=false"}, {"apply", "-auto-approve"}} {
		if r := clitest.Run(t, w, append(command, "-no-color")...); r.ExitCode != 1 || !r.Contains("over by 710") {
			t.Errorf("%v: exit code %d:\n%s", command, r.ExitCode, r.Output)
		}
	}
	if after := clitest.MustRun(t, w, "output", "-raw", "report"); after != report {
		t.Errorf("a failed apply changed the report to %q", after)
	}
	clitest.MustRun(t, w, "destroy", "-auto-approve", "-no-color")
}

// The CLI wraps messages at 78 characters. A table must not be wrapped.
func TestAccBudgetModulePrintsAnUnbrokenTable(t *testing.T) {
	t.Parallel()
	w := budgetModule(t, sandbox(t), connect(project().Start(t), waldurtest.Token)...)
	long := strings.Repeat("x", 60)
	setBudget(t, w, 0, inputs{"limits": inputs{long: inputs{"type": "cpu", "limit": 700}, "short | one": inputs{"type": "cpu", "limit": 1}}})
	r := clitest.Run(t, w, "plan", "-no-color")
	for _, line := range []string{
		"| " + long + " |  710 | 700 | hours | ██████████ 102 %    | over by 10  |",
		"| short \\| one                                                 |  710 |   1 | hours | ██████████ 71,000 % | over by 709 |",
	} {
		if !strings.Contains(r.Output, "\n "+line+"\n") {
			t.Errorf("no line %q in:\n%s", line, r.Output)
		}
	}
}

// In each row, something is not known before the apply. Its budget would be
// checked only after the plan has passed.
func TestAccBudgetModuleFailsThePlanOfSomethingUnknown(t *testing.T) {
	t.Parallel()
	base := budgetModule(t, sandbox(t))
	const root = `
		resource "terraform_data" "later" { input = %q }
		module "budget" {
		  source       = %q
		  project_uuid = %s
		  date_after   = %s
		  limits       = { CPU = { type = %s, limit = %s } }
		  %s
		}`
	const later = "terraform_data.later.output"
	known := map[string]string{"project": strconv.Quote(projectUUID()), "date": `"2024-09-01"`, "type": `"cpu"`, "limit": "1000", "more": ""}
	for name, value := range map[string]string{
		"project": later, "date": later, "type": later, "limit": "length(" + later + ")",
		"more": "depends_on = [terraform_data.later]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := maps.Clone(known)
			with[name] = value
			main := fmt.Sprintf(root, projectUUID(), base.Dir, with["project"], with["date"], with["type"], with["limit"], with["more"])
			w := configuration(t, base.Sandbox, main, connect(project().Start(t), waldurtest.Token)...)
			for _, command := range [][]string{{"plan"}, {"apply", "-auto-approve"}} {
				if r := clitest.Run(t, w, append(command, "-no-color")...); r.ExitCode != 1 || !r.Contains("known_before_apply") {
					t.Errorf("%v: exit code %d:\n%s", command, r.ExitCode, r.Output)
				}
			}
		})
	}
	t.Run("endpoint", func(t *testing.T) {
		t.Parallel()
		w := configuration(t, base.Sandbox, fmt.Sprintf(`
			terraform {
			  required_providers {
			    waldur = { source = "waldur/waldur-usage" }
			  }
			}
			resource "terraform_data" "later" { input = %q }
			provider "waldur" {
			  endpoint = terraform_data.later.output
			  token    = %q
			}
			module "budget" {
			  source       = %q
			  project_uuid = %q
			  date_after   = "2024-09-01"
			  limits       = { CPU = { type = "cpu", limit = 1000 } }
			}`, project().Start(t), waldurtest.Token, base.Dir, projectUUID()))
		if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != 1 || !r.Contains("known_before_apply") && !r.Contains("not known yet") {
			t.Errorf("exit code %d:\n%s", r.ExitCode, r.Output)
		}
	})
}

// Which plans check a budget that is exceeded, as the guide lists them. If a CLI
// changes this, the guide has to change.
func TestAccPlansThatCheckTheBudget(t *testing.T) {
	t.Parallel()
	base := budgetModule(t, sandbox(t))
	main := fmt.Sprintf(`
		module "budget" {
		  source       = %q
		  project_uuid = %q
		  date_after   = "2024-09-01"
		  limits       = { CPU = { type = "cpu", limit = 709 } }
		}
		resource "terraform_data" "uses_the_report" { input = module.budget.report }
		resource "terraform_data" "waits_for_the_budget" { depends_on = [module.budget] }
		resource "terraform_data" "other" {}`, base.Dir, projectUUID())
	for argument, exit := range map[string]int{
		"-target=module.budget":                       1,
		"-target=terraform_data.uses_the_report":      1,
		"-target=terraform_data.waits_for_the_budget": 1,
		"-target=terraform_data.other":                0,
		"-refresh-only":                               0,
		"-destroy":                                    0,
		"-exclude=module.budget":                      0,
	} {
		t.Run(argument, func(t *testing.T) {
			t.Parallel()
			if program := base.Sandbox.CLI; strings.HasPrefix(argument, "-exclude") && (program.Kind != cli.OpenTofu || !program.Since(0, 9)) {
				t.Skip("only OpenTofu has -exclude, since 1.9")
			}
			w := configuration(t, base.Sandbox, main, connect(project().Start(t), waldurtest.Token)...)
			if r := clitest.Run(t, w, "plan", "-no-color", argument); r.ExitCode != exit || exit != 0 && !r.Contains("over by 1") {
				t.Errorf("exit code %d, want %d:\n%s", r.ExitCode, exit, r.Output)
			}
		})
	}
}

// The module's own tests, which need no Waldur.
func TestAccBudgetModulePassesItsTests(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	if !s.CLI.Since(8, 8) {
		t.Skipf("mock_provider needs OpenTofu 1.8; this is %s", s.CLI.Version)
	}
	w := budgetModule(t, s, connect("http://127.0.0.1:1", "none")...) // OpenTofu 1.8 configures a provider that is mocked
	written, err := os.ReadFile(filepath.Join(w.Dir, "tests/budget.tftest.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	runs := strings.Count(string(written), "\nrun ")
	want := fmt.Sprintf("Success! %d passed, 0 failed.", runs)
	if r := clitest.Run(t, w, "test", "-no-color"); runs < 12 || r.ExitCode != 0 || !r.Contains(want) {
		t.Errorf("exit code %d, want %q in:\n%s", r.ExitCode, want, r.Output)
	}
}

// The README of the module shows what the CLI prints.
func TestAccBudgetModuleReadmeShowsWhatThePlanPrints(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(repository, module, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 2 || blocks[0][1] != "terraform" || blocks[1][1] != "text" {
		t.Fatalf("README.md has other blocks: %v", blocks)
	}
	server := waldurtest.New()
	for _, r := range []struct {
		kind, unit, category string
		reported, fixed      int64
	}{
		{"cpu", "hours", "Virtual machines", 710, 900},
		{"storage", "GB", "Virtual machines", 1250, 900},
		{"tape", "TB", "Archive", 41, 36},
	} {
		server.Add(waldurtest.Record{
			Type: r.kind, MeasuredUnit: r.unit, CategoryTitle: r.category, CategoryUUID: machinesUUID,
			Date: "2024-10-01", ReportedUsage: &r.reported, FixedUsage: &r.fixed, Scope: "/api/projects/" + climate + "/",
		})
	}
	w := sandbox(t).WorkingDir(t.TempDir(), connect(server.Start(t), waldurtest.Token)...)
	if err := os.CopyFS(filepath.Join(w.Dir, "budget-check"), os.DirFS(filepath.Join(repository, module))); err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, w, "main.tf", blocks[0][2])
	clitest.MustRun(t, w, "init", "-no-color")
	r := clitest.Run(t, w, "plan", "-no-color")
	summary, message, _ := strings.Cut(blocks[1][2], "\n\n")
	if r.ExitCode != 1 || !strings.Contains(r.Output, summary) || !strings.Contains(r.Output, "\n"+message) {
		t.Errorf("exit code %d:\n%s", r.ExitCode, r.Output)
	}
}

// A rule of one's own on the share must agree with the CLI's arithmetic.
func TestAccBudgetShareIsTheQuotientThatTheCLIComputes(t *testing.T) {
	t.Parallel()
	w := configuration(t, sandbox(t), `
		terraform {
		  required_providers {
		    waldur = { source = "waldur/waldur-usage" }
		  }
		}
		locals {
		  limits = { for limit in [1, 3, 7, 1499, 1500, 1875, 1876, 9223372036854775807, 18446744073709551617] : "l${limit}" => { type = "cpu", limit = limit } }
		  usage  = { type = "cpu", category_uuid = "`+machinesUUID+`", reported_usage = 1500 }
		  check  = provider::waldur::budget_check([local.usage], local.limits)
		}
		output "reached" { value = local.check.limits.l1875.share >= 0.8 }
		output "different" {
		  value = join(" ", [for name, l in local.check.limits : name if l.share != l.used / local.limits[name].limit])
		}`)
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	if different := clitest.MustRun(t, w, "output", "-raw", "different"); different != "" {
		t.Errorf("it is not for %s", different)
	}
	if reached := clitest.MustRun(t, w, "output", "-raw", "reached"); reached != "true" {
		t.Error("1,500 of 1,875 are not at least 0.8")
	}
}
