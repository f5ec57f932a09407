package provider

import (
	"encoding/base64"
	"fmt"
	"maps"
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

// A CLI validates first, and does not configure the provider if that fails. If it
// configures it all the same, the environment must not replace an invalid argument.
// Variables are not validated, as a validation may run in a different environment.
func TestInvalidConfigurationIsRejected(t *testing.T) {
	t.Parallel()
	const (
		secret      = "hunter2-hunter2-hunter2"
		positive    = "an integer of at least 1"
		notNegative = "an integer of at least 0"
	)
	type variables map[string]string
	valid := variables{"WALDUR_API_URL": "https://x", "WALDUR_ACCESS_TOKEN": secret, "WALDUR_HTTP_TIMEOUT": "5", "WALDUR_MAX_RETRIES": "5"}
	for name, row := range map[string]struct {
		block       attributes
		environment variables // replaces variables of valid
		heading     string    // of the only error
		detail      string
	}{
		"empty endpoint":          {attributes{"endpoint": ""}, nil, "endpoint: Invalid endpoint", "empty"},
		"no scheme":               {attributes{"endpoint": "localhost:8000"}, nil, "endpoint: Invalid endpoint", "begin with https:// or http://. Use the URL of your Waldur, such as"},
		"a password":              {attributes{"endpoint": "https://me:" + secret + "@x"}, nil, "endpoint: Invalid endpoint", "password"},
		"empty token":             {attributes{"token": ""}, nil, "token: Invalid token", "empty"},
		"token with a line break": {attributes{"token": secret + "\n"}, nil, "token: Invalid token", "trimspace()"},
		"token with a space":      {attributes{"token": "Token " + secret}, nil, "token: Invalid token", "without Token or Bearer"},
		"timeout of 0":            {attributes{"request_timeout": 0}, nil, "request_timeout: Invalid request_timeout", positive},
		"timeout of 1.5":          {attributes{"request_timeout": 1.5}, nil, "request_timeout: Invalid request_timeout", positive},
		"negative retries":        {attributes{"max_retries": -1}, nil, "max_retries: Invalid max_retries", notNegative},
		"no concurrent requests":  {attributes{"max_concurrent_requests": 0}, nil, "max_concurrent_requests: Invalid max_concurrent_requests", positive},
		"path of a certificate":   {attributes{"ca_certificate": "ca.pem"}, nil, "ca_certificate: Invalid ca_certificate", `file("ca.pem")`},

		"empty WALDUR_API_URL":        {nil, variables{"WALDUR_API_URL": ""}, "endpoint: Missing endpoint", "the WALDUR_API_URL environment variable. The variable is set, but empty: in a pipeline,"},
		"empty WALDUR_ACCESS_TOKEN":   {nil, variables{"WALDUR_ACCESS_TOKEN": ""}, "token: Missing token", "the WALDUR_ACCESS_TOKEN environment variable. The variable is set, but empty: in a pipeline,"},
		"invalid WALDUR_API_URL":      {nil, variables{"WALDUR_API_URL": "https://me:" + secret + "@x"}, "endpoint: Invalid WALDUR_API_URL", "environment variable"},
		"invalid WALDUR_ACCESS_TOKEN": {nil, variables{"WALDUR_ACCESS_TOKEN": secret + "\r\n"}, "token: Invalid WALDUR_ACCESS_TOKEN", "environment variable"},
		"WALDUR_HTTP_TIMEOUT of 60s":  {nil, variables{"WALDUR_HTTP_TIMEOUT": "60s"}, "request_timeout: Invalid WALDUR_HTTP_TIMEOUT", positive},
		"WALDUR_MAX_RETRIES of -1":    {nil, variables{"WALDUR_MAX_RETRIES": "-1"}, "max_retries: Invalid WALDUR_MAX_RETRIES", notNegative},
		"WALDUR_MAX_RETRIES of 2^63":  {nil, variables{"WALDUR_MAX_RETRIES": "9223372036854775808"}, "max_retries: Invalid WALDUR_MAX_RETRIES", notNegative},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment := maps.Clone(valid)
			maps.Copy(environment, row.environment)
			s := newSession(t, environment)
			validated, configured := s.validateProvider(row.block), s.configure(row.block)
			configured.require(t, "error at "+row.heading, row.detail)
			if strings.Contains(configured.String(), secret) {
				t.Errorf("got the secret in:\n%s", configured)
			}
			want := configured.String()
			if row.block == nil {
				want = ""
			}
			if validated.String() != want {
				t.Errorf("validation: got:\n%swant:\n%s", validated, want)
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
		soon    = "warning: Token expires soon" // not at token: the CLI would show its line
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
		detail  string
	}{
		"personal, expired": {personal(-time.Hour), expired, "The personal access token expired on 1 October 2024 at 11:00 UTC. No request was made.\n\n" +
			"Create a new token in Waldur, under Profile > Credentials > Personal access tokens. Rotating this one does not help"},
		"personal, beyond the minute": {personal(-61 * time.Second), expired, ""},
		"personal, within the minute": {personal(-59 * time.Second), soon, ""},
		"personal, six days left":     {personal(6 * day), soon, "The personal access token expires on 7 October 2024 at 12:00 UTC.\n\nCreate a new token"},
		"personal, just below a week": {personal(7*day - time.Second), soon, ""},
		"personal, a week left":       {personal(7 * day), "", ""},
		"JWT, expired":                {jwt(-time.Hour), expired, "The JWT expired on 1 October 2024 at 11:00 UTC. No request was made.\n\nGet a new JWT"},
		"JWT, within the minute":      {jwt(-59 * time.Second), "", ""},
		"API token":                   {waldurtest.Token, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			url := server.Start(t)
			for source, found := range map[string]diagnostics{
				"": newSession(t, nil).configure(attributes{"endpoint": url, "token": row.token}),
				" in the environment variable WALDUR_ACCESS_TOKEN": newSession(t, map[string]string{"WALDUR_ACCESS_TOKEN": row.token}).
					configure(attributes{"endpoint": url}),
			} {
				found.require(t, row.heading, strings.Replace(row.detail, " expire", source+" expire", 1))
				if strings.Contains(found.String(), row.token) {
					t.Errorf("got the token in:\n%s", found)
				}
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
