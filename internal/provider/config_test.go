package provider

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestArgumentsReplaceTheEnvironmentAndTheDefaults(t *testing.T) {
	t.Parallel()
	const (
		here    = "https://here.example.com token-of-argument"
		longest = math.MaxInt64 - math.MaxInt64%time.Second
	)
	arguments := func(timeout, retries, concurrent types.Number) providerModel {
		endpoint, token := types.StringValue("https://here.example.com/waldur/api/"), types.StringValue("token-of-argument")
		return providerModel{endpoint, token, timeout, retries, concurrent, types.StringNull()}
	}
	number := func(n int64) types.Number { return types.NumberValue(new(big.Float).SetInt64(n)) }
	null, largest := types.NumberNull(), number(math.MaxInt64)
	variables := map[string]string{
		"WALDUR_API_URL": "https://there.example.com", "WALDUR_ACCESS_TOKEN": "token-of-variable", "WALDUR_HTTP_TIMEOUT": "7", "WALDUR_MAX_RETRIES": "0",
	}
	empty := map[string]string{"WALDUR_API_URL": "", "WALDUR_ACCESS_TOKEN": "", "WALDUR_HTTP_TIMEOUT": "", "WALDUR_MAX_RETRIES": ""}
	large := map[string]string{"WALDUR_HTTP_TIMEOUT": "9223372036854775807"}
	for name, row := range map[string]struct {
		model       providerModel
		environment map[string]string
		want        string // origin, token, timeout, retries and concurrent requests
	}{
		"defaults":         {arguments(null, null, null), nil, here + " 1m0s 6 4"},
		"empty variables":  {arguments(null, null, null), empty, here + " 1m0s 6 4"},
		"variables":        {providerModel{}, variables, "https://there.example.com token-of-variable 7s 0 4"},
		"arguments":        {arguments(number(5), number(9), number(10)), variables, here + " 5s 9 10"},
		"large arguments":  {arguments(largest, largest, null), nil, fmt.Sprint(here, " ", longest, " 2147483647 4")},
		"a large variable": {arguments(null, null, null), large, fmt.Sprint(here, " ", longest, " 6 4")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSettings(row.model, lookupIn(row.environment), stoppedClock{}.Now())
			got := fmt.Sprintf("%s %s %s %d %d",
				s.config.Endpoint.Origin(), s.secret, s.config.RequestTimeout, s.config.MaxRetries, s.config.MaxConcurrentRequests)
			if got != row.want || s.config.RootCAs != nil || len(s.diagnostics) > 0 || len(s.unknown) > 0 {
				t.Errorf("got %q, want %q; %v", got, row.want, s)
			}
		})
	}
}

// The user should see all errors in one run.
func TestConfigureReportsEveryError(t *testing.T) {
	t.Parallel()
	s := newSession(t, map[string]string{"WALDUR_ACCESS_TOKEN": "", "WALDUR_HTTP_TIMEOUT": "soon", "WALDUR_MAX_RETRIES": "often"})
	if found := s.configure(attributes{"endpoint": "localhost", "ca_certificate": "x"}); len(found) != 5 {
		t.Errorf("got %d errors, want 5:\n%s", len(found), found)
	}
}

const secret = "hunter2-hunter2-hunter2"

