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

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const module = "examples/budget-check"

const machinesUUID = "0123456789abcdef0123456789abcdef"

// usage is a record of the project's virtual machines; "" for an amount is null.
func usage(kind, date, reported string) waldurtest.Record {
	r := waldurtest.Record{
		Name: strings.ToUpper(kind), Type: kind, MeasuredUnit: "hours",
		CategoryTitle: "Virtual machines", CategoryUUID: machinesUUID,
		Date: date, Scope: waldurtest.ProjectScope(1),
	}
	if amount, err := strconv.ParseInt(reported, 10, 64); err == nil {
		r.ReportedUsage = &amount
	}
	return r
}

// project is a Waldur with 710 hours of CPU, 300 of them in September, and an
// unknown amount of GPU.
func project() *waldurtest.Waldur {
	server := waldurtest.New()
	server.Add(
		usage("cpu", "2024-10-01", "410"), usage("cpu", "2024-09-01", "300"), usage("cpu", "2024-08-01", "1000"),
		usage("gpu", "2024-10-01", ""), usage("gpu", "2024-09-01", "5"),
	)
	return server
}

// connect is the environment in which the provider finds a Waldur. A failing
// one is asked once, so that no test waits for repeats.
func connect(endpoint, token string) []string {
	return []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + token, "WALDUR_MAX_RETRIES=0"}
}

// inputs are those of the module. Maps, because the tests leave some out.
type inputs map[string]any

// budget is a check of the project since September with one limit on its CPU,
// changed by the inputs.
func budget(limit int, change inputs) inputs {
	with := inputs{
		"project_uuid": projectUUID(),
		"date_after":   "2024-09-01",
		"limits":       inputs{"CPU": component("cpu", limit)},
	}
	maps.Copy(with, change)
	return with
}

func projectUUID() string {
	return strings.Trim(strings.TrimPrefix(waldurtest.ProjectScope(1), "/api/projects"), "/")
}

func component(kind string, limit int) inputs {
	return inputs{"category_title": "Virtual machines", "type": kind, "measure": "reported_usage", "limit": limit}
}

func (f folder) set(t *testing.T, with inputs) {
	t.Helper()
	variables, err := json.Marshal(with)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "terraform.tfvars.json", string(variables))
}

