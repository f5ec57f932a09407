package provider

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Minimum and default values.
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

// settings are the values of the provider block and the environment.
type settings struct {
	config      waldur.Config
	secret      string   // the token as text, for masking
	unknown     []string // names of arguments whose values are not known yet
	diagnostics diag.Diagnostics
	lookupEnv   func(name string) (string, bool)
}

// newSettings takes each value from the provider block or, if it is not set there,
// from the environment. The environment does not replace a value in the block that
// is invalid, empty or not known yet. A token that has expired is an error.
func newSettings(model providerModel, lookupEnv func(name string) (string, bool), now time.Time) settings {
	s := settings{lookupEnv: lookupEnv}
	s.config.Endpoint, _ = required(&s, "endpoint", "WALDUR_API_URL", model.Endpoint, waldur.ParseEndpoint)
	if s.config.Endpoint.Cleartext() {
		s.diagnostics.AddAttributeWarning(path.Root("endpoint"), "Token sent in cleartext",
			"Requests to "+s.config.Endpoint.Origin()+" are not encrypted: anyone on the network can read the token and use it. Use https.")
	}
	var source string
	s.config.Token, source = required(&s, "token", "WALDUR_ACCESS_TOKEN", model.Token, func(raw string) (waldur.Token, error) {
		s.secret = raw
		return waldur.ParseToken(raw)
	})
	s.diagnostics.Append(expiryDiagnostics(s.config.Token, source, now)...)
	timeout := s.integer("request_timeout", "WALDUR_HTTP_TIMEOUT", model.RequestTimeout, minTimeout, defaultTimeout)
	s.config.RequestTimeout = time.Duration(min(timeout, math.MaxInt64/int64(time.Second))) * time.Second
	s.config.MaxRetries = toInt(s.integer("max_retries", "WALDUR_MAX_RETRIES", model.MaxRetries, minRetries, defaultRetries))
	s.config.MaxConcurrentRequests = toInt(s.integer("max_concurrent_requests", "", model.MaxConcurrentRequests, minConcurrency, defaultConcurrency))
	s.config.RootCAs, _ = resolve(&s, "ca_certificate", "", model.CACertificate, waldur.CertPoolWith)
	return s
}

// resolve returns the value of an argument and its source: the name of the argument
// or of its environment variable, or "" if neither is set.
func resolve[T any](s *settings, argument, variable string, configured attr.Value, parse func(string) (T, error)) (value T, source string) {
	var raw string
	switch {
	case configured.IsUnknown():
		s.unknown = append(s.unknown, argument)
		return value, argument
	case configured.IsNull():
		raw, _ = s.lookupEnv(variable)
		source = variable
		// In most pipelines, an empty variable is a secret that is missing.
		if raw == "" {
			return value, ""
		}
	default:
		raw, source = textOf(configured), argument
	}
	value, err := parse(raw)
	if err != nil {
		s.diagnostics.Append(invalidArgument(path.Root(argument), source, err))
	}
	return value, source
}

func required[T any](s *settings, argument, variable string, configured attr.Value, parse func(string) (T, error)) (value T, source string) {
	value, source = resolve(s, argument, variable, configured, parse)
	if source == "" {
		detail := fmt.Sprintf("Set %s in the provider block, or the %s environment variable.", argument, variable)
		if _, isSet := s.lookupEnv(variable); isSet {
			detail += " The variable is set, but empty: in a pipeline, check that the secret exists and is available to this job."
		}
		s.diagnostics.AddAttributeError(path.Root(argument), "Missing "+argument, detail)
	}
	return value, source
}

func (s *settings) integer(argument, variable string, configured attr.Value, minimum, fallback int64) int64 {
	value, source := resolve(s, argument, variable, configured, integerFrom(minimum))
	if source == "" {
		return fallback
	}
	return value
}

// toInt converts to an int, which may have 32 bits. It limits larger numbers.
func toInt(n int64) int { return int(min(n, math.MaxInt32)) }

const (
	clockTolerance = time.Minute        // difference between clocks
	expiryNotice   = 7 * 24 * time.Hour // before a personal access token expires
)

// expiryDiagnostics returns an error if the token has expired, and a warning if a
// personal access token expires soon. The source is that of the token, as in resolve.
// The CLI shows the line of an attribute with its diagnostics, so the warning, which
// appears while the token is valid, is not on the attribute.
func expiryDiagnostics(token waldur.Token, source string, now time.Time) (diagnostics diag.Diagnostics) {
	expiry, known := token.Expiry()
	if !known {
		return nil
	}
	kind, advice := "JWT", "Get a new JWT from the OIDC provider right before each run: JWTs are usually valid for minutes."
	if token.Kind() == waldur.PersonalAccessToken {
		kind, advice = "personal access token", "Create a new token in Waldur, under Profile > Credentials > Personal access tokens. "+
			"Rotating this one does not help: the new token would expire at the same time."
	}
	if source != "token" {
		kind += " in the environment variable " + source
	}
	day := expiry.UTC().Format("2 January 2006 at 15:04 UTC")
	switch {
	case now.After(expiry.Add(clockTolerance)):
		diagnostics.AddAttributeError(path.Root("token"), "Token has expired",
			fmt.Sprintf("The %s expired on %s. No request was made.\n\n%s", kind, day, advice))
	case token.Kind() == waldur.PersonalAccessToken && now.After(expiry.Add(-expiryNotice)):
		diagnostics.AddWarning("Token expires soon",
			fmt.Sprintf("The %s expires on %s.\n\n%s", kind, day, advice))
	}
	return diagnostics
}

// textValidator validates strings and numbers with the function that also parses
// them, so validation and use follow one rule.
type textValidator func(text string) error

// parsed returns a validator that accepts the values that the function parses.
func parsed[T any](parse func(string) (T, error)) textValidator {
	return func(text string) error {
		_, err := parse(text)
		return err
	}
}

// Description implements validator.Describer.
func (textValidator) Description(context.Context) string { return "value must be valid" }

// MarkdownDescription implements validator.Describer.
func (v textValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements validator.String.
func (v textValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	v.validate(req.Path, req.ConfigValue, &resp.Diagnostics)
}

// ValidateNumber implements validator.Number.
func (v textValidator) ValidateNumber(_ context.Context, req validator.NumberRequest, resp *validator.NumberResponse) {
	v.validate(req.Path, req.ConfigValue, &resp.Diagnostics)
}

func (v textValidator) validate(argument path.Path, configured attr.Value, diagnostics *diag.Diagnostics) {
	if configured.IsNull() || configured.IsUnknown() {
		return
	}
	if err := v(textOf(configured)); err != nil {
		diagnostics.Append(invalidArgument(argument, argument.String(), err))
	}
}

// textOf returns a string, or the decimal digits of an int64. It returns "" for any
// other number.
func textOf(configured attr.Value) string {
	switch value := configured.(type) {
	case types.String:
		return value.ValueString()
	case types.Number:
		if integer, accuracy := value.ValueBigFloat().Int64(); accuracy == big.Exact {
			return strconv.FormatInt(integer, 10)
		}
	}
	return ""
}

// integerFrom returns a function that parses integers of at least the minimum.
// The framework's own Int64Attribute reports 1.5 as a bug in the provider.
func integerFrom(minimum int64) func(digits string) (int64, error) {
	return func(digits string) (int64, error) {
		integer, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || integer < minimum {
			return 0, fmt.Errorf("the value must be an integer of at least %d", minimum)
		}
		return integer, nil
	}
}
