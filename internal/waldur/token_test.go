package waldur

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

const someToken = "6f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"

func token(tb testing.TB, raw string) Token {
	tb.Helper()
	parsed, err := ParseToken(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

func TestTokenGoesOutInTheSchemeThatItsKindNeeds(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		someToken:     "Token " + someToken,
		"w_" + "abc":  "Bearer w_abc",
		"W_abc":       "Token W_abc",
		"xw_abc":      "Token xw_abc",
		"!~\"%'&<>\\": "Token !~\"%'&<>\\",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			if got := token(t, raw).authorization(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestTokenThatCannotStandInAHeaderIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]struct{ raw, says string }{
		"empty":             {"", "is empty"},
		"blank":             {" \t\n", "is empty"},
		"space inside":      {"hunter2 secret", "visible ASCII"},
		"space at the end":  {"hunter2secret ", "visible ASCII"},
		"line break":        {"hunter2secret\n", "trimspace"},
		"header injection":  {"hunter2secret\r\nX-Other: 1", "visible ASCII"},
		"umlaut":            {"hunter2sécret", "visible ASCII"},
		"no-break space":    {"hunter2\u00a0secret", "visible ASCII"},
		"byte order mark":   {"\ufeffhunter2secret", "visible ASCII"},
		"delete":            {"hunter2secret\x7f", "visible ASCII"},
		"null":              {"hunter2\x00secret", "visible ASCII"},
		"not UTF-8":         {"hunter2\xffsecret", "visible ASCII"},
		"full-width digits": {"hunter２secret", "visible ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseToken(refused.raw)
			if err == nil || !strings.Contains(err.Error(), refused.says) {
				t.Fatalf("error %v, want it to say %q", err, refused.says)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("shows the token: %v", err)
			}
		})
	}
}

// holder has the token where fmt does not ask it how it wants to be shown.
type holder struct {
	config struct{ token Token }
	client *Client
}

func TestTokenPrintsItselfInNoFormat(t *testing.T) {
	t.Parallel()
	secret := token(t, someToken)
	config := Config{Token: secret, MaxConcurrentRequests: 1}
	held := holder{client: NewClient(config)}
	held.config.token = secret
	for name, value := range map[string]any{
		"itself": secret, "pointer": &secret, "slice": []Token{secret}, "map": map[Token]Token{secret: secret},
		"configuration": config, "client": *held.client, "pointer to client": held.client, "unexported field": held, "pointer to it": &held,
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%c", "%U", "%t", "%z"} {
			if printed := fmt.Sprintf(format, value); strings.Contains(printed, someToken) || strings.Contains(printed, fmt.Sprintf("%x", someToken)) {
				t.Errorf("%s as %s shows the token", name, format)
			}
		}
		if encoded, _ := json.Marshal(value); strings.Contains(string(encoded), someToken) {
			t.Errorf("%s as JSON shows the token", name)
		}
	}
	if printed := fmt.Sprint(secret); printed != "[token]" {
		t.Errorf("prints %q", printed)
	}
}

func TestTokenIsRemovedFromTextInEverySpelling(t *testing.T) {
	t.Parallel()
	const awkward = `w_a%b&c<d>"e'f\g+h/i=j`
	everyByte := func(format string) func(string) string {
		return func(text string) string {
			var all strings.Builder
			for _, b := range []byte(text) {
				fmt.Fprintf(&all, format, b)
			}
			return all.String()
		}
	}
	for name, spell := range map[string]func(string) string{
		"as it is":                      func(text string) string { return text },
		"upper case":                    strings.ToUpper,
		"lower case":                    strings.ToLower,
		"in a query":                    url.QueryEscape,
		"in a path":                     url.PathEscape,
		"every byte percent-encoded":    everyByte("%%%02X"),
		"percent-encoded in lower case": everyByte("%%%02x"),
		"in HTML":                       html.EscapeString,
		"decimal entities":              everyByte("&#%d;"),
		"hexadecimal entities":          everyByte("&#x%02X;"),
		"in JSON":                       func(text string) string { quoted, _ := json.Marshal(text); return string(quoted[1 : len(quoted)-1]) },
		"as JSON escapes":               everyByte(`\u%04x`),
		"as Go escapes":                 everyByte(`\x%02x`),
	} {
		for _, raw := range []string{someToken, awkward, "e", "abc", "%", "a&", "%41%41%41", `\u0041\u0041`} {
			t.Run(name+", "+raw, func(t *testing.T) {
				t.Parallel()
				for _, around := range []string{"%s", "token=%s", "the token '%s' is unknown", "/%s/", "?token%3D%s", "%s %s"} {
					text := strings.ReplaceAll(around, "%s", spell(raw))
					want := strings.ReplaceAll(around, "%s", "[token]")
					if got := token(t, raw).removeFrom(text); got != want {
						t.Errorf("%q became %q, want %q", text, got, want)
					}
				}
			})
		}
	}
}

func TestShortTokenLeavesOrdinaryWordsWhole(t *testing.T) {
	t.Parallel()
	const text = "Authentication credentials were not provided."
	for _, raw := range []string{"a", "e", "ed", "not-", "credent", "vide", "Authe"} {
		if got := token(t, raw).removeFrom(text); got != text {
			t.Errorf("without the token %q: %q", raw, got)
		}
	}
	if got := token(t, "not").removeFrom(text); got != "Authentication credentials were [token] provided." {
		t.Errorf("the token stands alone, and is shown: %q", got)
	}
}

func TestLongTokenIsRemovedInsideAWordToo(t *testing.T) {
	t.Parallel()
	if got := token(t, someToken).removeFrom("x" + someToken + "y"); got != "x[token]y" {
		t.Error(got)
	}
}

func TestNoTokenRemovesNothing(t *testing.T) {
	t.Parallel()
	if got := (Token{}).removeFrom("text"); got != "text" {
		t.Error(got)
	}
}

// FuzzRemoveToken: wherever the token stands, it is gone afterwards.
func FuzzRemoveToken(f *testing.F) {
	mark := fmt.Sprint(Token{})
	f.Add(someToken, "before ", " after")
	f.Add("%41%42%43%44", "%", "25")
	f.Add(`\u0041\u0041`, `\`, "")
	f.Add("&&&&&amp;", "&", ";")
	f.Add("aaaaaaaaaa", "aaa", "aaaa")
	f.Add("abc", "%3D", "x")
	f.Fuzz(func(t *testing.T, raw, before, after string) {
		secret, err := ParseToken(raw)
		if err != nil || strings.Contains(mark, raw) {
			return
		}
		for _, spelled := range []string{raw, url.QueryEscape(raw), html.EscapeString(raw)} {
			shown := secret.removeFrom(before + " " + spelled + " " + after)
			if strings.Contains(shown, " "+spelled+" ") {
				t.Errorf("the token %q is still in %q", raw, shown)
			}
			if len(raw) >= shortToken && !strings.Contains(raw, "[") && strings.Contains(shown, raw) {
				t.Errorf("the token %q is still in %q", raw, shown)
			}
		}
	})
}
