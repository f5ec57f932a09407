package waldur

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// TokenKind is a kind of token that Waldur accepts. Kinds differ in how they
// are sent and in how they expire.
type TokenKind int

// The kinds of token.
const (
	// APIToken belongs to a user. It expires some time after its last use.
	APIToken TokenKind = iota
	// PersonalAccessToken begins with "w_". Waldur of October 2024 has none.
	PersonalAccessToken
	// JWT is an access token of an OIDC provider that Waldur trusts.
	JWT
)

// Token authorizes requests. It never prints itself, in no format.
type Token struct {
	// A pointer to a string, as fmt does not call Format for a Token in an
	// unexported field: it prints the text of a string there, and of a string in
	// a struct that is pointed to, but only the address of this.
	value  *string
	kind   TokenKind
	expiry time.Time // zero: not known
}

// ErrWhitespace is the error of a value that contains spaces or line breaks.
// They often surround a value that was read from a file.
var ErrWhitespace = errors.New("the value contains whitespace")

var errEmpty = errors.New("the value is empty")

// ParseToken accepts a token of visible ASCII characters. Its errors, among
// them ErrWhitespace, do not contain the value.
func ParseToken(raw string) (Token, error) {
	if strings.TrimSpace(raw) == "" {
		return Token{}, errEmpty
	}
	if strings.ContainsAny(raw, " \t\r\n") {
		return Token{}, ErrWhitespace
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, errors.New("the value contains a character that is not visible ASCII")
	}
	token := Token{value: &raw}
	if rest, personal := strings.CutPrefix(raw, "w_"); personal {
		token.kind = PersonalAccessToken
		// Of the form "w_<unix time>_<random>", where it has an expiry.
		unix, _, found := strings.Cut(rest, "_")
		if seconds, err := strconv.ParseUint(unix, 10, unixBits); err == nil && found {
			token.expiry = time.Unix(int64(seconds), 0)
		}
	} else if expiry, ok := parseJWT(raw); ok {
		token.kind, token.expiry = JWT, expiry
	}
	return token, nil
}

const unixBits = 40 // of a time in seconds: up to the year 36,812

// parseJWT recognizes a JWT (RFC 7519): three parts in base64url, of which the
// first is a JSON object with the member alg. The expiry is that of the claims,
// or zero when they have none. The signature is not verified.
func parseJWT(raw string) (expiry time.Time, ok bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return time.Time{}, false
		}
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err := json.Unmarshal(decoded[0], &header); err != nil || header.Algorithm == "" {
		return time.Time{}, false
	}
	var claims struct {
		Expiry float64 `json:"exp"` // RFC 7519 allows fractions of a second
	}
	if err := json.Unmarshal(decoded[1], &claims); err != nil || claims.Expiry <= 0 || claims.Expiry >= 1<<unixBits {
		return time.Time{}, true
	}
	return time.Unix(int64(claims.Expiry), 0), true
}

// Kind returns the kind of the token, as far as its form shows it.
func (t Token) Kind() TokenKind { return t.kind }

// Expiry returns the time at which the token expires, if the token contains it.
// API tokens do not, nor do personal access tokens and JWTs of another form.
func (t Token) Expiry() (expiry time.Time, known bool) { return t.expiry, !t.expiry.IsZero() }

func (t Token) text() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// authorization returns the value of the Authorization header. Every version of
// Waldur accepts API tokens as "Token"; newer ones accept the other kinds as
// "Bearer" only.
func (t Token) authorization() string {
	if t.kind == APIToken {
		return "Token " + t.text()
	}
	return "Bearer " + t.text()
}

// Format implements fmt.Formatter for every verb: "[token]".
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[token]") }

// shortToken is the length below which a token may be part of ordinary words.
// Waldur's tokens have 40 characters and more.
const shortToken = 8

// removeFrom replaces the token in text from elsewhere: a server may echo a
// request in an error, percent-encoded in a URL or escaped as in HTML or JSON,
// in upper or lower case. A short token is replaced only where it is a word of
// its own: if "e" became "[token]" everywhere, the token would be revealed.
func (t Token) removeFrom(text string) string {
	token := t.text()
	var kept strings.Builder
	for start := 0; start < len(text); {
		end := start + echoLength(text[start:], token)
		if end == start || (len(token) < shortToken && !isSeparateWord(text, start, end)) {
			kept.WriteByte(text[start])
			start++
			continue
		}
		kept.WriteString("[token]")
		start = end
	}
	return kept.String()
}

// echoLength returns the length of the token that the text begins with, in any
// spelling, or 0 when there is none. It keeps all lengths that are possible so
// far, as two backslashes are one that is escaped or two plain ones: to try one
// after the other would double the time with each of them.
func echoLength(text, token string) int {
	lengths := []int{0}
	for i := range len(token) {
		var longer []int
		for _, length := range lengths {
			rest := text[length:]
			if char, n := unescape(rest); n > 0 && strings.EqualFold(string(rune(char)), token[i:i+1]) {
				longer = append(longer, length+n)
			}
			if rest != "" && strings.EqualFold(rest[:1], token[i:i+1]) {
				longer = append(longer, length+1)
			}
		}
		slices.Sort(longer)
		lengths = slices.Compact(longer)
		if len(lengths) == 0 {
			return 0
		}
	}
	return lengths[len(lengths)-1]
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

// isSeparateWord reports whether text[start:end] is not part of a longer word.
func isSeparateWord(text string, start, end int) bool {
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
