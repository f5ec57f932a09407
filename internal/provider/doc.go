// Package provider is the Terraform side of the project: schemas, configuration,
// state and diagnostics.
//
// A value takes one path: configuration → client → records → state. What Waldur
// is asked, and whether its answers are valid, is decided by package waldur.
package provider
