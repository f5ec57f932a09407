package waldur

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Token authorizes requests. It never prints itself, in no format.
type Token struct{ value string }

// ParseToken accepts a token of visible ASCII characters. Its errors do not
// show the value.
func ParseToken(raw string) (Token, error) {
	if strings.TrimSpace(raw) == "" {
		return Token{}, errors.New("It is empty. Write an API token of Waldur, or leave the argument out and set WALDUR_ACCESS_TOKEN.")
	}
	for _, r := range raw {
		if r <= ' ' || r > '~' {
			return Token{}, errors.New("It holds a character that cannot stand in a token: only visible ASCII can, " +
				"no spaces and no line breaks. A token read from a file often ends in a line break: trimspace() removes it.")
		}
	}
	return Token{raw}, nil
}

// authorization is the value of the Authorization header. Waldur's own tokens
// go out as "Token", which every version takes; personal access tokens, which
// begin with w_, are known to newer servers as "Bearer" only.
func (t Token) authorization() string {
	if strings.HasPrefix(t.value, "w_") {
		return "Bearer " + t.value
	}
	return "Token " + t.value
}

// removeFrom takes the token out of a text that comes from elsewhere: a server
// may echo a request back in an error.
func (t Token) removeFrom(text string) string {
	if t.value == "" {
		return text
	}
	return strings.ReplaceAll(text, t.value, "[token]")
}

// Format implements fmt.Formatter for every verb: "[token]".
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[token]") }
