package waldur

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ScopeKind is what a scope is, as it stands in its URL.
type ScopeKind string

// The two kinds that have usage records.
const (
	Project  ScopeKind = "projects"
	Customer ScopeKind = "customers"
)

// Scope is the project or the customer whose records are meant.
type Scope struct {
	Kind ScopeKind
	UUID string // 32 lower-case hex digits
}

// String names the scope for people: "project 2b57…".
func (s Scope) String() string { return strings.TrimSuffix(string(s.Kind), "s") + " " + s.UUID }

// ParseScopeURL reads the URL of a project or a customer. Waldur compares only
// its path, and wants it whole: some other URLs, and an empty one, are answered
// with somebody else's records, so whatever does not name exactly one project
// or customer is refused here.
func ParseScopeURL(raw string) (Scope, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return Scope{}, errors.New("It must be the http or https URL of a project or a customer, " +
			"such as https://waldur.example.com/api/projects/<uuid>/. For a bare uuid, use project_uuid or customer_uuid.")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(raw, "# ") {
		return Scope{}, errors.New("It must be a plain URL without user, query, fragment or space: Waldur refuses those in a scope.")
	}
	scope, ok := scopeOfPath(u.EscapedPath())
	if !ok {
		return Scope{}, errors.New("Its path must end in /projects/<uuid>/ or /customers/<uuid>/, with the last slash; " +
			"the uuid is 32 hexadecimal digits, with or without hyphens.")
	}
	return scope, nil
}

// ParseUUID reads a uuid of 32 hex digits, with or without hyphens, in any
// case, and gives it as Waldur writes it: lower case, no hyphens.
func ParseUUID(raw string) (string, error) {
	digits := raw
	if len(raw) == 36 && raw[8] == '-' && raw[13] == '-' && raw[18] == '-' && raw[23] == '-' {
		digits = strings.ReplaceAll(raw, "-", "")
	}
	if bytes, err := hex.DecodeString(digits); err != nil || len(bytes) != 16 {
		return "", errors.New("It must be a uuid: 32 hexadecimal digits, with or without hyphens, " +
			"such as 2b5719686db84f24bf64c3dfec58fbeb.")
	}
	return strings.ToLower(digits), nil
}

// scopeOfPath finds the scope that a path names. The path may begin with a
// prefix: what stands before the last two segments varies behind proxies.
func scopeOfPath(path string) (Scope, bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 4 || parts[len(parts)-1] != "" {
		return Scope{}, false
	}
	kind := ScopeKind(parts[len(parts)-3])
	uuid, err := ParseUUID(parts[len(parts)-2])
	return Scope{kind, uuid}, err == nil && (kind == Project || kind == Customer)
}

// scopeOfURL finds the scope that the URL in a record names.
func scopeOfURL(raw string) (Scope, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return Scope{}, false
	}
	return scopeOfPath(u.EscapedPath())
}

// checkScopes compares kind and uuid, as scheme and host of a record's scope
// vary with the proxies in front of Waldur.
func (c *Client) checkScopes(request Request, want Scope, usages []Usage) error {
	for i := range usages {
		if scope, ok := scopeOfURL(usages[i].Scope.Value); !ok || scope != want {
			return &FilterError{Request: request, Asked: want.String(), Got: c.shownScope(usages[i].Scope)}
		}
	}
	return nil
}

// shownScope names the scope of a record in an error.
func (c *Client) shownScope(scope Nullable[string]) string {
	if other, ok := scopeOfURL(scope.Value); ok {
		return other.String()
	}
	if !scope.Valid {
		return "no scope"
	}
	return fmt.Sprintf("the scope %q", safeText(c.config.Token, scope.Value))
}
