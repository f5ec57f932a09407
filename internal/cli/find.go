// Package cli finds Terraform or OpenTofu and runs it on configurations with a
// freshly built provider, without a registry. Tests, the demo, the benchmark and
// the Makefile share it; the provider itself does not use it.
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

// Kind is Terraform or OpenTofu.
type Kind string

// The two CLIs, and [Any] for either of them.
const (
	Any       Kind = "any"
	Terraform Kind = "terraform"
	OpenTofu  Kind = "tofu"
)

// RegistryHost returns the default registry of the CLI, the host of a source
// address that has none, such as "waldur/waldur-usage".
func (k Kind) RegistryHost() string {
	if k == OpenTofu {
		return "registry.opentofu.org"
	}

	return "registry.terraform.io"
}

// CLI is an installed Terraform or OpenTofu.
type CLI struct {
	Kind    Kind   // Terraform or OpenTofu, as the program reports, whatever its file is called
	Version string // such as "1.11.4"
	Path    string // absolute
}

// Since reports whether the CLI is Terraform 1.terraform, OpenTofu 1.tofu, or
// later.
func (c CLI) Since(terraform, tofu int) bool {
	var major, minor int
	if _, err := fmt.Sscanf(c.Version, "%d.%d", &major, &minor); err != nil {
		return false
	}

	if c.Kind == OpenTofu {
		return major > 1 || minor >= tofu
	}

	return major > 1 || minor >= terraform
}

// ErrNotFound is returned if the CLI that was asked for is neither on this
// machine nor can be downloaded.
var ErrNotFound = errors.New("not found")

// pathVariable names the CLI in every test of terraform-plugin-testing, so it
// decides here too.
const pathVariable = "TF_ACC_TERRAFORM_PATH"

// Find returns a CLI of the wanted kind: the one that TF_ACC_TERRAFORM_PATH
// names, or terraform or tofu on PATH, or one in build/tools. That folder is
// filled on first use: Terraform is downloaded, which takes seconds; if there is
// no network, OpenTofu is built from the Go module proxy, which takes minutes.
// Progress is written meanwhile. The error wraps [ErrNotFound] if Terraform is
// wanted and cannot be downloaded.
func Find(ctx context.Context, want Kind, progress io.Writer) (CLI, error) {
	found, err := installed(ctx, want)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return found, err
	}

	_, root, err := module(ctx)
	if err != nil {
		return CLI{}, err
	}

	path, err := tools{root: root, releases: hashiCorp(), progress: progress}.get(ctx, want)
	if err != nil {
		return CLI{}, err
	}

	return identify(ctx, path)
}

// installed returns a CLI that the user has installed.
func installed(ctx context.Context, want Kind) (CLI, error) {
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

	return CLI{}, fmt.Errorf("%s, on PATH or named by %s: %w", want, pathVariable, ErrNotFound)
}

// tools is the folder build/tools of a checkout.
type tools struct {
	root     string // of the checkout
	releases releases
	progress io.Writer
}

// get returns the path of a CLI in the folder, which it downloads or builds if
// there is none.
func (b tools) get(ctx context.Context, want Kind) (path string, err error) {
	terraform := filepath.Join(b.root, "build", "tools", "terraform-"+terraformVersion, executable(string(Terraform)))
	if want != OpenTofu && exists(terraform) {
		return terraform, nil
	}

	tofu, err := openTofuPath(b.root)
	if err != nil {
		return "", err
	}

	if want != Terraform && exists(tofu) {
		return tofu, nil
	}

	if want != OpenTofu {
		fmt.Fprintf(b.progress, "downloading Terraform %s from %s, once\n", terraformVersion, b.releases.url)

		err := b.releases.download(ctx, terraform)
		if err == nil {
			return terraform, nil
		}

		if want == Terraform {
			return "", fmt.Errorf("%s: %w, and cannot be downloaded: %w", want, ErrNotFound, err)
		}

		fmt.Fprintf(b.progress, "Terraform cannot be downloaded: %v\n", err)
	}

	if err := buildOpenTofu(ctx, filepath.Join(b.root, openTofuSource), tofu, b.progress); err != nil {
		return "", fmt.Errorf("build OpenTofu: %w", err)
	}

	return tofu, nil
}

// identify asks the program itself, since people rename it or link one name to
// the other.
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

	// Warnings about the CLI configuration may precede the line.
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
