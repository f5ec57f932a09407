package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// Logs, plans and states are passed on and kept for years. None of them contains
// the token, not even when the server echoes it.
func TestAccProgramReadsAndKeepsTheTokenToItself(t *testing.T) {
	t.Parallel()
	server, scope := waldurtest.New(), waldurtest.ProjectScope(1)
	server.Add(waldurtest.History(scope, 3, 5)...)
	server.Rewrite = func(_ int, _ *http.Request, response *waldurtest.Response) {
		if response.Status == http.StatusNotFound {
			response.Body = []byte(`{"detail":"No record for ` + waldurtest.Token + `."}`)
		}
	}
	// net/http itself logs what follows the end of a response.
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
	w := clitest.Sandbox(t).WorkingDir(t.TempDir(), "WALDUR_API_URL="+url, "TF_VAR_token="+waldurtest.Token, "TF_LOG=TRACE", "TF_LOG_PATH=log")
	clitest.Write(t, w, "main.tf", cli.Required+fmt.Sprintf(`
		variable "token" {
		  sensitive = true
		  ephemeral = true # the CLI keeps the values of other variables in its plan
		}
		variable "id" { default = 1 }
		provider "waldur" { token = var.token }
		data "waldur_category_component_usages" "list" { scope = %q }
		data "waldur_category_component_usage" "record" { id = var.id }
		output "record" {
		  value = data.waldur_category_component_usage.record.type
		  precondition {
		    condition     = length(data.waldur_category_component_usages.list.usages) == 15
		    error_message = "Not all records were read."
		  }
		}`, url+scope))

	clitest.MustRun(t, w, "init")
	clitest.MustRun(t, w, "plan", "-out=plan")
	plan := clitest.MustRun(t, w, "show", "-json", "plan")
	clitest.MustRun(t, w, "apply", "plan")
	if again := clitest.Run(t, w, "plan", "-detailed-exitcode"); again.ExitCode != 0 {
		t.Errorf("second plan: got exit code %d, want 0:\n%s", again.ExitCode, again.Output)
	}
	if r := clitest.Run(t, w, "plan", "-var=id=998"); r.ExitCode != 1 {
		t.Errorf("response with more than its length: got exit code %d, want 1:\n%s", r.ExitCode, r.Output)
	}
	failure := clitest.Run(t, w, "plan", "-var=id=999")
	if failure.ExitCode != 1 || !strings.Contains(failure.Output, "[token]") {
		t.Errorf("response with the token: got exit code %d, want 1 and [token] in:\n%s", failure.ExitCode, failure.Output)
	}

	contents := map[string]string{"plan": plan, "failure": failure.Output}
	for _, name := range []string{"terraform.tfstate", "log"} {
		content, err := os.ReadFile(filepath.Join(w.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		contents[name] = string(content)
	}
	for name, content := range contents {
		if strings.Contains(content, waldurtest.Token) {
			t.Errorf("the %s contains the token", name)
		}
		if !strings.Contains(content, "usage") {
			t.Errorf("the %s does not mention usage, so it is not what this test should search", name)
		}
	}
	for _, want := range []string{"Waldur request", "Waldur read", "path=/api/marketplace-category-component-usages/", "records=15"} {
		if !strings.Contains(contents["log"], want) {
			t.Errorf("the log does not contain %q", want)
		}
	}
}

func TestReportedVersionIsTheLinkersOrTheModules(t *testing.T) {
	t.Parallel()
	module := func(version string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Version: version}} }
	for name, row := range map[string]struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		"release build":             {"0.1.0", module("v0.2.0"), "0.1.0"},
		"go install":                {"", module("v0.1.0"), "0.1.0"},
		"build without tags":        {"", module("(devel)"), "dev"},
		"without build information": {"", nil, "dev"},
	} {
		if got := reportedVersion(row.linked, row.info); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}