func TestAccBudgetCheckExits(t *testing.T) {
	t.Parallel()
	base := openWorkshop(t).furnish(t)

	const ends, passes = 1, 0
	tests := map[string]struct {
		waldur   func(*waldurtest.Waldur) // what is wrong with the Waldur; nil: nothing
		token    string                   // "": the right one
		down     bool
		with     inputs
		exit     int
		says     string // in the output of the plan, which asks Waldur even with -refresh=false, and of the apply
		noRecord bool   // for failed reads: no table may be shown
	}{
		"within": {with: budget(1000, nil), exit: passes, says: "| CPU | 710 | 1,000 | hours | ███████░░░ 71 % | ok |"},
		"near":   {with: budget(800, nil), exit: passes, says: "Warning: Check block assertion failed"},
		"at the limit": {
			with: budget(710, nil), exit: passes, says: "| CPU | 710 | 710 | hours | ██████████ 100 % | near |",
		},
		"over": {
			with: budget(709, nil), exit: ends, says: "| CPU | 710 | 709 | hours | ██████████ 101 % | over by 1 |",
		},
		"over, on_overrun = warn": {
			with: budget(709, inputs{"on_overrun": "warn"}), exit: passes, says: "Warning: Check block assertion failed",
		},
		"component unknown to Waldur": {
			with: budget(1, inputs{"limits": inputs{"CPU": component("cpus", 1)}}), exit: ends,
			says: "| CPU | ? | 1 | | ? | missing, no record | There are records of: cpu (Virtual machines), gpu (Virtual machines).",
		},
		"component unknown to Waldur, on_overrun = warn": {
			with: budget(1, inputs{"limits": inputs{"CPU": component("cpus", 1)}, "on_overrun": "warn"}), exit: ends, says: "missing, no record",
		},
		"component unknown to Waldur, allowed": {
			with: budget(1, inputs{"limits": inputs{"CPU": component("cpus", 1)}, "allow_missing": true}), exit: passes,
			says: "Warning: Check block assertion failed",
		},
		"null": {
			with: budget(1, inputs{"limits": inputs{"GPU": component("gpu", 100)}}), exit: ends, says: "| 5 + ? | 100 | hours | ? | missing, null in 2024-10 |",
		},
		"a title that two categories have": {
			waldur: func(w *waldurtest.Waldur) {
				other := usage("cpu", "2024-10-01", "1")
				other.CategoryUUID = strings.Repeat("f", 32)
				w.Add(other)
			},
			with: budget(1000, inputs{"on_overrun": "warn", "allow_missing": true}), exit: ends,
			says: "| CPU | ? | 1,000 | | ? | missing, 2 components: give a category_uuid |",
		},
		"no record in the time": {
			with: budget(1, inputs{"date_after": "2024-11-01"}), exit: ends, says: "There is no usage record at all.",
		},
		"server down":   {down: true, with: budget(1000, nil), exit: ends, says: "Waldur not reachable", noRecord: true},
		"token refused": {token: "wrong", with: budget(1000, nil), exit: ends, says: "token refused", noRecord: true},
		"token expired": {
			waldur: func(w *waldurtest.Waldur) { w.AddToken("old", waldurtest.User{Expired: true}) }, token: "old",
			with: budget(1000, nil), exit: ends, says: "Token has expired.", noRecord: true,
		},
		"project not visible": {
			waldur: func(w *waldurtest.Waldur) { w.AddToken("stranger", waldurtest.User{Sees: []string{}}) }, token: "stranger",
			with: budget(1000, nil), exit: ends, says: "scope not found or not visible", noRecord: true,
		},
		"incomplete list": {
			waldur: func(w *waldurtest.Waldur) {
				w.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) {
					count, _ := strconv.Atoi(answer.Header.Get("X-Result-Count"))
					answer.Header.Set("X-Result-Count", strconv.Itoa(count+1))
				}
			},
			with: budget(1000, nil), exit: ends, says: "list not verified to be complete", noRecord: true,
		},
		"list without a count": {
			waldur: func(w *waldurtest.Waldur) {
				w.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) { answer.Header.Del("X-Result-Count") }
			},
			with: budget(1000, nil), exit: ends, says: "Unable to read usages", noRecord: true,
		},
		"records of everybody": {
			waldur: func(w *waldurtest.Waldur) {
				w.IgnoreScope = true
				w.Add(waldurtest.Record{Type: "cpu", CategoryTitle: "Virtual machines", CategoryUUID: machinesUUID, Date: "2024-10-01", Scope: waldurtest.ProjectScope(2)})
			},
			with: budget(1000, nil), exit: ends, says: "filter not applied", noRecord: true,
		},
		"login page": {
			waldur: func(w *waldurtest.Waldur) {
				w.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) {
					answer.Body = []byte("<html>Please log in</html>")
				}
			},
			with: budget(1000, nil), exit: ends, says: "answer not as documented", noRecord: true,
		},
		"server error": {
			waldur: func(w *waldurtest.Waldur) {
				w.Intercept = func(_ int, rw http.ResponseWriter, _ *http.Request) bool {
					http.Error(rw, "", http.StatusServiceUnavailable)
					return true
				}
			},
			with: budget(1000, nil), exit: ends, says: "server error", noRecord: true,
		},
		"nothing to check":     {with: budget(1000, inputs{"project_uuid": nil}), exit: ends, says: "scope", noRecord: true},
		"two things to check":  {with: budget(1000, inputs{"customer_uuid": machinesUUID}), exit: ends, says: "customer_uuid", noRecord: true},
		"malformed uuid":       {with: budget(1000, inputs{"project_uuid": "1"}), exit: ends, says: "Invalid project_uuid", noRecord: true},
		"time that ends first": {with: budget(1000, inputs{"date_before": "2024-08-31"}), exit: ends, says: "Invalid date_after", noRecord: true},
		"no limits":            {with: budget(1000, inputs{"limits": inputs{}}), exit: ends, says: "At least one limit is needed", noRecord: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := project()
			if test.waldur != nil {
				test.waldur(server)
			}
			endpoint, token := server.Start(t), waldurtest.Token
			if test.token != "" {
				token = test.token
			}
			if test.down {
				endpoint = "http://127.0.0.1:1"
			}
			f := base.copyTo(t, connect(endpoint, token)...)
			f.set(t, test.with)

			for _, command := range [][]string{{"plan", "-refresh=false"}, {"apply", "-auto-approve"}} {
				r := f.run(t, append(command, "-no-color")...)
				if r.exit != test.exit {
					t.Errorf("%v ended with %d, not %d:\n%s", command, r.exit, test.exit, r.output)
				}
				if !r.says(test.says) {
					t.Errorf("%v does not say %q:\n%s", command, test.says, r.output)
				}
				if test.noRecord && strings.Contains(r.output, "| CPU") {
					t.Errorf("%v shows a table, though nothing was read:\n%s", command, r.output)
				}
			}

			if applied := f.run(t, "output", "-raw", "report"); test.exit == passes {
				if again := f.run(t, "plan", "-detailed-exitcode", "-no-color"); again.exit != 0 {
					t.Errorf("A second plan is not empty: %d\n%s", again.exit, again.output)
				}
				if !strings.HasPrefix(applied.output, "Budget of project "+projectUUID()+" since ") {
					t.Errorf("The output report is %q", applied.output)
				}
			} else if applied.exit == 0 && strings.Contains(applied.output, "|") {
				t.Errorf("A failed check left a report: %q", applied.output)
			}
		})
	}
}

