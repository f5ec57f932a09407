package acceptance

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	// A test that runs while a month ends is one of the month that begins.
	soon := time.Now().UTC().Add(5 * time.Minute)
	month := time.Date(soon.Year(), soon.Month(), 1, 0, 0, 0, 0, time.UTC)
	server := waldurtest.New()
	server.Add(
		usage("cpu", month.Format(time.DateOnly), cpu), usage("ram", month.Format(time.DateOnly), 100),
		usage("cpu", month.AddDate(0, -1, 0).Format(time.DateOnly), 100),
	)
	return server.Start(t)
}

// checkout is a team's repository with the pipelines.
type checkout struct {
	dir string
	env []string // with the programs that the scripts call
}

// checkOut copies the pipelines into a repository as their README says.
func checkOut(t *testing.T, s cli.Sandbox) checkout {
	t.Helper()
	for _, name := range []string{"sh", "jq", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("The scripts of the pipelines cannot run: %v", err)
		}
	}
	programs := t.TempDir()
	if err := os.Symlink(s.CLI.Path, filepath.Join(programs, "terraform")); err != nil {
		t.Fatal(err)
	}
	path := []string{programs, filepath.Dir(os.Getenv(opaPath)), os.Getenv("PATH")}
	c := checkout{dir: t.TempDir(), env: append(s.CLI.Command(t.Context(), "", s.Config).Env,
		"PATH="+strings.Join(path, string(os.PathListSeparator)), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
		"WALDUR_MAX_RETRIES=0", "TF_VAR_project_uuid="+project)}
	// The commands are the README's block.
	const setUp = "eval \"$(sed -n '/^```shell$/,/^```$/{/^```/!p;}' examples/ci/README.md)\""
	if r := (checkout{dir: repository, env: c.env}).sh(t, setUp, "REPOSITORY="+c.dir); r.ExitCode != 0 {
		t.Fatalf("exit code %d:\n%s", r.ExitCode, r.Output)
	}
	c.edit(t, "budget/main.tf", `source = "../../budget-check"`, `source = "./budget-check"`)
	return c
}

// sh runs commands as a step of a pipeline: the first that fails ends it.
func (c checkout) sh(t *testing.T, script string, environment ...string) cli.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	cmd.Dir = c.dir
	cmd.Env = slices.Concat(c.env, environment)
	return clitest.Finish(t, cmd)
}

func (c checkout) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (c checkout) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c checkout) edit(t *testing.T, name, old, now string) {
	t.Helper()
	c.write(t, name, strings.Replace(c.read(t, name), old, now, 1))
}

// leak returns the names of the files with a secret. The plan is one of the
// files.
func (c checkout) leak(t *testing.T, secret string) string {
	t.Helper()
	return c.sh(t, "grep -rlF -e '"+secret+"' . || true").Output
}

