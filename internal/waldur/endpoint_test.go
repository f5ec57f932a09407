package waldur

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestEndpointIsParsedWithOrWithoutPrefixAndAPI(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct{ origin, prefix string }{
		"https://waldur.example.com":            {"https://waldur.example.com", ""},
		"https://waldur.example.com/api//":      {"https://waldur.example.com", ""},
		"https://waldur.example.com/waldur/":    {"https://waldur.example.com", "/waldur"},
		"https://waldur.example.com/a/b/api/":   {"https://waldur.example.com", "/a/b"},
		"https://waldur.example.com/myapi":      {"https://waldur.example.com", "/myapi"},
		"https://waldur.example.com/a%2Fb/":     {"https://waldur.example.com", "/a%2Fb"},
		"HTTPS://Waldur.Example.COM":            {"https://waldur.example.com", ""},
		"http://localhost:8000":                 {"http://localhost:8000", ""},
		"http://[fe80::1%25eth0]:8000":          {"http://[fe80::1%25eth0]:8000", ""},
		"https://waldur.example.com:443/waldur": {"https://waldur.example.com:443", "/waldur"},
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			endpoint, err := ParseEndpoint(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := endpoint.Origin() + endpoint.path("resource"); got != want.origin+want.prefix+"/api/resource/" {
				t.Errorf("the address is %s, want %s%s/api/resource/", got, want.origin, want.prefix)
			}
			if got := endpoint.ScopeURL(Scope{Customer, someUUID}); got != want.origin+"/api/customers/"+someUUID+"/" {
				t.Errorf("the URL of a scope is %s, want it at %s without the prefix", got, want.origin)
			}
		})
	}
}

func TestInvalidEndpointIsRejected(t *testing.T) {
	t.Parallel()
	const password = "hunter2secret"
	for name, row := range map[string]struct{ raw, message string }{
		"empty":                          {"", "is empty"},
		"blank":                          {" \t", "is empty"},
		"no scheme":                      {"waldur.example.com", "scheme, http or https, is missing"},
		"no scheme, a port":              {"localhost:8000", "scheme, http or https, is missing"},
		"no slashes":                     {"https:waldur.example.com", "scheme, http or https, is missing"},
		"no scheme, a password":          {"user:" + password + "@waldur.example.com", "scheme, http or https, is missing"},
		"no scheme, only slashes":        {"//waldur.example.com", "must be https or http"},
		"another scheme":                 {"ftp://user:" + password + "@waldur.example.com", "must be https or http"},
		"no host":                        {"https:///api/", "host or port"},
		"no port after the colon":        {"https://waldur.example.com:", "host or port"},
		"port 0":                         {"https://waldur.example.com:0", "host or port"},
		"port too large":                 {"https://waldur.example.com:65536", "host or port"},
		"user and password":              {"https://user:" + password + "@waldur.example.com", "user name or a password"},
		"password that does not parse":   {"https://user:" + password + "%zz@waldur.example.com", "not a URL"},
		"password and a wrong port":      {"https://user:" + password + "@waldur.example.com:port", "not a URL"},
		"password and control character": {"https://user:" + password + "\x7f@waldur.example.com", "not a URL"},
		"query":                          {"https://waldur.example.com/?token=" + password, "query"},
		"empty query":                    {"https://waldur.example.com/?", "query"},
		"fragment":                       {"https://waldur.example.com/#" + password, "fragment"},
		"empty fragment":                 {"https://waldur.example.com/#", "fragment"},
		"space at the start":             {" https://waldur.example.com/", "whitespace"},
		"line break at the end":          {"https://waldur.example.com\n", "whitespace"},
		"backslash":                      {`https://waldur.example.com\@example.org`, "not a URL"},
		"zone that is not UTF-8":         {"http://[::%25\xff]", "host or port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseEndpoint(row.raw)
			if err == nil || !strings.Contains(err.Error(), row.message) || strings.Contains(err.Error(), password) {
				t.Fatalf("error %v, want %q in it, and not the password", err, row.message)
			}
			if want := row.message == "whitespace"; errors.Is(err, ErrWhitespace) != want {
				t.Errorf("errors.Is(err, ErrWhitespace) is %t, want %t", !want, want)
			}
		})
	}
}

func TestCleartextIsPlainHTTPToAnotherMachine(t *testing.T) {
	t.Parallel()
	for raw, cleartext := range map[string]bool{
		"http://waldur.example.com:8000":    true,
		"http://10.0.0.1":                   true,
		"http://[2001:db8::1]":              true,
		"http://localhost.example.com":      true,
		"http://127.0.0.1.example.com:8000": true,
		"https://waldur.example.com":        false,
		"http://LOCALHOST:8000":             false,
		"http://waldur.localhost":           false,
		"http://127.1.2.3":                  false,
		"http://[::1]:8000":                 false,
		"http://[::ffff:127.0.0.1]":         false,
	} {
		if endpoint, err := ParseEndpoint(raw); err != nil || endpoint.Cleartext() != cleartext {
			t.Errorf("%s: cleartext is %t, error %v", raw, !cleartext, err)
		}
	}
}

// FuzzParseEndpoint checks that requests to an accepted endpoint go to its host,
// and that an error does not repeat a password.
func FuzzParseEndpoint(f *testing.F) {
	for _, raw := range []string{
		"https://waldur.example.com", "http://localhost:8000/api/", "https://host/a/b/api", "https://user:password@host",
		"https://user:pass%zzword@host", "http://[::1]:80", "http://[fe80::1%25eth0]", "//host", "https:host", "https://host:99999",
		"https://host\\@other", "https://host/%2e%2e//api//", "https://w\u00e4ldur.example/", "https://%77aldur/", "https://host//other/",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		endpoint, err := ParseEndpoint(raw)
		if err != nil {
			_, after, _ := strings.Cut(raw, "://")
			userinfo, _, _ := strings.Cut(after, "@")
			if _, password, _ := strings.Cut(userinfo, ":"); len(password) > 20 && strings.Contains(err.Error(), password) {
				t.Errorf("the error has the password: %q", err)
			}
			return
		}
		target, err := url.Parse(endpoint.Origin() + endpoint.path("resource"))
		if err != nil {
			t.Fatalf("the address of a request is not a URL: %v", err)
		}
		given, err := url.Parse(raw)
		if err != nil || !strings.EqualFold(target.Host, given.Host) || !strings.EqualFold(target.Scheme, given.Scheme) ||
			target.User != nil || target.RawQuery != "" || target.Fragment != "" || !strings.HasSuffix(target.EscapedPath(), "/api/resource/") {
			t.Errorf("a request would go to %s", target)
		}
		if again, err := ParseEndpoint(endpoint.Origin() + endpoint.prefix + "/api/"); err != nil || again != endpoint {
			t.Errorf("%v parsed again is %v, error %v", endpoint, again, err)
		}
	})
}
