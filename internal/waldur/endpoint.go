package waldur

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Endpoint is where a Waldur is served: scheme, host and perhaps a path prefix.
type Endpoint struct {
	scheme, host, prefix string
}

// ParseEndpoint reads the URL of a Waldur, http or https, with or without a
// path prefix; a trailing "/", "/api" or "/api/" is tolerated. Its errors say
// what to write instead and never repeat the value, which may hold a password.
func ParseEndpoint(raw string) (Endpoint, error) {
	if strings.TrimSpace(raw) == "" {
		return Endpoint{}, errors.New("It is empty. Write the URL of your Waldur, such as https://waldur.example.com.")
	}
	u, err := url.Parse(raw)
	switch {
	case strings.ContainsFunc(raw, unicode.IsSpace):
		return Endpoint{}, errors.New("It holds a space or a line break. Write it without, such as https://waldur.example.com; trimspace() removes those around it.")
	case err != nil && !strings.Contains(raw, "://"), err == nil && u.Host == "" && !strings.Contains(raw, "://"):
		return Endpoint{}, errors.New("The scheme is missing. Write it in front, such as https://waldur.example.com or http://localhost:8000.")
	case err != nil:
		return Endpoint{}, errors.New("It is not a URL. Write the URL of your Waldur, such as https://waldur.example.com.")
	case u.Scheme != "http" && u.Scheme != "https":
		return Endpoint{}, errors.New("Its scheme must be https or http. Write the URL of your Waldur, such as https://waldur.example.com.")
	case u.User != nil:
		return Endpoint{}, errors.New("It holds a user name or a password. Write it without them, such as https://waldur.example.com; " +
			"what authorizes the requests is the token.")
	case u.Hostname() == "" || !validPort(u) || !validHost(u):
		return Endpoint{}, errors.New("Its host or port is missing or malformed. Write the URL of your Waldur, such as https://waldur.example.com:8443.")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return Endpoint{}, errors.New("It has a query or a fragment. Write it without, such as https://waldur.example.com.")
	}
	prefix := strings.TrimRight(u.EscapedPath(), "/")
	prefix = strings.TrimRight(strings.TrimSuffix(prefix, "/api"), "/")
	return Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host), prefix: prefix}, nil
}

// validHost tells whether the host comes through unchanged into the URL of a
// request: net/url takes some that it does not take again from itself.
func validHost(u *url.URL) bool {
	again, err := url.Parse(Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host)}.Origin())
	return err == nil && strings.EqualFold(again.Host, u.Host)
}

func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port > 0 && port < 1<<16
}

// Origin is scheme, host and port: "https://waldur.example.com".
func (e Endpoint) Origin() string { return (&url.URL{Scheme: e.scheme, Host: e.host}).String() }

// Cleartext tells whether the token would cross a network unencrypted: plain
// http to a host that is not this machine.
func (e Endpoint) Cleartext() bool {
	return e.scheme == "http" && !isLoopback((&url.URL{Host: e.host}).Hostname())
}

// ScopeURL is the URL of a scope as Waldur takes it: without the endpoint's
// path prefix, which the server refuses inside a scope.
func (e Endpoint) ScopeURL(s Scope) string {
	return e.Origin() + "/api/" + string(s.Kind) + "/" + s.UUID + "/"
}

// path is the path of a resource below the API, with the last slash, without
// which Waldur redirects.
func (e Endpoint) path(resource string) string { return e.prefix + "/api/" + resource + "/" }
