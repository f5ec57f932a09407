// Package acceptance runs whole configurations on Terraform or OpenTofu, as a
// person or a pipeline does, and judges them by what counts there: the exit
// code.
package acceptance

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
)

// repository is the way from this package to the top of the repository.
const repository = "../.."

// opaPath is the environment variable that names the program opa of tools/opa.
const opaPath = "ACCEPTANCE_OPA"

func TestMain(m *testing.M) {
	if os.Getenv("TF_ACC") != "" {
		if err := buildOPA(); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(clitest.Main(m))
}

func buildOPA() error {
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-modfile=tools/opa/go.mod", "-n", "opa")
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	opa, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("build opa: %w", err)
	}
	return os.Setenv(opaPath, strings.TrimSpace(string(opa)))
}

// workshop is a CLI that installs the provider of this repository.
type workshop struct {
	cli    cli.CLI
	config string
}

func openWorkshop(t *testing.T) workshop {
	t.Helper()
	sandbox := clitest.Sandbox(t)
	return workshop{cli: sandbox.CLI, config: sandbox.Config}
}

// since reports whether the CLI is Terraform 1.terraform, OpenTofu 1.tofu, or
// later.
func (w workshop) since(terraform, tofu int) bool { return w.cli.Since(terraform, tofu) }

// folder is a folder in which the CLI runs.
type folder struct {
	workshop
	dir string
	env []string // beside that of the workshop
}

// furnish makes a folder with a copy of the budget module, initialised.
func (w workshop) furnish(t *testing.T) folder {
	t.Helper()
	f := folder{workshop: w, dir: filepath.Join(t.TempDir(), "budget-check")}
	if err := os.CopyFS(f.dir, os.DirFS(filepath.Join(repository, module))); err != nil {
		t.Fatal(err)
	}
	if !w.mocks() {
		// They read the tests of the folder in which they run, not those of a
		// module that it calls.
		if err := os.RemoveAll(filepath.Join(f.dir, "tests")); err != nil {
			t.Fatal(err)
		}
	}
	f.mustRun(t, "init", "-no-color")
	return f
}

// mocks tells whether the program has mock_provider, which the module's own
// tests need.
func (w workshop) mocks() bool { return w.since(7, 8) }

// copyTo gives an independent copy, as initialised as the folder is, with
// variables in its environment.
func (f folder) copyTo(t *testing.T, environment ...string) folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(f.dir))
	if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
		t.Fatal(err)
	}
	return folder{workshop: f.workshop, dir: dir, env: environment}
}

// workingDir is the folder as the harness knows it.
func (f folder) workingDir() cli.WorkingDir {
	return cli.Sandbox{CLI: f.cli, Config: f.config}.WorkingDir(f.dir, f.env...)
}

func (f folder) write(t *testing.T, name, content string) {
	t.Helper()
	clitest.Write(t, f.workingDir(), name, content)
}

// result is how a program ended.
type result struct {
	exit   int
	output string // standard output and standard error
}

func (f folder) run(t *testing.T, arguments ...string) result {
	t.Helper()
	return finish(t, f.workingDir().Command(t.Context(), arguments...))
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	r := clitest.Finish(t, cmd)
	return result{exit: r.ExitCode, output: r.Output}
}

func (f folder) mustRun(t *testing.T, arguments ...string) result {
	t.Helper()
	return result{output: clitest.MustRun(t, f.workingDir(), arguments...)}
}

// says reports whether the output contains the words. The CLI breaks lines
// where it likes.
func (r result) says(words string) bool { return cli.Result{Output: r.output}.Contains(words) }
