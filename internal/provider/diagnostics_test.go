package provider

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// Each kind of failure has its own summary. The detail says what happened, names
// the request, and advises. TestDiagnosticsOfFailedReads has the other kinds.
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
			Request: request, Origin: origin, Reason: reason, Problem: "it is", Attempts: 7, BudgetUsedUp: reason == waldur.ReasonUnknown,
		}
	}
	untrusted := func(reason waldur.Reason) error {
		return &waldur.TLSError{Request: request, Origin: origin, Reason: reason, Problem: "it is"}
	}
	malformed := func(record int, attribute string) error {
		return &waldur.FormatError{Request: request, Record: record, Attribute: attribute, Problem: "is bad"}
	}
	limited := &waldur.StatusError{Request: request, Status: 429, RetryAfter: 2 * time.Minute, RequestID: "abc-123", Attempts: 3, BudgetUsedUp: true}
	changing := &waldur.IncompleteError{Request: request, Problem: "page 2 is gone", Attempts: 7}
	for name, row := range map[string]struct {
		err     error
		summary string
		detail  string
	}{
		"no token":           {refused(401, waldur.ReasonNotProvided), token, `Waldur returned 401 Unauthorized: "Said."` + get + "Waldur found no token"},
		"invalid token":      {refused(401, waldur.ReasonTokenInvalid), token, "Check token, or the WALDUR_ACCESS_TOKEN environment variable"},
		"inactive user":      {refused(401, waldur.ReasonUserInactive), token, "deactivated or deleted. Use the token of another user."},
		"invalid w_ token":   {refused(401, waldur.ReasonPersonalTokenInvalid), token, "does not say why it refuses a personal access token."},
		"disabled w_ tokens": {refused(401, waldur.ReasonPersonalTokensDisabled), token, "Administration > Configuration > Personal access tokens."},
		"malformed JWT":      {refused(401, waldur.ReasonJWTMalformed), token, "cannot decode the JWT."},
		"inactive JWT":       {refused(401, waldur.ReasonJWTInactive), token, "does not accept the JWT: it is of another provider, revoked or expired."},
		"no OIDC":            {refused(401, waldur.ReasonOIDCNotConfigured), token, "set OIDC_INTROSPECTION_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."},
		"OIDC fails":         {refused(401, waldur.ReasonOIDCProviderFailed), token, "its OIDC provider could not be reached or returned an error. Run this again later."},
		"JWT without a user": {refused(401, waldur.ReasonUserIdentifierMissing), token, "the setting OIDC_USER_FIELD"},

		"not found":         {refused(404, 0), "no Waldur at the endpoint", "with its path prefix if it has one."},
		"unknown status":    {&waldur.StatusError{Request: request, Status: 499}, "request refused", "499, without an explanation." + get + "Check endpoint"},
		"rate limit":        {refused(429, 0), "rate limited", "Run this again later. To send fewer requests at once, lower max_concurrent_requests."},
		"request id":        {&waldur.StatusError{Request: request, Status: 403, RequestID: "abc-123"}, "not allowed", "/x/, request id abc-123.\n\n"},
		"outage of Waldur":  {&waldur.StatusError{Request: request, Status: 503, BudgetUsedUp: true}, "server error", "/x/.\nToo many requests of this run have failed, so the provider no longer retries.\n\nRun this again later. If"},
		"limit with a time": {limited, "rate limited", "GET /api/x/, 3 times, the last with the request id abc-123.\nToo many requests of this run"},
		"throttled":         {limited, "rate limited", "the provider no longer retries.\n\nRun this again later. The server asked to retry after 2m0s. To send fewer requests at once, lower max_concurrent_requests."},

		"timeout":           {unreachable(waldur.ReasonTimeout), absent, origin + ": it is.\nRequest: GET /api/x/, 7 times.\n\nIf Waldur takes long"},
		"refused":           {unreachable(waldur.ReasonConnectionRefused), absent, "To outlast a longer restart of Waldur, raise max_retries."},
		"unknown host":      {unreachable(waldur.ReasonHostUnknown), absent, "Check the host of endpoint, and the name servers"},
		"another reason":    {unreachable(waldur.ReasonUnknown), absent, "/x/, 7 times.\nToo many requests of this run have failed, so the provider no longer retries.\n\nCheck endpoint, the network and the proxy variables, and that Waldur is running."},
		"proxy":             {unreachable(waldur.ReasonProxy), absent, "HTTPS_PROXY, HTTP_PROXY and NO_PROXY environment variables"},
		"proxy credentials": {unreachable(waldur.ReasonProxyCredentials), "proxy requires credentials", "http://user:password@proxy.example.com:3128."},
		"https":             {unreachable(waldur.ReasonHTTPSExpected), "https required", "Use https:// in endpoint."},
		"https, by a page": {
			&waldur.StatusError{Request: request, Status: 400, Reason: waldur.ReasonHTTPSExpected, Detail: "it is"}, "https required",
			"The server returned 400 Bad Request: it is." + get + "Use https:// in endpoint.",
		},
		"certificate":            {untrusted(waldur.ReasonUnknown), tls, origin + ": it is." + get + "Check the host of endpoint."},
		"http, not https":        {untrusted(waldur.ReasonHTTPExpected), tls, "If this Waldur has none, use http:// in endpoint."},
		"neither https nor http": {untrusted(waldur.ReasonNotHTTPS), tls, "Check the port of endpoint."},
		"response":               {malformed(0, ""), format, "The response is bad." + get + "Check that endpoint is the URL of a Waldur server"},
		"record":                 {malformed(1, ""), format, "Record 1 of the response is bad."},
		"attribute":              {malformed(0, "date"), format, "The response's attribute date is bad."},
		"record, attribute":      {malformed(1, "date"), format, "Record 1 of the response, attribute date, is bad."},

		"redirect": {&waldur.RedirectError{Request: request, Status: 301, Target: "https://x/y"}, "redirected",
			"The response was 301, a redirect to https://x/y. Redirects are not followed, so the token is sent only to endpoint." + get + "Set endpoint to"},
		"changes": {changing, "list not verified to be complete",
			"The responses do not fit together, as happens when records change during the read: page 2 is gone. Attempts: 7." + get +
				"None of the records is used. Run this again"},
		"unverifiable": {&waldur.UnverifiableError{Request: request, Problem: "a page is gone"}, "list cannot be verified to be complete",
			"The responses do not show whether the list is complete: a page is gone." + get + "None of the records is used, and another run will not help."},
		"deadline": {&waldur.DeadlineError{Request: request}, late,
			"within 10m0s, the limit of timeouts.read.\n\nRaise timeouts.read"},
		"deadline after a failure": {&waldur.DeadlineError{Request: request, LastFailure: limited}, late,
			"read.\nLast failure: The server returned 429 Too Many Requests, without an explanation.\nRequest: GET /api/x/, 3 times"},
		"deadline during changes": {&waldur.DeadlineError{Request: request, LastFailure: changing}, late,
			"\nLast failure: The responses do not fit together, as happens when records change during the read: page 2 is gone. Attempts: 7." + get},
		"outage": {&waldur.OutageError{Request: waldur.Request{Method: "GET", Path: "/api/y/"}, Timeout: unreachable(waldur.ReasonTimeout)},
			"too many failed requests", "GET /api/y/ was not sent, since too many requests of this run have failed.\nOne of them: " +
				origin + ": it is.\nRequest: GET /api/x/, 7 times.\n\nResolve that failure, then run this again."},
		"another, which package waldur never returns": {errors.New("no \x1b[31mtoken " + waldurtest.Token), "unexpected error", "No token [token].\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret, err := waldur.ParseToken(waldurtest.Token)
			if err != nil {
				t.Fatal(err)
			}
			p := &providerData{client: waldur.NewClient(waldur.Config{Token: secret})}
			shown := p.readError(row.err, readTarget{what: "usages", timeout: 10 * time.Minute})
			found := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: shown.Summary(), Detail: shown.Detail()}
			newDiagnostics(t, []*tfprotov6.Diagnostic{found}, nil).require(t, "error: Unable to read usages: "+row.summary, row.detail)
		})
	}
}

