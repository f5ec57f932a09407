package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// workspace is a folder in which the CLI runs the provider as users get it: a
// program of its own.
type workspace struct {
	t           *testing.T
	program     cli.CLI
	dir, config string
	environment []string
}

// prepare builds the provider and writes the configuration.
func prepare(t *testing.T, configuration string, environment ...string) workspace {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("an acceptance test: set TF_ACC=1")
	}
	program, err := cli.Find(t.Context(), cli.Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary, err := cli.BuildProvider(t.Context(), filepath.Join(dir, "build"), cli.LocalVersion)
	if err != nil {
		t.Fatal(err)
	}
	config, err := cli.Mirror(filepath.Join(dir, "mirror"), binary, cli.LocalVersion)
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "main.tf"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	return workspace{t, program, work, config, environment}
}

// run gives what the CLI prints and its exit code.
func (w workspace) run(arguments ...string) (output []byte, exit int) {
	w.t.Helper()
	command := w.program.Command(w.t.Context(), w.dir, w.config, arguments...)
	command.Env = append(command.Env, w.environment...)
	output, err := command.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.t.Fatal(err)
	}
	return output, command.ProcessState.ExitCode()
}

func (w workspace) succeed(arguments ...string) []byte {
	w.t.Helper()
	output, exit := w.run(arguments...)
	if exit != 0 {
		w.t.Fatalf("%s: exit code %d\n%s", strings.Join(arguments, " "), exit, output)
	}
	return output
}

// Whoever reads a log, a plan or a state, which are passed on and kept for
// years, must not find the token there; also not when the server echoes it.
func TestAccProgramReadsAndKeepsTheTokenToItself(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) {
		if answer.Status == http.StatusNotFound {
			answer.Body = []byte(`{"detail":"No record for ` + waldurtest.Token + `."}`)
		}
	}
	// What follows an answer beyond its length, net/http prints itself.
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
		scopes[project] = url + scope
	}
	const configuration = `
		terraform {
		  required_providers {
		    waldur = { source = "waldur/waldur-usage" }
		  }
		}
		variable "token" {
		  sensitive = true
		  ephemeral = true # the CLI keeps the values of other variables in its plan
		}
		variable "scopes" { type = set(string) }
		variable "id" { default = 1 }
		provider "waldur" { token = var.token }
		data "waldur_category_component_usages" "each" {
		  for_each = var.scopes
		  scope    = each.key
		}
		data "waldur_category_component_usage" "record" { id = var.id }
		output "records" { value = sum([for list in data.waldur_category_component_usages.each : length(list.usages)]) }
		output "record" { value = data.waldur_category_component_usage.record.type }`
	scopesVariable, err := json.Marshal(scopes)
	if err != nil {
		t.Fatal(err)
	}
	w := prepare(t, configuration, "WALDUR_API_URL="+url, "TF_VAR_token="+waldurtest.Token, "TF_VAR_scopes="+string(scopesVariable),
		"TF_LOG=TRACE", "TF_LOG_PATH=log")

	w.succeed("init")
	w.succeed("plan", "-out=plan")
	plan := w.succeed("show", "-json", "plan")
	w.succeed("apply", "plan")
	if output, exit := w.run("plan", "-detailed-exitcode"); exit != 0 {
		t.Errorf("the second plan has exit code %d:\n%s", exit, output)
	}
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal(w.succeed("output", "-json"), &outputs); err != nil {
		t.Fatal(err)
	}
	if records := outputs["records"].Value; records != 15.0 {
		t.Errorf("%v records, want 15", records)
	}
	if output, exit := w.run("plan", "-var=id=998"); exit == 0 {
		t.Errorf("an answer that goes on after its end passed:\n%s", output)
	}
	failure, exit := w.run("plan", "-var=id=999")
	if exit == 0 || !bytes.Contains(failure, []byte("[token]")) {
		t.Errorf("the failure does not show what the server said:\n%s", failure)
	}

	for name, content := range map[string][]byte{
		"plan": plan, "failure": failure, "state": read(t, w.dir, "terraform.tfstate"), "log": read(t, w.dir, "log"),
	} {
		if bytes.Contains(content, []byte(waldurtest.Token)) {
			t.Errorf("the token is in the %s", name)
		}
		if !bytes.Contains(content, []byte("usage")) {
			t.Errorf("the %s holds nothing: this test looks into the wrong place", name)
		}
	}
	log := string(read(t, w.dir, "log"))
	for _, line := range []string{"Waldur request", "Waldur read", "path=/api/marketplace-category-component-usages/", "records=5"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log does not tell %q", line)
		}
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestReportedVersionIsTheLinkersOrTheModules(t *testing.T) {
	t.Parallel()
	module := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}}
	}
	tests := map[string]struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		"release build":          {"0.1.0", module("(devel)"), "0.1.0"},
		"release build of a tag": {"0.1.0", module("v0.2.0"), "0.1.0"},
		"go install":             {"", module("v0.1.0"), "0.1.0"},
		"go install of a commit": {"", module("v0.1.1-0.20261124120000-0123456789ab"), "0.1.1-0.20261124120000-0123456789ab"},
		"build without tags":     {"", module("(devel)"), "dev"},
		"no build information":   {"", nil, "dev"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reportedVersion(test.linked, test.info); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
