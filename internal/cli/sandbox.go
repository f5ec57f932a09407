package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const (
	// Source is the source address of the provider, which both registries
	// derive from its repository.
	Source = "waldur/waldur-usage"

	// LocalVersion is the version of a provider that is not a release. OpenTofu
	// refuses 0.0.0, and both CLIs ignore a version with a suffix, such as
	// 0.0.1-dev, unless the configuration requires exactly that.
	LocalVersion = "0.0.1"

	// ConfigVariable is the environment variable by which [Sandbox.Acceptance]
	// hands its CLI configuration file to the tests, so that the provider is
	// built once for all packages.
	ConfigVariable = "ACCEPTANCE_CLI_CONFIG"
)

// Sandbox is a CLI that installs providers from one folder only: no run depends
// on a registry or on the user's settings. "init" installs from it as from a
// registry, with version selection and the lock file, which dev_overrides would
// skip.
type Sandbox struct {
	CLI    CLI
	Config string // CLI configuration file, beside the folder of the providers
}

// NewSandbox finds a CLI of the wanted kind (see [Find]), builds the provider of
// the module around the working directory, and makes it installable from dir.
func NewSandbox(ctx context.Context, want Kind, dir string, progress io.Writer) (Sandbox, error) {
	program, err := Find(ctx, want, progress)
	if err != nil {
		return Sandbox{}, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return Sandbox{}, err
	}
	s := Sandbox{CLI: program, Config: filepath.Join(dir, "cli.tfrc")}
	root, err := moduleRoot(ctx)
	if err != nil {
		return Sandbox{}, err
	}
	binary := filepath.Join(dir, executable("terraform-provider-waldur-usage"))
	if err := goBuild(ctx, root, binary, "-X main.version="+LocalVersion, "."); err != nil {
		return Sandbox{}, err
	}
	config := fmt.Sprintf(`disable_checkpoint = true

provider_installation {
  filesystem_mirror {
    path = %q
  }
}
`, filepath.ToSlash(s.plugins()))
	return s, errors.Join(os.WriteFile(s.Config, []byte(config), 0o644), s.Add(Source, binary))
}

// plugins returns the only folder from which the CLI installs providers.
func (s Sandbox) plugins() string { return filepath.Join(filepath.Dir(s.Config), "plugins") }

// Add makes another provider installable, under its source address.
func (s Sandbox) Add(source, binary string) error {
	_, err := layOut(s.plugins(), source, binary, LocalVersion)
	return err
}

// WorkingDir returns dir as a folder in which the CLI runs, with additional
// environment variables.
func (s Sandbox) WorkingDir(dir string, env ...string) WorkingDir {
	return WorkingDir{Sandbox: s, Dir: dir, Env: env}
}

// Acceptance returns a command, such as "go test", in whose environment
// acceptance tests run on the CLI of the sandbox: those of
// terraform-plugin-testing and those of package clitest.
func (s Sandbox) Acceptance(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Env = append(environ(s.Config),
		ConfigVariable+"="+s.Config,
		"TF_ACC=1",
		pathVariable+"="+s.CLI.Path,
		// By default, terraform-plugin-testing serves the provider under the
		// host that Terraform assumes, and OpenTofu looks under its own.
		"TF_ACC_PROVIDER_HOST="+s.CLI.Kind.RegistryHost(),
	)
	return cmd
}

// Schema returns the schema of the provider as the JSON document that
// tfplugindocs reads, in which the provider is called "waldur", as in the names
// of its data sources.
func (s Sandbox) Schema(ctx context.Context) (string, error) {
	w := s.WorkingDir(filepath.Join(filepath.Dir(s.Config), "schema"))
	if err := w.Write("main.tf", fmt.Sprintf(`terraform {
  required_providers {
    waldur = { source = %q }
  }
}
`, Source)); err != nil {
		return "", err
	}
	if _, err := w.MustRun(ctx, "init", "-no-color"); err != nil {
		return "", err
	}
	document, err := w.MustRun(ctx, "providers", "schema", "-json")
	return strings.Replace(document, strconv.Quote(s.CLI.Kind.RegistryHost()+"/"+Source), `"waldur"`, 1), err
}

// Install copies the provider to where "init" of both CLIs finds it without any
// configuration, the plugins folder of the user, and returns the folders that it
// filled. As long as they exist, the CLIs never install the provider from a
// registry.
func Install(binary, version string) (dirs []string, err error) {
	plugins, err := userPlugins()
	if err != nil {
		return nil, err
	}
	return layOut(plugins, Source, binary, version)
}

// userPlugins returns the only implied mirror folder that Terraform and OpenTofu
// share.
func userPlugins() (string, error) {
	if runtime.GOOS == "windows" {
		dir, err := os.UserConfigDir() // %AppData%
		return filepath.Join(dir, "terraform.d", "plugins"), err
	}
	dir, err := os.UserHomeDir()
	return filepath.Join(dir, ".terraform.d", "plugins"), err
}

// layOut copies the binary to HOST/NAMESPACE/TYPE/VERSION/OS_ARCH for both
// registries, the unpacked layout of a file system mirror.
func layOut(mirror, source, binary, version string) (dirs []string, err error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	for _, kind := range []Kind{Terraform, OpenTofu} {
		dir := filepath.Join(mirror, kind.RegistryHost(), filepath.FromSlash(source), version, runtime.GOOS+"_"+runtime.GOARCH)
		// Everything in the folder is part of the package and its checksum, so
		// nothing of an earlier build may remain. The file is a new one, so
		// that a provider that is still running keeps its own.
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(binary)), program, 0o755); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}
