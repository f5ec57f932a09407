package provider

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// answer makes the fake Waldur send the same answer to every request.
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

// rewrite makes the fake Waldur change the records of every answer.
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

// Every kind of failure has its own summary. The detail has Waldur's answer, the
// request, and what to do.
func TestDiagnosticsOfFailedReads(t *testing.T) {
	t.Parallel()
	const (
		listRequest = "Request: GET /api/marketplace-category-component-usages/"
		oneRequest  = "Request: GET /api/marketplace-category-component-usages/7/"
	)
	seen := waldurtest.ProjectScope(1)
	list := attributes{"project_uuid": someProject(seen)}
	for name, row := range map[string]struct {
		arrange   func(*waldurtest.Waldur)
		typeName  string // default: listType
		block     attributes
		token     string // default: waldurtest.Token
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
		"inactive user": {
			arrange: answer(401, `{"detail":"User inactive or deleted."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"deactivated or deleted", "another user"},
		},
		"personal token and an old Waldur": {
			arrange: answer(401, `{"detail":"Authentication credentials were not provided."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"begins with w_ or is a JWT", "too old"},
		},
		"invalid personal token": {
			arrange: answer(401, `{"detail":"Invalid token."}`), token: "w_personal",
			summary: "Unable to read usages: token refused",
			details: []string{"does not say why", "revoked, rotated", "network that the token allows", "Personal access tokens"},
		},
		"personal token, not enabled": {
			arrange: answer(401, `{"detail":"Invalid JWT token."}`), token: "w_personal",
			summary: "Unable to read usages: token refused",
			details: []string{"does not accept personal access tokens", "Administration > Configuration"},
		},
		"malformed JWT": {
			arrange: answer(401, `{"detail":"Invalid JWT token."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"cannot decode the JWT"},
		},
		"inactive JWT": {
			arrange: answer(401, `{"detail":"Token is inactive or invalid."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"OIDC provider of this Waldur does not accept the JWT", "revoked or expired"},
		},
		"JWT and a Waldur without OIDC": {
			arrange: answer(401, `{"detail":"Introspection configuration is incomplete."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"no OIDC provider", "OIDC_INTROSPECTION_URL"},
		},
		"JWT and an OIDC provider that fails": {
			arrange: answer(401, `{"detail":"Introspection endpoint error."}`),
			summary: "Unable to read usages: token refused",
			details: []string{"did not answer", "Run this again later"},
		},
		"JWT without a user": {
			arrange: answer(401, `{"detail":"Token does not contain required user identifier field: 'username'"}`),
			summary: "Unable to read usages: token refused",
			details: []string{"identifies the user", "OIDC_USER_FIELD"},
		},
		"proxy that requires credentials": {
			arrange: answer(407, ""),
			summary: "Unable to read usages: proxy requires credentials",
			details: []string{"407 Proxy Authentication Required", "HTTPS_PROXY", "HTTP_PROXY", "http://user:password@"},
		},
		"http to a port of https": {
			arrange: answer(400, "<h1>400 The plain HTTP request was sent to HTTPS port</h1>"),
			summary: "Unable to read usages: https required",
			details: []string{"the port expects https", "Use https:// in endpoint"},
		},
		"forbidden": {
			arrange: answer(403, `{"detail":"You do not have permission to perform this action."}`),
			summary: "Unable to read usages: not allowed",
			details: []string{"Waldur answered 403 Forbidden: \"You do not have permission", listRequest, "role"},
		},
		"project that the user cannot see": {
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
				"no usage record with the id 7", "Records in lists have no id", listType},
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
			details: []string{"Waldur answered 500 Internal Server Error, without an explanation.", listRequest + ", 7 times, the last with the request id abc-123.", "administrator"},
		},
		"gateway without a server": {
			arrange: answer(502, "<html><h1>502 Bad Gateway</h1></html>"),
			summary: "Unable to read usages: server error",
			details: []string{"502 Bad Gateway", ", 7 times."},
		},
		"maintenance until later": {
			arrange: answer(503, `["Back soon."]`, "Retry-After", "3600"),
			summary: "Unable to read usages: server error",
			details: []string{"503 Service Unavailable: \"Back soon.\"", "asked to retry after 1h0m0s"},
		},
		"rate limit": {
			arrange: answer(429, `{"detail":"Request was throttled."}`, "Retry-After", "120"),
			summary: "Unable to read usages: rate limited",
			details: []string{"429 Too Many Requests: \"Request was throttled.\"", "asked to retry after 2m0s", "max_concurrent_requests"},
		},
		"rate limit without a time": {
			arrange: answer(429, ``),
			summary: "Unable to read usages: rate limited",
			details: []string{", 7 times.", "Run this again later."},
		},
		"redirect to https": {
			arrange: answer(301, "", "Location", "https://waldur.example.com/api/marketplace-category-component-usages/?scope=x"),
			summary: "Unable to read usages: redirected",
			details: []string{"301", "https://waldur.example.com/api/marketplace-category-component-usages/.", "Redirects are not followed", "https instead of http", listRequest},
		},
		"broken connection": {
			arrange: func(server *waldurtest.Waldur) {
				server.Intercept = func(int, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
			},
			summary: "Unable to read usages: Waldur not reachable",
			details: []string{"http://127.0.0.1:", ", 7 times.", "the proxy variables"},
		},
		"not JSON": {
			arrange: answer(200, `[{"name": "CPU",`, "X-Result-Count", "1", "Content-Length", "16"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{listRequest, "version"},
		},
		"a login page": {
			arrange: answer(200, "<html>Sign in</html>", "Content-Type", "text/html; charset=utf-8"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"The answer is an HTML page, not JSON.", "Check that endpoint is the address of a Waldur"},
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
		"a record that is not an object": {
			arrange: answer(200, `[7]`, "X-Result-Count", "1"),
			summary: "Unable to read usages: answer not as documented",
			details: []string{"Record 1 of the answer is not an object."},
		},
		"one record with a bad attribute": {
			arrange: answer(200, `{"date":"2024-09-01","reported_usage":1.5}`), typeName: oneType, block: attributes{"id": 7, "fields": []string{"reported_usage"}},
			summary: "Unable to read usage record: answer not as documented",
			details: []string{"attribute reported_usage is not written as an integer.", oneRequest},
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
		"counts that are wrong": {
			arrange: func(server *waldurtest.Waldur) {
				server.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) {
					if n%2 == 0 {
						answer.Header.Set("X-Result-Count", "99")
					}
				}
			},
			summary: "Unable to read usages: list not verified to be complete",
			details: []string{"In each of 7 attempts, records changed while they were read", "None of the records is used", "again in a few minutes", "Waldur administrator", listRequest},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(seen, 2, 3)...)
			if row.arrange != nil {
				row.arrange(server)
			}
			var arguments attributes
			if row.token != "" {
				arguments = attributes{"token": row.token}
			}
			s := connect(t, server, arguments)
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

// requireError also checks what applies to every diagnostic.
func requireError(t *testing.T, found diagnostics, summary, attribute string, details []string) {
	t.Helper()
	if len(found) != 1 || found[0].severity != "error" || found[0].summary != summary || found[0].attribute != attribute {
		t.Fatalf("got:\n%swant at %q: %s", found, attribute, summary)
	}
	requireDocumented(t, summary)
	for _, detail := range details {
		if !strings.Contains(found[0].detail, detail) {
			t.Errorf("got:\n%swant: %s", found, detail)
		}
	}
	for _, unwanted := range []string{waldurtest.Token, "<html", "page_size", "&{", "%!", "..", " .", "\n\n\n"} {
		if strings.Contains(found.String(), unwanted) {
			t.Errorf("got:\n%sunwanted: %q", found, unwanted)
		}
	}
	for line := range strings.SplitSeq(found[0].detail, "\n") {
		if line != "" && !strings.HasSuffix(line, ".") && !strings.HasSuffix(line, `"`) {
			t.Errorf("a line is not a sentence: %q", line)
		}
	}
}

func TestDiagnosticOfAnUnreachableHost(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // its port refuses connections
	s := newSession(t, nil)
	s.requireNone(s.configure(attributes{"endpoint": server.URL, "token": waldurtest.Token, "max_retries": 1}))
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: Waldur not reachable", "",
		[]string{server.URL + ": the connection was refused.", "/7/, 2 times.", "raise max_retries"})
}

func TestDiagnosticOfATimeout(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Intercept = func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	s := connect(t, server, attributes{"request_timeout": 1, "max_retries": 0})
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: Waldur not reachable", "",
		[]string{"no complete answer within 1s.", "raise request_timeout"})
}

func TestDiagnosticOfAnUntrustedCertificate(t *testing.T) {
	t.Parallel()
	secure := startTLS(t)
	s := newSession(t, nil)
	s.requireNone(s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token}))
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: no trusted TLS connection", "", []string{secure.URL, "ca_certificate"})
}

func TestCACertificateIsTrusted(t *testing.T) {
	t.Parallel()
	secure := startTLS(t)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	s := newSession(t, nil)
	s.requireNone(s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token, "ca_certificate": string(certificate)}))
	_, found := s.read(oneType, attributes{"id": 7})
	s.requireNone(found)
}

