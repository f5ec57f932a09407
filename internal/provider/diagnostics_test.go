package provider

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// answer makes the fake Waldur answer every request in the same way.
func answer(status int, body string, header ...string) func(*waldurtest.Waldur) {
	return func(server *waldurtest.Waldur) {
		server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
}

// rewrite makes it change the records of every answer.
func rewrite(change func(records []map[string]any)) func(*waldurtest.Waldur) {
	return func(server *waldurtest.Waldur) {
		server.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) {
			var records []map[string]any
			if err := json.Unmarshal(answer.Body, &records); err != nil {
				panic(err)
			}
			change(records)
			answer.Body, _ = json.Marshal(records)
		}
	}
}

// Each way in which a read can fail has a summary of its own, and tells what
// Waldur said, which request it was and what to do.
func TestFailuresAreToldApart(t *testing.T) {
	t.Parallel()
	const (
		listRequest = "Request: GET /api/marketplace-category-component-usages/"
		oneRequest  = "Request: GET /api/marketplace-category-component-usages/7/"
	)
	seen := waldurtest.ProjectScope(1)
	list := attributes{"project_uuid": someProject(seen)}
	for name, row := range map[string]struct {
		arrange   func(*waldurtest.Waldur)
		typeName  string // listType when empty
		block     attributes
		summary   string
		attribute string
		details   []string
	}{
		"wrong token": {
			arrange: answer(401, `{"detail":"Invalid token."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"Waldur answered 401 Unauthorized: \"Invalid token.\"", listRequest + ".", "WALDUR_ACCESS_TOKEN"},
		},
		"expired token": {
			arrange: answer(401, `{"detail":"Token has expired."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"Token has expired.", "3,600 seconds after their last use", "personal access token (w_…)"},
		},
		"user that is gone": {
			arrange: answer(401, `{"detail":"User inactive or deleted."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"deactivated or deleted", "another user"},
		},
		"personal token and an old Waldur": {
			arrange: answer(401, `{"detail":"Authentication credentials were not provided."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"too old for personal access tokens"},
		},
		"forbidden": {
			arrange: answer(403, `{"detail":"You do not have permission to perform this action."}`),
			summary: "Unable to read usages: not allowed",
			details: []string{"Waldur answered 403 Forbidden: \"You do not have permission", listRequest, "role"},
		},
		"project that the user may not see": {
			block:   attributes{"project_uuid": someUUID},
			summary: "Unable to read usages: scope not found or not visible", attribute: "project_uuid",
			details: []string{"Waldur answered 400 Bad Request: \"Can't restore object from url", "no project " + someUUID, listRequest},
		},
		"customer that does not exist": {
			block:   attributes{"customer_uuid": someUUID},
			summary: "Unable to read usages: scope not found or not visible", attribute: "customer_uuid",
			details: []string{"no customer " + someUUID},
		},
		"scope that does not exist": {
			block:   attributes{"scope": "https://waldur.example.com/api/customers/" + someUUID + "/"},
			summary: "Unable to read usages: scope not found or not visible", attribute: "scope",
			details: []string{"no customer " + someUUID},
		},
		"another bad request": {
			arrange: answer(400, `{"date_after":["Enter a valid date."]}`),
			summary: "Unable to read usages: request refused",
			details: []string{"Waldur answered 400 Bad Request: \"date_after: Enter a valid date.\"", listRequest},
		},
		"a bad request as HTML": {
			arrange: answer(400, "<html><h1>Bad Request</h1></html>", "Content-Type", "text/html"),
			summary: "Unable to read usages: request refused",
			details: []string{"Waldur answered 400 Bad Request, without an explanation.", listRequest},
		},
		"a teapot": {
			arrange: answer(418, ""),
			summary: "Unable to read usages: request refused",
			details: []string{"418 I'm a teapot"},
		},
		"an unregistered status": {
			arrange: answer(499, ""),
			summary: "Unable to read usages: request refused",
			details: []string{"Waldur answered 499, without an explanation."},
		},
		"unknown id": {
			typeName: oneType, block: attributes{"id": 7},
			summary: "Unable to read usage record: record not found", attribute: "id",
			details: []string{"Waldur answered 404 Not Found: \"No CategoryComponentUsage matches the given query.\"", oneRequest + ".",
				"no usage record with the id 7", "Records in lists carry no id", listType},
		},
		"another server behind the endpoint": {
			arrange: answer(404, "<html>Not Found</html>", "Content-Type", "text/html"),
			summary: "Unable to read usages: no Waldur at the endpoint",
			details: []string{"404 Not Found", listRequest, "path prefix"},
		},
		"another server behind the endpoint, by id": {
			arrange: answer(404, "<html>Not Found</html>"), typeName: oneType, block: attributes{"id": 7},
			summary: "Unable to read usage record: no Waldur at the endpoint",
			details: []string{"404 Not Found", oneRequest, "path prefix"},
		},
		"server error": {
			arrange: answer(500, "<h1>Server Error (500)</h1>", "X-Request-Id", "abc-123"),
			summary: "Unable to read usages: server error",
			details: []string{"Waldur answered 500 Internal Server Error, without an explanation.", listRequest + ", 4 times, the last with the request id abc-123.", "administrator"},
		},
		"gateway without a server": {
			arrange: answer(502, "<html><h1>502 Bad Gateway</h1></html>"),
			summary: "Unable to read usages: server error",
			details: []string{"502 Bad Gateway", ", 4 times."},
		},
		"maintenance until later": {
			arrange: answer(503, `["Back soon."]`, "Retry-After", "3600"),
			summary: "Unable to read usages: server error",
			details: []string{"503 Service Unavailable: \"Back soon.\"", "come back in 1h0m0s"},
		},
		"rate limit": {
			arrange: answer(429, `{"detail":"Request was throttled."}`, "Retry-After", "120"),
			summary: "Unable to read usages: rate limited",
			details: []string{"429 Too Many Requests: \"Request was throttled.\"", "come back in 2m0s", "max_concurrent_requests"},
		},
		"rate limit without a time": {
			arrange: answer(429, ``),
			summary: "Unable to read usages: rate limited",
			details: []string{", 4 times.", "Run it again later."},
		},
		"redirect to https": {
			arrange: answer(301, "", "Location", "https://waldur.example.com/api/marketplace-category-component-usages/?scope=x"),
			summary: "Unable to read usages: redirected",
			details: []string{"301", "https://waldur.example.com/api/marketplace-category-component-usages/.", "None is followed", "https instead of http", listRequest},
		},
		"broken connection": {
			arrange: func(server *waldurtest.Waldur) {
				server.Intercept = func(int, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
			},
			summary: "Unable to read usages: Waldur not reachable",
			details: []string{"http://127.0.0.1:", ", 4 times.", "request_timeout"},
		},
		"not JSON": {
			arrange: answer(200, `[{"name": "CPU",`, "X-Result-Count", "1", "Content-Length", "16"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{listRequest, "version"},
		},
		"a login page": {
			arrange: answer(200, "<html>Sign in</html>", "Content-Type", "text/html; charset=utf-8"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"The answer is an HTML page, not JSON.", "Check that endpoint is a Waldur"},
		},
		"an attribute of another type": {
			arrange: rewrite(func(records []map[string]any) { records[0]["reported_usage"] = "5" }),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"Record 1 of the answer, attribute reported_usage, is not a number."},
		},
		"a missing attribute": {
			arrange: rewrite(func(records []map[string]any) { delete(records[0], "date") }),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"Record 1 of the answer, attribute date, is missing."},
		},
		"a record that is none": {
			arrange: answer(200, `[7]`, "X-Result-Count", "1"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"Record 1 of the answer is not an object."},
		},
		"one record with a bad attribute": {
			arrange: answer(200, `{"date":"2024-09-01","reported_usage":1.5}`), typeName: oneType, block: attributes{"id": 7, "fields": []string{"reported_usage"}},
			summary: "Unable to read usage record: answer not as documented",
			details: []string{"attribute reported_usage is not written as a whole number.", oneRequest},
		},
		"no count": {
			arrange: answer(200, `[]`),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"X-Result-Count"},
		},
		"a filter that is ignored": {
			arrange: func(server *waldurtest.Waldur) { server.IgnoreScope = true },
			block:   attributes{"project_uuid": someUUID},
			summary: "Unable to read usages: filter not applied",
			details: []string{"asked for project " + someUUID, "answered with a record of project " + someProject(seen), "None of the records is used"},
		},
		"counts that do not add up": {
			arrange: func(server *waldurtest.Waldur) {
				server.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) {
					if n%2 == 0 {
						answer.Header.Set("X-Result-Count", "99")
					}
				}
			},
			summary: "Unable to read usages: list not proved complete",
			details: []string{"in each of 7 readings", "None of the records is used", listRequest},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(seen, 2, 3)...)
			if row.arrange != nil {
				row.arrange(server)
			}
			s := connect(t, server, nil)
			typeName, block := row.typeName, row.block
			if typeName == "" {
				typeName = listType
			}
			if block == nil {
				block = list
			}
			_, found := s.read(typeName, block)
			requireError(t, found, row.summary, row.attribute, row.details)
		})
	}
}

