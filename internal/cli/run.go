package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Command returns the command that runs the CLI in dir with the CLI configuration
// file config, or without one if config is "". Of the variables that configure
// the CLI, the command inherits only those that enable logs, so that neither the
// settings of the user nor those of an enclosing test affect the result.
func (c CLI) Command(ctx context.Context, dir, config string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Path, arguments...)
	cmd.Dir = dir
	cmd.Env = environ(config)
	return cmd
}

// WorkingDir is a folder with a configuration, in which the CLI runs.
type WorkingDir struct {
	Sandbox Sandbox
	Dir     string
	Env     []string // in addition to the variables that [CLI.Command] sets
}

// Write creates or replaces a file in the folder. It creates parent folders as
// needed.
func (w WorkingDir) Write(name, content string) error {
	path := filepath.Join(w.Dir, name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
}

// Command returns the command that runs the CLI in the folder.
func (w WorkingDir) Command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := w.Sandbox.CLI.Command(ctx, w.Dir, w.Sandbox.Config, arguments...)
	cmd.Env = append(cmd.Env, w.Env...)
	return cmd
}

// MustRun runs the CLI and returns its standard output. If the CLI fails, the
// error contains everything that it printed.
func (w WorkingDir) MustRun(ctx context.Context, arguments ...string) (string, error) {
	return stdout(w.Command(ctx, arguments...))
}

// Result is the outcome of a command.
type Result struct {
	ExitCode int
	Output   string // standard output and standard error
}

// Contains reports whether the output contains the text. Line breaks count as
// spaces, because the CLI wraps its messages.
func (r Result) Contains(text string) bool {
	return strings.Contains(strings.Join(strings.Fields(r.Output), " "), text)
}

// Run runs a command that may exit with any code. It returns an error only if the
// command cannot be run or is killed.
func Run(cmd *exec.Cmd) (Result, error) {
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err == nil || ok && exit.ExitCode() > 0 {
		return Result{ExitCode: cmd.ProcessState.ExitCode(), Output: string(out)}, nil
	}
	return Result{}, fmt.Errorf("%s: %w\n%s", cmd, err, out)
}

// stdout runs a command that must succeed and returns its standard output.
func stdout(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out, exit.Stderr)
	}
	return string(out), err
}

func environ(config string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "TF_LOG")
	})
	kept = append(kept, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")
	if config != "" {
		kept = append(kept, "TF_CLI_CONFIG_FILE="+config)
	}
	return kept
}