func startTLS(t *testing.T) *httptest.Server {
	t.Helper()
	server := waldurtest.New()
	server.Add(waldurtest.Record{ID: 7, Date: "2024-09-01", Type: "cpu", CategoryUUID: someUUID})
	secure := httptest.NewUnstartedServer(server)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return secure
}

func TestDiagnosticOfAnInterruptedRead(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	ctx, cancel := context.WithCancel(t.Context())
	server.Before = func(int, *http.Request) { cancel() }
	server.Latency = time.Minute
	s := connect(t, server, nil)
	_, found := s.readUntil(ctx, oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: interrupted", "", []string{"before Waldur had answered"})
}

// When Waldur is down, 50 data sources must not wait 50 times.
func TestDiagnosticOfAnExhaustedRetryBudget(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	answer(503, "")(server)
	s := connect(t, server, attributes{"max_retries": 100})
	_, found := s.read(oneType, attributes{"id": 7})
	requireError(t, found, "Unable to read usage record: server error", "",
		[]string{"Too many requests have failed, so the provider no longer retries."})
}

func TestDiagnosticOfAnUnconfiguredProvider(t *testing.T) {
	t.Parallel()
	_, found := newSession(t, nil).read(listType, attributes{"project_uuid": someUUID})
	if len(found) != 1 || found[0].summary != "Unable to read usages: provider not configured" {
		t.Errorf("got:\n%s", found)
	}
}

// A CLI reads when all arguments are known. If it did not, a null date would
// return the records of all months.
func TestUnknownArgumentIsNotTreatedAsNull(t *testing.T) {
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

// A server may send anything, also the token and terminal sequences.
func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	const said = "no \x1b[31mtoken\x1b[0m " + waldurtest.Token + " \x00here"
	page := waldurtest.ProjectScope(1)
	for name, arrange := range map[string]func(*waldurtest.Waldur){
		"in a detail":         answer(403, `{"detail":"`+strings.NewReplacer("\x1b", `\u001b`, "\x00", `\u0000`).Replace(said)+`"}`),
		"in a long detail":    answer(403, `{"detail":"`+strings.Repeat("x", 180)+waldurtest.Token+`"}`),
		"in a member's name":  answer(400, `{"`+waldurtest.Token+`":["is wrong"]}`),
		"in an array":         answer(400, `["`+waldurtest.Token+`"]`),
		"in an HTML page":     answer(500, "<html>"+waldurtest.Token+"</html>"),
		"in a redirect":       answer(302, "", "Location", "https://"+waldurtest.Token+"@login.example.com/"+waldurtest.Token+"?t="+waldurtest.Token),
		"in a request id":     answer(500, "", "X-Request-Id", waldurtest.Token),
		"instead of a record": answer(200, `["`+waldurtest.Token+`"]`, "X-Result-Count", "1"),
		"in a count":          answer(200, `[]`, "X-Result-Count", waldurtest.Token),
		"in a scope":          rewrite(func(records []map[string]any) { records[0]["scope"] = waldurtest.Token }),
		"in a date":           rewrite(func(records []map[string]any) { records[0]["date"] = waldurtest.Token }),
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

// Package waldur returns no such error today. If it does, the diagnostic must be
// clear and have no token.
func TestUnexpectedErrorIsShown(t *testing.T) {
	t.Parallel()
	shown := newProviderData(t).readError(errors.New("no \x1b[31mtoken "+waldurtest.Token), readTarget{what: "usages"})
	requireDocumented(t, shown.Summary())
	if shown.Summary() != "Unable to read usages: unexpected error" || !strings.HasPrefix(shown.Detail(), "No token [token].\n") {
		t.Errorf("%s: %q", shown.Summary(), shown.Detail())
	}
}

// requireReadError checks the diagnostic of an error of package waldur and returns
// its detail.
func requireReadError(t *testing.T, err error, summary string, details ...string) (detail string) {
	t.Helper()
	shown := newProviderData(t).readError(err, readTarget{what: "usages"})
	requireError(t, diagnostics{{severity: "error", summary: shown.Summary(), detail: shown.Detail()}}, "Unable to read usages: "+summary, "", details)
	return shown.Detail()
}

// newProviderData returns the data of a provider with a client.
func newProviderData(t *testing.T) *providerData {
	t.Helper()
	token, err := waldur.ParseToken(waldurtest.Token)
	if err != nil {
		t.Fatal(err)
	}
	return &providerData{client: waldur.NewClient(waldur.Config{Token: token})}
}

func TestDiagnosticsOfConnectionsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reason   waldur.Reason
		summary  string
		advice   string
		unwanted string
	}{
		"timeout":            {waldur.ReasonTimeout, "Waldur not reachable", "raise request_timeout", "max_retries"},
		"refused":            {waldur.ReasonRefused, "Waldur not reachable", "raise max_retries", "request_timeout"},
		"unknown host":       {waldur.ReasonHostUnknown, "Waldur not reachable", "host of endpoint", "request_timeout"},
		"broken":             {waldur.ReasonUnknown, "Waldur not reachable", "the network", "request_timeout"},
		"proxy":              {waldur.ReasonProxy, "Waldur not reachable", "HTTPS_PROXY, HTTP_PROXY and NO_PROXY", "request_timeout"},
		"proxy with a login": {waldur.ReasonProxyCredentials, "proxy requires credentials", "http://user:password@proxy.example.com", "request_timeout"},
		"https":              {waldur.ReasonHTTPSExpected, "https required", "Use https:// in endpoint", "request_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := &waldur.UnreachableError{Origin: "https://waldur.example.com", Reason: row.reason, Problem: "the problem", Request: waldur.Request{Method: "GET", Path: "/x/"}, Attempts: 7}
			detail := requireReadError(t, err, row.summary, "https://waldur.example.com: the problem.\nRequest: GET /x/, 7 times.\n\n", row.advice)
			if strings.Contains(detail, row.unwanted) {
				t.Errorf("%s\nunwanted: %s", detail, row.unwanted)
			}
		})
	}
	for reason, advice := range map[waldur.Reason]string{
		waldur.ReasonUnknown: "ca_certificate", waldur.ReasonHTTPExpected: "http:// in endpoint", waldur.ReasonNotHTTPS: "port of endpoint",
	} {
		err := &waldur.TLSError{Origin: "https://waldur.example.com", Reason: reason, Problem: "the problem", Request: waldur.Request{Method: "GET", Path: "/x/"}}
		requireReadError(t, err, "no trusted TLS connection", "https://waldur.example.com: the problem.", advice)
	}
}

