// Package waldur asks a Waldur for its usage records and judges the answers.
//
// A read is exactly right or it is an error. The package knows nothing of
// Terraform; package provider turns its records into state and its errors into
// diagnostics.
package waldur
