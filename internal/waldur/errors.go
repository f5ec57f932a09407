package waldur

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Request names a request in errors and logs: never its query, which names
// other people's projects, and never its headers.
type Request struct{ Method, Path string }

func (r Request) String() string { return r.Method + " " + r.Path }

// StatusError is an answer whose status is neither 200 nor a redirect.
type StatusError struct {
	Request   Request
	Status    int
	Detail    string        // what Waldur said, made safe to show; empty when it said nothing readable
	ID        string        // the answer's request id, where the server sends one
	ComeBack  time.Duration // how long Waldur asked to wait, when that is why the read stopped
	Attempts  int
	Throttled bool // the provider's budget of repeats was used up
}

func (e *StatusError) Error() string {
	said := e.Detail
	if said == "" {
		said = "no explanation"
	}
	return fmt.Sprintf("%s was answered %d %s: %s", e.Request, e.Status, http.StatusText(e.Status), said)
}

// UnreachableError says that no answer came: refused, reset, timed out, cut
// short, no such host.
type UnreachableError struct {
	Request   Request
	Origin    string
	Problem   string
	Attempts  int
	Throttled bool // the provider's budget of repeats was used up
	cause     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s at %s got no answer: %s", e.Request, e.Origin, e.Problem)
}

func (e *UnreachableError) Unwrap() error { return e.cause }

// TLSError says that the server's identity could not be trusted, or that it
// does not speak TLS.
type TLSError struct {
	Request Request
	Origin  string
	Problem string
	cause   error
}

func (e *TLSError) Error() string {
	return fmt.Sprintf("%s at %s: no trusted connection: %s", e.Request, e.Origin, e.Problem)
}

func (e *TLSError) Unwrap() error { return e.cause }

// RedirectError says that the answer was a redirect. None is followed: the
// token goes to the endpoint and nowhere else.
type RedirectError struct {
	Request Request
	Status  int
	Target  string // origin (and path) that the answer points to
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

// IncompleteError says that the list could not be proved complete: the counts
// did not add up, each time it was read.
type IncompleteError struct {
	Request Request
	Problem string
	Reads   int // how often the list was read from its start
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%s: the list is not proved complete: %s", e.Request, e.Problem)
}

const shownText = 200 // characters of a server's text that an error shows

// safeText makes a text from elsewhere fit to be shown: without the token,
// without control characters and terminal sequences, 200 characters at most.
func safeText(token Token, text string) string {
	text = strings.ToValidUTF8(text, "�")
	var clean strings.Builder
	for len(text) > 0 {
		if rest, found := skipEscape(text); found {
			text = rest
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			clean.WriteByte(' ')
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		default:
			clean.WriteRune(r)
		}
	}
	shown := token.removeFrom(strings.Join(strings.Fields(clean.String()), " "))
	if runes := []rune(shown); len(runes) > shownText {
		return string(runes[:shownText-1]) + "…"
	}
	return shown
}

// skipEscape drops a terminal sequence at the start of the text: ESC [ … letter,
// ESC ] … BEL, or ESC and one character.
func skipEscape(text string) (string, bool) {
	const esc = '\x1b'
	if text[0] != esc {
		return text, false
	}
	if len(text) < 2 {
		return "", true
	}
	var last func(r rune) bool
	switch text[1] {
	case '[':
		last = func(r rune) bool { return r >= '@' && r <= '~' }
	case ']':
		last = func(r rune) bool { return r == '\a' || r == esc }
	default:
		return text[2:], true
	}
	end := strings.IndexFunc(text[2:], last)
	if end < 0 {
		return "", true
	}
	return text[2+end+1:], true
}
