package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// history returns a Waldur with 710 CPU hours since September 2024.
func history() *waldurtest.Waldur {
	server := waldurtest.New()
	server.Add(usage("cpu", "2024-10-01", 410), usage("cpu", "2024-09-01", 300), usage("cpu", "2024-08-01", 1000))
	return server
}

// object is a block or a value of a configuration in JSON.
type object map[string]any

func limits(kind string, limit any) object {
	return object{"CPU": object{"type": kind, "limit": limit}}
}

// Each row is a copy of the module in one configuration, since a plan reports the
// errors of all modules. The module's own tests cover the states of a limit.
func TestAccBudgetModuleFailsOrWarns(t *testing.T) {
	t.Parallel()
	server, incomplete := history(), history()
	server.AddToken("stranger", waldurtest.User{Sees: []string{}})
	incomplete.Rewrite = func(_ int, _ *http.Request, response *waldurtest.Response) {
		response.Header.Set("X-Result-Count", "0")
	}
	const later = "${terraform_data.later.output}"
	none := []string{}
	tests := map[string]struct {
		arguments object // of the module, in addition to those of a budget that is not exceeded
		provider  object // its arguments; nil: the environment has them
		fails     string // part of the error; "" if there is none
		warns     string // part of the warning; "" if there is none
	}{
		"within":                  {},
		"near":                    {arguments: object{"limits": limits("cpu", 710)}, warns: "| CPU | 710 | 710 | hours | ██████████ 100 % | near |"},
		"over":                    {arguments: object{"limits": limits("cpu", 709)}, fails: "| CPU | 710 | 709 | hours | ██████████ 101 % | over by 1 |"},
		"period_in_the_past":      {arguments: object{"limits": limits("cpu", 300), "date_before": "2024-09-30"}, warns: "| CPU | 300 | 300 |"},
		"no_record_in_the_period": {arguments: object{"date_after": "2024-11-01"}, fails: "There are no usage records."},
		"typo_in_an_attribute": {
			arguments: object{"limits": object{"CPU": object{"type": "cpu", "limit": 1000, "categoryuuid": category}}, "fail_on": none}, fails: `"categoryuuid"`,
		},

		// A read that fails always fails the plan.
		"no_scope":            {arguments: object{"project_uuid": nil, "fail_on": none}, fails: "scope"},
		"two_scopes":          {arguments: object{"customer_uuid": category, "fail_on": none}, fails: "customer_uuid"},
		"server_down":         {provider: object{"endpoint": "http://127.0.0.1:1"}, fails: "Waldur not reachable"},
		"token_refused":       {provider: object{"token": "wrong"}, fails: "token refused"},
		"project_not_visible": {provider: object{"token": "stranger"}, fails: "not visible"},
		"incomplete_list":     {provider: object{"endpoint": incomplete.Start(t)}, fails: "verified to be complete"},

		// The budget cannot be checked before the apply.
		"unknown_project":    {arguments: object{"project_uuid": later}, fails: "known_before_apply"},
		"unknown_date":       {arguments: object{"date_after": later}, fails: "known_before_apply"},
		"unknown_type":       {arguments: object{"limits": limits(later, 1000)}, fails: "known_before_apply"},
		"unknown_limit":      {arguments: object{"limits": limits("cpu", "${length(terraform_data.later.id)}")}, fails: "known_before_apply"},
		"unknown_dependency": {arguments: object{"depends_on": []string{"terraform_data.later"}}, fails: "known_before_apply"},
		"unknown_endpoint":   {provider: object{"endpoint": later}, fails: "known"}, // known_before_apply, or the provider's "not known yet"
	}

	w := clitest.SandboxWithFunctions(t).WorkingDir(t.TempDir(), connect(server.Start(t), waldurtest.Token)...)
	providers, modules := []object{}, object{}
	for name, test := range tests {
		copyModule(t, filepath.Join(w.Dir, name))
		call := object{"source": "./" + name, "project_uuid": project, "date_after": "2024-09-01", "limits": limits("cpu", 1000)}
		if test.provider != nil {
			provider := object{"alias": name}
			maps.Copy(provider, test.provider)
			providers = append(providers, provider)
			maps.Copy(call, object{"providers": object{"waldur": "waldur." + name}, "fail_on": none})
		}
		maps.Copy(call, test.arguments)
		modules[name] = call
	}
	main, err := json.Marshal(object{
		"terraform": object{"required_providers": object{"waldur": object{"source": "waldur/waldur-usage"}}},
		"provider":  object{"waldur": providers},
		"resource":  object{"terraform_data": object{"later": object{"input": project}}},
		"module":    modules,
	})
	if err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, w, "main.tf.json", string(main))
	clitest.MustRun(t, w, "init", "-no-color")
	r := clitest.Run(t, w, "plan", "-json")
	if r.ExitCode != 1 {
		t.Errorf("got exit code %d, want 1:\n%s", r.ExitCode, r.Output)
	}
	found := diagnostics(t, r.Output)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			errors, warnings := found[name+" error"], found[name+" warning"]
			if (errors != "") != (test.fails != "") || !strings.Contains(errors, test.fails) {
				t.Errorf("got error %q, want %q", errors, test.fails)
			}
			if test.fails == "" && (warnings != "") != (test.warns != "") || !strings.Contains(warnings, test.warns) {
				t.Errorf("got warning %q, want %q", warnings, test.warns)
			}
			if test.provider != nil && strings.Contains(errors+warnings, "| CPU") {
				t.Errorf("got a table for a failed read: %q %q", errors, warnings)
			}
		})
	}
}

