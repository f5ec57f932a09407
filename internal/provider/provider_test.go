package provider

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestSchemasAreValidAndHaveDescriptions(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.requireNone(s.diagnostics(s.schemas.Diagnostics, nil))
	if names := slices.Sorted(maps.Keys(s.schemas.DataSourceSchemas)); !slices.Equal(names, []string{oneType, listType}) {
		t.Errorf("data sources are %q", names)
	}
	if len(s.schemas.ResourceSchemas) != 0 {
		t.Error("the provider has resources, but it must not change anything")
	}
	for _, attribute := range s.schemas.Provider.Block.Attributes {
		if attribute.Sensitive != (attribute.Name == "token") {
			t.Errorf("%s: sensitive is %v", attribute.Name, attribute.Sensitive)
		}
	}
	requireDescriptions(t, "provider", s.schemas.Provider.Block)
	for name, schema := range s.schemas.DataSourceSchemas {
		requireDescriptions(t, name, schema.Block)
	}
}

func requireDescriptions(t *testing.T, name string, block *tfprotov6.SchemaBlock) {
	t.Helper()
	if block.Description == "" {
		t.Errorf("%s has no description", name)
	}
	attributes := block.Attributes
	for _, attribute := range block.Attributes {
		if attribute.NestedType != nil {
			attributes = slices.Concat(attributes, attribute.NestedType.Attributes)
		}
	}
	for _, attribute := range attributes {
		if attribute.Description == "" || attribute.DescriptionKind != tfprotov6.StringKindMarkdown {
			t.Errorf("%s.%s has no description in Markdown", name, attribute.Name)
		}
	}
}

