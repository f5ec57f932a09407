package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
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

const (
	pipelines = "examples/ci"
	// climate is the project of the pipelines' policy.
	climate = "2b5719686db84f24bf64c3dfec58fbeb"
)

// used returns a Waldur in which the project has used cpu hours of CPU this
// month, and 100 in the month before.
func used(cpu int64) *waldurtest.Waldur {
	server := waldurtest.New()
	// A test that runs while a month ends is one of the month that begins.
	soon := time.Now().UTC().Add(5 * time.Minute)
	month := time.Date(soon.Year(), soon.Month(), 1, 0, 0, 0, 0, time.UTC)
	add := func(kind string, month time.Time, amount int64) {
		server.Add(waldurtest.Record{
			Name: kind, Type: kind, MeasuredUnit: "hours", CategoryTitle: "Virtual machines", CategoryUUID: machinesUUID,
			Date: month.Format(time.DateOnly), ReportedUsage: &amount, Scope: "/api/projects/" + climate + "/",
		})
	}
	add("cpu", month, cpu)
	add("ram", month, 100)
	add("cpu", month.AddDate(0, -1, 0), 100)
	return server
}

// checkout is a copy of the pipelines' folder, with the programs that the
// scripts call.
type checkout struct {
	dir string
	env []string
}

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
	top := t.TempDir()
	for _, path := range []string{module, pipelines} {
		if err := os.CopyFS(filepath.Join(top, path), os.DirFS(filepath.Join(repository, path))); err != nil {
			t.Fatal(err)
		}
	}
	programs := filepath.Join(top, "bin")
	if err := os.Mkdir(programs, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"terraform": s.CLI.Path, "opa": os.Getenv(opaPath)} {
		if err := os.Symlink(path, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	env := s.CLI.Command(t.Context(), top, s.Config).Env
	env = append(env, "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "WALDUR_MAX_RETRIES=0")
	return checkout{dir: filepath.Join(top, pipelines), env: env}
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

// setPolicy sets the policy's limit of CPU hours.
func (c checkout) setPolicy(t *testing.T, limit int64) {
	t.Helper()
	limits := strings.Replace(c.read(t, "policy/limits.json"), `"limit": 1000`, fmt.Sprintf(`"limit": %d`, limit), 1)
	if err := os.WriteFile(filepath.Join(c.dir, "policy/limits.json"), []byte(limits), 0o600); err != nil {
		t.Fatal(err)
	}
}

// leak returns the name of a file below the folder that contains the token. The
// plan is one of them.
func (c checkout) leak(t *testing.T, token string) (name string) {
	t.Helper()
	err := filepath.WalkDir(c.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), token) {
			name = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// workflow is a GitHub Actions workflow, as far as it runs commands.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct {
			Name, Run, If string
			Env           map[string]string
		}
	}
}

// runWorkflow runs the commands of the workflow's one job as GitHub does: after
// a failed step, only those that run always.
func (c checkout) runWorkflow(t *testing.T, values map[string]string) (job cli.Result, summary string) {
	t.Helper()
	var flow workflow
	if err := yaml.Unmarshal([]byte(c.read(t, ".github/workflows/budget.yml")), &flow); err != nil {
		t.Fatal(err)
	}
	summaryFile := filepath.Join(t.TempDir(), "summary.md")
	for _, step := range flow.Jobs["budget"].Steps {
		if step.Run == "" || job.ExitCode != 0 && step.If != "always()" {
			continue
		}
		env := []string{
			"GITHUB_STEP_SUMMARY=" + summaryFile,
			"GITHUB_SERVER_URL=https://github.example.com", "GITHUB_REPOSITORY=climate/model", "GITHUB_RUN_ID=9",
		}
		status := map[bool]string{true: "success", false: "failure"}[job.ExitCode == 0]
		for name, value := range step.Env {
			env = append(env, name+"="+strings.ReplaceAll(fill(t, value, values), "${{ job.status }}", status))
		}
		r := c.sh(t, step.Run, env...)
		job.Output += r.Output
		if job.ExitCode == 0 {
			job.ExitCode = r.ExitCode
		}
	}
	content, err := os.ReadFile(summaryFile)
	if err != nil {
		t.Fatalf("No summary: %v\n%s", err, job.Output)
	}
	return job, string(content)
}

// fill replaces ${{ secrets.NAME }} and ${{ vars.NAME }}. One that is not set is
// empty, as on GitHub.
func fill(t *testing.T, text string, values map[string]string) string {
	t.Helper()
	return regexp.MustCompile(`\$\{\{ (?:secrets|vars)\.(\w+) \}\}`).ReplaceAllStringFunc(text, func(expression string) string {
		return values[strings.Trim(expression[strings.Index(expression, ".")+1:], " }")]
	})
}

// gitlabJob is a job of GitLab CI, as far as it runs commands.
type gitlabJob struct {
	Script      []string
	AfterScript []string `yaml:"after_script"`
}

// runGitLab runs the jobs in their order as GitLab does: after_script always
// runs and changes nothing; a failed job is the last.
func (c checkout) runGitLab(t *testing.T, environment ...string) (pipeline cli.Result) {
	t.Helper()
	var file struct{ Budget, Policy gitlabJob }
	if err := yaml.Unmarshal([]byte(c.read(t, ".gitlab-ci.yml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, job := range []gitlabJob{file.Budget, file.Policy} {
		r := c.sh(t, strings.Join(job.Script, "\n"), environment...)
		pipeline.ExitCode = r.ExitCode
		pipeline.Output += r.Output
		if len(job.AfterScript) > 0 {
			status := map[bool]string{true: "success", false: "failed"}[r.ExitCode == 0]
			pipeline.Output += c.sh(t, strings.Join(job.AfterScript, "\n"), append(environment, "CI_JOB_STATUS="+status)...).Output
		}
		if r.ExitCode != 0 {
			return pipeline
		}
	}
	return pipeline
}

func TestAccWorkflowEndsAsTheBudgetDoesAndShowsIt(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	tests := map[string]struct {
		used    int64
		waldur  func(*waldurtest.Waldur)
		down    bool
		token   string
		with    string // a variable of the environment
		passes  bool
		read    bool // that usage was read
		summary string
		without string // must not be in the summary
	}{
		"within":        {used: 500, passes: true, read: true, summary: "| CPU   |  500 | 1,000 | hours | █████░░░░░ 50 % | ok    |"},
		"near":          {used: 900, passes: true, read: true, summary: "█████████░ 90 % | near  |"},
		"over":          {used: 1001, read: true, summary: "| CPU   | 1,001 | 1,000 | hours | ██████████ 101 % | over by 1 |", without: "condition failed"},
		"server down":   {used: 500, down: true, summary: "**Unable to read usages: Waldur not reachable**", without: "| CPU"},
		"token refused": {used: 500, token: "wrong", summary: "**Unable to read usages: token refused**", without: "| CPU"},
		"no token":      {used: 500, token: "none", summary: "token", without: "| CPU"},
		"incomplete list": {
			used: 500, waldur: func(w *waldurtest.Waldur) {
				w.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) { answer.Header.Set("X-Result-Count", "0") }
			}, summary: "list cannot be verified to be complete", without: "| CPU",
		},
		"another Terraform was asked for": {
			used: 500, with: "TF=no-such-program", summary: "The budget check ended before it had a result.", without: "| CPU",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := used(test.used)
			if test.waldur != nil {
				test.waldur(server)
			}
			values := map[string]string{
				"WALDUR_API_URL": server.Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_PROJECT_UUID": climate,
			}
			if test.down {
				values["WALDUR_API_URL"] = "http://127.0.0.1:1"
			}
			switch test.token {
			case "":
			case "none":
				delete(values, "WALDUR_ACCESS_TOKEN")
			default:
				values["WALDUR_ACCESS_TOKEN"] = test.token
			}
			c := checkOut(t, s)
			c.env = append(c.env, test.with)

			job, summary := c.runWorkflow(t, values)
			if (job.ExitCode == 0) != test.passes {
				t.Errorf("The job ended with %d:\n%s", job.ExitCode, job.Output)
			}
			if !strings.Contains(summary, test.summary) || test.without != "" && strings.Contains(summary, test.without) {
				t.Errorf("The summary is:\n%s", summary)
			}
			if !strings.HasPrefix(summary, "## Budget\n\n") || strings.Contains(summary, "xychart-beta") != test.read {
				t.Errorf("The summary has no title, or no chart of usage that was read:\n%s", summary)
			}
			var check struct {
				Passed bool
				Report string
				Limits map[string]struct{ Used int64 }
			}
			if err := json.Unmarshal([]byte(c.read(t, "budget-out/check.json")), &check); err != nil {
				t.Fatal(err)
			}
			if check.Passed != test.passes || test.read && check.Limits["CPU"].Used != test.used || !test.read && check.Limits != nil ||
				!strings.Contains(summary, check.Report) {
				t.Errorf("check.json is %+v", check)
			}
			if name := c.leak(t, waldurtest.Token); name != "" || strings.Contains(job.Output+summary, waldurtest.Token) {
				t.Errorf("The token is in the log, the summary, or %s", name)
			}
		})
	}
}

// The limits of the policy are stricter than those of the configuration.
func TestAccWorkflowFailsWhenThePolicyDoes(t *testing.T) {
	t.Parallel()
	c := checkOut(t, sandbox(t))
	c.setPolicy(t, 499)
	job, summary := c.runWorkflow(t, map[string]string{
		"WALDUR_API_URL": used(500).Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_PROJECT_UUID": climate,
	})
	if job.ExitCode == 0 || !job.Contains("CPU of the climate project: 500 of 499 used, 1 over.") {
		t.Errorf("The job ended with %d:\n%s", job.ExitCode, job.Output)
	}
	if !strings.Contains(summary, "| CPU ") {
		t.Errorf("The summary is:\n%s", summary)
	}
}

// A variable that somebody else has set can make warnings of all that failed.
func TestAccCheckFailsWhenThePlanOnlyWarns(t *testing.T) {
	t.Parallel()
	c := checkOut(t, sandbox(t))
	environment := append(connect(used(1001).Start(t), waldurtest.Token), "TF_VAR_project_uuid="+climate, "TF_CLI_ARGS_plan=-refresh-only")
	if r := c.sh(t, "ci/check.sh budget", environment...); r.ExitCode != 1 || !r.Contains("not all of its conditions are met") {
		t.Errorf("It ended with %d:\n%s", r.ExitCode, r.Output)
	}
}

// A check that fails early must not publish what an earlier one has left.
func TestAccCheckLeavesNothingOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	c := checkOut(t, sandbox(t))
	project := "TF_VAR_project_uuid=" + climate
	if r := c.sh(t, "ci/check.sh budget", append(connect(used(500).Start(t), waldurtest.Token), project)...); r.ExitCode != 0 {
		t.Fatalf("It ended with %d:\n%s", r.ExitCode, r.Output)
	}
	if r := c.sh(t, "ci/check.sh budget", append(connect("http://127.0.0.1:1", waldurtest.Token), project)...); r.ExitCode == 0 {
		t.Errorf("It passed:\n%s", r.Output)
	}
	if report := c.read(t, "budget-out/report.md"); strings.Contains(report, "| CPU") {
		t.Errorf("The report is the old one:\n%s", report)
	}
	if r := c.sh(t, "ci/policy.sh"); r.ExitCode == 0 {
		t.Errorf("The policy allowed the old plan:\n%s", r.Output)
	}
}

