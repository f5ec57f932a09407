package cli

import "fmt"

// Since reports whether the CLI is Terraform 1.terraform, OpenTofu 1.tofu, or
// later.
func (c CLI) Since(terraform, tofu int) bool {
	minor := terraform
	if c.Kind == OpenTofu {
		minor = tofu
	}

	var gotMajor, gotMinor int
	if _, err := fmt.Sscanf(c.Version, "%d.%d", &gotMajor, &gotMinor); err != nil {
		return false
	}

	return gotMajor > 1 || gotMajor == 1 && gotMinor >= minor
}

// HasFunctions reports whether the CLI has provider-defined functions.
func (c CLI) HasFunctions() bool { return c.Since(8, 7) }
