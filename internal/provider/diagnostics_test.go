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

// Every kind of failure has a summary of its own. The detail has what happened,
// the request, and what to do.
func TestDiagnosticsOfErrors(t *testing.T) {
	t.Parallel()
	const (
		origin = "https://waldur.example.com"
		get    = "\nRequest: GET /api/x/.\n\n"
		token  = "token refused"
		absent = "Waldur not reachable"
		tls    = "no trusted TLS connection"
		format = "response not as documented"
		late   = "not finished in time"
	)
	request := waldur.Request{Method: "GET", Path: "/api/x/"}
	refused := func(status int, reason waldur.Reason) error {
		return &waldur.StatusError{Request: request, Status: status, Reason: reason, Detail: "Said."}
	}
	unreachable := func(reason waldur.Reason) error {
		return &waldur.UnreachableError{
			Request: request, Origin: origin, Reason: reason, Problem: "it is", Attempts: 7, Throttled: reason == waldur.ReasonUnknown,
		}
	}
	untrusted := func(reason waldur.Reason) error {
		return &waldur.TLSError{Request: request, Origin: origin, Reason: reason, Problem: "it is"}
	}
	malformed := func(record int, attribute string) error {
		return &waldur.FormatError{Request: request, Record: record, Attribute: attribute, Problem: "is bad"}
	}
	limited := &waldur.StatusError{Request: request, Status: 429, RetryAfter: 2 * time.Minute, RequestID: "abc-123", Attempts: 3, Throttled: true}
	changing := &waldur.IncompleteError{Request: request, Problem: "page 2 is gone", Reads: 7}
	for name, row := range map[string]struct {
		err     error
		summary string
		detail  string
	}{
		"no token":           {refused(401, waldur.ReasonNotProvided), token, `Waldur returned 401 Unauthorized: "Said."` + get + "Waldur found no token"},
		"invalid token":      {refused(401, waldur.ReasonTokenInvalid), token, "Check token, or the WALDUR_ACCESS_TOKEN environment variable"},
		"expired token":      {refused(401, waldur.ReasonTokenExpired), token, "expire 3,600 seconds after their last use, and JWTs"},
		"inactive user":      {refused(401, waldur.ReasonUserInactive), token, "deactivated or deleted. Use the token of another user."},
		"invalid w_ token":   {refused(401, waldur.ReasonPersonalTokenInvalid), token, "does not say why it refuses a personal access token."},
		"disabled w_ tokens": {refused(401, waldur.ReasonPersonalTokensDisabled), token, "Administration > Configuration > Personal access tokens."},
		"malformed JWT":      {refused(401, waldur.ReasonJWTMalformed), token, "cannot decode the JWT."},
		"inactive JWT":       {refused(401, waldur.ReasonJWTInactive), token, "does not accept the JWT: it is of another provider, revoked or expired."},
		"no OIDC":            {refused(401, waldur.ReasonOIDCNotConfigured), token, "set OIDC_INTROSPECTION_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."},
		"OIDC fails":         {refused(401, waldur.ReasonOIDCProviderFailed), token, "its OIDC provider did not respond. Run this again later."},
		"JWT without a user": {refused(401, waldur.ReasonUserIdentifierMissing), token, "the setting OIDC_USER_FIELD"},

		"https at a status": {refused(400, waldur.ReasonHTTPSExpected), "https required", "Use https:// in endpoint."},
		"proxy at a status": {refused(407, waldur.ReasonProxyCredentials), "proxy requires credentials", "HTTPS_PROXY for an https endpoint or HTTP_PROXY"},
		"forbidden":         {refused(403, 0), "not allowed", "a role in the project or the customer."},
		"not found":         {refused(404, 0), "no Waldur at the endpoint", "with its path prefix if it has one."},
		"bad request":       {refused(400, 0), "request refused", "Check endpoint and the arguments."},
		"unknown status":    {&waldur.StatusError{Request: request, Status: 499}, "request refused", "Waldur returned 499, without an explanation." + get},
		"rate limit":        {refused(429, 0), "rate limited", "Run this again later. To send fewer requests at once, use fewer data sources"},
		"limit with a time": {limited, "rate limited", "GET /api/x/, 3 times, the last with the request id abc-123.\n\nWaldur asked to retry after 2m0s."},
		"throttled":         {limited, "rate limited", "max_concurrent_requests. Too many requests have failed, so the provider no longer retries."},
		"server error":      {refused(500, 0), "server error", "contact the Waldur administrator with the time of this error."},

		"timeout":           {unreachable(waldur.ReasonTimeout), absent, origin + ": it is.\nRequest: GET /api/x/, 7 times.\n\nIf Waldur takes long"},
		"refused":           {unreachable(waldur.ReasonRefused), absent, "To outlast a longer restart of it, raise max_retries."},
		"unknown host":      {unreachable(waldur.ReasonHostUnknown), absent, "Check the host of endpoint, and the name servers"},
		"broken":            {unreachable(waldur.ReasonUnknown), absent, "that Waldur is running. Too many requests have failed,"},
		"proxy":             {unreachable(waldur.ReasonProxy), absent, "HTTPS_PROXY, HTTP_PROXY and NO_PROXY environment variables"},
		"proxy that asks":   {unreachable(waldur.ReasonProxyCredentials), "proxy requires credentials", "http://user:password@proxy.example.com:3128."},
		"https":             {unreachable(waldur.ReasonHTTPSExpected), "https required", "Use https:// in endpoint."},
		"certificate":       {untrusted(waldur.ReasonUnknown), tls, origin + ": it is." + get + "Check the host of endpoint."},
		"http, not https":   {untrusted(waldur.ReasonHTTPExpected), tls, "If this Waldur has none, use http:// in endpoint."},
		"neither":           {untrusted(waldur.ReasonNotHTTPS), tls, "Check the port of endpoint."},
		"response":          {malformed(0, ""), format, "The response is bad." + get + "Check that endpoint is the address of a Waldur"},
		"record":            {malformed(1, ""), format, "Record 1 of the response is bad."},
		"attribute":         {malformed(0, "date"), format, "The response's attribute date is bad."},
		"record, attribute": {malformed(1, "date"), format, "Record 1 of the response, attribute date, is bad."},

		"redirect": {&waldur.RedirectError{Request: request, Status: 301, Target: "https://x/y"}, "redirected",
			"The response was 301, a redirect to https://x/y. Redirects are not followed, so the token is sent only to endpoint." + get + "Set endpoint to"},
		"filter": {&waldur.FilterError{Request: request, Asked: "project x", Got: "project y"}, "filter not applied",
			"Waldur was asked for project x and returned a record of project y." + get + "None of the records is used."},
		"changes": {changing, "list not verified to be complete",
			"Records changed during each of 7 attempts to read them: page 2 is gone." + get + "None of the records is used. Run this again"},
		"unverifiable": {&waldur.UnverifiableError{Request: request, Problem: "a page is gone"}, "list cannot be verified to be complete",
			"The server's responses do not allow it: a page is gone." + get + "None of the records is used, and another run will not help."},
		"deadline": {&waldur.DeadlineError{Request: request}, late,
			"within 10m0s, the limit of timeouts.read.\n\nRaise timeouts.read"},
		"deadline after a failure": {&waldur.DeadlineError{Request: request, LastFailure: limited}, late,
			"read.\nLast failure: Waldur returned 429 Too Many Requests, without an explanation.\nRequest: GET /api/x/, 3 times"},
		"deadline during changes": {&waldur.DeadlineError{Request: request, LastFailure: changing}, late,
			"\nLast failure: Records changed during each of 7 attempts to read them: page 2 is gone." + get},
		"outage": {&waldur.OutageError{Request: request, LastFailure: refused(503, 0)}, "too many failed requests",
			"have failed.\nLast failure: Waldur returned 503 Service Unavailable: \"Said.\"\nRequest: GET /api/x/." + get + "Resolve the last failure"},
		"interruption": {context.Canceled, "interrupted", "before Waldur had responded."},
		// Package waldur returns no such error today.
		"another": {errors.New("no \x1b[31mtoken " + waldurtest.Token), "unexpected error", "No token [token].\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret, err := waldur.ParseToken(waldurtest.Token)
			if err != nil {
				t.Fatal(err)
			}
			p := &providerData{client: waldur.NewClient(waldur.Config{Token: secret})}
			shown := p.readError(row.err, readTarget{what: "usages", timeout: 10 * time.Minute})
			diagnostics{newDiagnostic(t, shown.Severity(), "", shown.Summary(), shown.Detail())}.
				require(t, "error: Unable to read usages: "+row.summary, row.detail)
		})
	}
}