// gitlab keeps the notes of one merge request.
type gitlab struct {
	token string
	mu    sync.Mutex
	notes []note
}

type note struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
}

func (g *gitlab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id, isNote := strings.CutPrefix(r.URL.Path, "/api/v4/projects/7/merge_requests/3/notes")
	switch {
	case r.Header.Get("Private-Token") != g.token:
		http.Error(w, `{"message":"401 Unauthorized"}`, http.StatusUnauthorized)
	case !isNote:
		http.Error(w, `{"message":"404 Not found"}`, http.StatusNotFound)
	case r.Method == http.MethodGet:
		g.list(w, r)
	case r.Method == http.MethodPost && id == "":
		g.notes = append(g.notes, note{ID: len(g.notes) + 1, Body: bodyOf(r)})
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{}")
	case r.Method == http.MethodPut:
		number, err := strconv.Atoi(strings.TrimPrefix(id, "/"))
		if err != nil || number < 1 || number > len(g.notes) {
			http.Error(w, "{}", http.StatusNotFound)
			return
		}
		g.notes[number-1].Body = bodyOf(r)
		_, _ = io.WriteString(w, "{}")
	default:
		http.Error(w, "{}", http.StatusMethodNotAllowed)
	}
}

// list returns a page of 20 notes unless another size is asked for.
func (g *gitlab) list(w http.ResponseWriter, r *http.Request) {
	size, page := 20, 1
	if n, err := strconv.Atoi(r.FormValue("per_page")); err == nil {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(r.FormValue("page")); err == nil {
		page = n
	}
	first, last := min((page-1)*size, len(g.notes)), min(page*size, len(g.notes))
	next := ""
	if last < len(g.notes) {
		next = strconv.Itoa(page + 1)
	}
	w.Header().Set("X-Next-Page", next)
	_ = json.NewEncoder(w).Encode(slices.Concat([]note{}, g.notes[first:last]))
}

func bodyOf(r *http.Request) string {
	var sent note
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return err.Error()
	}
	return sent.Body
}

