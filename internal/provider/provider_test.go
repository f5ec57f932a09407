package provider

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestSchemasAreValidAndExplained(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.none(s.diagnostics(s.schemas.Diagnostics, nil))
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
	requireExplanations(t, "provider", s.schemas.Provider.Block)
	for name, schema := range s.schemas.DataSourceSchemas {
		requireExplanations(t, name, schema.Block)
	}
}

func requireExplanations(t *testing.T, name string, block *tfprotov6.SchemaBlock) {
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

func TestConfigureRefuses(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2-hunter2"
	right := attributes{"endpoint": "https://waldur.example.com", "token": "0123456789abcdef"}
	for name, row := range map[string]struct {
		arguments   attributes // beside the right ones; nil takes one away
		environment map[string]string
		attribute   string
		summary     string
		detail      string
	}{
		"no endpoint":    {attributes{"endpoint": nil}, nil, "endpoint", "Invalid provider configuration: no endpoint", "WALDUR_API_URL"},
		"no token":       {attributes{"token": nil}, nil, "token", "Invalid provider configuration: no token", "WALDUR_ACCESS_TOKEN"},
		"empty endpoint": {attributes{"endpoint": ""}, map[string]string{"WALDUR_API_URL": "https://waldur.example.com"}, "endpoint", "Invalid endpoint", "empty"},
		"blank endpoint": {attributes{"endpoint": " \t"}, nil, "endpoint", "Invalid endpoint", "empty"},
		"empty token":    {attributes{"token": ""}, map[string]string{"WALDUR_ACCESS_TOKEN": secret}, "token", "Invalid token", "empty"},
		"empty variables count as not set": {attributes{"endpoint": nil},
			map[string]string{"WALDUR_API_URL": ""}, "endpoint", "Invalid provider configuration: no endpoint", "WALDUR_API_URL"},
		"no scheme":                {attributes{"endpoint": "localhost:8000"}, nil, "endpoint", "Invalid endpoint", "http://localhost:8000"},
		"another scheme":           {attributes{"endpoint": "ftp://waldur.example.com"}, nil, "endpoint", "Invalid endpoint", "https"},
		"a password":               {attributes{"endpoint": "https://me:" + secret + "@waldur.example.com"}, nil, "endpoint", "Invalid endpoint", "password"},
		"a password and no URL":    {attributes{"endpoint": "https://me:" + secret + "@waldur.example.com:port"}, nil, "endpoint", "Invalid endpoint", "URL"},
		"a query":                  {attributes{"endpoint": "https://waldur.example.com/?token=" + secret}, nil, "endpoint", "Invalid endpoint", "query"},
		"a fragment":               {attributes{"endpoint": "https://waldur.example.com/#" + secret}, nil, "endpoint", "Invalid endpoint", "fragment"},
		"token with a line break":  {attributes{"token": secret + "\n"}, nil, "token", "Invalid token", "trimspace()"},
		"token that is not ASCII":  {attributes{"token": secret + "ü"}, nil, "token", "Invalid token", "ASCII"},
		"token with a space":       {attributes{"token": "Token " + secret}, nil, "token", "Invalid token", "spaces"},
		"timeout of 0":             {attributes{"request_timeout": 0}, nil, "request_timeout", "Invalid request_timeout", "whole number, 1 or more"},
		"timeout of 1.5":           {attributes{"request_timeout": 1.5}, nil, "request_timeout", "Invalid request_timeout", "whole number, 1 or more"},
		"negative retries":         {attributes{"max_retries": -1}, nil, "max_retries", "Invalid max_retries", "whole number, 0 or more"},
		"no requests at once":      {attributes{"max_concurrent_requests": 0}, nil, "max_concurrent_requests", "Invalid max_concurrent_requests", "whole number, 1 or more"},
		"certificate that is none": {attributes{"ca_certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, nil, "ca_certificate", "Invalid ca_certificate", "certificate"},
		"certificate that is text": {attributes{"ca_certificate": "ca.pem"}, nil, "ca_certificate", "Invalid ca_certificate", `file("ca.pem")`},
		"empty certificate":        {attributes{"ca_certificate": ""}, nil, "ca_certificate", "Invalid ca_certificate", "PEM"},
		"a private key":            {attributes{"ca_certificate": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, nil, "ca_certificate", "Invalid ca_certificate", "PRIVATE KEY"},
		"malformed WALDUR_API_URL": {attributes{"endpoint": nil}, map[string]string{"WALDUR_API_URL": "https://me:" + secret + "@waldur.example.com"},
			"endpoint", "Invalid WALDUR_API_URL", "environment variable WALDUR_API_URL"},
		"malformed WALDUR_ACCESS_TOKEN": {attributes{"token": nil}, map[string]string{"WALDUR_ACCESS_TOKEN": secret + "\r\n"},
			"token", "Invalid WALDUR_ACCESS_TOKEN", "environment variable WALDUR_ACCESS_TOKEN"},
		"malformed WALDUR_HTTP_TIMEOUT": {nil, map[string]string{"WALDUR_HTTP_TIMEOUT": "60s"},
			"request_timeout", "Invalid WALDUR_HTTP_TIMEOUT", "1 or more"},
		"WALDUR_HTTP_TIMEOUT of 0": {nil, map[string]string{"WALDUR_HTTP_TIMEOUT": "0"},
			"request_timeout", "Invalid WALDUR_HTTP_TIMEOUT", "1 or more"},
		"malformed WALDUR_MAX_RETRIES": {nil, map[string]string{"WALDUR_MAX_RETRIES": "-1"},
			"max_retries", "Invalid WALDUR_MAX_RETRIES", "0 or more"},
		"WALDUR_MAX_RETRIES too large": {nil, map[string]string{"WALDUR_MAX_RETRIES": "9223372036854775808"},
			"max_retries", "Invalid WALDUR_MAX_RETRIES", "0 or more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, row.environment)
			block := maps.Clone(right)
			maps.Copy(block, row.arguments)
			// A CLI validates first, and does not configure what is invalid.
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
		})
	}
}

// Not every CLI need validate first: what is wrong must not be replaced by the
// environment then either.
func TestConfigureAloneRefusesWhatValidationRefuses(t *testing.T) {
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
	s.none(s.validateProvider(nil))
	s.none(s.validateProvider(attributes{
		"endpoint": unknown, "token": unknown, "request_timeout": unknown,
		"max_retries": unknown, "max_concurrent_requests": unknown, "ca_certificate": unknown,
	}))
}

func TestArgumentsGoBeforeTheEnvironment(t *testing.T) {
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
			s.none(s.configure(row.arguments))
			state, found := s.read(listType, attributes{"scope": url + waldurtest.ProjectScope(1)})
			s.none(found)
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

func TestRequestsSayWhoAsks(t *testing.T) {
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
			s.none(s.configure(attributes{"endpoint": url, "token": "w_personal"}))
			_, found := s.read(listType, attributes{"scope": url + waldurtest.CustomerScope(1)})
			s.none(found)
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

func TestTokenInTheClearIsWarnedOf(t *testing.T) {
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
				found[0].summary != "Token sent in the clear" || strings.Contains(found.String(), "0123456789abcdef") {
				t.Errorf("got:\n%s", found)
			}
		})
	}
}

// A provider that depends on a resource is configured with unknown values. To
// fall back to the environment then would read from another Waldur.
func TestUnknownConfigurationIsNotReplaced(t *testing.T) {
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
			s.none(s.validateProvider(block))
			s.none(s.configure(block))
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

func TestUnknownConfigurationIsDeferredWhereTheCLIAllowsIt(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.deferral = true
	s.none(s.configure(attributes{"endpoint": unknown, "token": waldurtest.Token}))
	resp, err := s.server.ReadDataSource(t.Context(), s.readRequest(oneType, attributes{"id": 1}))
	s.none(s.diagnostics(resp.Diagnostics, err))
	if resp.Deferred == nil || resp.Deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
		t.Errorf("deferred: %v", resp.Deferred)
	}
}