// response makes the fake Waldur send the same response to every request.
func response(status int, body string, header ...string) func(*waldurtest.Waldur) {
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

// rewrite makes the fake Waldur change the first record of every response.
func rewrite(attribute string, value any) func(*waldurtest.Waldur) {
	return func(server *waldurtest.Waldur) {
		server.Rewrite = func(_ int, _ *http.Request, response *waldurtest.Response) {
			var records []map[string]any
			if err := json.Unmarshal(response.Body, &records); err != nil {
				panic(err)
			}
			records[0][attribute] = value
			response.Body, _ = json.Marshal(records)
		}
	}
}

func TestDiagnosticsOfFailedReads(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	list := attributes{"project_uuid": someProject(scope)}
	const requested = "\nRequest: GET /api/marketplace-category-component-usages/"
	for name, row := range map[string]struct {
		arrange func(*waldurtest.Waldur)
		block   attributes // with an id: of one record
		heading string
		details []string
	}{
		"token": {response(401, `{"detail":"Token has expired."}`), list, "error: Unable to read usages: token refused",
			[]string{`Waldur returned 401 Unauthorized: "Token has expired."` + requested + ".\n\n", "3,600 seconds after their last use"}},
		"project": {nil, attributes{"project_uuid": someUUID}, "error at project_uuid: Unable to read usages: scope not found or not visible",
			[]string{`400 Bad Request: "Can't restore object from url`, "There is no project " + someUUID}},
		"customer": {nil, attributes{"customer_uuid": someUUID}, "error at customer_uuid: Unable to read usages: scope not found or not visible",
			[]string{"There is no customer " + someUUID}},
		"scope": {nil, attributes{"scope": "https://waldur.example.com/api/customers/" + someUUID + "/"},
			"error at scope: Unable to read usages: scope not found or not visible", []string{"There is no customer " + someUUID}},
		"id": {nil, attributes{"id": 7}, "error at id: Unable to read usage record: record not found",
			[]string{`404 Not Found: "No CategoryComponentUsage matches the given query."` + requested + "7/.\n\n", "no usage record with the id 7."}},
		"server": {response(500, "<h1>Server Error (500)</h1>", "X-Request-Id", "abc-123"), list, "error: Unable to read usages: server error",
			[]string{requested + ", 7 times, the last with the request id abc-123."}},
		"a bad attribute of one record": {response(200, `{"date":"2024-09-01","reported_usage":1.5}`), attributes{"id": 7, "fields": set("reported_usage")},
			"error: Unable to read usage record: response not as documented", []string{"attribute reported_usage is not written as an integer." + requested}},
		"ignored filter": {func(server *waldurtest.Waldur) { server.IgnoreScope = true }, attributes{"project_uuid": someUUID},
			"error: Unable to read usages: filter not applied", []string{"asked for project " + someUUID, "a record of project " + someProject(scope)}},
		// Nothing of the list may be left in the state.
		"after some responses": {func(server *waldurtest.Waldur) {
			server.Add(waldurtest.History(scope, 12, 60)...)
			server.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) {
				if n > 2 {
					response.Status, response.Body = http.StatusForbidden, []byte(`{"detail":"No more."}`)
				}
			}
		}, list, "error: Unable to read usages: not allowed", []string{"No more."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(scope, 2, 3)...)
			if row.arrange != nil {
				row.arrange(server)
			}
			typeName := listType
			if row.block["id"] != nil {
				typeName = oneType
			}
			_, found := connect(t, server, nil).read(typeName, row.block)
			found.require(t, row.heading, row.details...)
		})
	}
}

