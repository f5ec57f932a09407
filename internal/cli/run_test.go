package cli

import (
	"slices"
	"testing"
)

func TestCommandsHaveOnlyTheSettingsOfTheSandbox(t *testing.T) {
	for name, value := range map[string]string{
		"TF_CLI_CONFIG_FILE": "/user/cli.tfrc", "TF_VAR_limit": "1", "TF_REATTACH_PROVIDERS": "{}", "TF_LOG_PROVIDER": "debug",
	} {
		t.Setenv(name, value)
	}
	sandbox := Sandbox{CLI: CLI{Kind: OpenTofu, Path: "/opt/tofu"}, Config: "/sandbox/cli.tfrc"}
	run := sandbox.WorkingDir("dir", "WALDUR_API_URL=https://example.com").Command(t.Context(), "plan").Env
	tests := sandbox.Acceptance(t.Context(), "go", "test").Env
	type commands struct{ run, tests bool }
	for variable, want := range map[string]commands{
		"TF_CLI_CONFIG_FILE=/user/cli.tfrc":          {false, false},
		"TF_VAR_limit=1":                             {false, false},
		"TF_REATTACH_PROVIDERS={}":                   {false, false},
		"TF_LOG_PROVIDER=debug":                      {true, true},
		"TF_CLI_CONFIG_FILE=/sandbox/cli.tfrc":       {true, true},
		"WALDUR_API_URL=https://example.com":         {true, false},
		"TF_ACC=1":                                   {false, true},
		"TF_ACC_TERRAFORM_PATH=/opt/tofu":            {false, true},
		"TF_ACC_PROVIDER_HOST=registry.opentofu.org": {false, true},
		"ACCEPTANCE_CLI_CONFIG=/sandbox/cli.tfrc":    {false, true},
	} {
		if got := (commands{slices.Contains(run, variable), slices.Contains(tests, variable)}); got != want {
			t.Errorf("%s: got %+v, want %+v", variable, got, want)
		}
	}
}
