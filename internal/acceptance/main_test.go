// Package acceptance runs complete configurations on Terraform or OpenTofu, as a
// person or a pipeline does, and checks what matters there: the exit code.
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

// repository is the path from this package to the top of the repository.
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

// sandbox returns the CLI with the provider. It skips the test on a CLI without
// provider-defined functions, which every example of a budget calls.
func sandbox(t *testing.T) cli.Sandbox {
	t.Helper()
	s := clitest.Sandbox(t)
	if !s.CLI.Since(8, 7) {
		t.Skipf("provider-defined functions need Terraform 1.8 or OpenTofu 1.7; this is %s %s", s.CLI.Kind, s.CLI.Version)
	}
	return s
}

// configuration returns an initialized folder with a configuration.
func configuration(t *testing.T, s cli.Sandbox, main string, environment ...string) cli.WorkingDir {
	t.Helper()
	w := s.WorkingDir(t.TempDir(), environment...)
	clitest.Write(t, w, "main.tf", main)
	clitest.MustRun(t, w, "init", "-no-color")
	return w
}

// budgetModule returns an initialized copy of the budget module.
func budgetModule(t *testing.T, s cli.Sandbox, environment ...string) cli.WorkingDir {
	t.Helper()
	w := s.WorkingDir(filepath.Join(t.TempDir(), "budget-check"), environment...)
	if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join(repository, module))); err != nil {
		t.Fatal(err)
	}
	clitest.MustRun(t, w, "init", "-no-color")
	return w
}

// copyOf returns an independent copy of the folder, which is as initialized as
// the folder is.
func copyOf(t *testing.T, w cli.WorkingDir, environment ...string) cli.WorkingDir {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(w.Dir))
	if err := os.CopyFS(dir, os.DirFS(w.Dir)); err != nil {
		t.Fatal(err)
	}
	return w.Sandbox.WorkingDir(dir, environment...)
}