func TestCACertificateIsTrusted(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Add(waldurtest.Record{ID: 7, Date: "2024-09-01", Type: "cpu", CategoryUUID: someUUID})
	secure := httptest.NewUnstartedServer(server)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust it
	secure.StartTLS()
	t.Cleanup(secure.Close)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	for heading, trusted := range map[string]any{"": certificate, "error: Unable to read usage record: no trusted TLS connection": nil} {
		s := newSession(t, nil)
		s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token, "ca_certificate": trusted}).require(t, "")
		_, found := s.read(oneType, attributes{"id": 7})
		found.require(t, heading)
	}
}

func TestReadEndsWhenItIsInterruptedOrItsTimeIsUp(t *testing.T) {
	t.Parallel()
	for typeName, block := range map[string]attributes{oneType: {"id": 7}, listType: {"project_uuid": someUUID}} {
		what := map[string]string{oneType: "usage record", listType: "usages"}[typeName]
		server := waldurtest.New()
		ctx, cancel := context.WithCancel(t.Context())
		server.Before = func(int, *http.Request) { cancel() }
		server.Latency = 5 * time.Second
		s := connect(t, server, attributes{"max_retries": 0})
		_, found := s.readUntil(ctx, typeName, block)
		found.require(t, "error: Unable to read "+what+": interrupted")
		block["timeouts"] = timeout("30ms")
		_, found = s.read(typeName, block)
		found.require(t, "error: Unable to read "+what+": not finished in time", "within 30ms, the limit of timeouts.read.")
	}
}

