package waldur_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestTextFromTheServerIsSanitized(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 200)
	for name, text := range map[string]struct{ from, want string }{
		"umlauts and emoji":                 {"Mälu – õ 🚀", "Mälu – õ 🚀"},
		"line breaks and tabs":              {" one\r\n\r\n\ttwo\u2028three\u0085four ", "one two three four"},
		"delete and C1":                     {"o\x7fn\u008fe", "one"},
		"not UTF-8":                         {"one\xff\xfetwo", "one\ufffdtwo"},
		"colors":                            {"\x1b[1;31mred\x1b[0m", "red"},
		"colors after a C1 character":       {"\u009b31mred\u009b0m", "red"},
		"character set":                     {"\x1b(Bone", "one"},
		"unterminated sequence":             {"one\x1b[31", "one"},
		"token split by a hidden character": {"bad " + waldurtest.Token[:9] + "\u200b" + waldurtest.Token[9:], "bad [token]"},
		"erased line":                       {"shown\x1b[2K\x1b[1Gother", "shownother"},
		"window title":                      {"\x1b]0;title\aone", "one"},
		"window title after a C1 character": {"\u009d0;title\u009cone", "one"},
		"link":                              {"\x1b]8;;https://example.com\x1b\\one\x1b]8;;\x1b\\", "one"},
		"device string":                     {"\x1bPq#0\x1b\\one", "one"},
		"unterminated title":                {"one\x1b]0;title", "one"},
		"lone escape":                       {"one\x1b", "one"},
		"escape before an escape":           {"\x1b\x1b[31mone", "one"},
		"sequence inside a sequence":        {"\x1b[\x1b[31mone", "one"},
		"right-to-left override":            {"one\u202eowt\u202c", "oneowt"},
		"hidden characters":                 {"o\u200bn\u00ade\ufeff", "one"},
		"200 characters":                    {long, long},
		"201 characters":                    {long + "ü", long[:2*199] + "…"},
		"token split by a sequence":         {"bad " + waldurtest.Token[:9] + "\x1b[0m" + waldurtest.Token[9:], "bad [token]"},
		"token across the 200th character":  {strings.Repeat("x", 190) + " " + waldurtest.Token, strings.Repeat("x", 190) + " [token]"},
		"token between escaped quotes":      {`\"` + waldurtest.Token + `\"`, `\"[token]\"`},
	} {
		if got := safeText(t, waldurtest.Token, text.from); got != text.want {
			t.Errorf("%s: got %q, want %q", name, got, text.want)
		}
	}
}

func TestErrorsNameTheRequestAndTheProblem(t *testing.T) {
	t.Parallel()
	request := waldur.Request{Method: "GET", Path: "/api/x/"}
	for _, row := range []struct {
		err  error
		want string // after the request
	}{
		{&waldur.StatusError{Request: request, Status: 503}, " returned 503 Service Unavailable: no explanation"},
		{&waldur.StatusError{Request: request, Status: 599, Detail: "why"}, " returned 599: why"},
		{&waldur.UnreachableError{Request: request, Origin: "https://h", Problem: "why"}, " at https://h got no complete response: why"},
		{&waldur.TLSError{Request: request, Origin: "https://h", Problem: "why"}, " at https://h: no trusted connection: why"},
		{&waldur.RedirectError{Request: request, Target: "https://h/"}, " returned a redirect to https://h/"},
		{&waldur.FormatError{Request: request, Problem: "is empty"}, ": the response is empty"},
		{&waldur.FormatError{Request: request, Record: 2, Problem: "is not an object"}, ": record 2 is not an object"},
		{&waldur.FormatError{Request: request, Record: 2, Attribute: "name", Problem: "is missing"}, ": record 2, attribute name is missing"},
		{&waldur.FormatError{Request: request, Attribute: "name", Problem: "is missing"}, ": attribute name is missing"},
		{&waldur.FilterError{Request: request, Asked: "project a", Got: "project b"}, ": asked for project a, got a record of project b"},
		{&waldur.UnverifiableError{Request: request, Problem: "why"}, ": the list cannot be verified to be complete: why"},
		{&waldur.DeadlineError{Request: request}, ": the read was not finished before its deadline"},
		{&waldur.OutageError{Request: request, Timeout: io.EOF}, ": not sent, since too many requests have failed; one of them: EOF"},
		{&waldur.IncompleteError{Request: request, Problem: "why"}, ": the list could not be verified to be complete: why"},
	} {
		if got, want := row.err.Error(), "GET /api/x/"+row.want; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzSafeText checks that the text is short, on one line, and without control
// characters and the token.
func FuzzSafeText(f *testing.F) {
	for _, text := range []string{
		"Invalid token.", "\x1b[31mred", "\x1b]0;t\ax", "\u009b0m", "\x1b\x1b\x1b[[", "\xff\x1b", waldurtest.Token, "\u202e" + waldurtest.Token[:5] + "\x00" + waldurtest.Token[5:],
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := safeText(t, waldurtest.Token, text)
		if n := utf8.RuneCountInString(shown); n > 200 || !utf8.ValidString(shown) {
			t.Errorf("got %d characters, valid UTF-8: %t, want at most 200, true", n, utf8.ValidString(shown))
		}
		if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u202e' }) {
			t.Errorf("got control characters in %q", shown)
		}
		if strings.Contains(strings.ToLower(shown), waldurtest.Token) {
			t.Errorf("got the token in %q", shown)
		}
	})
}
