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

// The least values of the numbers, and what they are when nothing is said.
const (
	leastTimeout, defaultTimeout         = 1, 60 // seconds
	leastRetries, defaultRetries         = 0, 3
	leastConcurrency, defaultConcurrency = 1, 2
)

// arguments is the provider block as it is written.
type arguments struct {
	Endpoint              types.String `tfsdk:"endpoint"`
	Token                 types.String `tfsdk:"token"`
	RequestTimeout        types.Number `tfsdk:"request_timeout"`
	MaxRetries            types.Number `tfsdk:"max_retries"`
	MaxConcurrentRequests types.Number `tfsdk:"max_concurrent_requests"`
	CACertificate         types.String `tfsdk:"ca_certificate"`
}

// settings is what the arguments and the environment come to.
type settings struct {
	config      waldur.Config
	secret      string   // the token as text, for masking
	unknown     []string // arguments whose values are not known yet
	diagnostics diag.Diagnostics
	lookupEnv   func(name string) (string, bool)
}

// settle takes each value from the configuration, or else from the
// environment. A value that stands in the configuration counts, also when it
// is wrong, empty or not known yet: nothing is replaced in silence.
func settle(written arguments, lookupEnv func(name string) (string, bool)) settings {
	s := settings{lookupEnv: lookupEnv}
	s.config.Endpoint = settleText(&s, "endpoint", "WALDUR_API_URL", written.Endpoint, waldur.ParseEndpoint)
	s.config.Token = settleText(&s, "token", "WALDUR_ACCESS_TOKEN", written.Token, func(raw string) (waldur.Token, error) {
		s.secret = raw
		return waldur.ParseToken(raw)
	})
	timeout := s.number("request_timeout", "WALDUR_HTTP_TIMEOUT", written.RequestTimeout, leastTimeout, defaultTimeout)
	s.config.RequestTimeout = time.Duration(min(timeout, math.MaxInt64/int64(time.Second))) * time.Second
	s.config.MaxRetries = toInt(s.number("max_retries", "WALDUR_MAX_RETRIES", written.MaxRetries, leastRetries, defaultRetries))
	s.config.MaxConcurrentRequests = toInt(s.number("max_concurrent_requests", "", written.MaxConcurrentRequests, leastConcurrency, defaultConcurrency))
	s.config.RootCAs = s.certificates(written.CACertificate)
	return s
}

// settleText settles a text that is needed.
func settleText[T any](s *settings, argument, variable string, written types.String, parse func(string) (T, error)) (value T) {
	if written.IsUnknown() {
		s.unknown = append(s.unknown, argument)
		return value
	}
	raw, source := written.ValueString(), argument
	if written.IsNull() {
		raw, source = s.environment(variable), variable
	}
	if written.IsNull() && raw == "" {
		s.diagnostics.AddAttributeError(path.Root(argument), "Invalid provider configuration: no "+argument,
			fmt.Sprintf("Write %s into the provider block, or set the environment variable %s.", argument, variable))
		return value
	}
	value, err := parse(raw)
	if err != nil {
		s.invalid(argument, source, err)
	}
	return value
}

// number settles a number that has a default. Its variable may be "", none.
func (s *settings) number(argument, variable string, written types.Number, least, otherwise int64) int64 {
	if written.IsUnknown() {
		s.unknown = append(s.unknown, argument)
		return otherwise
	}
	var source, raw string
	if written.IsNull() {
		source, raw = variable, s.environment(variable)
	} else {
		source, raw = argument, digits(written.ValueBigFloat())
	}
	if written.IsNull() && raw == "" {
		return otherwise
	}
	value, err := parseWhole(raw, least)
	if err != nil {
		s.invalid(argument, source, err)
	}
	return value
}

func (s *settings) certificates(written types.String) *x509.CertPool {
	if written.IsUnknown() {
		s.unknown = append(s.unknown, "ca_certificate")
	}
	if written.IsUnknown() || written.IsNull() {
		return nil
	}
	pool, err := waldur.CertPoolWith(written.ValueString())
	if err != nil {
		s.invalid("ca_certificate", "ca_certificate", err)
	}
	return pool
}

// environment gives the value of a variable. One that is set but empty counts
// as not set, as in most pipelines, where it comes from a missing secret.
func (s *settings) environment(variable string) string {
	value, _ := s.lookupEnv(variable)
	return value
}

func (s *settings) invalid(argument, source string, err error) {
	detail := err.Error()
	if source != argument {
		detail = fmt.Sprintf("The value comes from the environment variable %s. %s", source, detail)
	}
	s.diagnostics.AddAttributeError(path.Root(argument), "Invalid "+source, detail)
}

// toInt keeps a large number large where an int has 32 bits.
func toInt(n int64) int { return int(min(n, math.MaxInt32)) }
