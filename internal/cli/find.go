// Package cli finds or builds the command line program, Terraform or OpenTofu,
// that runs a configuration, and shows it a freshly built provider without a
// registry. Tests, the demo and the Makefile use it; the provider itself does
// not.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// Kind is one of the two programs.
type Kind string

// The two programs, and the wish for either of them.
const (
	Any       Kind = "any"
	Terraform Kind = "terraform"
	OpenTofu  Kind = "tofu"
)

// RegistryHost is the registry that the program means by a source address
// without a host, such as "waldur/waldur-usage".
func (k Kind) RegistryHost() string {
	if k == OpenTofu {
		return "registry.opentofu.org"
	}

	return "registry.terraform.io"
}

// CLI is a program that is on this machine.
type CLI struct {
	Kind    Kind   // Terraform or OpenTofu, as the program says itself, whatever its file is called
	Version string // such as "1.11.4"
	Path    string // absolute
}

// ErrNotFound says that the machine does not have the program that was asked
// for.
var ErrNotFound = errors.New("not found")

// pathVariable names the program in every test of terraform-plugin-testing, so
// it decides here too.
const pathVariable = "TF_ACC_TERRAFORM_PATH"

// Find returns a program of the wanted kind: the one that TF_ACC_TERRAFORM_PATH
// names, else terraform or tofu on PATH, else an OpenTofu that it builds, once
// for each version, into build/tools. Progress gets lines while it builds, as
// that takes minutes. Terraform is never built: the error wraps [ErrNotFound]
// when nothing else will do and there is none.
func Find(ctx context.Context, want Kind, progress io.Writer) (CLI, error) {
	var paths []string

	if named := os.Getenv(pathVariable); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return CLI{}, fmt.Errorf("%s: %w", pathVariable, err)
		}

		paths = append(paths, path)
	}

	for _, name := range []Kind{Terraform, OpenTofu} {
		if path, err := exec.LookPath(string(name)); err == nil {
			paths = append(paths, path)
		}
	}

	for _, path := range paths {
		found, err := identify(ctx, path)
		if err != nil {
			return CLI{}, err
		}

		if want == Any || want == found.Kind {
			return found, nil
		}
	}

	if want == Terraform {
		return CLI{}, fmt.Errorf("terraform, on PATH or named by %s: %w", pathVariable, ErrNotFound)
	}

	path, err := buildOpenTofu(ctx, progress)
	if err != nil {
		return CLI{}, fmt.Errorf("build OpenTofu: %w", err)
	}

	return identify(ctx, path)
}

// identify asks the program itself: people rename it, and link one name to the
// other.
func identify(ctx context.Context, path string) (CLI, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return CLI{}, err
	}

	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = environ("")

	out, err := cmd.Output()
	if err != nil {
		return CLI{}, fmt.Errorf("%s version: %w", path, err)
	}

	// Warnings about the configuration of the program may stand before the
	// line.
	line := regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`).FindSubmatch(out)
	if line == nil {
		return CLI{}, fmt.Errorf("%s: neither Terraform nor OpenTofu: %q", path, out)
	}

	kind := Terraform
	if string(line[1]) == "OpenTofu" {
		kind = OpenTofu
	}

	return CLI{Kind: kind, Version: string(line[2]), Path: path}, nil
}