// requireError also looks for what no diagnostic may hold, and for the form
// that all of them have.
func requireError(t *testing.T, found diagnostics, summary, attribute string, details []string) {
	t.Helper()
	if len(found) != 1 || found[0].severity != "error" || found[0].summary != summary || found[0].attribute != attribute {
		t.Fatalf("got:\n%swant at %q: %s", found, attribute, summary)
	}
	for _, detail := range details {
		if !strings.Contains(found[0].detail, detail) {
			t.Errorf("got:\n%swant: %s", found, detail)
		}
	}
	for _, never := range []string{waldurtest.Token, "<html", "page_size", "&{", "%!", "..", " .", "\n\n\n"} {
		if strings.Contains(found.String(), never) {
			t.Errorf("got:\n%snever: %q", found, never)
		}
	}
	for line := range strings.SplitSeq(found[0].detail, "\n") {
		if line != "" && !strings.HasSuffix(line, ".") && !strings.HasSuffix(line, `"`) {
			t.Errorf("a line is no sentence: %q", line)
		}
	}
}

func TestUnreachableHostIsSaidSo(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // its port refuses connections
	s := newSession(t, nil)
	s.none(s.configure(attributes{"endpoint": server.URL, "token": waldurtest.Token, "max_retries": 1}))
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: Waldur not reachable", "",
		[]string{server.URL + ": the connection was refused.", "/7/, 2 times.", "Check endpoint"})
}