// The CLI breaks lines of messages at 78 characters. A table must survive it.
func TestAccBudgetCheckShowsAnUnbrokenTable(t *testing.T) {
	t.Parallel()
	f := openWorkshop(t).furnish(t)
	f.env = connect(project().Start(t), waldurtest.Token)
	long := strings.Repeat("x", 60)
	f.set(t, budget(1, inputs{"limits": inputs{long: component("cpu", 700), "short | one": component("cpu", 1)}}))

	r := f.run(t, "plan", "-no-color")
	for _, line := range []string{
		"| " + long + " |  710 | 700 | hours | ██████████ 102 %   | over by 10  |",
		"| short \\| one                                                 |  710 |   1 | hours | ██████████ 71000 % | over by 709 |",
	} {
		if !strings.Contains(r.output, "\n "+line+"\n") {
			t.Errorf("No line %q in:\n%s", line, r.output)
		}
	}
}

// Each row leaves something unknown until the apply. A budget that is checked
// then would be checked after the plan was found good.
func TestAccBudgetCheckOfSomethingUnknownFailsThePlan(t *testing.T) {
	t.Parallel()
	base := openWorkshop(t).furnish(t)

	const root = `
		resource "terraform_data" "later" { input = %q }
		module "budget" {
		  source       = %q
		  project_uuid = %s
		  date_after   = %s
		  limits       = { CPU = { category_title = "Virtual machines", type = %s, measure = "reported_usage", limit = %s } }
		  %s
		}
		output "within_budget" { value = module.budget.within_budget }`
	const later = "terraform_data.later.output"
	known := map[string]string{"project": strconv.Quote(projectUUID()), "date": `"2024-09-01"`, "type": `"cpu"`, "limit": "1000", "more": ""}
	for name, value := range map[string]string{
		"project": later, "date": later, "type": later, "limit": "length(" + later + ")", "more": "depends_on = [terraform_data.later]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := maps.Clone(known)
			with[name] = value
			f := folder{workshop: base.workshop, dir: t.TempDir(), env: connect(project().Start(t), waldurtest.Token)}
			f.write(t, "main.tf", fmt.Sprintf(root, projectUUID(), base.dir, with["project"], with["date"], with["type"], with["limit"], with["more"]))
			f.mustRun(t, "init", "-no-color")
			for _, command := range [][]string{{"plan"}, {"apply", "-auto-approve"}} {
				if r := f.run(t, append(command, "-no-color")...); r.exit != 1 || !r.says("known_before_apply") {
					t.Errorf("%v ended with %d:\n%s", command, r.exit, r.output)
				}
			}
		})
	}
}