func TestInvalidConfigurationIsRejected(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2-hunter2"
	valid := attributes{"endpoint": "https://waldur.example.com", "token": "0123456789abcdef"}
	for name, row := range map[string]struct {
		arguments   attributes // override the valid ones; nil removes one
		environment map[string]string
		attribute   string
		summary     string
		detail      string
	}{
		"no endpoint":    {attributes{"endpoint": nil}, nil, "endpoint", "Missing endpoint", "WALDUR_API_URL"},
		"no token":       {attributes{"token": nil}, nil, "token", "Missing token", "WALDUR_ACCESS_TOKEN"},
		"empty endpoint": {attributes{"endpoint": ""}, map[string]string{"WALDUR_API_URL": "https://waldur.example.com"}, "endpoint", "Invalid endpoint", "empty"},
		"blank endpoint": {attributes{"endpoint": " \t"}, nil, "endpoint", "Invalid endpoint", "empty"},
		"empty token":    {attributes{"token": ""}, map[string]string{"WALDUR_ACCESS_TOKEN": secret}, "token", "Invalid token", "empty"},
		"empty variables count as not set": {attributes{"endpoint": nil},
			map[string]string{"WALDUR_API_URL": ""}, "endpoint", "Missing endpoint", "WALDUR_API_URL"},
		"no scheme":               {attributes{"endpoint": "localhost:8000"}, nil, "endpoint", "Invalid endpoint", "scheme, http or https, is missing"},
		"another scheme":          {attributes{"endpoint": "ftp://waldur.example.com"}, nil, "endpoint", "Invalid endpoint", "https"},
		"a password":              {attributes{"endpoint": "https://me:" + secret + "@waldur.example.com"}, nil, "endpoint", "Invalid endpoint", "password"},
		"a password and no URL":   {attributes{"endpoint": "https://me:" + secret + "@waldur.example.com:port"}, nil, "endpoint", "Invalid endpoint", "URL"},
		"a query":                 {attributes{"endpoint": "https://waldur.example.com/?token=" + secret}, nil, "endpoint", "Invalid endpoint", "query"},
		"a fragment":              {attributes{"endpoint": "https://waldur.example.com/#" + secret}, nil, "endpoint", "Invalid endpoint", "fragment"},
		"token with a line break": {attributes{"token": secret + "\n"}, nil, "token", "Invalid token", "trimspace()"},
		"token that is not ASCII": {attributes{"token": secret + "ü"}, nil, "token", "Invalid token", "ASCII"},
		"token with a space":      {attributes{"token": "Token " + secret}, nil, "token", "Invalid token", "without Token or Bearer"},
		"timeout of 0":            {attributes{"request_timeout": 0}, nil, "request_timeout", "Invalid request_timeout", "an integer of at least 1"},
		"timeout of 1.5":          {attributes{"request_timeout": 1.5}, nil, "request_timeout", "Invalid request_timeout", "an integer of at least 1"},
		"negative retries":        {attributes{"max_retries": -1}, nil, "max_retries", "Invalid max_retries", "an integer of at least 0"},
		"no requests at once":     {attributes{"max_concurrent_requests": 0}, nil, "max_concurrent_requests", "Invalid max_concurrent_requests", "an integer of at least 1"},
		"invalid certificate":     {attributes{"ca_certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, nil, "ca_certificate", "Invalid ca_certificate", "certificate"},
		"path of a certificate":   {attributes{"ca_certificate": "ca.pem"}, nil, "ca_certificate", "Invalid ca_certificate", `file("ca.pem")`},
		"empty certificate":       {attributes{"ca_certificate": ""}, nil, "ca_certificate", "Invalid ca_certificate", "PEM"},
		"a private key":           {attributes{"ca_certificate": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, nil, "ca_certificate", "Invalid ca_certificate", "PRIVATE KEY"},
		"malformed WALDUR_API_URL": {attributes{"endpoint": nil}, map[string]string{"WALDUR_API_URL": "https://me:" + secret + "@waldur.example.com"},
			"endpoint", "Invalid WALDUR_API_URL", "environment variable WALDUR_API_URL"},
		"malformed WALDUR_ACCESS_TOKEN": {attributes{"token": nil}, map[string]string{"WALDUR_ACCESS_TOKEN": secret + "\r\n"},
			"token", "Invalid WALDUR_ACCESS_TOKEN", "environment variable WALDUR_ACCESS_TOKEN"},
		"malformed WALDUR_HTTP_TIMEOUT": {nil, map[string]string{"WALDUR_HTTP_TIMEOUT": "60s"},
			"request_timeout", "Invalid WALDUR_HTTP_TIMEOUT", "an integer of at least 1"},
		"WALDUR_HTTP_TIMEOUT of 0": {nil, map[string]string{"WALDUR_HTTP_TIMEOUT": "0"},
			"request_timeout", "Invalid WALDUR_HTTP_TIMEOUT", "an integer of at least 1"},
		"malformed WALDUR_MAX_RETRIES": {nil, map[string]string{"WALDUR_MAX_RETRIES": "-1"},
			"max_retries", "Invalid WALDUR_MAX_RETRIES", "an integer of at least 0"},
		"WALDUR_MAX_RETRIES too large": {nil, map[string]string{"WALDUR_MAX_RETRIES": "9223372036854775808"},
			"max_retries", "Invalid WALDUR_MAX_RETRIES", "an integer of at least 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, row.environment)
			block := maps.Clone(valid)
			maps.Copy(block, row.arguments)
			// A CLI validates first, and does not configure the provider if that fails.
			found := s.validateProvider(block)
			if len(found) == 0 {
				found = s.configure(block)
			}
			if len(found) != 1 || found[0].severity != "error" || found[0].attribute != row.attribute || found[0].summary != row.summary ||
				!strings.Contains(found[0].detail, row.detail) {
				t.Errorf("got:\n%swant at %q: %s … %s", found, row.attribute, row.summary, row.detail)
			}
			if strings.Contains(found.String(), secret) {
				t.Errorf("the secret is shown:\n%s", found)
			}
			if row.summary == "Invalid endpoint" && !strings.Contains(found.String(), "https://waldur.example.com") {
				t.Errorf("got:\n%swant an example", found)
			}
		})
	}
}

// A CLI need not validate first. Even then, the environment must not replace an
// invalid argument.
func TestConfigureRejectsWhatValidationRejects(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"WALDUR_API_URL": "https://waldur.example.com", "WALDUR_ACCESS_TOKEN": "0123456789abcdef"}
	for name, block := range map[string]attributes{
		"endpoint": {"endpoint": ""}, "token": {"token": ""}, "ca_certificate": {"ca_certificate": ""},
		"request_timeout": {"request_timeout": 0}, "max_retries": {"max_retries": -1}, "max_concurrent_requests": {"max_concurrent_requests": 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := newSession(t, environment).configure(block); len(found) != 1 || found[0].summary != "Invalid "+name {
				t.Errorf("got:\n%s", found)
			}
		})
	}
}

func TestConfigurationValidatesWithoutEnvironment(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.requireNone(s.validateProvider(nil))
	s.requireNone(s.validateProvider(attributes{
		"endpoint": unknown, "token": unknown, "request_timeout": unknown,
		"max_retries": unknown, "max_concurrent_requests": unknown, "ca_certificate": unknown,
	}))
}