func TestSlowWaldurIsSaidSo(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Intercept = func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	s := connect(t, server, attributes{"request_timeout": 1, "max_retries": 0})
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: Waldur not reachable", "",
		[]string{"no complete answer within 1s.", "raise request_timeout"})
}

func TestUntrustedCertificateIsSaidSo(t *testing.T) {
	t.Parallel()
	secure := startTLS(t)
	s := newSession(t, nil)
	s.none(s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token}))
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: TLS not trusted", "", []string{secure.URL, "ca_certificate"})
}

func TestCertificateOfTheConfigurationIsTrusted(t *testing.T) {
	t.Parallel()
	secure := startTLS(t)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	s := newSession(t, nil)
	s.none(s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token, "ca_certificate": string(certificate)}))
	_, found := s.read(oneType, attributes{"id": 7})
	s.none(found)
}

func startTLS(t *testing.T) *httptest.Server {
	t.Helper()
	server := waldurtest.New()
	server.Add(waldurtest.Record{ID: 7, Date: "2024-09-01", Type: "cpu"})
	secure := httptest.NewUnstartedServer(server)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of clients that do not trust it
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return secure
}

func TestInterruptedReadIsSaidSo(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	ctx, cancel := context.WithCancel(t.Context())
	server.Before = func(int, *http.Request) { cancel() }
	server.Latency = time.Minute
	s := connect(t, server, nil)
	_, found := s.readUntil(ctx, oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: interrupted", "", []string{"before Waldur had answered"})
}

// When Waldur is down, fifty data sources must not wait fifty times.
func TestUsedUpRepeatsAreSaidSo(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	answer(503, "")(server)
	s := connect(t, server, attributes{"max_retries": 100})
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: server error", "",
		[]string{"So many requests have failed that the provider repeats no more of them."})
}

