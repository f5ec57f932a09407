package waldur

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Request names a request in errors and logs: never its query, which names
// other people's projects, and never its headers.
type Request struct{ Method, Path string }

func (r Request) String() string { return r.Method + " " + r.Path }

// StatusError is an answer whose status is neither 200 nor a redirect.
type StatusError struct {
	Request    Request
	Status     int
	Detail     string        // what Waldur said, made safe to show; empty when it said nothing readable
	RequestID  string        // the answer's request id, where the server sends one
	RetryAfter time.Duration // how long Waldur asked to wait; zero: it did not say
	Attempts   int
	Throttled  bool // the provider's budget of repeats was used up
}

func (e *StatusError) Error() string {
	said := e.Detail
	if said == "" {
		said = "no explanation"
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	return fmt.Sprintf("%s was answered %s: %s", e.Request, status, said)
}

// UnreachableError says that no whole answer came: refused, reset, timed out,
// cut short, no such host. It wraps nothing: the text of what went wrong below
// may repeat the query, or what the server sent.
type UnreachableError struct {
	Request   Request
	Origin    string
	Problem   string
	Attempts  int
	Throttled bool // the provider's budget of repeats was used up
	transient bool // the same request may succeed a moment later
	timeout   bool // request_timeout has passed
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s at %s got no whole answer: %s", e.Request, e.Origin, e.Problem)
}

// TLSError says that the server's identity could not be trusted, or that it
// does not speak TLS. It wraps nothing: a certificate holds what its owner
// wrote into it.
type TLSError struct {
	Request Request
	Origin  string
	Problem string
}

func (e *TLSError) Error() string {
	return fmt.Sprintf("%s at %s: no trusted connection: %s", e.Request, e.Origin, e.Problem)
}

// RedirectError says that the answer was a redirect. None is followed: the
// token goes to the endpoint and nowhere else.
type RedirectError struct {
	Request Request
	Status  int
	Target  string // origin and path that the answer points to
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s was answered with a redirect to %s", e.Request, e.Target)
}

// FormatError says that an answer with status 200 is not what Waldur documents.
type FormatError struct {
	Request   Request
	Record    int    // from 1; 0: the answer as a whole
	Attribute string // empty: the record as a whole
	Problem   string
}

func (e *FormatError) Error() string {
	var where strings.Builder
	if e.Record > 0 {
		fmt.Fprintf(&where, "record %d", e.Record)
	}
	if e.Attribute != "" {
		fmt.Fprintf(&where, ", attribute %s", e.Attribute)
	}
	if where.Len() == 0 {
		where.WriteString("the answer")
	}
	return fmt.Sprintf("%s: %s %s", e.Request, strings.TrimPrefix(where.String(), ", "), e.Problem)
}

// FilterError says that the server did not apply a filter: a record is of
// another scope, or of a date outside the window.
type FilterError struct {
	Request Request
	Asked   string
	Got     string
}

func (e *FilterError) Error() string {
	return fmt.Sprintf("%s: asked for %s, got a record of %s", e.Request, e.Asked, e.Got)
}

// IncompleteError reports that a list could not be verified to be complete
// because its records kept changing while they were read. A later read may
// succeed.
type IncompleteError struct {
	Request Request
	Problem string // what did not match last, as a clause: "12 records came where Waldur counted 13"
	Reads   int    // attempts, the first one included
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%s: the list could not be verified to be complete: %s", e.Request, e.Problem)
}

func incomplete(request Request, problem string, values ...any) error {
	return &IncompleteError{Request: request, Problem: fmt.Sprintf(problem, values...)}
}

// UnverifiableError reports that no read of this list can be verified to be
// complete, however often it is repeated: a server that ignores page_size, or
// a month of more records than a page holds with two of the same component.
type UnverifiableError struct {
	Request Request
	Problem string // as a clause: "page_size is ignored"
}

func (e *UnverifiableError) Error() string {
	return fmt.Sprintf("%s: the list cannot be verified to be complete: %s", e.Request, e.Problem)
}

func unverifiable(request Request, problem string, values ...any) error {
	return &UnverifiableError{Request: request, Problem: fmt.Sprintf(problem, values...)}
}

// DeadlineError reports that the deadline of the complete read ended it, as
// opposed to the timeout of one request. It does not wrap LastFailure, which
// may be of any type in this package: the deadline is what ended the read.
type DeadlineError struct {
	Request     Request       // the one that was to be made, or was in flight
	Limit       time.Duration // for the complete read
	LastFailure error         // of an earlier request of this read; nil: none failed
}

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("%s: the read was not finished within %s%s", e.Request, e.Limit, lastFailure(e.LastFailure))
}

// OutageError reports that a request was not made at all, since so many had
// failed before, over all reads of the client. It does not wrap LastFailure.
type OutageError struct {
	Request     Request
	LastFailure error // of the client's requests; nil: not known
}

func (e *OutageError) Error() string {
	return fmt.Sprintf("%s: not sent, as too many requests have failed%s", e.Request, lastFailure(e.LastFailure))
}

func lastFailure(err error) string {
	if err == nil {
		return ""
	}
	return "; the last failure: " + err.Error()
}

const shownText = 200 // characters of a server's text that an error shows

// safeText makes a text from elsewhere fit to be shown: on one line, without
// the token, without control characters and terminal sequences, 200 characters
// at most. The token goes last but for the length: it could be hidden by what
// is taken out, and its half would be left by what is cut off.
func safeText(token Token, text string) string {
	text = terminalSequence().ReplaceAllString(strings.ToValidUTF8(text, "\uFFFD"), "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: reverses or hides what stands beside it
			return -1
		default:
			return r
		}
	}, text)
	text = token.removeFrom(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > shownText {
		return string(runes[:shownText-1]) + "…"
	}
	return text
}

// terminalSequence matches what a terminal obeys (ECMA-48): CSI with its
// parameters; a string of a device, a title or a link up to its end; ESC and
// what it changes. What is left of a broken one are harmless letters.
func terminalSequence() *regexp.Regexp {
	return regexp.MustCompile(`(?s)(?:\x1b\[|\x{9b})[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?` +
		`|(?:\x1b[PX\]^_]|[\x{90}\x{98}\x{9d}-\x{9f}]).*?(?:\x07|\x1b\\|\x{9c}|$)` +
		`|\x1b[\x20-\x2f]*[\x30-\x7e]?`)
}
