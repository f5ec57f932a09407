package acceptance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// used returns the endpoint of a Waldur in which the project has used cpu hours
// of CPU this month, and 100 in the month before.
func used(t *testing.T, cpu int64) string {
	t.Helper()
	// In the last minutes of a month, the usage is that of the next one.
	soon := time.Now().UTC().Add(5 * time.Minute)
	month := time.Date(soon.Year(), soon.Month(), 1, 0, 0, 0, 0, time.UTC)
	server := waldurtest.New()
	server.Add(
		usage("cpu", month.Format(time.DateOnly), cpu), usage("ram", month.Format(time.DateOnly), 100),
		usage("cpu", month.AddDate(0, -1, 0).Format(time.DateOnly), 100),
	)
	return server.Start(t)
}

// checkOut copies the pipelines to a new repository, as their README says.
func checkOut(t *testing.T, s cli.Sandbox) cli.WorkingDir {
	t.Helper()
	for _, name := range []string{"sh", "jq", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("the scripts of the pipelines cannot run: %v", err)
		}
	}
	programs, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(s.CLI.Path, filepath.Join(programs, "terraform")); err != nil {
		t.Fatal(err)
	}
	c := s.WorkingDir(repository,
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
		"WALDUR_MAX_RETRIES=0", "TF_VAR_project_uuid="+project, "REPOSITORY="+dir)
	// The first command runs the README's block, the second makes its first edit.
	const setUp = `
		eval "$(sed -n '/^` + "```shell$/,/^```$/{/^```" + `/!p;}' examples/ci/README.md)"
		sed 's|"../../budget-check"|"./budget-check"|' examples/ci/budget/main.tf >"$REPOSITORY/budget/main.tf"`
	if r := sh(t, c, setUp); r.ExitCode != 0 {
		t.Fatalf("got exit code %d, want 0:\n%s", r.ExitCode, r.Output)
	}
	c.Dir = dir
	return c
}

// sh runs commands as a step of a pipeline, which ends at the first that fails.
func sh(t *testing.T, c cli.WorkingDir, script string, environment ...string) cli.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	cmd.Dir = c.Dir
	cmd.Env = append(c.Command(t.Context()).Env, environment...)
	return clitest.Finish(t, cmd)
}