// runWorkflow runs the commands of the workflow's one job as GitHub does: after
// a failed step, only those that run always. A variable or a secret that is not
// set is empty.
func (c checkout) runWorkflow(t *testing.T, values map[string]string) (job cli.Result, summary string) {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Run, If string
				Env     map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(c.read(t, ".github/workflows/budget.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	expression := regexp.MustCompile(`\$\{\{ (?:secrets|vars|job)\.(\w+) \}\}`)
	for _, step := range workflow.Jobs["budget"].Steps {
		if step.Run == "" || job.ExitCode != 0 && step.If != "always()" {
			continue
		}
		values["status"] = map[bool]string{true: "success", false: "failure"}[job.ExitCode == 0]
		env := []string{
			"GITHUB_STEP_SUMMARY=" + filepath.Join(c.dir, "summary.md"),
			"GITHUB_SERVER_URL=https://github.example.com", "GITHUB_REPOSITORY=climate/model", "GITHUB_RUN_ID=9",
		}
		for name, value := range step.Env {
			variable := expression.ReplaceAllString(value, "$${$1}")
			env = append(env, name+"="+os.Expand(variable, func(name string) string { return values[name] }))
		}
		r := c.sh(t, step.Run, env...)
		job = cli.Result{ExitCode: max(job.ExitCode, r.ExitCode), Output: job.Output + r.Output}
	}
	return job, c.read(t, "summary.md")
}

// Each job ends as its check does, and shows and posts the outcome. No secret is
// in a log, a summary or a file.
func TestAccWorkflowEndsAsTheBudgetDoesAndShowsIt(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	for name, test := range map[string]struct {
		used    int64
		policy  string            // its limit
		values  map[string]string // variables and secrets
		env     string            // a variable that the job inherits
		passes  bool
		log     string
		summary string
		posts   string
	}{
		"within": {
			used: 500, passes: true, log: "Posted the outcome", summary: "| CPU   |  500 | 1,000 | hours | █████░░░░░ 50 % | ok    |",
			posts: "Budget check passed: https://github.example.com/climate/model/actions/runs/9\\n```\\n",
		},
		"near":          {used: 900, passes: true, summary: "| CPU   |  900 | 1,000 | hours | █████████░ 90 % | near  |", posts: "| near  |"},
		"over":          {used: 1001, summary: "| CPU   | 1,001 | 1,000 | hours | ██████████ 101 % | over by 1 |", posts: "| over by 1 |"},
		"denied":        {used: 500, policy: "499", log: "500 of 499 used, 1 over.", summary: "| CPU ", posts: "The budget check passed, but the job failed: "},
		"server down":   {values: map[string]string{"WALDUR_API_URL": "http://127.0.0.1:1"}, summary: "**Unable to read usages: Waldur not reachable**", posts: "not reachable"},
		"token refused": {values: map[string]string{"WALDUR_ACCESS_TOKEN": "wrong"}, summary: "**Unable to read usages: token refused**", posts: "Budget check failed: "},
		"no token":      {values: map[string]string{"WALDUR_ACCESS_TOKEN": ""}, summary: "**Missing token**", posts: "Budget check failed: "},
		"no program":    {env: "TF=no-such-program", summary: "The budget check ended before it had a result.", posts: "Budget check failed: "},
		// A variable that somebody else has set can make warnings of all that failed.
		"only warnings": {
			used: 1001, env: "TF_CLI_ARGS_plan=-refresh-only", log: "not all of its conditions are met",
			summary: "| CPU   | 1,001 |", posts: "Budget check failed: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, h := checkOut(t, s), newHook(t, http.StatusOK)
			c.env = append(c.env, h.trust, test.env)
			if test.policy != "" {
				c.edit(t, "policy/limits.json", `"limit": 1000`, `"limit": `+test.policy)
			}
			set := map[string]string{
				"WALDUR_API_URL": used(t, test.used), "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_PROJECT_UUID": project,
				"BUDGET_WEBHOOK_URL": h.url + "\n", // as a secret that was pasted
			}
			maps.Copy(set, test.values)
			job, summary := c.runWorkflow(t, set)
			if (job.ExitCode == 0) != test.passes || !strings.Contains(job.Output, test.log) {
				t.Errorf("The job ended with %d, or does not say %q:\n%s", job.ExitCode, test.log, job.Output)
			}
			if !strings.HasPrefix(summary, "## Budget\n\n") || !strings.Contains(summary, test.summary) || strings.Contains(summary, "condition failed") {
				t.Errorf("The summary is:\n%s", summary)
			}
			read := test.used != 0
			if strings.Contains(summary, "| CPU") != read || strings.Contains(summary, "xychart-beta") != read {
				t.Errorf("The summary has no table or no chart of what was read, or one of what was not:\n%s", summary)
			}
			if posted := h.posted(); !strings.Contains(posted, test.posts) {
				t.Errorf("%q is not in the message %q:\n%s", test.posts, posted, job.Output)
			}
			var check struct {
				Passed bool
				Report string
				Limits map[string]struct{ Used int64 }
			}
			if err := json.Unmarshal([]byte(c.read(t, "budget-out/check.json")), &check); err != nil {
				t.Fatal(err)
			}
			passed := test.passes || test.policy != ""
			if check.Passed != passed || check.Limits["CPU"].Used != test.used || !strings.Contains(summary, check.Report) {
				t.Errorf("check.json is %+v", check)
			}
			for _, secret := range []string{waldurtest.Token, hookSecret} {
				if name := c.leak(t, secret); name != "" || strings.Contains(job.Output, secret) {
					t.Errorf("A secret is in the log or in %s", name)
				}
			}
		})
	}
}

// runGitLab runs the jobs in their order as GitLab does: after_script always
// runs and changes nothing; a failed job is the last.
func (c checkout) runGitLab(t *testing.T, environment ...string) (pipeline cli.Result) {
	t.Helper()
	type job struct {
		Script      []string
		AfterScript []string `yaml:"after_script"`
	}
	var file struct{ Budget, Policy job }
	if err := yaml.Unmarshal([]byte(c.read(t, ".gitlab-ci.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, job := range []job{file.Budget, file.Policy} {
		r := c.sh(t, strings.Join(job.Script, "\n"), environment...)
		status := map[bool]string{true: "success", false: "failed"}[r.ExitCode == 0]
		after := c.sh(t, strings.Join(job.AfterScript, "\n"), append(environment, "CI_JOB_STATUS="+status)...)
		pipeline = cli.Result{ExitCode: r.ExitCode, Output: pipeline.Output + r.Output + after.Output}
		if r.ExitCode != 0 {
			break
		}
	}
	return pipeline
}

// gitlab keeps the notes of one merge request.
type gitlab struct {
	mu    sync.Mutex
	notes []note
}

type note struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
}

// start serves the notes to the owner of the token, in pages of 100, and returns
// the URL of the API.
func (g *gitlab) start(t *testing.T, token string) string {
	t.Helper()
	const notes = "/api/v4/projects/7/merge_requests/3/notes"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+notes, func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("page"))
		pages := slices.Collect(slices.Chunk(g.notes, 100))
		w.Header().Set("X-Next-Page", map[bool]string{true: strconv.Itoa(page + 1)}[page < len(pages)])
		_ = json.NewEncoder(w).Encode(pages[page-1])
	})
	sent := func(r *http.Request) (n note) {
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	mux.HandleFunc("POST "+notes, func(_ http.ResponseWriter, r *http.Request) {
		g.notes = append(g.notes, note{ID: len(g.notes) + 1, Body: sent(r).Body})
	})
	mux.HandleFunc("PUT "+notes+"/{id}", func(_ http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		g.notes[id-1].Body = sent(r).Body
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if r.Header.Get("Private-Token") != token {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
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

func TestAccGitLabPipelineEndsAsTheBudgetDoesAndKeepsOneNote(t *testing.T) {
	t.Parallel()
	c, h, api := checkOut(t, clitest.SandboxWithFunctions(t)), newHook(t, http.StatusOK), &gitlab{}
	const talk = 230 // notes of other people
	for i := range talk {
		api.notes = append(api.notes, note{ID: i + 1, Body: "What is <!-- budget-check -->?"})
	}
	c.env = append(c.env, h.trust, "BUDGET_WEBHOOK_URL="+h.url, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9",
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
		pipeline := c.runGitLab(t, append(connect(used(t, step.used), step.token), step.environment...)...)
		if (pipeline.ExitCode == 0) != step.passes {
			t.Errorf("%s: the pipeline ended with %d:\n%s", step.name, pipeline.ExitCode, pipeline.Output)
		}
		notes := api.since(talk)
		if len(notes) != 1 || !strings.Contains(notes[0].Body, step.note) ||
			!strings.HasSuffix(notes[0].Body, "\n[Pipeline of 0a1b2c3d](https://gitlab.example.com/pipelines/9)\n") {
			t.Errorf("%s: the notes are %v\n%s", step.name, notes, pipeline.Output)
		}
		outcome := map[bool]string{true: "Budget check passed: ", false: "Budget check failed: "}[step.passes]
		if posted := h.posted(); !strings.Contains(posted, outcome+"https://gitlab.example.com/pipelines/9\\n") {
			t.Errorf("%s: posted %q", step.name, posted)
		}
	}
}