// response makes the fake Waldur send one response to every request.
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

func TestDiagnosticsOfFailedReads(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	list := attributes{"project_uuid": path.Base(scope)}
	const requested = "\nRequest: GET /api/marketplace-category-component-usages/"
	for name, row := range map[string]struct {
		arrange func(*waldurtest.Waldur)
		block   attributes
		heading string
		details []string
	}{
		"token": {response(401, `{"detail":"Token has expired."}`), list, "error: Unable to read usages: token refused",
			[]string{`Waldur returned 401 Unauthorized: "Token has expired."` + requested + ".\n\n", "expire 3,600 seconds after their last use, and JWTs"}},
		"project": {nil, attributes{"project_uuid": someUUID}, "error at project_uuid: Unable to read usages: scope not found or not visible",
			[]string{`400 Bad Request: "Can't restore object from url`, "There is no project " + someUUID}},
		"customer": {nil, attributes{"customer_uuid": someUUID}, "error at customer_uuid: Unable to read usages: scope not found or not visible",
			[]string{"There is no customer " + someUUID}},
		"scope": {nil, attributes{"scope": "https://waldur.example.com/api/customers/" + someUUID + "/"},
			"error at scope: Unable to read usages: scope not found or not visible", []string{"There is no customer " + someUUID}},
		"id": {nil, attributes{"id": 7}, "error at id: Unable to read usage record: record not found",
			[]string{`404 Not Found: "No CategoryComponentUsage matches the given query."` + requested + "7/.\n\n", "no usage record with the id 7."}},
		"server": {response(500, "<h1>Server Error (500)</h1>", "X-Request-Id", "abc-123"), list, "error: Unable to read usages: server error",
			[]string{
				"500 Internal Server Error, without an explanation." + requested + ", 7 times, the last with the request id abc-123.\n\nRun this again later. If",
				"contact the Waldur administrator with the time of this error.",
			}},
		"ignored filter": {func(server *waldurtest.Waldur) { server.IgnoreScope = true }, attributes{"project_uuid": someUUID},
			"error: Unable to read usages: filter not applied", []string{
				"asked for project " + someUUID + " and returned a record of project " + path.Base(scope) + "." + requested + ".\n\nNone of the records is used.",
			}},
		// No record may be left in the state.
		"after some responses": {func(server *waldurtest.Waldur) {
			server.Add(waldurtest.History(scope, 12, 60)...)
			server.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) {
				if n > 2 {
					response.Status, response.Body = http.StatusForbidden, []byte(`{"detail":"No more."}`)
				}
			}
		}, list, "error: Unable to read usages: not allowed", []string{`403 Forbidden: "No more."`, "a role in the project or the customer."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.History(scope, 2, 3)...)
			if row.arrange != nil {
				row.arrange(server)
			}
			_, found := newSession(t, nil).connect(server).read(t.Context(), row.block)
			found.require(t, row.heading, row.details...)
		})
	}
}