// A CLI validates first, and does not configure the provider if that fails. If it
// does, the environment must not replace an invalid argument either.
func TestInvalidArgumentsAreRejected(t *testing.T) {
	t.Parallel()
	const example = "https://waldur.example.com"
	environment := map[string]string{"WALDUR_API_URL": example, "WALDUR_ACCESS_TOKEN": secret, "WALDUR_HTTP_TIMEOUT": "5", "WALDUR_MAX_RETRIES": "5"}
	for name, row := range map[string]struct {
		argument string
		value    any
		detail   string
	}{
		"empty endpoint":          {"endpoint", "", "empty"},
		"no scheme":               {"endpoint", "localhost:8000", "scheme, http or https, is missing. Use the URL of your Waldur, such as " + example},
		"a password":              {"endpoint", "https://me:" + secret + "@waldur.example.com", "password"},
		"empty token":             {"token", "", "empty"},
		"token with a line break": {"token", secret + "\n", "trimspace()"},
		"token with a space":      {"token", "Token " + secret, "without Token or Bearer"},
		"timeout of 0":            {"request_timeout", 0, "an integer of at least 1"},
		"timeout of 1.5":          {"request_timeout", 1.5, "an integer of at least 1"},
		"negative retries":        {"max_retries", -1, "an integer of at least 0"},
		"no requests at once":     {"max_concurrent_requests", 0, "an integer of at least 1"},
		"path of a certificate":   {"ca_certificate", "ca.pem", `file("ca.pem")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, environment)
			block := attributes{row.argument: row.value}
			validated, configured := s.validateProvider(block), s.configure(block)
			validated.require(t, "error at "+row.argument+": Invalid "+row.argument, row.detail)
			if configured.String() != validated.String() || strings.Contains(validated.String(), secret) {
				t.Errorf("validated:\n%sconfigured:\n%s", validated, configured)
			}
		})
	}
}

func TestInvalidVariablesAreRejected(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		variable, value, argument string
		summary, detail           string
	}{
		"empty endpoint":  {"WALDUR_API_URL", "", "endpoint", "Missing endpoint", "the WALDUR_API_URL environment variable"},
		"empty token":     {"WALDUR_ACCESS_TOKEN", "", "token", "Missing token", "the WALDUR_ACCESS_TOKEN environment variable"},
		"endpoint":        {"WALDUR_API_URL", "https://me:" + secret + "@x", "endpoint", "Invalid WALDUR_API_URL", "environment variable WALDUR_API_URL"},
		"token":           {"WALDUR_ACCESS_TOKEN", secret + "\r\n", "token", "Invalid WALDUR_ACCESS_TOKEN", "environment variable WALDUR_ACCESS_TOKEN"},
		"timeout of 60s":  {"WALDUR_HTTP_TIMEOUT", "60s", "request_timeout", "Invalid WALDUR_HTTP_TIMEOUT", "an integer of at least 1"},
		"-1 retries":      {"WALDUR_MAX_RETRIES", "-1", "max_retries", "Invalid WALDUR_MAX_RETRIES", "an integer of at least 0"},
		"too many digits": {"WALDUR_MAX_RETRIES", "9223372036854775808", "max_retries", "Invalid WALDUR_MAX_RETRIES", "an integer of at least 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			block := attributes{"endpoint": "https://waldur.example.com", "token": "0123456789abcdef"}
			block[row.argument] = nil
			s := newSession(t, map[string]string{row.variable: row.value})
			s.validateProvider(block).require(t, "") // the environment of a validation can be another one
			found := s.configure(block)
			found.require(t, "error at "+row.argument+": "+row.summary, row.detail)
			if strings.Contains(found.String(), secret) {
				t.Errorf("the secret is shown:\n%s", found)
			}
		})
	}
}

func TestWarnsWhenTokenIsSentInCleartext(t *testing.T) {
	t.Parallel()
	for endpoint, heading := range map[string]string{
		"http://192.0.2.1:8000/waldur/": "warning at endpoint: Token sent in cleartext",
		"https://waldur.example.com":    "",
		"http://localhost:8000":         "",
	} {
		newSession(t, nil).configure(attributes{"endpoint": endpoint, "token": waldurtest.Token}).require(t, heading)
	}
}

// A pipeline should be warned before its token expires, and needs no request to
// know that it has expired.
func TestExpiryOfTheTokenIsReportedWithoutARequest(t *testing.T) {
	t.Parallel()
	const (
		expired = "error at token: Token has expired"
		soon    = "warning at token: Token expires soon"
		day     = 24 * time.Hour
	)
	expiry := func(left time.Duration) int64 { return stoppedClock{}.Now().Add(left).Unix() }
	personal := func(left time.Duration) string { return fmt.Sprintf("w_%d_Abc-123_def", expiry(left)) }
	jwt := func(left time.Duration) string {
		part := base64.RawURLEncoding.EncodeToString
		return part([]byte(`{"alg":"RS256"}`)) + "." + part(fmt.Appendf(nil, `{"exp":%d}`, expiry(left))) + "." + part([]byte("signature"))
	}
	for name, row := range map[string]struct {
		token   string
		heading string
		details []string
	}{
		"personal, expired": {personal(-time.Hour), expired, []string{
			"The personal access token expired on 1 October 2024 at 11:00 UTC. No request was made.", "Profile > Credentials >", "Rotating",
		}},
		"personal, beyond the minute": {personal(-61 * time.Second), expired, nil},
		"personal, within the minute": {personal(-59 * time.Second), soon, nil},
		"personal, six days left":     {personal(6 * day), soon, []string{" expires on 7 October 2024 at 12:00 UTC.", "Create a new token"}},
		"personal, just below a week": {personal(7*day - time.Second), soon, nil},
		"personal, a week left":       {personal(7 * day), "", nil},
		"JWT, expired":                {jwt(-time.Hour), expired, []string{"The JWT expired on 1 October 2024 at 11:00 UTC. No", "OIDC provider"}},
		"JWT, within the minute":      {jwt(-59 * time.Second), "", nil},
		"API token":                   {waldurtest.Token, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			url := server.Start(t)
			found := newSession(t, nil).configure(attributes{"endpoint": url, "token": row.token})
			found.require(t, row.heading, row.details...)
			const source = " in the environment variable WALDUR_ACCESS_TOKEN"
			fromEnvironment := newSession(t, map[string]string{"WALDUR_ACCESS_TOKEN": row.token}).configure(attributes{"endpoint": url})
			text := fromEnvironment.String()
			if strings.Replace(text, source, "", 1) != found.String() || strings.Contains(text, source) != (row.heading != "") {
				t.Errorf("from the environment:\n%s\nfrom the argument:\n%s", fromEnvironment, found)
			}
			if strings.Contains(text+found.String(), row.token) {
				t.Errorf("the token is shown:\n%s", found)
			}
			requireNoConnection(t, server)
		})
	}
}

// A provider that depends on a resource is configured with unknown values. If the
// environment replaced them, another Waldur would be read.
func TestUnknownConfigurationIsNotReplacedByTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"endpoint", "token", "request_timeout", "max_retries", "max_concurrent_requests", "ca_certificate"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			url := server.Start(t)
			s := newSession(t, map[string]string{
				"WALDUR_API_URL": url, "WALDUR_ACCESS_TOKEN": waldurtest.Token, "WALDUR_HTTP_TIMEOUT": "1", "WALDUR_MAX_RETRIES": "0",
			})
			block := attributes{"endpoint": url, "token": waldurtest.Token}
			block[name] = unknown
			s.validateProvider(block).require(t, "")
			s.configure(block).require(t, "")
			for what, block := range map[string]attributes{"usages": {"project_uuid": someUUID}, "usage record": {"id": 1}} {
				_, found := s.read(t.Context(), block)
				found.require(t, "error: Unable to read "+what+": provider configuration not known yet", "The value of "+name+" in the provider block")
			}
			requireNoConnection(t, server)
		})
	}
}

func TestReadIsDeferredWhenConfigurationIsUnknownAndTheCLIAllowsIt(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.deferral = true
	s.configure(attributes{"endpoint": unknown, "token": waldurtest.Token}).require(t, "")
	state, found := s.read(t.Context(), attributes{"id": 1})
	if found.require(t, ""); state != nil {
		t.Errorf("got state %v, want none", state)
	}
}
