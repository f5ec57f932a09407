package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// The policy's own tests. None of them needs a CLI, but they need opa.
func TestAccPolicyPassesItsTests(t *testing.T) {
	t.Parallel()
	sandbox(t)
	for _, arguments := range [][]string{{"check", "--strict", "policy"}, {"test", "policy"}} {
		cmd := exec.CommandContext(t.Context(), os.Getenv(opaPath), arguments...)
		cmd.Dir = filepath.Join(repository, pipelines)
		if r := clitest.Finish(t, cmd); r.ExitCode != 0 {
			t.Errorf("opa %v ended with %d:\n%s", arguments, r.ExitCode, r.Output)
		}
	}
}

// The CLI decides where a plan has what, so each row is a plan of the CLI.
func TestAccPolicyJudgesPlansOfTheCLI(t *testing.T) {
	t.Parallel()
	sb := sandbox(t)
	const reads = `
		terraform {
		  required_providers {
		    waldur = { source = "waldur/waldur-usage" }
		  }
		}
		data "waldur_category_component_usages" "all" {
		  %s
		}`
	const project = `project_uuid = "` + climate + `"`
	tests := map[string]struct {
		used          int64
		configuration string
		failed        bool   // the plan
		reason        string // of a denial; "": the policy allows the plan
	}{
		"within":     {used: 1000, configuration: fmt.Sprintf(reads, project)},
		"over":       {used: 1001, configuration: fmt.Sprintf(reads, project), reason: "1001 of 1000 used, 1 over"},
		"in modules": {used: 1001, configuration: `module "a" { source = "./a" }`, reason: "1001 of 1000 used, 1 over"},
		"another project": {
			used: 1000, configuration: fmt.Sprintf(reads, `project_uuid = "`+projectUUID()+`"`), reason: "the plan has not read this usage",
		},
		"without the amounts": {
			used: 1000, configuration: fmt.Sprintf(reads, project+"\n"+`fields = ["type", "category_title", "category_uuid"]`),
			reason: "the usage is not known",
		},
		"without the types": {
			used: 1000, configuration: fmt.Sprintf(reads, project+"\n"+`fields = ["reported_usage"]`), reason: "the usage is not known",
		},
		"nothing": {used: 1000, configuration: `output "nothing" { value = 1 }`, reason: "the plan has not read this usage"},
		"read during the apply": {
			used: 1000, configuration: `resource "terraform_data" "later" { input = "` + climate + `" }` + fmt.Sprintf(reads, "project_uuid = terraform_data.later.output"),
			reason: "data.waldur_category_component_usages.all is read during the apply",
		},
		"read again during the apply": {
			used: 1000, configuration: fmt.Sprintf(reads, project) + `
				resource "terraform_data" "later" { input = "` + climate + `" }
				data "waldur_category_component_usages" "again" { project_uuid = terraform_data.later.output }`,
			reason: "data.waldur_category_component_usages.again is read during the apply",
		},
		"a plan that failed": {
			used: 1000, failed: true, configuration: fmt.Sprintf(reads, project) + `
				output "never" {
				  value = 1
				  precondition {
				    condition     = length(data.waldur_category_component_usages.all.usages) > 100
				    error_message = "Too few."
				  }
				}`, reason: "The plan failed",
		},
		"a plan whose read failed": {
			used: 1000, failed: true, configuration: fmt.Sprintf(reads, `project_uuid = "ffffffffffffffffffffffffffffffff"`), reason: "The plan failed",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := used(test.used)
			server.AddScope(waldurtest.ProjectScope(1))
			c := checkOut(t, sb)
			w := sb.WorkingDir(t.TempDir(), connect(server.Start(t), waldurtest.Token)...)
			clitest.Write(t, w, "main.tf", test.configuration)
			clitest.Write(t, w, "a/main.tf", `module "b" { source = "./b" }`)
			clitest.Write(t, w, "a/b/main.tf", fmt.Sprintf(reads, project))
			clitest.MustRun(t, w, "init", "-no-color")
			if r := clitest.Run(t, w, "plan", "-no-color", "-out=plan.bin"); (r.ExitCode != 0) != test.failed {
				t.Fatalf("the plan ended with %d:\n%s", r.ExitCode, r.Output)
			}
			if err := os.Mkdir(filepath.Join(c.dir, "budget-out"), 0o700); err != nil {
				t.Fatal(err)
			}
			plan := clitest.MustRun(t, w, "show", "-json", "plan.bin")
			if err := os.WriteFile(filepath.Join(c.dir, "budget-out/plan.json"), []byte(plan), 0o600); err != nil {
				t.Fatal(err)
			}

			r := c.sh(t, "ci/policy.sh")
			if (r.ExitCode == 0) != (test.reason == "") || !r.Contains(test.reason) {
				t.Errorf("The policy ended with %d:\n%s", r.ExitCode, r.Output)
			}
		})
	}
}

// A policy that is not there, or is not this one, does not pass.
func TestAccPolicyDoesNotPassByAbsence(t *testing.T) {
	t.Parallel()
	sb := sandbox(t)
	for name, harm := range map[string]func(c checkout) error{
		"no policy":      func(c checkout) error { return os.RemoveAll(filepath.Join(c.dir, "policy")) },
		"no rules":       func(c checkout) error { return os.Remove(filepath.Join(c.dir, "policy/budget.rego")) },
		"no limits":      func(c checkout) error { return os.Remove(filepath.Join(c.dir, "policy/limits.json")) },
		"no plan":        func(c checkout) error { return os.Remove(filepath.Join(c.dir, "budget-out/plan.json")) },
		"a cut-off plan": func(c checkout) error { return os.Truncate(filepath.Join(c.dir, "budget-out/plan.json"), 100) },
		"rules renamed":  func(c checkout) error { return edit(c, "package waldur.budget\n", "package waldur.budgets\n") },
		"a rule renamed": func(c checkout) error { return edit(c, "allow if {", "allowed if {") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, sb)
			environment := append(connect(used(500).Start(t), waldurtest.Token), "TF_VAR_project_uuid="+climate)
			if r := c.sh(t, "ci/check.sh budget\nci/policy.sh", environment...); r.ExitCode != 0 {
				t.Fatalf("It ended with %d:\n%s", r.ExitCode, r.Output)
			}
			if err := harm(c); err != nil {
				t.Fatal(err)
			}
			if r := c.sh(t, "ci/policy.sh"); r.ExitCode == 0 {
				t.Errorf("It passed:\n%s", r.Output)
			}
		})
	}
}

// edit changes the rules, of which the tests are no part.
func edit(c checkout, old, now string) error {
	name := filepath.Join(c.dir, "policy/budget.rego")
	rules, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(c.dir, "policy/budget_test.rego")); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.Replace(string(rules), old, now, 1)), 0o600)
}
