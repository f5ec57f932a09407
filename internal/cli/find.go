// Package cli finds Terraform or OpenTofu and runs it on configurations with a
// freshly built provider, without a registry. Tests, the demo, the benchmark and
// the Makefile share it; the provider itself does not use it.
package cli

import (
	"context"
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
	wanted := terraform
	if c.Kind == OpenTofu {
		wanted = tofu
	}
	var major, minor int
	_, err := fmt.Sscanf(c.Version, "%d.%d", &major, &minor)
	return err == nil && (major > 1 || minor >= wanted)
}

// pathVariable names the CLI in every test of terraform-plugin-testing, so it
// decides here too.
const pathVariable = "TF_ACC_TERRAFORM_PATH"

// Find returns a CLI of the wanted kind: the one that TF_ACC_TERRAFORM_PATH
// names, or terraform or tofu on PATH, or one in build/tools. That folder is
// filled on first use: Terraform is downloaded, which takes seconds; if there is
// no network, OpenTofu is built from the Go module proxy, which takes minutes.
// Progress is written meanwhile. If only Terraform is wanted and it cannot be
// downloaded, that is an error.
func Find(ctx context.Context, want Kind, progress io.Writer) (CLI, error) {
	found, err := installed(ctx, want)
	if err != nil || found.Path != "" {
		return found, err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return CLI{}, err
	}
	path, err := tools{root: root, url: hashiCorp, connect: firstResponse, progress: progress}.get(ctx, want)
	if err != nil {
		return CLI{}, err
	}
	return identify(ctx, path)
}

// installed returns a CLI that the user has installed, or one without a path if
// there is none of the wanted kind.
func installed(ctx context.Context, want Kind) (CLI, error) {
	named := os.Getenv(pathVariable)
	for _, name := range []string{named, string(Terraform), string(OpenTofu)} {
		path, err := exec.LookPath(name)
		if err != nil && name != "" && name == named {
			return CLI{}, fmt.Errorf("%s: %w", pathVariable, err)
		}
		if err != nil {
			continue
		}
		if found, err := identify(ctx, path); err != nil || want == Any || want == found.Kind {
			return found, err
		}
	}
	return CLI{}, nil
}

// identify asks the program itself, since people rename it or link one name to
// the other.
func identify(ctx context.Context, path string) (CLI, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return CLI{}, err
	}
	out, err := stdout(CLI{Path: path}.Command(ctx, "", "", "version"))
	if err != nil {
		return CLI{}, err
	}
	// Warnings about the CLI configuration may precede the line.
	line := regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`).FindStringSubmatch(out)
	if line == nil {
		return CLI{}, fmt.Errorf("%s: neither Terraform nor OpenTofu: %q", path, out)
	}
	kind := map[string]Kind{"Terraform": Terraform, "OpenTofu": OpenTofu}[line[1]]
	return CLI{Kind: kind, Version: line[2], Path: path}, nil
}
