package waldur_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestRequestURLAndHeaders(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ token, authorization string }{
		"API token":             {waldurtest.Token, "Token " + waldurtest.Token},
		"personal access token": {"w_abc", "Bearer w_abc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Clone(context.WithoutCancel(r.Context()))
				_, _ = io.WriteString(w, validRecord)
			}))
			defer server.Close()
			token, err := waldur.ParseToken(row.token)
			if err != nil {
				t.Fatal(err)
			}
			client := connect(t, server.URL+"/waldur/api/", func(config *waldur.Config) { config.Token, config.UserAgent = token, "agent/1.0" })
			if _, err := client.Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate)); err != nil {
				t.Fatal(err)
			}
			if got.Method != http.MethodGet || got.URL.String() != "/waldur/api/marketplace-category-component-usages/7/?field=date" {
				t.Errorf("%s %s", got.Method, got.URL)
			}
			want := http.Header{
				"Authorization": {row.authorization}, "Accept": {"application/json"}, "Accept-Language": {"en"},
				"User-Agent": {"agent/1.0"}, "Accept-Encoding": {"gzip"}, "Cache-Control": {"no-cache"},
			}
			if !maps.EqualFunc(got.Header, want, slices.Equal) {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

// Only this package compares Waldur's explanations.
func TestReasonOfARefusalIsRecognized(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status int
		body   string
		byID   bool
		want   waldur.Reason
	}{
		"no token":                     {401, `{"detail":"Authentication credentials were not provided."}`, false, waldur.ReasonNotProvided},
		"unknown token":                {401, `{"detail":"Invalid token."}`, false, waldur.ReasonTokenInvalid},
		"token with spaces":            {401, `{"detail":"Invalid token. Token string should not contain spaces."}`, false, waldur.ReasonTokenInvalid},
		"expired token":                {401, `{"detail":"Token has expired."}`, true, waldur.ReasonTokenExpired},
		"inactive user":                {401, `{"detail":"User inactive or deleted."}`, false, waldur.ReasonUserInactive},
		"malformed JWT":                {401, `{"detail":"Invalid JWT token."}`, false, waldur.ReasonJWTMalformed},
		"inactive JWT":                 {401, `{"detail":"Token is inactive or invalid."}`, false, waldur.ReasonJWTInactive},
		"no OIDC provider":             {401, `{"detail":"Introspection configuration is incomplete."}`, false, waldur.ReasonOIDCNotConfigured},
		"OIDC provider fails":          {401, `{"detail":"Introspection endpoint error."}`, false, waldur.ReasonOIDCProviderFailed},
		"OIDC provider is unreachable": {401, `{"detail":"Connection to introspection endpoint failed: timed out"}`, false, waldur.ReasonOIDCProviderFailed},
		"JWT without a user":           {401, `{"detail":"Token does not contain required user identifier field: 'username'"}`, false, waldur.ReasonUserIdentifierMissing},
		"another reason":               {401, `{"detail":"No."}`, false, waldur.ReasonUnknown},
		"no reason":                    {401, ``, false, waldur.ReasonUnknown},
		"a reason in another status":   {403, `{"detail":"Invalid token."}`, false, waldur.ReasonUnknown},
		"scope":                        {400, `["Can't restore object from url: https://waldur.example.com/x"]`, false, waldur.ReasonScopeNotVisible},
		"dates":                        {400, `{"date_after":["Enter a valid date."]}`, false, waldur.ReasonUnknown},
		"record":                       {404, `{"detail":"No CategoryComponentUsage matches the given query."}`, true, waldur.ReasonRecordNotFound},
		"record, in other words":       {404, `{"detail":"Not found."}`, true, waldur.ReasonRecordNotFound},
		"record, by something else":    {404, `<h1>Not Found</h1>`, true, waldur.ReasonUnknown},
		"page":                         {404, `{"detail":"Invalid page."}`, false, waldur.ReasonUnknown},
		"proxy":                        {407, ``, false, waldur.ReasonProxyCredentials},
		"http to an https port":        {400, `<h1>400 The plain HTTP request was sent to HTTPS port</h1>`, false, waldur.ReasonHTTPSExpected},
		"any other status":             {500, `{"detail":"Invalid token."}`, false, waldur.ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, status(row.status, row.body))
			client := connect(t, url)
			_, err := client.Usages(t.Context(), everything())
			if row.byID {
				_, err = client.Usage(t.Context(), 7, waldur.AllFields())
			}
			if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Status != row.status || refused.Reason != row.want {
				t.Errorf("error %v, want reason %d", err, row.want)
			}
		})
	}
}