// about returns the notes of the budget check by their numbers.
func (g *gitlab) about() map[int]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := map[int]string{}
	for _, n := range g.notes {
		if strings.Contains(n.Body, "## Budget") {
			found[n.ID] = n.Body
		}
	}
	return found
}

func TestAccGitLabPipelineEndsAsTheBudgetDoesAndKeepsOneNote(t *testing.T) {
	t.Parallel()
	c := checkOut(t, sandbox(t))
	api := &gitlab{token: "glpat-secret"}
	for i := range 230 {
		api.notes = append(api.notes, note{ID: i + 1, Body: fmt.Sprintf("Talk %d about <!-- budget-check -->", i)})
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	mergeRequest := []string{
		"TF_VAR_project_uuid=" + climate, "GITLAB_NOTE_TOKEN=glpat-secret", "CI_API_V4_URL=" + server.URL + "/api/v4", "CI_PROJECT_ID=7",
		"CI_MERGE_REQUEST_IID=3", "CI_COMMIT_SHORT_SHA=0a1b2c3d", "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9",
	}
	h := newHook(t, http.StatusOK)
	mergeRequest = append(mergeRequest, h.trust, "BUDGET_WEBHOOK_URL="+h.url)

	for _, step := range []struct {
		name, token, contains string
		used                  int64
		passes                bool
	}{
		{name: "within", token: waldurtest.Token, used: 500, contains: "| CPU   |  500 | 1,000 | hours | █████░░░░░ 50 % | ok    |", passes: true},
		{name: "over", token: waldurtest.Token, used: 1250, contains: "| CPU   | 1,250 | 1,000 | hours | ██████████ 125 % | over by 250 |"},
		{name: "token refused", token: "wrong", used: 500, contains: "**Unable to read usages: token refused**"},
		{name: "within again", token: waldurtest.Token, used: 499, contains: "| CPU   |  499 |", passes: true},
	} {
		pipeline := c.runGitLab(t, append(connect(used(step.used).Start(t), step.token), mergeRequest...)...)
		if (pipeline.ExitCode == 0) != step.passes {
			t.Errorf("%s: the pipeline ended with %d:\n%s", step.name, pipeline.ExitCode, pipeline.Output)
		}
		notes := api.about()
		if len(notes) != 1 || !strings.Contains(notes[231], step.contains) {
			t.Errorf("%s: the notes are %v\n%s", step.name, notes, pipeline.Output)
		}
		posted := map[bool]string{true: "Budget check passed: ", false: "Budget check failed: "}[step.passes]
		if text := h.message(t).Text; !strings.HasPrefix(text, posted+"https://gitlab.example.com/pipelines/9\n") {
			t.Errorf("%s: posted %q", step.name, text)
		}
		if !strings.HasSuffix(notes[231], "\n[Pipeline of 0a1b2c3d](https://gitlab.example.com/pipelines/9)\n") {
			t.Errorf("%s: the note does not name its pipeline: %q", step.name, notes[231])
		}
	}
}

func TestAccGitLabPipelineEndsAsTheBudgetDoesWithoutANote(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	server := httptest.NewServer(&gitlab{token: "glpat-secret"})
	t.Cleanup(server.Close)
	for name, environment := range map[string][]string{
		"scheduled":    nil,
		"note refused": {"CI_MERGE_REQUEST_IID=3", "CI_PROJECT_ID=7", "GITLAB_NOTE_TOKEN=wrong", "CI_API_V4_URL=" + server.URL + "/api/v4"},
		"no token":     {"CI_MERGE_REQUEST_IID=3", "CI_PROJECT_ID=7", "CI_API_V4_URL=" + server.URL + "/api/v4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, s)
			for amount, exit := range map[int64]int{500: 0, 1001: 1} {
				pipeline := c.runGitLab(t, slices.Concat(connect(used(amount).Start(t), waldurtest.Token), environment, []string{"TF_VAR_project_uuid=" + climate})...)
				if pipeline.ExitCode != exit {
					t.Errorf("With %d used, it ended with %d:\n%s", amount, pipeline.ExitCode, pipeline.Output)
				}
			}
		})
	}
}

