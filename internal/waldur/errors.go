package waldur

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Request names a request in errors and logs. Its query, which contains UUIDs of
// projects and customers, and its headers are left out.
type Request struct{ Method, Path string }

func (r Request) String() string { return r.Method + " " + r.Path }

// Reason is the reason for which a request failed, as far as it is known.
type Reason int

// The reasons that errors distinguish.
const (
	ReasonUnknown Reason = iota

	// Waldur refused the token (401).

	ReasonNotProvided            // no token of a kind that it accepts
	ReasonTokenInvalid           // no such token
	ReasonTokenExpired           // an API token or a JWT
	ReasonUserInactive           // deactivated or deleted
	ReasonPersonalTokenInvalid   // a personal access token, whatever is wrong with it
	ReasonPersonalTokensDisabled // on this server
	ReasonJWTMalformed           // cannot be decoded
	ReasonJWTInactive            // refused by the OIDC provider
	ReasonOIDCNotConfigured      // Waldur cannot ask an OIDC provider about tokens
	ReasonOIDCProviderFailed     // Waldur could not reach the OIDC provider, or got an error from it
	ReasonUserIdentifierMissing  // the OIDC provider's response does not identify a user

	// Waldur found nothing.

	ReasonScopeNotVisible // no such project or customer, or not visible to the user (400)
	ReasonRecordNotFound  // no record with this id (404)

	// There is no way to Waldur.

	ReasonTimeout           // no complete response within Config.RequestTimeout
	ReasonConnectionRefused // nothing listens on the port
	ReasonHostUnknown       // DNS does not know the host
	ReasonProxyCredentials  // the proxy requires a user name and a password (407)
	ReasonProxy             // the proxy cannot be reached, or refused
	ReasonHTTPSExpected     // http was sent to a port that expects https
	ReasonHTTPExpected      // https was sent to a port that speaks http
	ReasonNotHTTPS          // https was sent to a port that speaks neither
)

// StatusError reports a response whose status is neither 200 nor a redirect.
type StatusError struct {
	Request      Request
	Status       int
	Reason       Reason
	Detail       string        // the server's explanation, safe to show; empty: none
	RequestID    string        // of the response, safe to show; empty: none
	RetryAfter   time.Duration // the wait that the server asks for; 0: none
	Attempts     int
	BudgetUsedUp bool // not retried, since the client's retry budget was used up
}

func (e *StatusError) Error() string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	return fmt.Sprintf("%s returned %s: %s", e.Request, status, cmp.Or(e.Detail, "no explanation"))
}

// UnreachableError reports that there was no complete response: the connection was
// refused, reset or cut short, the request timed out, or the host is unknown. It
// wraps no error, since the text of that is not safe to show.
type UnreachableError struct {
	Request      Request
	Origin       string
	Reason       Reason
	Problem      string // as a clause, safe to show: "the connection was refused"
	Attempts     int
	BudgetUsedUp bool // not retried, since the client's retry budget was used up
	transient    bool // the same request may succeed a moment later
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s at %s got no complete response: %s", e.Request, e.Origin, e.Problem)
}

// TLSError reports that the server's identity is not trusted, or that the server
// does not speak TLS. It wraps no error, since a certificate may contain any text.
type TLSError struct {
	Request Request
	Origin  string
	Reason  Reason // ReasonUnknown: the certificate or the handshake
	Problem string // as a clause, safe to show
}

func (e *TLSError) Error() string {
	return fmt.Sprintf("%s at %s: no trusted connection: %s", e.Request, e.Origin, e.Problem)
}

// RedirectError reports a response that is a redirect. Redirects are not
// followed, so the token is sent only to the endpoint.
type RedirectError struct {
	Request Request
	Status  int
	Target  string // origin and path of the redirect, safe to show
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s returned a redirect to %s", e.Request, e.Target)
}

// FormatError reports a response with status 200 that is not what Waldur
// documents.
type FormatError struct {
	Request   Request
	Record    int    // from 1; 0: the complete response
	Attribute string // empty: the complete record
	Problem   string // as a predicate: "is not valid JSON"
}

func (e *FormatError) Error() string {
	var where []string
	if e.Record > 0 {
		where = append(where, fmt.Sprint("record ", e.Record))
	}
	if e.Attribute != "" {
		where = append(where, "attribute "+e.Attribute)
	}
	return fmt.Sprintf("%s: %s %s", e.Request, cmp.Or(strings.Join(where, ", "), "the response"), e.Problem)
}