func TestDiagnosticsOfReadsSayWhatToDo(t *testing.T) {
	t.Parallel()
	request := waldur.Request{Method: "GET", Path: "/api/x/"}
	const requested = "\nRequest: GET /api/x/."
	down := &waldur.StatusError{Request: request, Status: 503, Detail: "Back soon.", Attempts: 3}
	for name, row := range map[string]struct {
		err     error
		summary string
		details []string
	}{
		"records that change": {
			&waldur.IncompleteError{Request: request, Problem: "12 records came where 13 were due", Reads: 6}, "list not verified to be complete",
			[]string{"In each of 6 attempts, records changed while they were read: 12 records came where 13 were due." + requested, "again in a few minutes", "Waldur administrator"},
		},
		"answers that cannot be verified": {
			&waldur.UnverifiableError{Request: request, Problem: "303 records came where 300 were asked for"}, "list cannot be verified to be complete",
			[]string{"The server's answers do not allow it: 303 records came where 300 were asked for." + requested, "another run will not help", "administrator"},
		},
		"a deadline": {
			&waldur.DeadlineError{Request: request, Limit: 10 * time.Minute}, "not finished in time",
			[]string{"within 10m0s, the limit of timeouts.read.\n\nRaise timeouts.read"},
		},
		"a deadline after failures": {
			&waldur.DeadlineError{Request: request, Limit: time.Minute, LastFailure: down}, "not finished in time",
			[]string{"within 1m0s, the limit of timeouts.read.\nLast failure: Waldur answered 503 Service Unavailable: \"Back soon.\"\nRequest: GET /api/x/, 3 times.\n\n"},
		},
		"a deadline in a list that changes": {
			&waldur.DeadlineError{Request: request, Limit: time.Minute, LastFailure: &waldur.IncompleteError{Request: request, Problem: "page 2 is gone", Reads: 2}}, "not finished in time",
			[]string{"\nLast failure: In each of 2 attempts, records changed while they were read: page 2 is gone." + requested},
		},
		"an outage": {
			&waldur.OutageError{Request: request, LastFailure: down}, "too many failed requests",
			[]string{"No request was made", "\nLast failure: Waldur answered 503", "run this again"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireReadError(t, row.err, row.summary, row.details...)
		})
	}
}
