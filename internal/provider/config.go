package provider

import (
	"crypto/x509"
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// The minimums and the defaults of integers.
const (
	minTimeout, defaultTimeout         = 1, 60 // seconds
	minRetries, defaultRetries         = 0, 6
	minConcurrency, defaultConcurrency = 1, 4
)

// providerModel is the provider block.
type providerModel struct {
	Endpoint              types.String `tfsdk:"endpoint"`
	Token                 types.String `tfsdk:"token"`
	RequestTimeout        types.Number `tfsdk:"request_timeout"`
	MaxRetries            types.Number `tfsdk:"max_retries"`
	MaxConcurrentRequests types.Number `tfsdk:"max_concurrent_requests"`
	CACertificate         types.String `tfsdk:"ca_certificate"`
}

// settings is what the provider block and the environment amount to.
type settings struct {
	config      waldur.Config
	secret      string   // the token as text, for masking
	unknown     []string // arguments whose values are not known yet
	diagnostics diag.Diagnostics
	lookupEnv   func(name string) (string, bool)
}

// newSettings takes each value from the provider block or, where it is not set,
// from the environment. A value in the block is used even if it is invalid,
// empty or not known yet: the environment replaces nothing silently. The time
// decides whether a token has expired.
func newSettings(model providerModel, lookupEnv func(name string) (string, bool), now time.Time) settings {
	s := settings{lookupEnv: lookupEnv}
	s.config.Endpoint, _ = parseRequired(&s, "endpoint", "WALDUR_API_URL", model.Endpoint, waldur.ParseEndpoint)
	if s.config.Endpoint.Cleartext() {
		s.diagnostics.Append(cleartextWarning(s.config.Endpoint))
	}
	var source string
	s.config.Token, source = parseRequired(&s, "token", "WALDUR_ACCESS_TOKEN", model.Token, func(raw string) (waldur.Token, error) {
		s.secret = raw
		return waldur.ParseToken(raw)
	})
	s.diagnostics.Append(expiryDiagnostics(s.config.Token, source, now)...)
	timeout := s.integer("request_timeout", "WALDUR_HTTP_TIMEOUT", model.RequestTimeout, minTimeout, defaultTimeout)
	s.config.RequestTimeout = time.Duration(min(timeout, math.MaxInt64/int64(time.Second))) * time.Second
	s.config.MaxRetries = toInt(s.integer("max_retries", "WALDUR_MAX_RETRIES", model.MaxRetries, minRetries, defaultRetries))
	s.config.MaxConcurrentRequests = toInt(s.integer("max_concurrent_requests", "", model.MaxConcurrentRequests, minConcurrency, defaultConcurrency))
	s.config.RootCAs = s.certificates(model.CACertificate)
	return s
}

// parseRequired returns the value of a required text, and what it was taken
// from: the argument or the environment variable.
func parseRequired[T any](s *settings, argument, variable string, configured types.String, parse func(string) (T, error)) (value T, source string) {
	if configured.IsUnknown() {
		s.unknown = append(s.unknown, argument)
		return value, argument
	}
	raw, source := configured.ValueString(), argument
	if configured.IsNull() {
		raw, source = s.environment(variable), variable
	}
	if configured.IsNull() && raw == "" {
		s.diagnostics.AddAttributeError(path.Root(argument), "Missing "+argument,
			fmt.Sprintf("Set %s in the provider block, or the %s environment variable.", argument, variable))
		return value, source
	}
	value, err := parse(raw)
	if err != nil {
		s.diagnostics.Append(invalidArgument(argument, source, err))
	}
	return value, source
}

// integer returns the value of an integer that has a default. It may have no
// environment variable ("").
func (s *settings) integer(argument, variable string, configured types.Number, minimum, fallback int64) int64 {
	if configured.IsUnknown() {
		s.unknown = append(s.unknown, argument)
		return fallback
	}
	var source, raw string
	if configured.IsNull() {
		source, raw = variable, s.environment(variable)
	} else {
		source, raw = argument, digits(configured.ValueBigFloat())
	}
	if configured.IsNull() && raw == "" {
		return fallback
	}
	value, err := parseInteger(raw, minimum)
	if err != nil {
		s.diagnostics.Append(invalidArgument(argument, source, err))
	}
	return value
}

func (s *settings) certificates(configured types.String) *x509.CertPool {
	if configured.IsUnknown() {
		s.unknown = append(s.unknown, "ca_certificate")
	}
	if configured.IsUnknown() || configured.IsNull() {
		return nil
	}
	pool, err := waldur.CertPoolWith(configured.ValueString())
	if err != nil {
		s.diagnostics.Append(invalidArgument("ca_certificate", "ca_certificate", err))
	}
	return pool
}

// environment returns the value of a variable. A variable that is set but empty
// counts as not set: in most pipelines, that is a missing secret.
func (s *settings) environment(variable string) string {
	value, _ := s.lookupEnv(variable)
	return value
}

// toInt limits large numbers where an int has 32 bits.
func toInt(n int64) int { return int(min(n, math.MaxInt32)) }
