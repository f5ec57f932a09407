// Package acceptance runs whole configurations on Terraform or OpenTofu, as a
// person or a pipeline does, and judges them by what counts there: the exit
// code.
package acceptance

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

// repository is the way from this package to the top of the repository.
const repository = "../.."

// What all tests share is built once, and found through the environment.
const (
	mirror  = "ACCEPTANCE_MIRROR" // the CLI configuration file with which init finds the provider of this repository
	opaPath = "ACCEPTANCE_OPA"    // the program opa of tools/opa
)

func TestMain(m *testing.M) {
	if os.Getenv("TF_ACC") != "" {
		dir, err := os.MkdirTemp("", "acceptance-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if err := build(dir); err != nil {
			log.Fatal(err)
		}
	}
	m.Run()
}

func build(dir string) error {
	ctx := context.Background()
	binary, err := cli.BuildProvider(ctx, dir, cli.LocalVersion)
	if err != nil {
		return err
	}
	config, err := cli.Mirror(dir, binary, cli.LocalVersion)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile=tools/opa/go.mod", "-n", "opa")
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	opa, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("build opa: %w", err)
	}
	return errors.Join(os.Setenv(mirror, config), os.Setenv(opaPath, strings.TrimSpace(string(opa))))
}

// workshop is a CLI that installs the provider of this repository.
type workshop struct {
	cli    cli.CLI
	config string
}

func openWorkshop(t *testing.T) workshop {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("Acceptance tests run when TF_ACC is set: make testacc")
	}
	program, err := cli.Find(t.Context(), cli.Any, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return workshop{cli: program, config: os.Getenv(mirror)}
}

// since tells whether the program is Terraform 1.terraform, OpenTofu 1.tofu, or
// later.
func (w workshop) since(terraform, tofu int) bool {
	var major, minor int
	if _, err := fmt.Sscanf(w.cli.Version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	if w.cli.Kind == cli.OpenTofu {
		return major > 1 || minor >= tofu
	}
	return major > 1 || minor >= terraform
}

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

func (f folder) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// result is how a program ended.
type result struct {
	exit   int
	output string // standard output and standard error
}

func (f folder) run(t *testing.T, arguments ...string) result {
	t.Helper()
	cmd := f.cli.Command(t.Context(), f.dir, f.config, arguments...)
	cmd.Env = append(cmd.Env, f.env...)
	return finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	output, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return result{exit: exit.ExitCode(), output: string(output)}
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, output)
	}
	return result{output: string(output)}
}

func (f folder) mustRun(t *testing.T, arguments ...string) result {
	t.Helper()
	r := f.run(t, arguments...)
	if r.exit != 0 {
		t.Fatalf("%s %s ended with %d:\n%s", f.cli.Kind, strings.Join(arguments, " "), r.exit, r.output)
	}
	return r
}

// says tells whether the words stand in the output. The CLI breaks lines where
// it likes.
func (r result) says(words string) bool {
	return strings.Contains(strings.Join(strings.Fields(r.output), " "), words)
}
