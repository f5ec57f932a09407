// Package provider is the Terraform side of the project: what can be written
// in a configuration, what stands in the state and how an error reads.
//
// A value takes one way: configuration → client → records → state. What
// Waldur is asked, and whether an answer is right, is the matter of package
// waldur.
package provider
