package cli

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestCommandKeepsTheSettingsOfThePersonAway(t *testing.T) {
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

func TestAcceptanceTestsRunOnTheProgramAndUnderItsRegistry(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()

	cmd, err := CLI{Kind: OpenTofu, Path: "/opt/tofu"}.Acceptance(t.Context(), dir, "go", "test")
	if err != nil {
		t.Fatal(err)
	}

	for _, variable := range []string{
		"TF_ACC=1",
		"TF_ACC_TERRAFORM_PATH=/opt/tofu",
		"TF_ACC_PROVIDER_HOST=registry.opentofu.org",
		"TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "cli.tfrc"),
	} {
		if !slices.Contains(cmd.Env, variable) {
			t.Errorf("no %s", variable)
		}
	}
}
