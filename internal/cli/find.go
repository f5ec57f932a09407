// Package cli finds Terraform or OpenTofu and runs it with a freshly built
// provider, without a registry. It serves the tests, the demo, the benchmark and
// the GNUmakefile. The provider does not use it.
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

// The two CLIs, and [Any], which accepts either.
const (
	Any       Kind = "any"
	Terraform Kind = "terraform"
	OpenTofu  Kind = "tofu"
)

// RegistryHost returns the host that the CLI assumes in a source address without
// one, such as "waldur/waldur-usage".
func (k Kind) RegistryHost() string {
	if k == OpenTofu {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

// CLI is an installed Terraform or OpenTofu.
type CLI struct {
	Kind    Kind   // Terraform or OpenTofu, as the program reports; its file name does not matter
	Version string // such as "1.11.4"
	Path    string // absolute
}

// Since reports whether the CLI is at least Terraform 1.terraform or OpenTofu
// 1.tofu.
func (c CLI) Since(terraform, tofu int) bool {
	wanted := map[Kind]int{Terraform: terraform, OpenTofu: tofu}[c.Kind]
	var major, minor int
	_, err := fmt.Sscanf(c.Version, "%d.%d", &major, &minor)
	return err == nil && (major > 1 || major == 1 && minor >= wanted)
}

// pathVariable is the environment variable from which terraform-plugin-testing
// takes the path of the CLI.
const pathVariable = "TF_ACC_TERRAFORM_PATH"

// Find returns a CLI of the wanted kind: the one that TF_ACC_TERRAFORM_PATH
// names, terraform or tofu on PATH, or one in build/tools. If there is none and
// OpenTofu is not wanted, it downloads Terraform, which takes seconds. If OpenTofu
// is wanted, or either is accepted and Terraform cannot be downloaded, it builds
// OpenTofu from the Go module proxy, which takes minutes. It reports on progress
// what it downloads or builds.
func Find(ctx context.Context, want Kind, progress io.Writer) (CLI, error) {
	found, err := installed(ctx, want)
	if err != nil || found.Path != "" {
		return found, err
	}
	root, err := checkout(ctx)
	if err != nil {
		return CLI{}, err
	}
	path, err := tools{root: root, url: hashiCorp, connect: firstResponse, progress: progress}.get(ctx, want)
	if err != nil {
		return CLI{}, err
	}
	return identify(ctx, path)
}

// installed returns a CLI of the wanted kind that the user has installed, or the
// zero CLI if there is none.
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
		found, err := identify(ctx, path)
		if err != nil && name != named && want != Any && want != Kind(name) {
			continue // a broken terraform does not matter if tofu is wanted
		}
		if err != nil || want == Any || want == found.Kind {
			return found, err
		}
	}
	return CLI{}, nil
}

// identify returns the CLI at path. It runs the program, because users rename
// programs and link one name to the other.
func identify(ctx context.Context, path string) (CLI, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return CLI{}, err
	}
	out, err := WorkingDir{Sandbox: Sandbox{CLI: CLI{Path: path}}}.MustRun(ctx, "version")
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
