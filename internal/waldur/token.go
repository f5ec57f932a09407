package waldur

import (
	"errors"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token authorizes requests. It never prints itself, in no format.
type Token struct {
	// A pointer, as fmt does not call Format where a Token stands in an
	// unexported field: it would show a string there, of a pointer it shows
	// the address.
	value *string
}

// ParseToken accepts a token of visible ASCII characters. Its errors do not
// show the value.
func ParseToken(raw string) (Token, error) {
	if strings.TrimSpace(raw) == "" {
		return Token{}, errors.New("It is empty. Write an API token of Waldur, or leave the argument out and set WALDUR_ACCESS_TOKEN.")
	}
	for _, r := range raw {
		if r <= ' ' || r > '~' {
			return Token{}, errors.New("It holds a character that cannot stand in a token: only visible ASCII can, " +
				"no spaces and no line breaks. Write the token alone, without Token or Bearer in front. A token read from a file often ends in a line break: trimspace() removes it.")
		}
	}
	return Token{&raw}, nil
}

func (t Token) text() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// authorization is the value of the Authorization header. Waldur's own tokens
// go out as "Token", which every version takes; personal access tokens, which
// begin with w_, are known to newer servers as "Bearer" only.
func (t Token) authorization() string {
	if strings.HasPrefix(t.text(), "w_") {
		return "Bearer " + t.text()
	}
	return "Token " + t.text()
}

// Format implements fmt.Formatter for every verb: "[token]".
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[token]") }

// shortToken is the length below which a token may be part of ordinary words.
// Waldur's are of 40 characters and more.
const shortToken = 8

// removeFrom takes the token out of a text that comes from elsewhere: a server
// may echo a request back in an error, percent-encoded in a URL or escaped as
// in HTML or JSON, in upper or lower case. A short token is removed only where
// it stands alone: if "e" became "[token]" in every word, the words would be
// lost and the token told.
func (t Token) removeFrom(text string) string {
	token := t.text()
	if len(text) < len(token) || token == "" {
		return text
	}
	var kept strings.Builder
	for start := 0; start < len(text); {
		length := echoed(text[start:], token)
		if length == 0 || (len(token) < shortToken && !standsAlone(text, start, start+length)) {
			kept.WriteByte(text[start])
			start++
			continue
		}
		kept.WriteString("[token]")
		start += length
	}
	return kept.String()
}

// echoed is the length of the token at the start of the text, in whatever
// spelling; 0 when it does not stand there.
func echoed(text, token string) int {
	rest := text
	for ; token != ""; token = token[1:] {
		plain := rest != "" && strings.EqualFold(rest[:1], token[:1])
		if char, length := unescape(rest); length > 0 && strings.EqualFold(string(rune(char)), token[:1]) {
			// A token may hold "%", which then stands for itself or begins an escape.
			if tail := echoed(rest[length:], token[1:]); tail > 0 || token[1:] == "" {
				return len(text) - len(rest) + length + tail
			}
		}
		if !plain {
			return 0
		}
		rest = rest[1:]
	}
	return len(text) - len(rest)
}

// unescape reads one escaped ASCII character at the start of the text: %41,
// \u0041, \x41, \\, \", &#65;, &#x41; or &amp;. Length 0: there is none.
func unescape(text string) (char byte, length int) {
	if len(text) > 1 && text[0] == '\\' && strings.IndexByte(`\"'/`, text[1]) >= 0 {
		return text[1], 2
	}
	for _, prefix := range []string{"%", `\u00`, `\x`} {
		end := len(prefix) + 2
		if len(text) < end || !strings.EqualFold(text[:len(prefix)], prefix) {
			continue
		}
		if code, err := strconv.ParseUint(text[len(prefix):end], 16, 8); err == nil {
			return byte(code), end
		}
	}
	if strings.HasPrefix(text, "&") {
		end := strings.IndexByte(text[:min(len(text), longestEntity)], ';') + 1
		if plain := html.UnescapeString(text[:end]); len(plain) == 1 {
			return plain[0], end
		}
	}
	return 0, 0
}

const longestEntity = 10 // of an ASCII character: "&lowbar;", "&#x00041;"

// standsAlone tells whether text[start:end] is no part of a longer word.
func standsAlone(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	for length := 2; length <= min(start, longestEntity); length++ { // "%3D" ends in a letter and is none
		if char, n := unescape(text[start-length : start]); n == length {
			before = rune(char)
		}
	}
	after, _ := utf8.DecodeRuneInString(text[end:])
	return !inWord(before) && !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
