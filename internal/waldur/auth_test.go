package waldur_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// jwt returns a JWT with the claims.
func jwt(claims string) string { return threeParts(`{"alg":"RS256","typ":"JWT"}`, claims) }

func threeParts(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func TestKindAndExpiryAreReadFromTheToken(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		token  string
		kind   waldur.TokenKind
		expiry int64 // Unix time; 0: unknown
	}{
		"API token":                              {waldurtest.Token, waldur.APIToken, 0},
		"personal access token":                  {"w_1735689599_Abc-123_def", waldur.PersonalAccessToken, 1735689599},
		"personal access token, no random part":  {"w_1735689599", waldur.PersonalAccessToken, 0},
		"personal access token, no time":         {"w__Abc", waldur.PersonalAccessToken, 0},
		"personal access token, negative time":   {"w_-5_Abc", waldur.PersonalAccessToken, 0},
		"personal access token, year over 30000": {"w_1099511627776_Abc", waldur.PersonalAccessToken, 0},
		"w_ in the middle":                       {"xw_abc", waldur.APIToken, 0},
		"JWT":                                    {jwt(`{"exp":1735689599,"sub":"x"}`), waldur.JWT, 1735689599},
		"JWT, fraction of a second":              {jwt(`{"exp":1735689599.9}`), waldur.JWT, 1735689599},
		"JWT, expiry is text":                    {jwt(`{"exp":"1735689599"}`), waldur.JWT, 0},
		"JWT, expiry is too large":               {jwt(`{"exp":1e300}`), waldur.JWT, 0},
		"JWT, expiry is negative":                {jwt(`{"exp":-1}`), waldur.JWT, 0},
		"JWT, claims are not JSON":               {jwt(`exp`), waldur.JWT, 0},
		"JWT without a signature":                {strings.TrimSuffix(jwt(`{}`), "c2lnbmF0dXJl"), waldur.JWT, 0},
		"three parts, no alg":                    {threeParts(`{"typ":"JWT"}`, `{}`), waldur.APIToken, 0},
		"three parts, not JSON":                  {threeParts(`alg`, `{}`), waldur.APIToken, 0},
		"three parts, not base64url":             {jwt(`{}`) + "+/", waldur.APIToken, 0},
		"four parts":                             {jwt(`{}`) + ".eA", waldur.APIToken, 0},
		"punctuation":                            {`!~"%'&<>\`, waldur.APIToken, 0},
	} {
		parsed := token(t, want.token)
		expiry, known := parsed.Expiry()
		if parsed.Kind() != want.kind || known != (want.expiry != 0) || known && expiry.Unix() != want.expiry {
			t.Errorf("%s: got kind %d, expiry %s (known: %t), want kind %d, expiry %d", name, parsed.Kind(), expiry, known, want.kind, want.expiry)
		}
	}
}

func TestInvalidTokenIsRejectedAndNotShown(t *testing.T) {
	t.Parallel()
	wantRejected(t, waldur.ParseToken, map[string]struct{ value, message string }{
		"empty":            {"", "is empty"},
		"blank":            {" \t\n", "is empty"},
		"space inside":     {secret + " x", "contains whitespace"},
		"line break":       {secret + "\n", "contains whitespace"},
		"header injection": {secret + "\r\nX-Other: 1", "contains whitespace"},
		"no-break space":   {secret + "\u00a0x", "visible ASCII"},
		"delete":           {secret + "\x7f", "visible ASCII"},
		"null":             {secret + "\x00", "visible ASCII"},
		"not UTF-8":        {secret + "\xff", "visible ASCII"},
	})
}

// holder has the token in unexported fields, for which fmt does not call Format.
type holder struct {
	config struct{ token waldur.Token }
	client *waldur.Client
}

func TestTokenIsPrintedInNoFormat(t *testing.T) {
	t.Parallel()
	secret := token(t, waldurtest.Token)
	config := waldur.Config{Token: secret}
	held := holder{client: waldur.NewClient(config)}
	held.config.token = secret
	for name, value := range map[string]any{
		"itself": secret, "pointer": &secret, "slice": []waldur.Token{secret}, "map": map[waldur.Token]waldur.Token{secret: secret},
		"configuration": config, "client": *held.client, "pointer to client": held.client, "unexported field": held, "pointer to it": &held,
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%c", "%U", "%t", "%z"} {
			printed := fmt.Sprintf(format, value)
			if strings.Contains(printed, waldurtest.Token) || strings.Contains(printed, fmt.Sprintf("%x", waldurtest.Token)) {
				t.Errorf("%s as %s shows the token", name, format)
			}
		}
		if encoded, _ := json.Marshal(value); strings.Contains(string(encoded), waldurtest.Token) {
			t.Errorf("%s as JSON shows the token", name)
		}
	}
	if got := fmt.Sprint(secret); got != "[token]" {
		t.Errorf("got %q, want [token]", got)
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

// safeText returns text from the server as a client with the token shows it.
func safeText(t waldurtest.TB, raw, text string) string {
	return connect(t, "https://waldur.example.com", waldur.Config{Token: token(t, raw)}).SafeText(text)
}

func TestTokenIsRemovedFromTextInEverySpelling(t *testing.T) {
	t.Parallel()
	for name, spell := range map[string]func(string) string{
		"unchanged":                  strings.Clone,
		"upper case":                 strings.ToUpper,
		"in a query":                 url.QueryEscape,
		"in a path":                  url.PathEscape,
		"every byte percent-encoded": everyByte("%%%02X"),
		"upper case percent-encoded": func(text string) string { return everyByte("%%%02x")(strings.ToUpper(text)) },
		"in HTML":                    html.EscapeString,
		"decimal entities":           everyByte("&#%d;"),
		"hexadecimal entities":       everyByte("&#x%02X;"),
		"in JSON":                    func(text string) string { quoted, _ := json.Marshal(text); return string(quoted[1 : len(quoted)-1]) },
		"as JSON escapes":            everyByte(`\u%04x`),
		"as Go escapes":              everyByte(`\x%02x`),
	} {
		for _, raw := range []string{waldurtest.Token, `w_a%b&c<d>"e'f\g+h/i=j`, "e", "abc", "%", "a&", "%41%41%41", `\u0041\u0041`} {
			for _, around := range []string{"%s", "the token '%s' is unknown", "/%s/", "?token%3D%s", "%3D%s", "%s %s"} {
				text, want := strings.ReplaceAll(around, "%s", spell(raw)), strings.ReplaceAll(around, "%s", "[token]")
				if got := safeText(t, raw, text); got != want {
					t.Errorf("%s, token %q in %q: got %q, want %q", name, raw, text, got, want)
				}
			}
		}
	}
}