func readFile(t *testing.T, c cli.WorkingDir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// requireNoLeak fails the test if a secret is in the log or in any file of the
// checkout, such as the plan.
func requireNoLeak(t *testing.T, c cli.WorkingDir, log, secret string) {
	t.Helper()
	if files := sh(t, c, "grep -rlF -e '"+secret+"' . || true").Output; files != "" || strings.Contains(log, secret) {
		t.Errorf("the secret %q is in the log or in a file: %s\n%s", secret, files, log)
	}
}

// runWorkflow runs the commands of the workflow's one job as GitHub does: after
// a failed step, only those that always run. Each variable of a step is the value
// of an expression, such as "secrets.WALDUR_ACCESS_TOKEN", or empty.
func runWorkflow(t *testing.T, c cli.WorkingDir, values map[string]string) (job cli.Result, summary string) {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Run, If string
				Env     map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readFile(t, c, ".github/workflows/budget.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	for _, step := range workflow.Jobs["budget"].Steps {
		if step.Run == "" || job.ExitCode != 0 && step.If != "always()" {
			continue
		}
		values["job.status"] = map[bool]string{true: "success", false: "failure"}[job.ExitCode == 0]
		env := []string{
			"GITHUB_STEP_SUMMARY=" + filepath.Join(c.Dir, "summary.md"),
			"GITHUB_SERVER_URL=https://github.example.com", "GITHUB_REPOSITORY=climate/model", "GITHUB_RUN_ID=9",
		}
		for name, expression := range step.Env {
			env = append(env, name+"="+values[strings.Trim(expression, "${ }")])
		}
		r := sh(t, c, step.Run, env...)
		job = cli.Result{ExitCode: max(job.ExitCode, r.ExitCode), Output: job.Output + r.Output}
	}
	return job, readFile(t, c, "summary.md")
}

// The job fails if the check fails or the policy denies the plan, and it shows and
// posts the outcome. Its log and its files contain no secret.
func TestAccWorkflowFailsWithTheBudgetAndShowsIt(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	for name, test := range map[string]struct {
		used    int64             // 0 if it is not read
		policy  string            // its limit; defaults to 1000
		values  map[string]string // of expressions
		env     string            // a variable that the job inherits
		passes  bool
		log     string // part of it
		summary string // part of it
		posts   string // part of the message
	}{
		"within": {
			used: 500, passes: true, log: "Posted the outcome", summary: "| CPU   |  500 | 1,000 | hours | █████░░░░░ 50 % | ok    |",
			posts: "Budget check passed: https://github.example.com/climate/model/actions/runs/9\\n```\\n",
		},
		"near":   {used: 900, passes: true, summary: "| CPU   |  900 | 1,000 | hours | █████████░ 90 % | near  |", posts: "| near  |"},
		"over":   {used: 1001, summary: "| CPU   | 1,001 | 1,000 | hours | ██████████ 101 % | over by 1 |", posts: "| over by 1 |"},
		"denied": {used: 500, policy: "499", log: "500 of 499 used, 1 over.", summary: "| CPU ", posts: "The budget check passed, but the job failed: "},
		"server down": {
			values: map[string]string{"vars.WALDUR_API_URL": "http://127.0.0.1:1"}, summary: "**Unable to read usages: Waldur not reachable**",
			posts: "Budget check failed: ",
		},
		"no token":   {values: map[string]string{"secrets.WALDUR_ACCESS_TOKEN": ""}, summary: "**Missing token**", posts: "Budget check failed: "},
		"no program": {env: "TF=no-such-program", summary: "The budget check ended before it had a result.", posts: "Budget check failed: "},
		"no report":  {env: "TF_CLI_ARGS_plan=-destroy", summary: "its output \"report\" is missing or not known yet, so it does not check the budget.", posts: "Budget check failed: "},
		// A variable set by somebody else can turn every failure into a warning.
		"only warnings": {
			used: 1001, env: "TF_CLI_ARGS_plan=-refresh-only", log: "not all of its conditions are met",
			summary: "| CPU   | 1,001 |", posts: "Budget check failed: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, s)
			h := newHook(t, c, http.StatusOK)
			c.Env = append(c.Env, h.trust, test.env)
			policy := strings.Replace(readFile(t, c, "policy/limits.json"), "1000", cmp.Or(test.policy, "1000"), 1)
			clitest.Write(t, c, "policy/limits.json", policy)
			values := map[string]string{
				"vars.WALDUR_API_URL": used(t, test.used), "secrets.WALDUR_ACCESS_TOKEN": waldurtest.Token, "vars.WALDUR_PROJECT_UUID": project,
				"secrets.BUDGET_WEBHOOK_URL": h.url + "\n", // as in a pasted secret
			}
			maps.Copy(values, test.values)
			job, summary := runWorkflow(t, c, values)
			if (job.ExitCode == 0) != test.passes || !strings.Contains(job.Output, test.log) {
				t.Errorf("got exit code %d, want success: %v, and %q in:\n%s", job.ExitCode, test.passes, test.log, job.Output)
			}
			denied := test.policy != "" // a check that fails is the last step
			if strings.Contains(job.Output, "the policy does not allow the plan") != denied {
				t.Errorf("got log:\n%s\nwant a plan that the policy denies: %v", job.Output, denied)
			}
			if !strings.HasPrefix(summary, "## Budget\n\n") || !strings.Contains(summary, test.summary) || strings.Contains(summary, "condition failed") {
				t.Errorf("got summary:\n%s\nwant %q in it", summary, test.summary)
			}
			read := test.used != 0
			if strings.Contains(summary, "| CPU") != read || strings.Contains(summary, "xychart-beta") != read {
				t.Errorf("got summary:\n%s\nwant a table and a chart in it: %v", summary, read)
			}
			if posted := h.posted(); !strings.Contains(posted, test.posts) {
				t.Errorf("got message %q, want %q in it:\n%s", posted, test.posts, job.Output)
			}
			check := sh(t, c, `jq -j '"\(.passed) \(.limits.CPU.used // 0)\n\(.report)"' budget-out/check.json`).Output
			got, report, _ := strings.Cut(check, "\n")
			if want := fmt.Sprint(test.passes || denied, " ", test.used); got != want || !strings.Contains(summary, report) {
				t.Errorf("got check.json %q, want %q and the report of the summary", check, want)
			}
			requireNoLeak(t, c, job.Output, waldurtest.Token)
			requireNoLeak(t, c, job.Output, hookSecret)
		})
	}
}