// Waldur has one reason for any invalid personal access token, and treats the
// token as a JWT if personal access tokens are disabled.
func TestReasonsOfARefusedPersonalAccessToken(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]waldur.Reason{
		"Invalid token.":             waldur.ReasonPersonalTokenInvalid,
		"Invalid JWT token.":         waldur.ReasonPersonalTokensDisabled,
		"User inactive or deleted.":  waldur.ReasonUserInactive,
		"Token has expired.":         waldur.ReasonTokenExpired,
		"Something new in a server.": waldur.ReasonUnknown,
	} {
		t.Run(detail, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, status(401, `{"detail":"`+detail+`"}`))
			token, err := waldur.ParseToken("w_1735689599_Abc")
			if err != nil {
				t.Fatal(err)
			}
			_, err = connect(t, url, func(config *waldur.Config) { config.Token = token }).Usages(t.Context(), everything())
			if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Reason != want {
				t.Errorf("error %v, want reason %d", err, want)
			}
		})
	}
}

func TestRequestsInFlightAreLimited(t *testing.T) {
	t.Parallel()
	const reads, allowed = 12, 3
	var mu sync.Mutex
	var inFlight, peak int
	full := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		inFlight++
		if peak = max(peak, inFlight); inFlight == allowed {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full // until the limit is reached
		mu.Lock()
		inFlight--
		mu.Unlock()
		_, _ = io.WriteString(w, validRecord)
	}))
	defer server.Close()
	client := connect(t, server.URL, func(config *waldur.Config) { config.MaxConcurrentRequests = allowed })
	var group sync.WaitGroup
	for range reads {
		group.Go(func() {
			if _, err := client.Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if peak != allowed {
		t.Errorf("%d requests were in flight at once, want %d", peak, allowed)
	}
}

func TestConnectionIsReused(t *testing.T) {
	t.Parallel()
	server := newServer(months(even(1000, 100)...)...)
	client := connect(t, server.Start(t)) // two requests at once
	if _, err := client.Usages(t.Context(), everything()); err != nil {
		t.Fatal(err)
	}
	if n := len(server.Requests()); n <= 2 || server.Connections() > 2 {
		t.Errorf("%d requests took %d connections", n, server.Connections())
	}
}

// line is a line of a log.
type line struct {
	message string
	fields  map[string]any
}

// logInto appends the log to lines.
func logInto(lines *[]line) func(*waldur.Config) {
	var mu sync.Mutex
	return func(config *waldur.Config) {
		config.Log = func(_ context.Context, message string, fields map[string]any) {
			mu.Lock()
			defer mu.Unlock()
			*lines = append(*lines, line{message, fields})
		}
	}
}

func TestLogHasALinePerRequestAndPerRead(t *testing.T) {
	t.Parallel()
	server := newServer(months(100, 100, 100, 100)...)
	server.Intercept = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-Request-Id", "request-"+string(rune('0'+n)))
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 1
	}
	sizes := map[int]int{}
	server.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) { sizes[n-1] = len(answer.Body) }
	var lines []line
	query := everything()
	query.After, query.Before = "2024-08-01", "2024-10-01"
	if _, err := connect(t, server.Start(t), logInto(&lines)).Usages(t.Context(), query); err != nil {
		t.Fatal(err)
	}
	requests := server.Requests()
	if len(lines) != len(requests)+1 {
		t.Fatalf("%d lines for %d requests and a read", len(lines), len(requests))
	}
	for i, logged := range lines[:len(requests)] {
		want := map[string]any{
			"method": "GET", "path": requests[i].Path, "attempt": 1, "duration_ms": int64(0), "status": requests[i].Status,
			"request_id": "request-" + string(rune('1'+i)), "bytes": sizes[i],
		}
		for _, name := range []string{"date_after", "date_before", "page_size", "page"} {
			if value := requests[i].Query.Get(name); value != "" {
				want[name] = value
			}
		}
		switch i {
		case 0:
			delete(want, "bytes")
			want["error"] = "GET " + requests[i].Path + " was answered 503 Service Unavailable: no explanation"
		case 1:
			want["attempt"] = 2
		}
		if logged.message != "Waldur request" || !maps.Equal(logged.fields, want) {
			t.Errorf("line %d is %q %v\nwant %v", i+1, logged.message, logged.fields, want)
		}
	}
	want := map[string]any{"records": 300, "requests": len(requests), "retries": 1, "duration_ms": int64(0)}
	if last := lines[len(requests)]; last.message != "Waldur read" || !maps.Equal(last.fields, want) {
		t.Errorf("the last line is %q %v", last.message, last.fields)
	}
}

