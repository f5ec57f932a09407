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

	goversion "github.com/hashicorp/go-version"
)

const (
	// Source is the source address of the provider, which both registries
	// derive from its repository.
	Source = "waldur/waldur-usage"

	// Required is the block with which a configuration declares the provider.
	Required = `terraform {
  required_providers { waldur = { source = "` + Source + `" } }
}
`

	// LocalVersion is the version of a local build. OpenTofu rejects 0.0.0, and
	// both CLIs ignore a prerelease, such as 0.0.1-dev, unless the configuration
	// requires exactly that version.
	LocalVersion = "0.0.1"

	// ConfigVariable is the environment variable in which [Sandbox.Acceptance]
	// passes the path of its CLI configuration file to the tests, so that the
	// provider is built once for all packages.
	ConfigVariable = "ACCEPTANCE_CLI_CONFIG"
)

// Sandbox is a CLI that installs providers from one folder only, so that no run
// depends on a registry or on the settings of the user. Unlike with
// dev_overrides, "init" selects a version and writes the lock file, as it does
// with a registry.
type Sandbox struct {
	CLI    CLI
	Config string // path of the CLI configuration file, next to the folder plugins; "" for none
}

// NewSandbox finds a CLI of the wanted kind with [Find], builds the provider from
// the checkout that contains the working directory, and sets up a sandbox in dir.
func NewSandbox(ctx context.Context, want Kind, dir string, progress io.Writer) (Sandbox, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Sandbox{}, err
	}
	root, err := checkout(ctx)
	if err != nil {
		return Sandbox{}, err
	}
	program, err := Find(ctx, want, progress)
	if err != nil {
		return Sandbox{}, err
	}
	s := Sandbox{CLI: program, Config: filepath.Join(dir, "cli.tfrc")}
	binary := filepath.Join(dir, executable("terraform-provider-waldur-usage"))
	// Stripped as in a release, since each command computes the checksum of the binary.
	if err := goBuild(ctx, root, binary, "-s -w -X main.version="+LocalVersion, "."); err != nil {
		return Sandbox{}, err
	}
	config := fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path = %q
  }
}
`, filepath.ToSlash(s.plugins()))
	return s, errors.Join(os.WriteFile(s.Config, []byte(config), 0o644), s.Add(Source, binary))
}

// plugins returns the only folder from which the CLI installs providers.
func (s Sandbox) plugins() string { return filepath.Join(filepath.Dir(s.Config), "plugins") }

// Add adds another provider, so that "init" can install it by its source address.
func (s Sandbox) Add(source, binary string) error {
	_, err := layOut(s.plugins(), source, binary, LocalVersion)
	return err
}

// WorkingDir returns a [WorkingDir] of the sandbox.
func (s Sandbox) WorkingDir(dir string, env ...string) WorkingDir {
	return WorkingDir{Sandbox: s, Dir: dir, Env: env}
}

// Acceptance returns a command, such as "go test", that runs acceptance tests on
// the CLI of the sandbox: those that use terraform-plugin-testing and those that
// use package clitest.
func (s Sandbox) Acceptance(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Env = append(s.environ(),
		ConfigVariable+"="+s.Config,
		"TF_ACC=1",
		pathVariable+"="+s.CLI.Path,
		// By default, terraform-plugin-testing serves the provider for the host
		// that Terraform assumes.
		"TF_ACC_PROVIDER_HOST="+s.CLI.Kind.RegistryHost(),
	)
	return cmd
}

// Install copies the provider to the plugins folder of the user, where "init"
// finds it without any configuration, and returns the folders that it filled, one
// for each CLI. As long as they exist, the CLIs never install the provider from a
// registry. The version must be one that a CLI accepts, such as 1.2.3.
func Install(binary, version string) (dirs []string, err error) {
	if parsed, err := goversion.NewSemver(version); err != nil || parsed.String() != version {
		return nil, fmt.Errorf("the version must have the form 1.2.3, not %q", version)
	}
	// Of the folders that are searched by default, only this one is common to
	// Terraform and OpenTofu.
	name, parent := ".terraform.d", os.UserHomeDir
	if runtime.GOOS == "windows" {
		name, parent = "terraform.d", os.UserConfigDir // %AppData%
	}
	dir, err := parent()
	if err != nil {
		return nil, err
	}
	return layOut(filepath.Join(dir, name, "plugins"), Source, binary, version)
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
		// All files in the folder count towards the checksum of the package, so
		// those of an earlier build must go. Removing the program, rather than
		// overwriting it, leaves a running provider intact.
		if err := errors.Join(
			os.RemoveAll(dir),
			os.MkdirAll(dir, 0o755),
			os.WriteFile(filepath.Join(dir, filepath.Base(binary)), program, 0o755),
		); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}