// diagnostics returns the texts of the diagnostics that a plan printed with -json,
// with single spaces, by the folder of the module and the severity.
func diagnostics(t *testing.T, output string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(output) {
		var event struct {
			Diagnostic struct {
				Severity, Summary, Detail string
				Range                     struct{ Filename string }
				Snippet                   struct{ Context string }
			}
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		d := event.Diagnostic
		text := strings.Join([]string{d.Summary, d.Snippet.Context, d.Detail}, " ")
		found[path.Dir(d.Range.Filename)+" "+d.Severity] += strings.Join(strings.Fields(text), " ")
	}
	return found
}

// A configuration within its budget can be applied, and one over its budget can be
// destroyed. The guide lists the commands that check it: if a CLI changes this, the
// guide has to change.
func TestAccPlansThatCheckTheBudget(t *testing.T) {
	t.Parallel()
	server := history()
	// The CLI wraps messages at 78 characters. A table must not be wrapped.
	long := strings.Repeat("x", 60)
	w := clitest.SandboxWithFunctions(t).WorkingDir(t.TempDir(), connect(server.Start(t), waldurtest.Token)...)
	copyModule(t, filepath.Join(w.Dir, "budget-check"))
	clitest.Write(t, w, "main.tf", fmt.Sprintf(`
		module "budget" {
		  source       = "./budget-check"
		  project_uuid = %q
		  date_after   = "2024-09-01"
		  limits       = { %s = { type = "cpu", limit = 1000 } }
		}
		output "report" { value = module.budget.report }
		resource "terraform_data" "uses_the_report" { input = module.budget.report }
		resource "terraform_data" "waits_for_the_budget" { depends_on = [module.budget] }
		resource "terraform_data" "other" {}`, project, long))
	clitest.MustRun(t, w, "init", "-no-color")
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	report := clitest.MustRun(t, w, "output", "-raw", "report")
	if !strings.HasPrefix(report, "Budget of project "+project+" since 2024-09-01: 1 ok.\n") {
		t.Errorf("got report %q", report)
	}

	clitest.MustRun(t, w, "plan", "-out=saved", "-no-color")

	exceeded := "\n | " + long + " | 1,710 | 1,000 | hours | ██████████ 171 % | over by 710 |\n"
	server.Add(usage("cpu", "2024-10-01", 1000))
	for _, row := range []struct {
		command string
		exit    int
		prints  string
	}{
		{"plan", 1, exceeded},
		{"plan -refresh=false", 1, exceeded},
		{"plan -target=terraform_data.uses_the_report", 1, exceeded},
		{"plan -target=terraform_data.waits_for_the_budget", 1, exceeded},
		{"plan -target=terraform_data.other", 0, ""},
		{"plan -exclude=module.budget", 0, ""},
		{"plan -refresh-only", 0, exceeded},
		{"plan -destroy", 0, ""},
		{"apply saved", 0, ""},
		{"apply -auto-approve", 1, exceeded},
		{"output -raw report", 0, report},
	} {
		if strings.Contains(row.command, "-exclude") && (w.Sandbox.CLI.Kind != cli.OpenTofu || !w.Sandbox.CLI.Since(0, 9)) {
			continue // only OpenTofu has it, since 1.9
		}
		r := clitest.Run(t, w, append(strings.Fields(row.command), "-no-color")...)
		if r.ExitCode != row.exit || !strings.Contains(r.Output, row.prints) {
			t.Errorf("%s: got exit code %d, want %d and %q in:\n%s", row.command, r.ExitCode, row.exit, row.prints, r.Output)
		}
	}
	down := w
	down.Env = append(slices.Clone(w.Env), "WALDUR_API_URL=http://127.0.0.1:1") // nothing listens there
	r := clitest.Run(t, down, "destroy", "-auto-approve", "-no-color")
	if r.ExitCode != 1 || !r.Contains("Waldur not reachable") {
		t.Errorf("without Waldur: got exit code %d, want 1 in:\n%s", r.ExitCode, r.Output)
	}
	clitest.MustRun(t, down, "plan", "-destroy", "-refresh=false", "-no-color")
	clitest.MustRun(t, w, "destroy", "-auto-approve", "-no-color")
}

// A target may need only an output of the module. Its plan must fail too if it cannot
// check the budget.
func TestAccTargetedPlanWithUnknownValuesFails(t *testing.T) {
	t.Parallel()
	w := clitest.SandboxWithFunctions(t).WorkingDir(t.TempDir(), connect(history().Start(t), waldurtest.Token)...)
	copyModule(t, filepath.Join(w.Dir, "budget-check"))
	clitest.Write(t, w, "main.tf", fmt.Sprintf(`
		resource "terraform_data" "later" { input = %q }
		module "budget" {
		  source       = "./budget-check"
		  project_uuid = terraform_data.later.output
		  date_after   = "2024-09-01"
		  limits       = { CPU = { type = "cpu", limit = 1000 } }
		}
		resource "terraform_data" "report" { input = module.budget.report }
		resource "terraform_data" "limits" { input = module.budget.limits }`, project))
	clitest.MustRun(t, w, "init", "-no-color")
	for _, target := range []string{"report", "limits"} {
		if r := clitest.Run(t, w, "plan", "-target=terraform_data."+target, "-no-color"); r.ExitCode != 1 || !r.Contains("known_before_apply") {
			t.Errorf("%s: got exit code %d, want 1 in:\n%s", target, r.ExitCode, r.Output)
		}
	}
}

// The module's own tests need no Waldur.
func TestAccBudgetModulePassesItsTests(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	if !s.CLI.Since(8, 8) {
		t.Skipf("mock_provider needs OpenTofu 1.8; this is %s", s.CLI.Version)
	}
	w := s.WorkingDir(t.TempDir(), connect("http://127.0.0.1:1", "none")...) // OpenTofu 1.8 configures a provider that is mocked
	copyModule(t, w.Dir)
	clitest.MustRun(t, w, "init", "-no-color")
	if r := clitest.Run(t, w, "test", "-no-color"); r.ExitCode != 0 || !r.Contains("Success! 13 passed, 0 failed.") {
		t.Errorf("got exit code %d, want 0 and 13 passed in:\n%s", r.ExitCode, r.Output)
	}
}

// A condition on the share agrees with the arithmetic of the CLI.
func TestAccBudgetShareIsTheQuotientThatTheCLIComputes(t *testing.T) {
	t.Parallel()
	w := clitest.SandboxWithFunctions(t).WorkingDir(t.TempDir())
	clitest.Write(t, w, "main.tf", cli.Required+`
		locals {
		  limits = { for limit in [1, 3, 7, 1499, 1500, 1875, 1876, 9223372036854775807, 18446744073709551617] : "l${limit}" => { type = "cpu", limit = limit } }
		  usage  = { type = "cpu", category_uuid = "`+category+`", reported_usage = 1500 }
		  check  = provider::waldur::budget_check([local.usage], local.limits).limits
		}
		output "reached" {
		  value = local.check.l1875.share
		  precondition {
		    condition     = local.check.l1875.share >= 0.8 && alltrue([for name, l in local.check : l.share == l.used / local.limits[name].limit])
		    error_message = jsonencode(local.check)
		  }
		}`)
	clitest.MustRun(t, w, "init", "-no-color")
	clitest.MustRun(t, w, "plan", "-no-color")
}