// FilterError reports that the server did not apply a filter: it returned a record
// of another scope, or of a date outside the bounds.
type FilterError struct {
	Request Request
	Asked   string
	Got     string // safe to show
}

func (e *FilterError) Error() string {
	return fmt.Sprintf("%s: asked for %s, got a record of %s", e.Request, e.Asked, e.Got)
}

// IncompleteError reports that a list could not be verified to be complete
// because its responses did not fit together, as happens while records change. A
// later read may succeed.
type IncompleteError struct {
	Request  Request
	Problem  string // what did not match last, as a clause: "of 13 records of 2024-10-01, pages held 12"
	Attempts int    // runs of the step that failed, including the first: see listReader.repeat
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%s: the list could not be verified to be complete: %s", e.Request, e.Problem)
}

func incomplete(request Request, problem string, values ...any) error {
	return &IncompleteError{Request: request, Problem: fmt.Sprintf(problem, values...)}
}

// UnverifiableError reports that the list cannot be verified to be complete,
// however often it is read: the server ignores page_size, or a month fills a page
// and has two records of the same component.
type UnverifiableError struct {
	Request Request
	Problem string // as a clause: "300 records came where 5 were asked for and Waldur counted 20"
}

func (e *UnverifiableError) Error() string {
	return fmt.Sprintf("%s: the list cannot be verified to be complete: %s", e.Request, e.Problem)
}

func unverifiable(request Request, problem string, values ...any) error {
	return &UnverifiableError{Request: request, Problem: fmt.Sprintf(problem, values...)}
}

// DeadlineError reports that the read was not finished before its deadline, as
// opposed to a timeout of one request. It does not wrap LastFailure, which did not
// end the read.
type DeadlineError struct {
	Request     Request
	LastFailure error // of an earlier request, or of a step of the list; nil: none failed
}

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("%s: the read was not finished before its deadline%s", e.Request, lastFailure(e.LastFailure))
}

// OutageError reports that a request was not sent, since too many requests of the
// client have failed and it would probably time out. It does not wrap Timeout.
type OutageError struct {
	Request Request
	Timeout error // of a request that timed out
}

func (e *OutageError) Error() string {
	return fmt.Sprintf("%s: not sent, since too many requests have failed; one of them: %s", e.Request, e.Timeout)
}

func lastFailure(err error) string {
	if err == nil {
		return ""
	}
	return "; the last failure: " + err.Error()
}

const shownText = 200 // characters of a server's text that are shown

// SafeText returns text from the server in a form that is safe to show: on one
// line, without the token, control characters and terminal sequences, and cut at
// 200 characters.
func (c *Client) SafeText(text string) string { return safeText(c.config.Token, text) }

// safeText removes the token before control sequences, which can consume a part of
// it, and after them, since they can hide it. The cut comes last, since it could
// leave half of it.
func safeText(token Token, text string) string {
	text = token.removeFrom(printable(token.removeFrom(text)))
	if runes := []rune(text); len(runes) > shownText {
		return string(runes[:shownText-1]) + "…"
	}
	return text
}

// printable returns text on one line, without what [unprintable] matches.
func printable(text string) string {
	text = unprintable().ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), "")
	return strings.Join(strings.Fields(text), " ")
}

// unprintable matches control sequences of terminals (ECMA-48): CSI with its
// parameters; a device string, a title or a link with its terminator; ESC and the
// character after it. Only harmless letters remain of a malformed sequence. It also
// matches other control characters, except spaces, format characters (Cf), which
// reverse or hide the text around them, and other characters that are invisible.
func unprintable() *regexp.Regexp {
	return regexp.MustCompile(`(?s)(?:\x1b\[|\x{9b})[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?` +
		`|(?:\x1b[PX\]^_]|[\x{90}\x{98}\x{9d}-\x{9f}]).*?(?:\x07|\x1b\\|\x{9c}|$)` +
		`|\x1b[\x20-\x2f]*[\x30-\x7e]?` +
		`|[\x00-\x08\x0e-\x1f\x7f-\x{84}\x{86}-\x{9f}\p{Cf}\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180d}\x{180f}\x{2065}\x{3164}\x{fe00}-\x{fe0f}\x{ffa0}\x{e0100}-\x{e01ef}]`)
}