func TestAccBudgetCheckWithAProviderThatIsConfiguredLaterFailsThePlan(t *testing.T) {
	t.Parallel()
	base := openWorkshop(t).furnish(t)
	f := folder{workshop: base.workshop, dir: t.TempDir()}
	f.write(t, "main.tf", fmt.Sprintf(`
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
		  limits       = { CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1000 } }
		}`, project().Start(t), waldurtest.Token, base.dir, projectUUID()))
	f.mustRun(t, "init", "-no-color")
	if r := f.run(t, "plan", "-no-color"); r.exit != 1 || !r.says("known_before_apply") && !r.says("provider configuration not known yet") {
		t.Errorf("It ended with %d:\n%s", r.exit, r.output)
	}
}

// A plan of single resources leaves outputs out, and their preconditions with
// them. The postcondition stays.
func TestAccBudgetCheckHoldsInATargetedPlan(t *testing.T) {
	t.Parallel()
	base := openWorkshop(t).furnish(t)
	f := folder{workshop: base.workshop, dir: t.TempDir(), env: connect(project().Start(t), waldurtest.Token)}
	f.write(t, "main.tf", fmt.Sprintf(`
		module "budget" {
		  source       = %q
		  project_uuid = %q
		  date_after   = "2024-09-01"
		  limits       = { CPU = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 709 } }
		}
		resource "terraform_data" "uses_the_report" { input = module.budget.report }
		resource "terraform_data" "waits_for_the_budget" { depends_on = [module.budget] }`, base.dir, projectUUID()))
	f.mustRun(t, "init", "-no-color")
	for _, target := range []string{"module.budget", "terraform_data.uses_the_report", "terraform_data.waits_for_the_budget"} {
		if r := f.run(t, "plan", "-no-color", "-target="+target); r.exit != 1 || !r.says("over by 1") {
			t.Errorf("-target=%s ended with %d:\n%s", target, r.exit, r.output)
		}
	}
}

// Either lock holds without the other.
func TestAccBudgetCheckHasTwoLocks(t *testing.T) {
	t.Parallel()
	base := openWorkshop(t).furnish(t)
	for file, lock := range map[string]string{"main.tf": "postcondition", "outputs.tf": "precondition"} {
		t.Run("without "+lock, func(t *testing.T) {
			t.Parallel()
			f := base.copyTo(t, connect(project().Start(t), waldurtest.Token)...)
			f.set(t, budget(709, nil))
			source, err := os.ReadFile(filepath.Join(f.dir, file))
			if err != nil {
				t.Fatal(err)
			}
			opened := strings.ReplaceAll(string(source), "!contains(local.failing, limit.state)", "true")
			if opened == string(source) {
				t.Fatalf("%s has no lock", file)
			}
			f.write(t, file, opened)
			if r := f.run(t, "plan", "-no-color"); r.exit != 1 || !r.says("over by 1") {
				t.Errorf("It ended with %d:\n%s", r.exit, r.output)
			}
		})
	}
}

// Both programs turn every failed condition into a warning in a plan of this
// kind. The guide says so: this is why.
func TestAccRefreshOnlyPlanIsNoCheck(t *testing.T) {
	t.Parallel()
	f := openWorkshop(t).furnish(t)
	f.env = connect(project().Start(t), waldurtest.Token)
	f.set(t, budget(709, nil))
	if r := f.run(t, "plan", "-refresh-only", "-no-color"); r.exit != 0 || !r.says("over by 1") {
		t.Errorf("It ended with %d: the guide has to be changed.\n%s", r.exit, r.output)
	}
}

