package waldur

import (
	"encoding/base64"
	"encoding/json"
	"errors"
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

func TestKindAndExpiryAreReadFromTheToken(t *testing.T) {
	t.Parallel()
	threeParts := func(header, claims string) string {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
	}
	jwt := func(claims string) string { return threeParts(`{"alg":"RS256","typ":"JWT"}`, claims) }
	for name, row := range map[string]struct {
		token  string
		kind   TokenKind
		expiry int64 // Unix time; 0: unknown
	}{
		"API token":                              {someToken, APIToken, 0},
		"personal access token":                  {"w_1735689599_Abc-123_def", PersonalAccessToken, 1735689599},
		"personal access token, no random part":  {"w_1735689599", PersonalAccessToken, 0},
		"personal access token, no time":         {"w__Abc", PersonalAccessToken, 0},
		"personal access token, negative time":   {"w_-5_Abc", PersonalAccessToken, 0},
		"personal access token, time in the far": {"w_1099511627776_Abc", PersonalAccessToken, 0},
		"w_ in the middle":                       {"xw_abc", APIToken, 0},
		"JWT":                                    {jwt(`{"exp":1735689599,"sub":"x"}`), JWT, 1735689599},
		"JWT, fraction of a second":              {jwt(`{"exp":1735689599.9}`), JWT, 1735689599},
		"JWT, expiry is text":                    {jwt(`{"exp":"1735689599"}`), JWT, 0},
		"JWT, expiry is too large":               {jwt(`{"exp":1e300}`), JWT, 0},
		"JWT, expiry is negative":                {jwt(`{"exp":-1}`), JWT, 0},
		"JWT, claims are not JSON":               {jwt(`exp`), JWT, 0},
		"JWT without a signature":                {strings.TrimSuffix(jwt(`{}`), "c2lnbmF0dXJl"), JWT, 0},
		"three parts, no alg":                    {threeParts(`{"typ":"JWT"}`, `{}`), APIToken, 0},
		"three parts, not JSON":                  {threeParts(`alg`, `{}`), APIToken, 0},
		"three parts, not base64url":             {jwt(`{}`) + "+/", APIToken, 0},
		"four parts":                             {jwt(`{}`) + ".eA", APIToken, 0},
		"every other character":                  {`!~"%'&<>\`, APIToken, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed := token(t, row.token)
			scheme := map[TokenKind]string{APIToken: "Token ", PersonalAccessToken: "Bearer ", JWT: "Bearer "}[row.kind]
			if got := parsed.authorization(); got != scheme+row.token || parsed.Kind() != row.kind {
				t.Errorf("kind %d, sent as %q, want kind %d with %q", parsed.Kind(), got, row.kind, scheme)
			}
			expiry, known := parsed.Expiry()
			if known != (row.expiry != 0) || (known && expiry.Unix() != row.expiry) {
				t.Errorf("expires %s, known: %t, want %d", expiry, known, row.expiry)
			}
		})
	}
}

func TestInvalidTokenIsRejectedAndNotShown(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ raw, message string }{
		"empty":            {"", "is empty"},
		"blank":            {" \t\n", "is empty"},
		"space inside":     {"hunter2 secret", "whitespace"},
		"line break":       {"hunter2secret\n", "whitespace"},
		"header injection": {"hunter2secret\r\nX-Other: 1", "whitespace"},
		"no-break space":   {"hunter2\u00a0secret", "visible ASCII"},
		"delete":           {"hunter2secret\x7f", "visible ASCII"},
		"null":             {"hunter2\x00secret", "visible ASCII"},
		"not UTF-8":        {"hunter2\xffsecret", "visible ASCII"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseToken(row.raw)
			if err == nil || !strings.Contains(err.Error(), row.message) || strings.Contains(err.Error(), "hunter") {
				t.Fatalf("error %v, want %q in it, and not the token", err, row.message)
			}
			if want := row.message == "whitespace"; errors.Is(err, ErrWhitespace) != want {
				t.Errorf("errors.Is(err, ErrWhitespace) is %t, want %t", !want, want)
			}
		})
	}
}

// holder has the token in unexported fields, for which fmt does not call its methods.
type holder struct {
	config struct{ token Token }
	client *Client
}

func TestTokenIsPrintedInNoFormat(t *testing.T) {
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

// everyByte returns a function that formats each byte of a text.
func everyByte(format string) func(string) string {
	return func(text string) string {
		var all strings.Builder
		for _, b := range []byte(text) {
			fmt.Fprintf(&all, format, b)
		}
		return all.String()
	}
}

func TestTokenIsRemovedFromTextInEverySpelling(t *testing.T) {
	t.Parallel()
	for name, spell := range map[string]func(string) string{
		"as it is":                   strings.Clone,
		"upper case":                 strings.ToUpper,
		"in a query":                 url.QueryEscape,
		"in a path":                  url.PathEscape,
		"every byte percent-encoded": everyByte("%%%02X"),
		"in HTML":                    html.EscapeString,
		"decimal entities":           everyByte("&#%d;"),
		"hexadecimal entities":       everyByte("&#x%02X;"),
		"in JSON":                    func(text string) string { quoted, _ := json.Marshal(text); return string(quoted[1 : len(quoted)-1]) },
		"as JSON escapes":            everyByte(`\u%04x`),
		"as Go escapes":              everyByte(`\x%02x`),
	} {
		for _, raw := range []string{someToken, `w_a%b&c<d>"e'f\g+h/i=j`, "e", "abc", "%", "a&", "%41%41%41", `\u0041\u0041`} {
			for _, around := range []string{"%s", "the token '%s' is unknown", "/%s/", "?token%3D%s", "%s %s"} {
				text, want := strings.ReplaceAll(around, "%s", spell(raw)), strings.ReplaceAll(around, "%s", "[token]")
				if got := token(t, raw).removeFrom(text); got != want {
					t.Errorf("%s, token %q: %q became %q, want %q", name, raw, text, got, want)
				}
			}
		}
	}
}

// A short token is part of ordinary words.
func TestOnlyTheTokenIsRemoved(t *testing.T) {
	t.Parallel()
	const text = "Authentication credentials were not provided."
	backslashes := strings.Repeat(`\`, 1000)
	for _, row := range []struct{ token, text, want string }{
		{"a", text, text},
		{"ed", text, text},
		{"vide", text, text},
		{"Authe", text, text},
		{"not", text, "Authentication credentials were [token] provided."},
		{someToken, "x" + someToken + "y", "x[token]y"},
		{someToken, someToken[1:], someToken[1:]},
		// Two of them are an escaped one or two plain ones. A search that tried both
		// at each position took 20 s for 24, so a server could make the provider hang.
		{backslashes[:40] + "!", backslashes, backslashes},
	} {
		if got := token(t, row.token).removeFrom(row.text); got != row.want {
			t.Errorf("token %q: %q became %q, want %q", row.token, row.text, got, row.want)
		}
	}
	if got := (Token{}).removeFrom(text); got != text {
		t.Errorf("the zero token makes it %q", got)
	}
}

// FuzzRemoveToken checks that the token is removed wherever it is in the text.
func FuzzRemoveToken(f *testing.F) {
	f.Add(someToken, "before ", " after")
	f.Add("%41%42%43%44", "%", "25")
	f.Add(`\u0041\u0041`, `\`, "")
	f.Add("&&&&&amp;", "&", ";")
	f.Add("aaaaaaaaaa", "aaa", "aaaa")
	f.Add("abc", "%3D", "x")
	f.Fuzz(func(t *testing.T, raw, before, after string) {
		secret, err := ParseToken(raw)
		if err != nil || strings.Contains("[token]", raw) {
			return
		}
		for _, spelled := range []string{raw, url.QueryEscape(raw), html.EscapeString(raw)} {
			shown := secret.removeFrom(before + " " + spelled + " " + after)
			long := len(raw) >= shortToken && !strings.Contains(raw, "[")
			if strings.Contains(shown, " "+spelled+" ") || (long && strings.Contains(shown, raw)) {
				t.Errorf("the token %q is still in %q", raw, shown)
			}
		}
	})
}
