package acceptance

import (
	"os"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// The policy's own tests judge plans that are written by hand. None of them needs
// a CLI, but they need opa.
func TestAccPolicyPassesItsTests(t *testing.T) {
	t.Parallel()
	c := checkOut(t, clitest.SandboxWithFunctions(t))
	if r := c.sh(t, "opa check --strict policy\nopa test policy"); r.ExitCode != 0 {
		t.Errorf("opa ended with %d:\n%s", r.ExitCode, r.Output)
	}
}

// The CLI decides where a plan has what, so each row is a plan of the CLI. The
// workflow's tests have the plans that the policy allows.
func TestAccPolicyDeniesPlansOfTheCLI(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	const (
		required = `
		terraform {
		  required_providers {
		    waldur = { source = "waldur/waldur-usage" }
		  }
		}`
		read = required + `
		data "waldur_category_component_usages" "all" { project_uuid = "` + project + `" }`
	)
	for name, test := range map[string]struct{ configuration, reason string }{
		"read again during the apply": {
			read + `
			resource "terraform_data" "later" { input = "` + project + `" }
			data "waldur_category_component_usages" "again" { project_uuid = terraform_data.later.output }`,
			"data.waldur_category_component_usages.again is read during the apply",
		},
		"without the amounts": {
			required + `
			data "waldur_category_component_usages" "all" {
			  project_uuid = "` + project + `"
			  fields       = ["type", "category_title", "category_uuid"]
			}`, "the usage is not known",
		},
		"a failed plan": {
			read + `
			output "never" {
			  value = 1
			  precondition {
			    condition     = length(data.waldur_category_component_usages.all.usages) > 100
			    error_message = "Too few."
			  }
			}`, "The plan failed",
		},
		"a failed read": {
			read + `
			data "waldur_category_component_usages" "none" { project_uuid = "ffffffffffffffffffffffffffffffff" }`, "The plan failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, s)
			c.write(t, "budget/main.tf", test.configuration)
			r := c.sh(t, "ci/check.sh budget || true\nci/policy.sh", connect(used(t, 1000), waldurtest.Token)...)
			if r.ExitCode == 0 || !r.Contains(test.reason) {
				t.Errorf("The policy ended with %d:\n%s", r.ExitCode, r.Output)
			}
		})
	}
}

// A policy or a plan that is not there, or is not this one, does not pass.
func TestAccPolicyDoesNotPassByAbsence(t *testing.T) {
	t.Parallel()
	checked := checkOut(t, clitest.SandboxWithFunctions(t))
	if r := checked.sh(t, "ci/check.sh budget\nci/policy.sh", connect(used(t, 500), waldurtest.Token)...); r.ExitCode != 0 {
		t.Fatalf("It ended with %d:\n%s", r.ExitCode, r.Output)
	}
	for name, harm := range map[string]string{
		"no policy":      "rm -r policy",
		"no rules":       "rm policy/budget.rego",
		"no limits":      "rm policy/limits.json",
		"no plan":        "rm budget-out/plan.json",
		"a cut-off plan": "head -c 100 budget-out/plan.json >cut; mv cut budget-out/plan.json",
		"rules renamed":  "rm policy/budget_test.rego; mv policy/budget.rego rules; sed 's/^package waldur.budget$/&s/' rules >policy/budget.rego",
		"a rule renamed": "rm policy/budget_test.rego; mv policy/budget.rego rules; sed 's/^allow if/allowed if/' rules >policy/budget.rego",
		// A check that fails early must not publish what an earlier one has left.
		"a later check": `if TF=no-such-program ci/check.sh budget || grep '| CPU' budget-out/report.md; then exit 9; fi`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checked
			c.dir = t.TempDir()
			if err := os.CopyFS(c.dir, os.DirFS(checked.dir)); err != nil {
				t.Fatal(err)
			}
			if r := c.sh(t, harm); r.ExitCode != 0 {
				t.Fatalf("%d:\n%s", r.ExitCode, r.Output)
			}
			if r := c.sh(t, "ci/policy.sh"); r.ExitCode == 0 {
				t.Errorf("It passed:\n%s", r.Output)
			}
		})
	}
}
