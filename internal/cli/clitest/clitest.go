// Package clitest runs Terraform or OpenTofu in tests. As for users, "init"
// installs the provider, and the CLI starts it as a separate process.
package clitest

import (
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

// Main runs the tests of a package for TestMain and returns the exit code. If
// acceptance tests were not started by "make", which builds the provider, Main
// builds it first.
func Main(m *testing.M) int {
	if os.Getenv("TF_ACC") == "" || os.Getenv(cli.ConfigVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "acceptance-")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(dir)
	sandbox, err := cli.NewSandbox(context.Background(), cli.Any, dir, os.Stderr)
	if err := errors.Join(err, os.Setenv(cli.ConfigVariable, sandbox.Config)); err != nil {
		log.Print(err)
		return 1
	}
	return m.Run()
}

// Sandbox returns the sandbox that [Main] or "make" has set up. It skips the test
// unless TF_ACC is set.
func Sandbox(t testing.TB) cli.Sandbox {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip(`acceptance test: run "make testacc", or set TF_ACC=1`)
	}
	program, err := cli.Find(t.Context(), cli.Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return cli.Sandbox{CLI: program, Config: os.Getenv(cli.ConfigVariable)}
}

// SandboxWithFunctions is like [Sandbox], but also skips the test if the CLI does
// not support provider-defined functions.
func SandboxWithFunctions(t testing.TB) cli.Sandbox {
	t.Helper()
	s := Sandbox(t)
	if !s.CLI.Since(8, 7) {
		t.Skipf("provider-defined functions need Terraform 1.8 or OpenTofu 1.7; this is %s %s", s.CLI.Kind, s.CLI.Version)
	}
	return s
}

// Write creates or replaces a file in the folder.
func Write(t testing.TB, w cli.WorkingDir, name, content string) {
	t.Helper()
	if err := w.Write(name, content); err != nil {
		t.Fatal(err)
	}
}

// Run runs the CLI, which may exit with any code.
func Run(t testing.TB, w cli.WorkingDir, arguments ...string) cli.Result {
	t.Helper()
	return Finish(t, w.Command(t.Context(), arguments...))
}

// MustRun runs the CLI and returns its standard output. The test fails if the CLI
// does.
func MustRun(t testing.TB, w cli.WorkingDir, arguments ...string) string {
	t.Helper()
	output, err := w.MustRun(t.Context(), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// Finish runs a command, such as a script that calls the CLI, which may exit with
// any code.
func Finish(t testing.TB, cmd *exec.Cmd) cli.Result {
	t.Helper()
	result, err := cli.Run(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