// The folder of the pipelines works where its README copies it to.
func TestAccPipelinesWorkWhereTheReadmeCopiesThem(t *testing.T) {
	t.Parallel()
	c := checkOut(t, sandbox(t))
	commands := regexp.MustCompile("(?s)```shell\n(.*?)```").FindStringSubmatch(c.read(t, "README.md"))
	if commands == nil {
		t.Fatal("README.md has no commands")
	}
	elsewhere := t.TempDir()
	if r := c.sh(t, "cd ../..\n"+commands[1], "REPOSITORY="+elsewhere); r.ExitCode != 0 {
		t.Fatalf("exit code %d:\n%s", r.ExitCode, r.Output)
	}
	c.dir = elsewhere
	main := strings.Replace(c.read(t, "budget/main.tf"), `source = "../../budget-check"`, `source = "./budget-check"`, 1)
	if err := os.WriteFile(filepath.Join(elsewhere, "budget/main.tf"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	job, summary := c.runWorkflow(t, map[string]string{
		"WALDUR_API_URL": used(500).Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_PROJECT_UUID": climate,
	})
	if job.ExitCode != 0 || !strings.Contains(summary, "█████░░░░░ 50 %") {
		t.Errorf("exit code %d:\n%s\n%s", job.ExitCode, job.Output, summary)
	}
}
