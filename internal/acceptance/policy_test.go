package acceptance

import (
	"os"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// The policy's own tests check plans that are written by hand.
func TestAccPolicyPassesItsTests(t *testing.T) {
	t.Parallel()
	c := checkOut(t, clitest.SandboxWithFunctions(t))
	if r := sh(t, c, "opa check --strict policy\nopa test policy"); r.ExitCode != 0 {
		t.Errorf("got exit code %d, want 0:\n%s", r.ExitCode, r.Output)
	}
}

// The structure of a plan depends on the CLI, so each row is planned by it. The
// policy allows plans in [TestAccWorkflowFailsWithTheBudgetAndShowsIt].
func TestAccPolicyDeniesPlansOfTheCLI(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	const read = `
		data "waldur_category_component_usages" "all" { project_uuid = "` + project + `" }`
	const gated = read + `
		data "waldur_category_component_usages" "gated" {
		  project_uuid = "` + project + `"
		  lifecycle {
		    postcondition {
		      condition     = length(self.usages) == 0
		      error_message = "There are records."
		    }
		  }
		}`
	for name, test := range map[string]struct{ reason, configuration, arguments string }{
		"read again during the apply": {"data.waldur_category_component_usages.again is read during the apply", read + `
			resource "terraform_data" "later" { input = "` + project + `" }
			data "waldur_category_component_usages" "again" { project_uuid = terraform_data.later.output }`, ""},
		"without the amounts": {"the usage is not known", `
			data "waldur_category_component_usages" "all" {
			  project_uuid = "` + project + `"
			  fields       = ["type", "category_title", "category_uuid"]
			}`, ""},
		"a failed read": {"The plan failed", read + `
			data "waldur_category_component_usages" "none" { project_uuid = "ffffffffffffffffffffffffffffffff" }`, ""},
		"a failed condition only warns": {"gated: a condition is not met", gated, "-refresh-only"},
		"a condition is not checked":    {"gated: a condition is not met", gated, "-target=data.waldur_category_component_usages.all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, s)
			clitest.Write(t, c, "budget/main.tf", cli.Required+test.configuration)
			r := sh(t, c, "ci/check.sh budget || true\nci/policy.sh", append(connect(used(t, 1000), waldurtest.Token), "TF_CLI_ARGS_plan="+test.arguments)...)
			if r.ExitCode == 0 || !r.Contains(test.reason) {
				t.Errorf("got exit code %d, want a failure and %q in:\n%s", r.ExitCode, test.reason, r.Output)
			}
		})
	}
}

// A policy or a plan that is missing or damaged fails the job.
func TestAccPolicyFailsOnMissingOrDamagedInput(t *testing.T) {
	t.Parallel()
	checked := checkOut(t, clitest.SandboxWithFunctions(t))
	if r := sh(t, checked, "ci/check.sh budget\nci/policy.sh", connect(used(t, 500), waldurtest.Token)...); r.ExitCode != 0 {
		t.Fatalf("got exit code %d, want 0:\n%s", r.ExitCode, r.Output)
	}
	for name, harm := range map[string]string{
		"no policy":      "rm -r policy",
		"no rules":       "rm policy/budget.rego",
		"no limits":      "rm policy/limits.json",
		"no plan":        "rm budget-out/plan.json",
		"a cut-off plan": "head -c 100 budget-out/plan.json >cut; mv cut budget-out/plan.json",
		"rules renamed":  "rm policy/budget_test.rego; mv policy/budget.rego rules; sed 's/^package waldur.budget$/&s/' rules >policy/budget.rego",
		"a rule renamed": "rm policy/budget_test.rego; mv policy/budget.rego rules; sed 's/^allow if/allowed if/' rules >policy/budget.rego",
		// A check that fails early must not publish the results of an earlier one.
		"a later check": `if TF=no-such-program ci/check.sh budget || grep '| CPU' budget-out/report.md; then exit 9; fi`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checked
			c.Dir = t.TempDir()
			if err := os.CopyFS(c.Dir, os.DirFS(checked.Dir)); err != nil {
				t.Fatal(err)
			}
			if r := sh(t, c, harm); r.ExitCode != 0 {
				t.Fatalf("got exit code %d, want 0:\n%s", r.ExitCode, r.Output)
			}
			if r := sh(t, c, "ci/policy.sh"); r.ExitCode == 0 {
				t.Errorf("got exit code 0, want a failure:\n%s", r.Output)
			}
		})
	}
}