func TestArgumentsTakePrecedenceOverTheEnvironment(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.AddScope(waldurtest.ProjectScope(1))
	url := server.Start(t)
	for name, row := range map[string]struct {
		arguments   attributes
		environment map[string]string
	}{
		"arguments":   {attributes{"endpoint": url, "token": waldurtest.Token}, map[string]string{"WALDUR_API_URL": "http://127.0.0.1:1", "WALDUR_ACCESS_TOKEN": "wrong"}},
		"environment": {nil, map[string]string{"WALDUR_API_URL": url + "/api/", "WALDUR_ACCESS_TOKEN": waldurtest.Token}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, row.environment)
			s.requireNone(s.configure(row.arguments))
			state, found := s.read(listType, attributes{"scope": url + waldurtest.ProjectScope(1)})
			s.requireNone(found)
			if !reflect.DeepEqual(state["usages"], []any{}) {
				t.Errorf("usages are %v", state["usages"])
			}
		})
	}
}

func TestConfigureMakesNoRequest(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	connect(t, server, nil)
	if n := server.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestUserAgentAndOtherHeaders(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ terraform, added, want string }{
		"a CLI":             {"1.11.4", "", "terraform-provider-waldur-usage/1.2.3 Terraform/1.11.4"},
		"no version":        {"", "", "terraform-provider-waldur-usage/1.2.3"},
		"an addition":       {"1.13.0", "pipeline/7 (nightly)", "terraform-provider-waldur-usage/1.2.3 Terraform/1.13.0 pipeline/7 (nightly)"},
		"a broken addition": {"1.11.4", " a\r\nX-Injected: b\x00\x7f ", "terraform-provider-waldur-usage/1.2.3 Terraform/1.11.4 a X-Injected: b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.AddToken("w_personal", waldurtest.User{})
			server.AddScope(waldurtest.CustomerScope(1))
			s := newSession(t, map[string]string{"TF_APPEND_USER_AGENT": row.added})
			s.terraform = row.terraform
			url := server.Start(t)
			s.requireNone(s.configure(attributes{"endpoint": url, "token": "w_personal"}))
			_, found := s.read(listType, attributes{"scope": url + waldurtest.CustomerScope(1)})
			s.requireNone(found)
			header := server.Requests()[0].Header
			for name, want := range map[string]string{
				"User-Agent": row.want, "Authorization": "Bearer w_personal",
				"Accept": "application/json", "Accept-Language": "en", "X-Injected": "",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestWarnsWhenTokenIsSentInCleartext(t *testing.T) {
	t.Parallel()
	for endpoint, warned := range map[string]bool{
		"http://waldur.example.com":     true,
		"http://192.0.2.1:8000/waldur/": true,
		"https://waldur.example.com":    false,
		"http://localhost:8000":         false,
		"http://127.0.0.1:8000":         false,
		"http://[::1]:8000":             false,
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			found := newSession(t, nil).configure(attributes{"endpoint": endpoint, "token": "0123456789abcdef"})
			if !warned && len(found) == 0 {
				return
			}
			if !warned || len(found) != 1 || found[0].severity != "warning" || found[0].attribute != "endpoint" ||
				found[0].summary != "Token sent in cleartext" || strings.Contains(found.String(), "0123456789abcdef") {
				t.Errorf("got:\n%s", found)
			}
		})
	}
}

const day = 24 * time.Hour

// personalToken returns a personal access token that expires at the time.
func personalToken(expiry time.Time) string { return fmt.Sprintf("w_%d_Abc-123_def", expiry.Unix()) }

// jwt returns a JWT that expires at the time.
func jwt(expiry time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256"}`)) + "." + part(fmt.Appendf(nil, `{"exp":%d}`, expiry.Unix())) + "." + part([]byte("signature"))
}

// A pipeline should be warned before its token expires, and needs no request to
// know that it has expired.
func TestExpiryOfTheTokenIsReportedWithoutARequest(t *testing.T) {
	t.Parallel()
	now := newSession(t, nil).clock.Now() // 2024-10-01 12:00
	for name, row := range map[string]struct {
		token    string
		severity string // empty: no diagnostic
		summary  string
		details  []string
	}{
		"personal, expired":           {personalToken(now.Add(-time.Hour)), "error", "Token has expired", []string{"The personal access token expired on 1 October 2024 at 11:00 UTC. No request was made.", "Profile > Credentials > Personal access tokens", "Rotating"}},
		"personal, expired long ago":  {personalToken(time.Unix(1, 0)), "error", "Token has expired", []string{"1 January 1970"}},
		"personal, beyond the minute": {personalToken(now.Add(-61 * time.Second)), "error", "Token has expired", nil},
		"personal, within the minute": {personalToken(now.Add(-59 * time.Second)), "warning", "Token expires soon", nil},
		"personal, six days left":     {personalToken(now.Add(6 * day)), "warning", "Token expires soon", []string{"The personal access token expires on 7 October 2024 at 12:00 UTC.", "Create a new token"}},
		"personal, just below a week": {personalToken(now.Add(7*day - time.Second)), "warning", "Token expires soon", nil},
		"personal, a week left":       {personalToken(now.Add(7 * day)), "", "", nil},
		"personal, a year left":       {personalToken(now.Add(365 * day)), "", "", nil},
		"personal, of another form":   {"w_personal", "", "", nil},
		"JWT, expired":                {jwt(now.Add(-time.Hour)), "error", "Token has expired", []string{"The JWT expired on 1 October 2024 at 11:00 UTC. No request was made.", "OIDC provider"}},
		"JWT, within the minute":      {jwt(now.Add(-59 * time.Second)), "", "", nil},
		"JWT, five minutes left":      {jwt(now.Add(5 * time.Minute)), "", "", nil},
		"API token":                   {waldurtest.Token, "", "", nil},
	} {
		for source, environment := range map[string]map[string]string{"argument": nil, "environment": {"WALDUR_ACCESS_TOKEN": row.token}} {
			t.Run(name+", "+source, func(t *testing.T) {
				t.Parallel()
				server := waldurtest.New()
				block := attributes{"endpoint": server.Start(t)}
				if environment == nil {
					block["token"] = row.token
				}
				s := newSession(t, environment)
				s.requireNone(s.validateProvider(block))
				found := s.configure(block)
				if n := server.Connections(); n != 0 {
					t.Errorf("%d connections", n)
				}
				if row.severity == "" {
					s.requireNone(found)
					return
				}
				if len(found) != 1 || found[0].severity != row.severity || found[0].summary != row.summary || found[0].attribute != "token" {
					t.Fatalf("got:\n%swant a %s: %s", found, row.severity, row.summary)
				}
				detail := found[0].detail
				if named := strings.Contains(detail, " in the environment variable WALDUR_ACCESS_TOKEN"); named != (environment != nil) {
					t.Errorf("got:\n%s", found)
				}
				detail = strings.ReplaceAll(detail, " in the environment variable WALDUR_ACCESS_TOKEN", "")
				for _, want := range row.details {
					if !strings.Contains(detail, want) {
						t.Errorf("got:\n%swant: %s", found, want)
					}
				}
				if strings.Contains(detail, row.token) {
					t.Errorf("the token is shown:\n%s", found)
				}
			})
		}
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
				"WALDUR_API_URL": url, "WALDUR_ACCESS_TOKEN": waldurtest.Token,
				"WALDUR_HTTP_TIMEOUT": "1", "WALDUR_MAX_RETRIES": "0",
			})
			block := attributes{"endpoint": url, "token": waldurtest.Token}
			block[name] = unknown
			s.requireNone(s.validateProvider(block))
			s.requireNone(s.configure(block))
			for typeName, block := range map[string]attributes{
				listType: {"scope": url + waldurtest.ProjectScope(1)}, oneType: {"id": 1},
			} {
				_, found := s.read(typeName, block)
				if len(found) != 1 || !strings.HasSuffix(found[0].summary, "provider configuration not known yet") ||
					!strings.Contains(found[0].detail, "The value of "+name+" in the provider block") {
					t.Errorf("%s:\n%s", typeName, found)
				}
			}
			if n := server.Connections(); n != 0 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestReadIsDeferredWhenConfigurationIsUnknownAndTheCLIAllowsIt(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.deferral = true
	s.requireNone(s.configure(attributes{"endpoint": unknown, "token": waldurtest.Token}))
	resp, err := s.server.ReadDataSource(t.Context(), s.readRequest(oneType, attributes{"id": 1}))
	s.requireNone(s.diagnostics(resp.Diagnostics, err))
	if resp.Deferred == nil || resp.Deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
		t.Errorf("deferred: %v", resp.Deferred)
	}
}

// Package waldur logs no token today. If it does, the token must be masked.
func TestTokenIsMaskedInLogs(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	var log bytes.Buffer
	write := masked(debug, token)
	write(tflogtest.RootLogger(t.Context(), &log), "Waldur says "+token, map[string]any{"error": "refused " + token, "records": 3})
	shown := log.String()
	if strings.Contains(shown, token) || !strings.Contains(shown, "Waldur says ***") || !strings.Contains(shown, "refused ***") ||
		!strings.Contains(shown, `"records":3`) || !strings.Contains(shown, `"@level":"debug"`) {
		t.Errorf("logged: %s", shown)
	}
}
