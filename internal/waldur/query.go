package waldur

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Query selects usage records.
type Query struct {
	Scope  Scope
	After  string   // first date, inclusive, YYYY-MM-DD; empty: no bound
	Before string   // last date, inclusive, YYYY-MM-DD; empty: no bound
	Fields FieldSet // attributes to request; the date is always requested
}

// recordFields returns the fields to request for every record. The scope, which all
// records of a list share, is left out if the other fields identify a record: those
// of other scopes then appear as duplicates, see checkDuplicates.
func (q Query) recordFields() FieldSet {
	if !q.Fields.identifies() {
		return q.Fields
	}
	return q.Fields &^ Fields(FieldScope)
}

// ParseDate parses a date of the form YYYY-MM-DD. Waldur also accepts other forms,
// some with the month first: 09/01/2024 is the first of September.
func ParseDate(raw string) (time.Time, error) {
	date, err := time.Parse(time.DateOnly, raw)
	if err != nil || date.Year() < 1 {
		return time.Time{}, errors.New("the value must be a date that exists, in the form YYYY-MM-DD, such as 2024-09-01")
	}
	return date, nil
}

// window is a request for one page of the records within bounds.
type window struct {
	after, before string // inclusive; empty: no bound
	size          int    // page_size
	page          int    // from 1
	fields        FieldSet
}

// parameters returns the parameters of the request. They always include a scope:
// without one, Waldur returns the records of the complete installation.
func (w window) parameters(scopeURL string) url.Values {
	values := url.Values{"scope": {scopeURL}, "page_size": {strconv.Itoa(w.size)}}
	if w.page > 1 {
		values.Set("page", strconv.Itoa(w.page))
	}
	if w.after != "" {
		values.Set("date_after", w.after)
	}
	if w.before != "" {
		values.Set("date_before", w.before)
	}
	addFields(values, w.fields)
	return values
}

func addFields(values url.Values, fields FieldSet) {
	if fields == AllFields() {
		return
	}
	for f := range fields.Each {
		values.Add("field", f.String())
	}
}

// checkDates checks the invariant that the pager relies on: each record has a date,
// which is within the window and not newer than that of the record before it.
func (w window) checkDates(request Request, usages []Usage) error {
	for i := range usages {
		date := usages[i].Date
		if err := checkDate(request, i+1, date.Value); err != nil {
			return err
		}
		if (w.before != "" && date.Value > w.before) || date.Value < w.after {
			asked := fmt.Sprintf("dates from %s to %s", cmp.Or(w.after, "any"), cmp.Or(w.before, "any"))
			return &FilterError{Request: request, Asked: asked, Got: date.Value}
		}
		if i > 0 && date.Value > usages[i-1].Date.Value {
			return &FormatError{Request: request, Record: i + 1, Attribute: FieldDate.String(), Problem: "is newer than the one before it"}
		}
	}
	return nil
}

// ScopeKind is the kind of a scope, as in its URL.
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

// ParseScopeURL parses the URL of a project or a customer. Any other text is an
// error: Waldur responds to an empty scope, and to some other URLs, with records of
// other scopes.
func ParseScopeURL(raw string) (Scope, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return Scope{}, errors.New("the value is not the http or https URL of a project or a customer")
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(raw, "# ") {
		return Scope{}, errors.New("the URL contains a user, a query, a fragment or a space")
	}
	scope, ok := scopeOfURL(raw)
	if !ok {
		return Scope{}, errors.New("the path must end in /projects/<uuid>/ or /customers/<uuid>/, with the trailing slash; " +
			"a UUID has 32 hexadecimal digits, with or without hyphens")
	}
	return scope, nil
}

// ParseUUID parses a UUID of 32 hex digits in upper or lower case, with or without
// hyphens. It returns the form that Waldur uses: lower case, without hyphens.
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

// scopeOfURL returns the scope named by the last two segments of a URL's path.
// Behind a proxy, the path may have a prefix.
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

// checkScopes returns an error if a record is of another scope. It compares kinds
// and UUIDs, since schemes and hosts vary with the proxies in front of Waldur.
func (c *Client) checkScopes(request Request, want Scope, usages []Usage) error {
	for i := range usages {
		raw := usages[i].Scope
		got, ok := scopeOfURL(raw.Value)
		if ok && got == want {
			continue
		}
		shown := c.SafeText(got.String())
		if !raw.Valid {
			shown = "no scope"
		} else if !ok {
			shown = fmt.Sprintf("the scope %q", c.SafeText(raw.Value))
		}
		return &FilterError{Request: request, Asked: want.String(), Got: shown}
	}
	return nil
}