// runGitLab runs the jobs in order, as GitLab does: after_script always runs and
// does not change the result, and no job runs after one that fails.
func runGitLab(t *testing.T, c cli.WorkingDir, environment ...string) (pipeline cli.Result) {
	t.Helper()
	type scripts struct {
		Script      []string
		AfterScript []string `yaml:"after_script"`
	}
	var file struct{ Budget, Policy scripts }
	if err := yaml.Unmarshal([]byte(readFile(t, c, ".gitlab-ci.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, job := range []scripts{file.Budget, file.Policy} {
		r := sh(t, c, strings.Join(job.Script, "\n"), environment...)
		status := map[bool]string{true: "success", false: "failed"}[r.ExitCode == 0]
		after := sh(t, c, strings.Join(job.AfterScript, "\n"), append(environment, "CI_JOB_STATUS="+status)...)
		pipeline = cli.Result{ExitCode: r.ExitCode, Output: pipeline.Output + r.Output + after.Output}
		if r.ExitCode != 0 {
			break
		}
	}
	return pipeline
}

// gitlab serves the notes of one merge request.
type gitlab struct {
	mu    sync.Mutex
	notes []note
}

type note struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
}

// start serves the notes to the owner of the token, in pages of 100, and returns
// the URL of the API. Only the last note can be changed.
func (g *gitlab) start(t *testing.T, token string) string {
	t.Helper()
	const path = "/api/v4/projects/7/merge_requests/3/notes"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if r.Header.Get("Private-Token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var sent note
		_ = json.NewDecoder(r.Body).Decode(&sent)
		switch r.Method + " " + r.URL.Path {
		case "GET " + path:
			page, _ := strconv.Atoi(r.FormValue("page"))
			pages := slices.Collect(slices.Chunk(g.notes, 100))
			w.Header().Set("X-Next-Page", map[bool]string{true: strconv.Itoa(page + 1)}[page < len(pages)])
			_ = json.NewEncoder(w).Encode(pages[page-1])
		case "POST " + path:
			g.notes = append(g.notes, note{ID: len(g.notes) + 1, Body: sent.Body})
		case fmt.Sprintf("PUT %s/%d", path, len(g.notes)):
			g.notes[len(g.notes)-1].Body = sent.Body
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/v4"
}

// since returns the notes after the first n.
func (g *gitlab) since(n int) []note {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.notes[n:])
}

func TestAccGitLabPipelineFailsWithTheBudgetAndKeepsOneNote(t *testing.T) {
	t.Parallel()
	c, api := checkOut(t, clitest.SandboxWithFunctions(t)), &gitlab{}
	h := newHook(t, c, http.StatusOK)
	const others = 230 // notes of other users
	for i := range others {
		api.notes = append(api.notes, note{ID: i + 1, Body: "What is <!-- budget-check -->?"})
	}
	c.Env = append(c.Env, h.trust, "BUDGET_WEBHOOK_URL="+h.url, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9",
		"CI_API_V4_URL="+api.start(t, "glpat-secret"), "CI_PROJECT_ID=7", "CI_COMMIT_SHORT_SHA=0a1b2c3d")
	mergeRequest := []string{"CI_MERGE_REQUEST_IID=3", "GITLAB_NOTE_TOKEN=glpat-secret"}

	for _, step := range []struct {
		name, token string
		used        int64
		passes      bool
		environment []string
		note        string // after the step
	}{
		{"within", waldurtest.Token, 500, true, mergeRequest, "| CPU   |  500 | 1,000 | hours | █████░░░░░ 50 % | ok    |"},
		{"over", waldurtest.Token, 1250, false, mergeRequest, "| CPU   | 1,250 | 1,000 | hours | ██████████ 125 % | over by 250 |"},
		{"scheduled, token refused", "wrong", 500, false, nil, "over by 250"},
		{"note refused", waldurtest.Token, 500, true, append(mergeRequest, "GITLAB_NOTE_TOKEN=wrong"), "over by 250"},
	} {
		pipeline := runGitLab(t, c, append(connect(used(t, step.used), step.token), step.environment...)...)
		if (pipeline.ExitCode == 0) != step.passes {
			t.Errorf("%s: got exit code %d, want success: %v\n%s", step.name, pipeline.ExitCode, step.passes, pipeline.Output)
		}
		notes := api.since(others)
		if len(notes) != 1 || !strings.Contains(notes[0].Body, step.note) ||
			!strings.HasSuffix(notes[0].Body, "\n[Pipeline of 0a1b2c3d](https://gitlab.example.com/pipelines/9)\n") {
			t.Errorf("%s: got notes %v, want one with %q and a link\n%s", step.name, notes, step.note, pipeline.Output)
		}
		outcome := map[bool]string{true: "Budget check passed: ", false: "Budget check failed: "}[step.passes]
		if posted := h.posted(); !strings.Contains(posted, outcome+"https://gitlab.example.com/pipelines/9\\n") {
			t.Errorf("%s: got message %q, want %q and the URL of the pipeline in it", step.name, posted, outcome)
		}
	}
}
