package waldur

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ScopeKind is the kind of a scope, as it is written in its URL.
type ScopeKind string

// The two kinds that have usage records.
const (
	Project  ScopeKind = "projects"
	Customer ScopeKind = "customers"
)

// Scope is a project or a customer.
type Scope struct {
	Kind ScopeKind
	UUID string // 32 lower-case hex digits
}

// String returns the kind and the UUID: "project 2b57…".
func (s Scope) String() string { return strings.TrimSuffix(string(s.Kind), "s") + " " + s.UUID }

// ParseScopeURL parses the URL of a project or a customer. Anything that does not
// name exactly one of them is an error: Waldur responds to an empty scope and some
// other URLs with the records of others.
func ParseScopeURL(raw string) (Scope, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return Scope{}, errors.New("the value is not the http or https URL of a project or a customer")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(raw, "# ") {
		return Scope{}, errors.New("the URL contains a user, a query, a fragment or a space, which Waldur refuses in a scope")
	}
	scope, ok := scopeOfURL(raw)
	if !ok {
		return Scope{}, errors.New("the path must end in /projects/<uuid>/ or /customers/<uuid>/, with the trailing slash; " +
			"a UUID has 32 hexadecimal digits, with or without hyphens")
	}
	return scope, nil
}

// ParseUUID parses a UUID of 32 hex digits, with or without hyphens, in any
// case, and returns it as Waldur writes it: in lower case, without hyphens.
func ParseUUID(raw string) (string, error) {
	digits := raw
	if len(raw) == 36 && raw[8] == '-' && raw[13] == '-' && raw[18] == '-' && raw[23] == '-' {
		digits = strings.ReplaceAll(raw, "-", "")
	}
	if bytes, err := hex.DecodeString(digits); err != nil || len(bytes) != 16 {
		return "", errors.New("the value is not a UUID: 32 hexadecimal digits, with or without hyphens")
	}
	return strings.ToLower(digits), nil
}

// scopeOfURL returns the scope that a URL names. Its path may have a prefix:
// everything before the last two segments varies behind proxies.
func scopeOfURL(raw string) (Scope, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return Scope{}, false
	}
	parts := strings.Split(u.EscapedPath(), "/")
	if len(parts) < 4 || parts[len(parts)-1] != "" {
		return Scope{}, false
	}
	kind := ScopeKind(parts[len(parts)-3])
	uuid, err := ParseUUID(parts[len(parts)-2])
	return Scope{kind, uuid}, err == nil && (kind == Project || kind == Customer)
}

// checkScopes compares kind and uuid, as scheme and host of a record's scope
// vary with the proxies in front of Waldur.
func (c *Client) checkScopes(request Request, want Scope, usages []Usage) error {
	for i := range usages {
		raw := usages[i].Scope
		got, ok := scopeOfURL(raw.Value)
		if ok && got == want {
			continue
		}
		shown := got.String()
		if !raw.Valid {
			shown = "no scope"
		} else if !ok {
			shown = fmt.Sprintf("the scope %q", c.SafeText(raw.Value))
		}
		return &FilterError{Request: request, Asked: want.String(), Got: shown}
	}
	return nil
}