func TestUnconfiguredProviderIsSaidSo(t *testing.T) {
	t.Parallel()
	_, found := newSession(t, nil).read(listType, attributes{"project_uuid": someUUID})
	if len(found) != 1 || found[0].summary != "Unable to read usages: provider not configured" {
		t.Errorf("got:\n%s", found)
	}
}

// A CLI waits until arguments are known. One that did not would get the records
// of all months instead of some.
func TestUnknownArgumentIsNotTakenForNone(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	s := connect(t, server, nil)
	for _, block := range []attributes{
		{"project_uuid": someUUID, "date_after": unknown}, {"project_uuid": someUUID, "fields": unknown}, {"project_uuid": unknown},
	} {
		_, found := s.read(listType, block)
		if len(found) != 1 || found[0].summary != "Unable to read usages: arguments not known yet" {
			t.Errorf("%v:\n%s", block, found)
		}
	}
	if n := server.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// What a server says may hold anything, the token too: nothing of that may
// reach a terminal or a log.
func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	const said = "no \x1b[31mtoken\x1b[0m " + waldurtest.Token + " \x00here"
	page := waldurtest.ProjectScope(1)
	for name, arrange := range map[string]func(*waldurtest.Waldur){
		"in a detail":                 answer(403, `{"detail":"`+strings.NewReplacer("\x1b", `\u001b`, "\x00", `\u0000`).Replace(said)+`"}`),
		"in a long detail":            answer(403, `{"detail":"`+strings.Repeat("x", 180)+waldurtest.Token+`"}`),
		"in a member's name":          answer(400, `{"`+waldurtest.Token+`":["is wrong"]}`),
		"in an array":                 answer(400, `["`+waldurtest.Token+`"]`),
		"in an HTML page":             answer(500, "<html>"+waldurtest.Token+"</html>"),
		"in a redirect":               answer(302, "", "Location", "https://"+waldurtest.Token+"@login.example.com/"+waldurtest.Token+"?t="+waldurtest.Token),
		"in a request id":             answer(500, "", "X-Request-Id", waldurtest.Token),
		"in a text that is no record": answer(200, `["`+waldurtest.Token+`"]`, "X-Result-Count", "1"),
		"in a count":                  answer(200, `[]`, "X-Result-Count", waldurtest.Token),
		"in a scope":                  rewrite(func(records []map[string]any) { records[0]["scope"] = waldurtest.Token }),
		"in a date":                   rewrite(func(records []map[string]any) { records[0]["date"] = waldurtest.Token }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(page, 1, 3)...)
			arrange(server)
			s := connect(t, server, nil)
			_, found := s.read(listType, attributes{"project_uuid": someProject(page)})
			if !found.failed() {
				t.Fatal("the read succeeded")
			}
			lines := s.logged.all()
			if len(lines) == 0 {
				t.Error("nothing was logged")
			}
			for _, shown := range append(lines, found.String()) {
				if strings.Contains(shown, waldurtest.Token) || strings.Contains(shown, waldurtest.Token[:20]) || strings.ContainsAny(shown, "\x1b\x00") {
					t.Errorf("shown: %q", shown)
				}
			}
		})
	}
}

// Nothing that package waldur gives comes here; should it, it must still be an
// error that can be reported.
func TestUnexpectedErrorIsShown(t *testing.T) {
	t.Parallel()
	shown := readError(io.ErrNoProgress, subject{what: "usages"})
	if shown.Summary() != "Unable to read usages: unexpected error" || !strings.Contains(shown.Detail(), io.ErrNoProgress.Error()) {
		t.Errorf("%s: %s", shown.Summary(), shown.Detail())
	}
}
