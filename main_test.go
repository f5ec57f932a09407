package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// Whoever reads a log, a plan or a state, which are passed on and kept for
// years, must not find the token there; also not when the server echoes it.
func TestAccProgramReadsAndKeepsTheTokenToItself(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Rewrite = func(_ int, _ *http.Request, response *waldurtest.Response) {
		if response.Status == http.StatusNotFound {
			response.Body = []byte(`{"detail":"No record for ` + waldurtest.Token + `."}`)
		}
	}
	// What follows a response beyond its length, net/http prints itself.
	server.Intercept = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/998/") {
			return false
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return false
		}
		defer func() { _ = connection.Close() }()
		_, _ = io.WriteString(connection, "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"+r.Header.Get("Authorization"))
		return true
	}
	url := server.Start(t)
	scopes := make([]string, 3)
	for project := range scopes {
		scope := waldurtest.ProjectScope(project)
		server.Add(waldurtest.History(scope, project, 5)...)
		server.AddScope(scope)
		scopes[project] = strconv.Quote(url + scope)
	}
	configuration := fmt.Sprintf(`
		terraform {
		  required_providers {
		    waldur = { source = "waldur/waldur-usage" }
		  }
		}
		variable "token" {
		  sensitive = true
		  ephemeral = true # the CLI keeps the values of other variables in its plan
		}
		variable "id" { default = 1 }
		provider "waldur" { token = var.token }
		data "waldur_category_component_usages" "each" {
		  for_each = toset([%s])
		  scope    = each.key
		}
		data "waldur_category_component_usage" "record" { id = var.id }
		output "record" {
		  value = data.waldur_category_component_usage.record.type
		  precondition {
		    condition     = 15 == sum([for list in data.waldur_category_component_usages.each : length(list.usages)])
		    error_message = "Not all records were read."
		  }
		}`, strings.Join(scopes, ", "))
	w := clitest.Sandbox(t).WorkingDir(t.TempDir(), "WALDUR_API_URL="+url, "TF_VAR_token="+waldurtest.Token, "TF_LOG=TRACE", "TF_LOG_PATH=log")
	clitest.Write(t, w, "main.tf", configuration)

	clitest.MustRun(t, w, "init")
	clitest.MustRun(t, w, "plan", "-out=plan")
	plan := clitest.MustRun(t, w, "show", "-json", "plan")
	clitest.MustRun(t, w, "apply", "plan")
	if again := clitest.Run(t, w, "plan", "-detailed-exitcode"); again.ExitCode != 0 {
		t.Errorf("the second plan has exit code %d:\n%s", again.ExitCode, again.Output)
	}
	if r := clitest.Run(t, w, "plan", "-var=id=998"); r.ExitCode == 0 {
		t.Errorf("a response that goes on after its end passed:\n%s", r.Output)
	}
	failure := clitest.Run(t, w, "plan", "-var=id=999")
	if failure.ExitCode == 0 || !strings.Contains(failure.Output, "[token]") {
		t.Errorf("the failure does not show what the server said:\n%s", failure.Output)
	}

	log := read(t, w.Dir, "log")
	for name, content := range map[string]string{
		"plan": plan, "failure": failure.Output, "state": read(t, w.Dir, "terraform.tfstate"), "log": log,
	} {
		if strings.Contains(content, waldurtest.Token) {
			t.Errorf("the token is in the %s", name)
		}
		if !strings.Contains(content, "usage") {
			t.Errorf("the %s holds nothing: this test looks into the wrong place", name)
		}
	}
	for _, line := range []string{"Waldur request", "Waldur read", "path=/api/marketplace-category-component-usages/", "records=5"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log does not tell %q", line)
		}
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestReportedVersionIsTheLinkersOrTheModules(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ linked, module, want string }{
		"release build":          {"0.1.0", "(devel)", "0.1.0"},
		"release build of a tag": {"0.1.0", "v0.2.0", "0.1.0"},
		"go install":             {"", "v0.1.0", "0.1.0"},
		"go install of a commit": {"", "v0.1.1-0.20261124120000-0123456789ab", "0.1.1-0.20261124120000-0123456789ab"},
		"build without tags":     {"", "(devel)", "dev"},
	} {
		if got := reportedVersion(row.linked, &debug.BuildInfo{Main: debug.Module{Version: row.module}}); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
	if got := reportedVersion("", nil); got != "dev" {
		t.Errorf("without build information: %q", got)
	}
}