func TestCACertificateIsTrusted(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Add(waldurtest.Record{ID: 7, Date: "2024-09-01"})
	secure := httptest.NewTLSServer(server)
	t.Cleanup(secure.Close)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	s := newSession(t, nil)
	s.configure(attributes{"endpoint": secure.URL, "token": waldurtest.Token, "ca_certificate": certificate}).require(t, "")
	_, found := s.read(t.Context(), attributes{"id": 7})
	found.require(t, "")
}

func TestReadEndsWhenItIsInterruptedOrItsTimeIsUp(t *testing.T) {
	t.Parallel()
	for what, block := range map[string]attributes{"usage record": {"id": 7}, "usages": {"project_uuid": someUUID}} {
		server := waldurtest.New()
		ctx, cancel := context.WithCancel(t.Context())
		server.Intercept = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
			cancel()
			<-r.Context().Done()
			return true
		}
		s := newSession(t, nil).connect(server)
		_, found := s.read(ctx, block)
		found.require(t, "error: Unable to read "+what+": interrupted", "The read was interrupted before it was finished.")
		block["timeouts"] = timeout("30ms")
		_, found = s.read(t.Context(), block)
		found.require(t, "error: Unable to read "+what+": not finished in time", "within 30ms, the limit of timeouts.read.")
	}
}

// A CLI reads only when the provider is configured and all arguments are known.
// Otherwise an unknown date, taken for null, would select the records of all months.
func TestReadNeedsAConfiguredProviderAndKnownArguments(t *testing.T) {
	t.Parallel()
	_, found := newSession(t, nil).read(t.Context(), attributes{"project_uuid": someUUID})
	found.require(t, "error: Unable to read usages: provider not configured")
	server := waldurtest.New()
	s := newSession(t, nil).connect(server)
	for _, argument := range []string{"project_uuid", "date_after", "fields"} {
		block := attributes{"project_uuid": someUUID}
		block[argument] = unknown
		_, found := s.read(t.Context(), block)
		found.require(t, "error: Unable to read usages: arguments not known yet")
	}
	requireNoConnection(t, server)
}

// A server may send anything, including the token and terminal sequences.
func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	const (
		token  = waldurtest.Token
		detail = `{"detail":"no \u001b[31mtoken\u001b[0m ` + token + ` \u0000here"}`
		bearer = "https://" + token + "@login.example.com/" + token + "?t=" + token
	)
	for name, arrange := range map[string]func(*waldurtest.Waldur){
		"in a detail":     response(403, detail),
		"in an HTML page": response(500, "<html>"+token+"</html>"),
		"in a redirect":   response(302, "", "Location", bearer),
		"in a request id": response(500, "", "X-Request-Id", token),
		"in a count":      response(200, "[]", "X-Result-Count", token),
		"in a list":       response(200, `["`+token+`"]`, "X-Result-Count", "1"),
		"in a scope":      response(200, `[{"date":"2024-09-01","scope":"`+token+`"}]`, "X-Result-Count", "1"),
		"in a date":       response(200, `[{"date":"`+token+`","scope":null}]`, "X-Result-Count", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			arrange(server)
			var log bytes.Buffer
			_, found := newSession(t, nil).connect(server).
				read(tflogtest.RootLogger(t.Context(), &log), attributes{"project_uuid": someUUID, "fields": set("scope")})
			if !found.failed() || log.Len() == 0 {
				t.Errorf("got diagnostics %q and log %q, want an error and a log", found, &log)
			}
			for _, unwanted := range []string{token[:20], "\x1b", `\u001b`, "\x00", `\u0000`} {
				if shown := found.String() + log.String(); strings.Contains(shown, unwanted) {
					t.Errorf("got %q, want nothing with %q", shown, unwanted)
				}
			}
		})
	}
}
