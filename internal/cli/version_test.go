package cli

import "testing"

func TestSinceComparesMinorVersionsOfEachCLI(t *testing.T) {
	t.Parallel()

	for program, want := range map[CLI]bool{
		{Kind: Terraform, Version: "1.7.5"}:     false,
		{Kind: Terraform, Version: "1.8.0-rc1"}: true,
		{Kind: Terraform, Version: "1.11.4"}:    true,
		{Kind: Terraform, Version: "2.0.0"}:     true,
		{Kind: Terraform, Version: "0.15.0"}:    false,
		{Kind: OpenTofu, Version: "1.6.3"}:      false,
		{Kind: OpenTofu, Version: "1.7.0"}:      true,
		{Kind: OpenTofu, Version: "unknown"}:    false,
	} {
		if got := program.HasFunctions(); got != want {
			t.Errorf("%s %s: %v, want %v", program.Kind, program.Version, got, want)
		}
	}
}
