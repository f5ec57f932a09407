package waldur

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
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

// part encodes a part of a JWT.
func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// jwt returns a JWT with the claims.
func jwt(claims string) string {
	return part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(claims) + "." + part("signature")
}

func TestTokenIsSentWithTheSchemeOfItsKind(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		token  string
		kind   TokenKind
		scheme string
	}{
		"API token":                         {someToken, APIToken, "Token"},
		"personal access token":             {"w_1735689599_Abc-123_def", PersonalAccessToken, "Bearer"},
		"personal access token, short":      {"w_abc", PersonalAccessToken, "Bearer"},
		"w_ in upper case":                  {"W_abc", APIToken, "Token"},
		"w_ in the middle":                  {"xw_abc", APIToken, "Token"},
		"JWT":                               {jwt(`{"exp":1735689599,"sub":"x"}`), JWT, "Bearer"},
		"JWT without claims":                {jwt(`{}`), JWT, "Bearer"},
		"JWT with claims that are not JSON": {jwt("text"), JWT, "Bearer"},
		"JWT without a signature":           {part(`{"alg":"none"}`) + "." + part("{}") + ".", JWT, "Bearer"},
		"three parts, no alg":               {part(`{"typ":"JWT"}`) + "." + part("{}") + "." + part("x"), APIToken, "Token"},
		"three parts, alg is not a string":  {part(`{"alg":7}`) + "." + part("{}") + "." + part("x"), APIToken, "Token"},
		"three parts, not an object":        {part(`["alg"]`) + "." + part("{}") + "." + part("x"), APIToken, "Token"},
		"three parts, not JSON":             {part("alg") + "." + part("{}") + "." + part("x"), APIToken, "Token"},
		"three parts, not base64url":        {part(`{"alg":"RS256"}`) + "." + part("{}") + ".+/", APIToken, "Token"},
		"two parts":                         {part(`{"alg":"RS256"}`) + "." + part("{}"), APIToken, "Token"},
		"four parts":                        {jwt("{}") + "." + part("x"), APIToken, "Token"},
		"two dots":                          {"..", APIToken, "Token"},
		"every other character":             {`!~"%'&<>\`, APIToken, "Token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed := token(t, row.token)
			if got, want := parsed.authorization(), row.scheme+" "+row.token; got != want || parsed.Kind() != row.kind {
				t.Errorf("kind %d, %q, want kind %d, %q", parsed.Kind(), got, row.kind, want)
			}
		})
	}
}

func TestExpiryIsReadFromTheToken(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		token string
		want  int64 // Unix time; 0: unknown
	}{
		"API token":                     {someToken, 0},
		"personal access token":         {"w_1735689599_Abc-123_def", 1735689599},
		"no random part":                {"w_1735689599", 0},
		"an empty random part":          {"w_1735689599_", 1735689599},
		"no time":                       {"w__Abc", 0},
		"a time that is text":           {"w_soon_Abc", 0},
		"a negative time":               {"w_-5_Abc", 0},
		"a fraction":                    {"w_1.5_Abc", 0},
		"a time that overflows":         {"w_99999999999999999999_Abc", 0},
		"a time far in the future":      {"w_1099511627776_Abc", 0},
		"JWT":                           {jwt(`{"exp":1735689599}`), 1735689599},
		"JWT, fraction of a second":     {jwt(`{"exp":1735689599.9}`), 1735689599},
		"JWT, exponent":                 {jwt(`{"exp":1.7e9}`), 1700000000},
		"JWT without expiry":            {jwt(`{"iat":1735689599}`), 0},
		"JWT, expiry is null":           {jwt(`{"exp":null}`), 0},
		"JWT, expiry is text":           {jwt(`{"exp":"1735689599"}`), 0},
		"JWT, expiry is too large":      {jwt(`{"exp":1e300}`), 0},
		"JWT, expiry is negative":       {jwt(`{"exp":-1}`), 0},
		"JWT, claims are not an object": {jwt(`[1735689599]`), 0},
		"JWT, claims are not JSON":      {jwt(`exp`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expiry, known := token(t, row.token).Expiry()
			if known != (row.want != 0) || (known && expiry.Unix() != row.want) {
				t.Errorf("%s, known: %t, want %d", expiry, known, row.want)
			}
		})
	}
	if _, known := (Token{}).Expiry(); known {
		t.Error("the zero token has an expiry")
	}
}

func TestInvalidTokenIsRejectedAndNotShown(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ raw, message string }{
		"empty":             {"", "is empty"},
		"blank":             {" \t\n", "is empty"},
		"space inside":      {"hunter2 secret", "whitespace"},
		"space at the end":  {"hunter2secret ", "whitespace"},
		"line break":        {"hunter2secret\n", "whitespace"},
		"header injection":  {"hunter2secret\r\nX-Other: 1", "whitespace"},
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
			_, err := ParseToken(row.raw)
			if err == nil || !strings.Contains(err.Error(), row.message) {
				t.Fatalf("error %v, want %q in it", err, row.message)
			}
			if want := row.message == "whitespace"; errors.Is(err, ErrWhitespace) != want {
				t.Errorf("errors.Is(err, ErrWhitespace) is %t, want %t", !want, want)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("the error has the token: %v", err)
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

// Two backslashes in a text are an escaped one or two plain ones. A search that
// tried both at each position took 20 s for 24 backslashes, so a server could make
// the provider hang.
func TestRemovingATokenTakesLinearTime(t *testing.T) {
	t.Parallel()
	duration := func(backslashes, text int) time.Duration {
		secret := token(t, strings.Repeat(`\`, backslashes)+"!")
		shown := strings.Repeat(`\`, text)
		fastest := time.Duration(math.MaxInt64)
		for range 5 {
			began := time.Now()
			if got := secret.removeFrom(shown); got != shown {
				t.Fatalf("%q became %q", shown, got)
			}
			fastest = min(fastest, time.Since(began))
		}
		return fastest
	}
	short := duration(10, 100)
	for name, compared := range map[string]struct {
		backslashes, text int
		most              time.Duration
	}{
		"a token twice as long":    {20, 100, 20 * short},
		"a text ten times as long": {10, 1000, 100 * short},
	} {
		if took := duration(compared.backslashes, compared.text); took > compared.most {
			t.Errorf("%s takes %s, the short one %s", name, took, short)
		}
	}
}

func TestShortTokenIsNotRemovedInsideAWord(t *testing.T) {
	t.Parallel()
	const text = "Authentication credentials were not provided."
	for _, raw := range []string{"a", "e", "ed", "not-", "credent", "vide", "Authe"} {
		if got := token(t, raw).removeFrom(text); got != text {
			t.Errorf("token %q: the text became %q", raw, got)
		}
	}
	if got := token(t, "not").removeFrom(text); got != "Authentication credentials were [token] provided." {
		t.Errorf("the token is a separate word, and is shown: %q", got)
	}
}

func TestLongTokenIsRemovedInsideAWord(t *testing.T) {
	t.Parallel()
	if got := token(t, someToken).removeFrom("x" + someToken + "y"); got != "x[token]y" {
		t.Error(got)
	}
}

func TestZeroTokenRemovesNothing(t *testing.T) {
	t.Parallel()
	if got := (Token{}).removeFrom("text"); got != "text" {
		t.Error(got)
	}
}

// FuzzRemoveToken checks that the token is removed wherever it is in the text.
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
