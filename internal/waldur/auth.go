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
	// PersonalAccessToken begins with "w_". Waldur from October 2024 has none.
	PersonalAccessToken
	// JWT is an access token of an OIDC provider that Waldur trusts.
	JWT
)

// Token authorizes requests. It is not printed in any format.
type Token struct {
	// A pointer, since fmt does not call Format for a Token in an unexported field:
	// it would print a string there, but prints only the address of this.
	value  *string
	kind   TokenKind
	expiry time.Time // zero: not known
}

// ErrWhitespace reports a value that contains spaces or line breaks, as a value
// that was read from a file often does.
var ErrWhitespace = errors.New("the value contains whitespace")

var errEmpty = errors.New("the value is empty")

// ParseToken parses a token, which must consist of visible ASCII characters. Its
// errors, such as ErrWhitespace, do not contain the value.
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
		// A token that expires has the form "w_<unix time>_<random>".
		unix, _, found := strings.Cut(rest, "_")
		if seconds, err := strconv.ParseUint(unix, 10, unixBits); err == nil && found {
			token.expiry = time.Unix(int64(seconds), 0)
		}
	} else if expiry, ok := parseJWT(raw); ok {
		token.kind, token.expiry = JWT, expiry
	}
	return token, nil
}

const unixBits = 40 // of a Unix time: up to the year 36,812

// parseJWT recognizes a JWT (RFC 7519): three parts in base64url, the first of
// which is a JSON object with the member alg. It returns the expiry in the claims,
// or zero if there is none. It does not verify the signature.
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

// Kind returns the kind of the token, which is derived from its form.
func (t Token) Kind() TokenKind { return t.kind }

// Expiry returns the time at which the token expires, if the token contains it. API
// tokens do not; personal access tokens and JWTs may not.
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
// Waldur's tokens have at least 40 characters.
const shortToken = 8

// removeFrom replaces the token in text of a server, which may echo a request in an
// error: percent-encoded as in a URL or escaped as in HTML or JSON, in upper or
// lower case, or split by line breaks. A short token is replaced only if it is a
// separate word: replacing every "e" by "[token]" would reveal the token.
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

// echoLength returns the length of the token at the start of the text, escaped or
// not, or 0 if there is none. It keeps all lengths that are possible so far, since
// two backslashes are either an escaped one or two plain ones: trying one reading
// after the other would double the time with each pair.
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
		if len(token) >= shortToken && i < len(token)-1 {
			longer = append(longer, afterSeparators(text, longer)...)
		}
		slices.Sort(longer)
		lengths = slices.Compact(longer)
		if len(lengths) == 0 {
			return 0
		}
	}
	return lengths[len(lengths)-1]
}

// afterSeparators returns the lengths at which the text goes on after what printable
// makes of line breaks and of bytes that are not UTF-8.
func afterSeparators(text string, lengths []int) (after []int) {
	for _, length := range lengths {
		if rest := strings.TrimLeft(text[length:], " \uFFFD"); len(rest) < len(text)-length {
			after = append(after, len(text)-len(rest))
		}
	}
	return after
}

// isIn reports whether the text contains the token. Shorter ones may be in any text.
func (t Token) isIn(text string) bool {
	if len(t.text()) < shortToken || len(text) < len(t.text()) {
		return false
	}
	if t.removeFrom(text) != text {
		return true
	}
	plain := printable(text)
	return plain != text && t.removeFrom(plain) != plain
}

// unescape returns the escaped ASCII character at the start of the text: %41,
// \u0041, \x41, \\, \", &#65;, &#x41; or &amp;. The length is 0 if there is none.
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

const longestEntity = 10 // "&lowbar;", "&#x00041;"; longer ones, such as "&VerticalLine;", are not recognized

// isSeparateWord reports whether text[start:end] is not part of a longer word.
func isSeparateWord(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	for length := 2; length <= min(start, longestEntity); length++ { // "%3D" ends in a letter, but is none
		if char, n := unescape(text[start-length : start]); n == length {
			before = rune(char)
		}
	}
	after, _ := utf8.DecodeRuneInString(text[end:])
	return !inWord(before) && !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
