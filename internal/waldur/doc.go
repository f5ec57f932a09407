// Package waldur reads the usage records of a Waldur and verifies its answers.
//
// A read returns the complete, exact list, or it fails. The package knows
// nothing of Terraform: package provider turns its records into state, and its
// errors into diagnostics.
package waldur