// An overrun stops what is planned, not what is taken away to end it.
func TestAccBudgetCheckDoesNotHinderDestroy(t *testing.T) {
	t.Parallel()
	f := openWorkshop(t).furnish(t)
	server := project()
	f.env = connect(server.Start(t), waldurtest.Token)
	f.set(t, budget(1000, nil))
	f.mustRun(t, "apply", "-auto-approve", "-no-color")
	server.Add(usage("cpu", "2024-10-01", "1000"))
	if r := f.run(t, "plan", "-no-color"); r.exit != 1 {
		t.Errorf("The plan ended with %d:\n%s", r.exit, r.output)
	}
	f.mustRun(t, "destroy", "-auto-approve", "-no-color")
}

// The module's own tests, which need no Waldur.
func TestAccBudgetCheckPassesItsTests(t *testing.T) {
	t.Parallel()
	f := openWorkshop(t).furnish(t)
	if !f.mocks() {
		t.Skipf("%s %s has no mock_provider", f.cli.Kind, f.cli.Version)
	}
	f.env = connect("http://127.0.0.1:1", "none") // OpenTofu 1.8 configures a provider though it is mocked
	if r := f.mustRun(t, "test", "-no-color"); !r.says("Success! 49 passed, 0 failed.") {
		t.Errorf("Not all tests of the module ran:\n%s", r.output)
	}
}

// What README shows of the module is what the CLI shows.
func TestAccReadmeOfTheBudgetCheckIsTrue(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(repository, module, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 2 || blocks[0][1] != "terraform" || blocks[1][1] != "text" {
		t.Fatalf("README has other blocks: %v", blocks)
	}

	server := waldurtest.New()
	scope := "/api/projects/" + climate + "/"
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
			Date: "2024-10-01", ReportedUsage: &r.reported, FixedUsage: &r.fixed, Scope: scope,
		})
	}
	w := openWorkshop(t)
	f := folder{workshop: w, dir: t.TempDir(), env: connect(server.Start(t), waldurtest.Token)}
	if err := os.CopyFS(filepath.Join(f.dir, "budget-check"), os.DirFS(filepath.Join(repository, module))); err != nil {
		t.Fatal(err)
	}
	f.write(t, "main.tf", blocks[0][2])
	f.mustRun(t, "init", "-no-color")

	r := f.run(t, "plan", "-no-color")
	summary, message, _ := strings.Cut(blocks[1][2], "\n\n")
	if r.exit != 1 || !strings.Contains(r.output, summary) || !strings.Contains(r.output, "\n"+message) {
		t.Errorf("The plan ended with %d and this:\n%s", r.exit, r.output)
	}
}

// The folder of the pipelines works where it is copied to as its README says.
func TestAccReadmeOfThePipelinesIsTrue(t *testing.T) {
	t.Parallel()
	c := openWorkshop(t).checkOut(t)
	commands := regexp.MustCompile("(?s)```shell\n(.*?)```").FindStringSubmatch(c.read(t, "README.md"))
	if commands == nil {
		t.Fatal("README has no commands")
	}
	elsewhere := t.TempDir()
	if r := c.sh(t, "cd ../..\n"+commands[1], "REPOSITORY="+elsewhere); r.exit != 0 {
		t.Fatalf("The commands ended with %d:\n%s", r.exit, r.output)
	}
	c.dir = elsewhere
	configuration := strings.Replace(c.read(t, "budget/main.tf"), `source = "../../budget-check"`, `source = "./budget-check"`, 1)
	if err := os.WriteFile(filepath.Join(elsewhere, "budget/main.tf"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	job, summary := c.runWorkflow(t, map[string]string{
		"WALDUR_API_URL": used(500).Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_PROJECT_UUID": climate,
	})
	if job.exit != 0 || !strings.Contains(summary, "█████░░░░░ 50 %") {
		t.Errorf("The job ended with %d:\n%s\n%s", job.exit, job.output, summary)
	}
}