// When Waldur is down, 50 data sources must not wait 50 times.
func TestRetriesEndWithTheSharedBudget(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	response(503, "")(server)
	_, found := connect(t, server, attributes{"max_retries": 100}).read(oneType, attributes{"id": 7})
	found.require(t, "error: Unable to read usage record: server error", "Too many requests have failed, so the provider no longer retries.")
}

// A CLI reads when the provider is configured and all arguments are known. If it
// did not, a null date would return the records of all months.
func TestReadNeedsAConfiguredProviderAndKnownArguments(t *testing.T) {
	t.Parallel()
	_, found := newSession(t, nil).read(listType, attributes{"project_uuid": someUUID})
	found.require(t, "error: Unable to read usages: provider not configured")
	server := waldurtest.New()
	s := connect(t, server, nil)
	for _, argument := range []string{"project_uuid", "date_after", "fields"} {
		block := attributes{"project_uuid": someUUID}
		block[argument] = unknown
		_, found := s.read(listType, block)
		found.require(t, "error: Unable to read usages: arguments not known yet")
	}
	if n := server.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// A server may send anything, also the token and terminal sequences.
func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	const said = `no \u001b[31mtoken\u001b[0m ` + waldurtest.Token + ` \u0000here`
	scope := waldurtest.ProjectScope(1)
	for name, arrange := range map[string]func(*waldurtest.Waldur){
		"in a detail":         response(403, `{"detail":"`+said+`"}`),
		"in a long detail":    response(403, `{"detail":"`+strings.Repeat("x", 180)+waldurtest.Token+`"}`),
		"in a member's name":  response(400, `{"`+waldurtest.Token+`":["is wrong"]}`),
		"in an array":         response(400, `["`+waldurtest.Token+`"]`),
		"in an HTML page":     response(500, "<html>"+waldurtest.Token+"</html>"),
		"in a redirect":       response(302, "", "Location", "https://"+waldurtest.Token+"@login.example.com/"+waldurtest.Token+"?t="+waldurtest.Token),
		"in a request id":     response(500, "", "X-Request-Id", waldurtest.Token),
		"instead of a record": response(200, `["`+waldurtest.Token+`"]`, "X-Result-Count", "1"),
		"in a count":          response(200, `[]`, "X-Result-Count", waldurtest.Token),
		"in a scope":          rewrite("scope", waldurtest.Token),
		"in a date":           rewrite("date", waldurtest.Token),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(scope, 1, 3)...)
			arrange(server)
			s := connect(t, server, nil)
			_, found := s.read(listType, attributes{"project_uuid": someProject(scope)})
			if !found.failed() || len(s.logged) == 0 {
				t.Fatalf("the read succeeded, or logged nothing: %q", s.logged)
			}
			for _, shown := range append(s.logged, found.String()) {
				if strings.Contains(shown, waldurtest.Token[:20]) || strings.ContainsAny(shown, "\x1b\x00") {
					t.Errorf("shown: %q", shown)
				}
			}
		})
	}
}