func TestLogOfAFailedReadHasTheError(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, status(403, `{"detail":"No."}`, "X-Amzn-Trace-Id: trace-1"))
	var lines []line
	_, err := connect(t, url, logInto(&lines)).Usage(t.Context(), 7, waldur.AllFields())
	if len(lines) != 2 || err == nil {
		t.Fatalf("%v", lines)
	}
	for _, logged := range lines {
		if logged.fields["error"] != err.Error() || !strings.Contains(err.Error(), "403 Forbidden: No.") || logged.fields["records"] != nil {
			t.Errorf("%v", logged)
		}
	}
	if lines[0].fields["request_id"] != "trace-1" {
		t.Errorf("%v", lines[0])
	}
}

func TestReadInterruptedWhileItWaitsMakesNoRequest(t *testing.T) {
	t.Parallel()
	busy := make(chan struct{})
	url, _ := serve(t, reply("").then(func(connection *net.TCPConn) { close(busy); hang(connection) }))
	var lines []line
	client := connect(t, url, logInto(&lines), func(config *waldur.Config) { config.MaxConcurrentRequests = 1 })
	first, endFirst := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _, _ = client.Usage(first, 7, waldur.AllFields()) })
	<-busy
	second, endSecond := context.WithCancel(t.Context())
	endSecond()
	if _, err := client.Usage(second, 7, waldur.AllFields()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(lines) != 1 || lines[0].message != "Waldur read" || lines[0].fields["requests"] != 0 {
		t.Errorf("%v", lines)
	}
	endFirst()
	group.Wait()
}

const proxiedURL = "WALDUR_TEST_PROXIED_URL" // set in a process that reads through a proxy

// net/http reads the proxy variables once in a process, so each row has a process.
func TestProxyVariablesAreHonored(t *testing.T) {
	if url := os.Getenv(proxiedURL); url != "" {
		usage, err := connect(t, url).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
		reason := waldur.ReasonUnknown
		if unreachable, ok := errors.AsType[*waldur.UnreachableError](err); ok {
			reason = unreachable.Reason
		}
		if refused, ok := errors.AsType[*waldur.StatusError](err); ok {
			reason = refused.Reason
		}
		fmt.Printf("read %q, error %v, reason %d\n", usage.Date.Value, err, reason)
		return
	}
	t.Parallel()
	var requests atomic.Int32
	answering := func(status int) string {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			if r.URL.Host != "waldur.example.com" && r.Host != "waldur.example.com:443" {
				status = http.StatusTeapot
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(validRecord))
		}))
		t.Cleanup(proxy.Close)
		return strings.Replace(proxy.URL, "http://", "http://user:password@", 1)
	}
	direct, _ := serve(t, validAnswer())
	absent := "http://user:password@" + unusedAddress(t)

	for name, row := range map[string]struct {
		url, variable, value string
		message              string
		reason               waldur.Reason
		requests             int32 // to the proxy
	}{
		"http":                      {"http://waldur.example.com", "HTTP_PROXY", answering(200), `read "2024-09-01", error <nil>`, waldur.ReasonUnknown, 1},
		"https, unavailable proxy":  {"https://waldur.example.com", "HTTPS_PROXY", answering(503), "the proxy answered 503 Service Unavailable", waldur.ReasonProxy, 4},
		"https, proxy with a login": {"https://waldur.example.com", "HTTPS_PROXY", answering(407), "the proxy answered 407 Proxy Authentication Required", waldur.ReasonProxyCredentials, 1},
		"http, proxy with a login":  {"http://waldur.example.com", "HTTP_PROXY", answering(407), "was answered 407", waldur.ReasonProxyCredentials, 1},
		"https, proxy refuses":      {"https://waldur.example.com", "HTTPS_PROXY", absent, "the proxy: the connection was refused", waldur.ReasonProxy, 0},
		"loopback needs no proxy":   {direct, "HTTP_PROXY", absent, `read "2024-09-01", error <nil>`, waldur.ReasonUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			requests.Store(0)
			executable, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), executable, "-test.run=^TestProxyVariablesAreHonored$")
			child.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
				name, _, _ := strings.Cut(variable, "=")
				return strings.HasSuffix(strings.ToUpper(name), "_PROXY")
			}), proxiedURL+"="+row.url, row.variable+"="+row.value, "GORACE=atexit_sleep_ms=0")
			output, err := child.CombinedOutput()
			if err != nil || !strings.Contains(string(output), row.message) {
				t.Errorf("error %v, %s\nwant %q in it", err, output, row.message)
			}
			if reason := fmt.Sprintf(", reason %d\n", row.reason); !strings.Contains(string(output), reason) {
				t.Errorf("%s\nwant %q in it", output, reason)
			}
			if strings.Contains(string(output), "password") {
				t.Errorf("the output has the proxy's password: %s", output)
			}
			if requests.Load() != row.requests {
				t.Errorf("%d requests to the proxy, want %d", requests.Load(), row.requests)
			}
		})
	}
}
