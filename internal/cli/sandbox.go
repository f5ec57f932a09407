package cli

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
)

// ConfigVariable is the environment variable by which [Sandbox.Acceptance]
// hands its CLI configuration file to the tests, so that the provider is built
// once for all packages.
const ConfigVariable = "ACCEPTANCE_CLI_CONFIG"

// Sandbox is a CLI that installs providers from one folder only: no run depends
// on a registry or on the user's settings.
type Sandbox struct {
	CLI    CLI
	Config string // CLI configuration file, beside the folder of the providers
}

// NewSandbox finds a CLI of the wanted kind, builds the provider of the module
// around the working directory, and makes it installable from dir. The errors
// are those of [Find], [BuildProvider] and [Mirror].
func NewSandbox(ctx context.Context, want Kind, dir string, progress io.Writer) (Sandbox, error) {
	program, err := Find(ctx, want, progress)
	if err != nil {
		return Sandbox{}, err
	}

	binary, err := BuildProvider(ctx, dir, LocalVersion)
	if err != nil {
		return Sandbox{}, err
	}

	config, err := Mirror(dir, binary, LocalVersion)

	return Sandbox{CLI: program, Config: config}, err
}

// Add makes another provider installable.
func (s Sandbox) Add(binary, version string) error {
	_, err := Mirror(filepath.Dir(s.Config), binary, version)

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
