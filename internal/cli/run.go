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

// WorkingDir is a folder with a configuration, in which the CLI runs.
type WorkingDir struct {
	Sandbox Sandbox
	Dir     string
	Env     []string // in addition to the environment of the process
}

// Write creates or replaces a file in the folder. It creates parent folders as
// needed.
func (w WorkingDir) Write(name, content string) error {
	path := filepath.Join(w.Dir, name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
}

// Command returns the command that runs the CLI in the folder.
func (w WorkingDir) Command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.Sandbox.CLI.Path, arguments...)
	cmd.Dir = w.Dir
	cmd.Env = append(w.Sandbox.environ(), w.Env...)
	return cmd
}

// environ returns the environment of the CLI. Of the variables that configure it,
// only those that enable logs are inherited. With Config, neither the settings of the
// user nor those of an enclosing test affect the result.
func (s Sandbox) environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "TF_LOG")
	})
	env = append(env, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0")
	if s.Config != "" {
		env = append(env, "TF_CLI_CONFIG_FILE="+s.Config)
	}
	return env
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
