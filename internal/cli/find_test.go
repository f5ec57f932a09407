package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// script writes a program that answers "version" as a CLI does.
func script(t *testing.T, dir, name, answer string) string {
	t.Helper()

	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}

	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+answer+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}

	return path
}

// machine reduces PATH to a folder, and names a CLI by the environment variable
// of terraform-plugin-testing.
func machine(t *testing.T, dir, named string) {
	t.Helper()
	t.Setenv("PATH", dir)
	t.Setenv(pathVariable, named)
}

func find(t *testing.T, want Kind) CLI {
	t.Helper()

	found, err := Find(t.Context(), want, io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	return found
}

func TestFindPrefersTheNamedProgram(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	script(t, dir, "terraform", "Terraform v1.11.4\non linux_amd64")
	named := script(t, elsewhere, "mine", "OpenTofu v1.6.0")
	machine(t, dir, named)

	if got, want := find(t, Any), (CLI{Kind: OpenTofu, Version: "1.6.0", Path: named}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFindIgnoresTheNamedProgramOfTheOtherKind(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	path := script(t, dir, "terraform", "Terraform v1.11.4")
	machine(t, dir, script(t, elsewhere, "tofu", "OpenTofu v1.6.0"))

	if got := find(t, Terraform).Path; got != path {
		t.Errorf("got %s, want %s", got, path)
	}
}

func TestFindPrefersTerraformToOpenTofu(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "terraform", "Terraform v1.11.4")
	script(t, dir, "tofu", "OpenTofu v1.12.6")
	machine(t, dir, "")

	if got := find(t, Any).Kind; got != Terraform {
		t.Errorf("got %s", got)
	}
}

func TestFindAsksTheProgramWhichOneItIs(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "terraform", "\nWarning: Unable to open CLI configuration file\n\nOpenTofu v1.12.6\non linux_amd64")
	machine(t, dir, "")

	if got := find(t, Any); got.Kind != OpenTofu || got.Version != "1.12.6" {
		t.Errorf("got %+v", got)
	}
}

func TestFindRefusesAProgramThatIsNeither(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "terraform", "GNU Emacs 29.1")
	machine(t, dir, "")

	if _, err := Find(t.Context(), Any, io.Discard); err == nil || !strings.Contains(err.Error(), "GNU Emacs") {
		t.Errorf("got %v", err)
	}
}

func TestFindFailsWhenTheNamedProgramIsMissing(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "terraform", "Terraform v1.11.4")
	machine(t, dir, filepath.Join(dir, "absent"))

	if _, err := Find(t.Context(), Any, io.Discard); err == nil || !strings.Contains(err.Error(), pathVariable) {
		t.Errorf("another program than the named one would be tested: got %v", err)
	}
}

func TestInstalledReturnsErrNotFoundWithoutTheWantedCLI(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "tofu", "OpenTofu v1.12.6")
	machine(t, dir, "")

	if _, err := installed(t.Context(), Terraform); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want %v", err, ErrNotFound)
	}
}
