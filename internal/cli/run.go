package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Command prepares the program with the arguments, in dir, and with the CLI
// configuration file of [Mirror]. Of the variables that steer the program, only
// those that ask for logs reach it: neither the settings of the person at the
// keyboard nor those of a test around this one change what it does.
func (c CLI) Command(ctx context.Context, dir, config string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, arguments...)
	cmd.Dir = dir
	cmd.Env = environ(config)

	return cmd
}

// Acceptance prepares any command, such as "go test", in whose environment the
// acceptance tests of terraform-plugin-testing run on this program. Dir is a
// folder for the CLI configuration file that keeps them off the network.
func (c CLI) Acceptance(ctx context.Context, dir, name string, arguments ...string) (*exec.Cmd, error) {
	config, err := writeConfig(dir)
	if err != nil {
		return nil, err
	}

	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Env = append(environ(config),
		"TF_ACC=1",
		pathVariable+"="+c.Path,
		// Without it the tests look for the provider under the host that
		// Terraform assumes, and OpenTofu under its own.
		"TF_ACC_PROVIDER_HOST="+c.Kind.RegistryHost(),
	)

	return cmd, nil
}

func environ(config string) []string {
	var kept []string

	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "TF_LOG") {
			kept = append(kept, variable)
		}
	}

	kept = append(kept, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")
	if config != "" {
		kept = append(kept, "TF_CLI_CONFIG_FILE="+config)
	}

	return kept
}

// run returns what the command prints, and, as the error, what it complains
// about.
func run(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, exit.Stderr)
	}

	return string(out), err
}
