package cli

import (
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

func TestCommandDropsTheSettingsOfTheUser(t *testing.T) {
	t.Setenv("TF_CLI_CONFIG_FILE", "/somebody/else.tfrc")
	t.Setenv("TF_VAR_limit", "1")
	t.Setenv("TF_REATTACH_PROVIDERS", "{}")
	t.Setenv("TF_LOG_PROVIDER", "debug")

	got := CLI{Path: "terraform"}.Command(t.Context(), "dir", "own.tfrc", "plan").Env

	for variable, want := range map[string]bool{
		"TF_CLI_CONFIG_FILE=own.tfrc":            true,
		"TF_CLI_CONFIG_FILE=/somebody/else.tfrc": false,
		"TF_VAR_limit=1":                         false,
		"TF_REATTACH_PROVIDERS={}":               false,
		"TF_LOG_PROVIDER=debug":                  true,
	} {
		if slices.Contains(got, variable) != want {
			t.Errorf("%s: want it passed on: %t", variable, want)
		}
	}
}

func TestAcceptanceTestsRunOnTheCLIAndUnderItsRegistry(t *testing.T) {
	t.Parallel()

	sandbox := Sandbox{CLI: CLI{Kind: OpenTofu, Path: "/opt/tofu"}, Config: "/sandbox/cli.tfrc"}
	cmd := sandbox.Acceptance(t.Context(), "go", "test")

	for _, variable := range []string{
		"TF_ACC=1",
		"TF_ACC_TERRAFORM_PATH=/opt/tofu",
		"TF_ACC_PROVIDER_HOST=registry.opentofu.org",
		"TF_CLI_CONFIG_FILE=/sandbox/cli.tfrc",
		"ACCEPTANCE_CLI_CONFIG=/sandbox/cli.tfrc",
	} {
		if !slices.Contains(cmd.Env, variable) {
			t.Errorf("no %s", variable)
		}
	}
}

func TestRunReturnsTheExitCodeAndBothOutputs(t *testing.T) {
	t.Parallel()

	if runtime.GOOS == "windows" {
		t.Skip("the command is a shell script")
	}

	got, err := Run(exec.CommandContext(t.Context(), "sh", "-c", "echo plan; echo 'Error: too' >&2; echo much >&2; exit 3"))
	if err != nil || got.ExitCode != 3 || !got.Contains("plan Error: too much") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRunReturnsErrorWhenTheCommandIsKilled(t *testing.T) {
	t.Parallel()

	if runtime.GOOS == "windows" {
		t.Skip("the command is a shell script")
	}

	if got, err := Run(exec.CommandContext(t.Context(), "sh", "-c", "kill $$")); err == nil {
		t.Errorf("got %+v", got)
	}
}
