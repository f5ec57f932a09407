package waldur

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Endpoint is the address of a Waldur: scheme, host and an optional path prefix.
type Endpoint struct {
	scheme, host, prefix string
}

// ParseEndpoint parses the URL of a Waldur, http or https, with or without a
// path prefix and a trailing "/", "/api" or "/api/". Its errors, among them
// ErrWhitespace, do not contain the value, which may contain a password.
func ParseEndpoint(raw string) (Endpoint, error) {
	if strings.TrimSpace(raw) == "" {
		return Endpoint{}, errEmpty
	}
	u, err := url.Parse(raw)
	switch {
	case strings.ContainsFunc(raw, unicode.IsSpace):
		return Endpoint{}, ErrWhitespace
	case !strings.Contains(raw, "://") && (err != nil || u.Host == ""):
		return Endpoint{}, errors.New("the scheme, http or https, is missing")
	case err != nil:
		return Endpoint{}, errors.New("the value is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return Endpoint{}, errors.New("the scheme must be https or http")
	case u.User != nil:
		return Endpoint{}, errors.New("the URL contains a user name or a password; requests are authorized by the token alone")
	case !validHost(u):
		return Endpoint{}, errors.New("the host or port is missing or malformed")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return Endpoint{}, errors.New("the URL contains a query or a fragment")
	}
	prefix := strings.TrimRight(u.EscapedPath(), "/")
	prefix = strings.TrimRight(strings.TrimSuffix(prefix, "/api"), "/")
	return Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host), prefix: prefix}, nil
}

// validHost reports whether the URL has a host, with a port from 1 to 65535 if
// any, that is the same in the URL of a request: net/url accepts some hosts that
// it does not accept in its own output.
func validHost(u *url.URL) bool {
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "1"), 10, 16); err != nil || port == 0 {
		return false
	}
	again, err := url.Parse(Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host)}.Origin())
	return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":") && err == nil && strings.EqualFold(again.Host, u.Host)
}

// Origin returns scheme, host and port: "https://waldur.example.com".
func (e Endpoint) Origin() string { return (&url.URL{Scheme: e.scheme, Host: e.host}).String() }

// Cleartext reports whether the token would cross a network unencrypted: plain
// http to a host that is not this machine.
func (e Endpoint) Cleartext() bool {
	return e.scheme == "http" && !isLoopback((&url.URL{Host: e.host}).Hostname())
}

// ScopeURL returns the URL of a scope as Waldur accepts it: without the
// endpoint's path prefix, which the server refuses in a scope.
func (e Endpoint) ScopeURL(s Scope) string {
	return e.Origin() + "/api/" + string(s.Kind) + "/" + s.UUID + "/"
}

// path returns the path of a resource below the API, with the trailing slash,
// without which Waldur redirects.
func (e Endpoint) path(resource string) string { return e.prefix + "/api/" + resource + "/" }

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