// A short token can be part of an ordinary word.
func TestOnlyTheTokenIsRemoved(t *testing.T) {
	t.Parallel()
	const text = "Authentication credentials were not provided."
	backslashes := strings.Repeat(`\`, 199)
	for _, row := range []struct{ token, text, want string }{
		{"a", text, text},
		{"ed", text, text},
		{"vide", text, text},
		{"Authe", text, text},
		{"Authent", text, text},
		{"Authenti", text, "[token]cation credentials were not provided."},
		{"not", text, "Authentication credentials were [token] provided."},
		{waldurtest.Token, "x" + waldurtest.Token + "y", "x[token]y"},
		{waldurtest.Token, waldurtest.Token[1:], waldurtest.Token[1:]},
		{waldurtest.Token, waldurtest.Token[:9] + "\n" + waldurtest.Token[9:20] + "\xff" + waldurtest.Token[20:] + " x", "[token] x"},
		{waldurtest.Token, waldurtest.Token[:9] + "\ufe0f" + waldurtest.Token[9:20] + "\u034f" + waldurtest.Token[20:], "[token]"},
		{waldurtest.Token, "\x1b" + waldurtest.Token, "oken]"}, // the escape takes two characters of "[token]"
		{waldurtest.Token, "\x1b]0;" + waldurtest.Token + "\ax", "x"},
		{"Authent", "A u t h e n t", "A u t h e n t"},
		// Two backslashes may be one escaped or two plain ones. A search that tried
		// both at each position took 20 s for 24 of them: a server could hang the provider.
		{backslashes[:40] + "!", backslashes + backslashes, backslashes + "…"},
	} {
		if got := safeText(t, row.token, row.text); got != row.want {
			t.Errorf("token %q in %q: got %q, want %q", row.token, row.text, got, row.want)
		}
	}
	if got := waldur.NewClient(waldur.Config{}).SafeText(text); got != text {
		t.Errorf("without a token: got %q, want %q", got, text)
	}
}

// Anyone who can read a token in the log of a pipeline can do what the token's user
// can do.
func TestTokenIsNotShownWhenTheServerEchoesIt(t *testing.T) {
	t.Parallel()
	const token = waldurtest.Token
	for spelling, echo := range map[string]string{
		"unchanged":         token,
		"with its scheme":   "Token " + token,
		"in upper case":     strings.ToUpper(token),
		"percent-encoded":   everyByte("%%%02x")(token),
		"as JSON escapes":   everyByte(`\u%04x`)(token),
		"as HTML entities":  everyByte("&#x%02x;")(token),
		"after 195 letters": strings.Repeat("x", 195) + " " + token,
		"split by a color":  token[:7] + "\x1b[31m" + token[7:],
		"split in JSON":     token[:7] + `\u001b[31m` + token[7:],
	} {
		for place, response := range map[string]response{
			"the detail of an error":   status(400, `{"detail":"You sent `+echo+`"}`),
			"a bare array":             status(400, `["`+echo+`"]`),
			"a member's name":          status(400, `{"`+echo+`":["No."]}`),
			"the page of an error":     reply(head(502, "Content-Type: text/html") + "<title>" + echo + "</title>"),
			"the request id":           status(500, "{}", "X-Request-Id: "+echo),
			"the target of a redirect": status(302, "", "Location: https://other.example.com/"+echo+"/?token="+echo),
			"the host of a redirect":   status(302, "", "Location: https://"+token+".example.com/"),
			"a malformed redirect":     status(302, "", "Location: https://other.example.com:port/"+echo),
			"the status line":          reply("HTTP/1.1 " + echo + "\r\n\r\n"),
			"not HTTP":                 reply(echo + "\r\n\r\n"),
			"a malformed header":       reply("HTTP/1.1 200 OK\r\n" + echo + "\r\n\r\n"),
			"a malformed length":       reply(head(200, "Content-Length: "+echo)),
			"the size of a chunk":      reply(head(200, "Transfer-Encoding: chunked") + echo + "\r\n"),
			"the transfer encoding":    reply(head(200, "Transfer-Encoding: "+echo)),
			"the challenge":            status(401, "{}", "WWW-Authenticate: "+echo),
			"the time to retry":        status(429, "{}", "Retry-After: "+echo),
			"the count":                status(200, "[]", "X-Result-Count: "+echo),
			"not JSON":                 status(200, echo, "X-Result-Count: 0"),
			"half of JSON":             reply(head(200) + `[{"scope":"` + echo),
			"a member twice":           status(200, `[{"`+echo+`":1,"`+echo+`":2}]`, "X-Result-Count: 1"),
			"a scope":                  status(200, `[{"date":"2024-09-01","scope":"`+echo+`"}]`, "X-Result-Count: 1"),
			"a date":                   status(200, `[{"date":"`+echo+`","scope":null}]`, "X-Result-Count: 1"),
			"a number":                 status(200, `[{"date":"2024-09-01","reported_usage":"`+echo+`"}]`, "X-Result-Count: 1"),
		} {
			t.Run(place+", "+spelling, func(t *testing.T) {
				t.Parallel()
				url, _ := serve(t, response)
				var log []map[string]any
				query := waldur.Query{Scope: project(), Fields: waldur.Fields(waldur.FieldScope)}
				_, err := connect(t, url, waldur.Config{Log: logTo(&log)}).Usages(t.Context(), query)
				if err == nil {
					t.Fatal("got no error")
				}
				wantNoToken(t, fmt.Sprint(log))
				for ; err != nil; err = errors.Unwrap(err) {
					wantNoToken(t, fmt.Sprintf("%v %+v %#v %q", err, err, err, err))
				}
			})
		}
	}
}

// What a list or a record contains is stored in the state.
func TestRecordWithTheTokenIsRejected(t *testing.T) {
	t.Parallel()
	for _, name := range []string{waldurtest.Token, "CPU " + strings.ToUpper(waldurtest.Token), waldurtest.Token[:20] + `\n` + waldurtest.Token[20:],
		`\u001b` + waldurtest.Token, `\u001b]0;` + waldurtest.Token + `\u0007`, waldurtest.Token[:20] + "\U000e0101" + waldurtest.Token[20:]} {
		record := `{"date":"2024-09-01","name":"` + name + `"}`
		url, _ := serve(t, status(200, "["+record+"]", "X-Result-Count: 1"), status(200, record))
		client, fields := connect(t, url, waldur.Config{}), waldur.Fields(waldur.FieldDate, waldur.FieldName)
		_, list := client.Usages(t.Context(), waldur.Query{Scope: project(), Fields: fields})
		_, single := client.Usage(t.Context(), 7, fields)
		for _, err := range []error{list, single} {
			if malformed, ok := errors.AsType[*waldur.FormatError](err); !ok || malformed.Problem != "contains the token" {
				t.Errorf("%s: got error %v, want a FormatError", name, err)
			}
		}
	}
}

// wantNoToken fails if the text contains the first half of the token, in upper or
// lower case, plain, percent-encoded, as JSON escapes, as HTML entities, or split by
// a color, which net/http may quote.
func wantNoToken(t *testing.T, shown string) {
	t.Helper()
	shown = regexp.MustCompile(`(\x1b|\\+x1b)\[31m`).ReplaceAllString(shown, "")
	escaped := regexp.MustCompile(`\\+u00`).ReplaceAllString(strings.ReplaceAll(shown, "%!", ""), "%")
	plain, _ := url.PathUnescape(escaped) // empty if the text cannot be unescaped
	if strings.Contains(strings.ToLower(shown+plain+html.UnescapeString(shown)), waldurtest.Token[:len(waldurtest.Token)/2]) {
		t.Errorf("the token is in %q", shown)
	}
}

func TestQueryAndBodyAreNotShown(t *testing.T) {
	t.Parallel()
	for name, response := range map[string]response{
		"refused":        status(400, `{"detail":"No."}`),
		"closed":         reply(""),
		"not JSON":       status(200, "private words", "X-Result-Count: 0"),
		"half of JSON":   status(200, `[{"private words`, "X-Result-Count: 0"),
		"another date":   status(200, `[{"date":"private words"}]`, "X-Result-Count: 1"),
		"partial":        status(206, `[{"name":"private words"}]`),
		"redirected":     status(302, "private words", "Location: /login/?next=private+words"),
		"an HTML page":   reply(head(500, "Content-Type: text/html") + "<h1>private words</h1>"),
		"malformed head": reply("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nprivate words"),
	} {
		url, _ := serve(t, response)
		var log []map[string]any
		_, err := readAll(t, url, waldur.Config{Log: logTo(&log)})
		shown := fmt.Sprintf("%v %v", err, log)
		for _, private := range []string{"private", projectUUID, "scope="} {
			if err == nil || strings.Contains(shown, private) {
				t.Errorf("%s: got error %v, want one without %q: %s", name, err, private, shown)
			}
		}
	}
}

// FuzzRemoveToken checks that the token is removed wherever it is in the text.
func FuzzRemoveToken(f *testing.F) {
	f.Add(waldurtest.Token, "before ", " after")
	f.Add("%41%42%43%44", "%", "25")
	f.Add(`\u0041\u0041`, `\`, "")
	f.Add("&&&&&amp;", "&", ";")
	f.Add("aaaaaaaaaa", "aaa", "aaaa")
	f.Add("abc", "%3D", "x")
	f.Fuzz(func(t *testing.T, raw, before, after string) {
		if _, err := waldur.ParseToken(raw); err != nil || strings.Contains("[token]", raw) {
			return
		}
		for _, spelled := range []string{raw, url.QueryEscape(raw), html.EscapeString(raw)} {
			shown := safeText(t, raw, before+" "+spelled+" "+after)
			long := len(raw) >= 8 && !strings.Contains(raw, "[")
			if strings.Contains(shown, " "+spelled+" ") || long && strings.Contains(shown, raw) {
				t.Errorf("the token %q is still in %q", raw, shown)
			}
		}
	})
}
