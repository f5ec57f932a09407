package waldur_test

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// Anyone who can read a token in a pipeline's log can do what the token's user can
// do.
func TestTokenIsNotShownWhenTheServerEchoesIt(t *testing.T) {
	t.Parallel()
	everyByte := func(before, after string) string {
		return before + strings.ReplaceAll(fmt.Sprintf("% x", waldurtest.Token), " ", after+before) + after
	}
	for spelling, echo := range map[string]string{
		"as it is":          waldurtest.Token,
		"with its scheme":   "Token " + waldurtest.Token,
		"in upper case":     strings.ToUpper(waldurtest.Token),
		"percent-encoded":   everyByte("%", ""),
		"as JSON escapes":   everyByte(`\u00`, ""),
		"as HTML entities":  everyByte("&#x", ";"),
		"after 195 letters": strings.Repeat("x", 195) + " " + waldurtest.Token,
		"split by a color":  waldurtest.Token[:7] + `\u001b[31m` + waldurtest.Token[7:],
	} {
		for place, response := range map[string]response{
			"the detail of an error":   status(400, `{"detail":"You sent `+echo+`"}`),
			"a bare array":             status(400, `["`+echo+`"]`),
			"a member's name":          status(400, `{"`+echo+`":["No."]}`),
			"the page of an error":     reply(head(502, "Content-Type: text/html") + "<title>" + echo + "</title>"),
			"the request id":           status(500, "{}", "X-Request-Id: "+echo),
			"the target of a redirect": status(302, "", "Location: https://other.example.com/"+echo+"/?token="+echo),
			"the host of a redirect":   status(302, "", "Location: https://"+waldurtest.Token+".example.com/"),
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
				var lines []line
				query := everything()
				query.Fields = waldur.Fields(waldur.FieldScope)
				_, err := connect(t, url, logInto(&lines)).Usages(t.Context(), query)
				if err == nil {
					t.Fatal("no error")
				}
				wantNoToken(t, fmt.Sprint(lines))
				for ; err != nil; err = errors.Unwrap(err) {
					wantNoToken(t, fmt.Sprintf("%v %+v %#v %q", err, err, err, err))
				}
			})
		}
	}
}

// wantNoToken fails if the text has the first half of the token, in any case or
// percent-encoded, or as HTML entities.
func wantNoToken(t *testing.T, shown string) {
	t.Helper()
	plain, _ := url.PathUnescape(strings.ReplaceAll(shown, "%!", "")) // empty where it is no such text
	if strings.Contains(strings.ToLower(shown+plain+html.UnescapeString(shown)), waldurtest.Token[:len(waldurtest.Token)/2]) {
		t.Errorf("%q has the token", shown)
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
		"redirected":     status(302, "private words", "Location: /login/?next=private+words"),
		"an HTML page":   reply(head(500, "Content-Type: text/html") + "<h1>private words</h1>"),
		"malformed head": reply("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nprivate words"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, response)
			var lines []line
			_, err := connect(t, url, logInto(&lines)).Usages(t.Context(), everything())
			shown := fmt.Sprintf("%v %v", err, lines)
			for _, private := range []string{"private", projectUUID, "scope="} {
				if err == nil || strings.Contains(shown, private) {
					t.Errorf("error %v, %q is in %s", err, private, shown)
				}
			}
		})
	}
}
