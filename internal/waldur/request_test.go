package waldur_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestRequestURLAndHeaders(t *testing.T) {
	t.Parallel()
	const path = "/waldur/api/marketplace-category-component-usages/"
	const scope = "http%3A%2F%2FHOST%2Fapi%2Fprojects%2F" + projectUUID + "%2F"
	for name, row := range map[string]struct {
		scheme, token string
		fields        waldur.FieldSet
		list          bool
		url           string
	}{
		"an attribute":          {"Token ", waldurtest.Token, waldur.Fields(waldur.FieldDate), false, path + "7/?field=date"},
		"all attributes":        {"Token ", waldurtest.Token, waldur.AllFields(), false, path + "7/"},
		"personal access token": {"Bearer ", "w_abc", waldur.AllFields(), false, path + "7/"},
		"JWT":                   {"Bearer ", jwt(`{}`), waldur.AllFields(), false, path + "7/"},
		"list": {
			"Token ", waldurtest.Token, waldur.Fields(waldur.FieldReportedUsage, waldur.FieldName), true,
			path + "?date_after=2024-01-01&date_before=2024-09-01&field=name&field=date&field=reported_usage&page_size=300&scope=" + scope,
		},
	} {
		var got *http.Request
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
		t.Cleanup(server.Close)
		client := connect(t, server.URL+"/waldur/api/", waldur.Config{Token: token(t, row.token), UserAgent: "agent/1.0"})
		if row.list {
			_, _ = client.Usages(t.Context(), waldur.Query{Scope: project(), After: "2024-01-01", Before: "2024-09-01", Fields: row.fields})
		} else {
			_, _ = client.Usage(t.Context(), 7, row.fields)
		}
		if url := strings.Replace(got.URL.String(), url.QueryEscape(got.Host), "HOST", 1); got.Method != http.MethodGet || url != row.url {
			t.Errorf("%s: got %s %s, want GET %s", name, got.Method, url, row.url)
		}
		want := http.Header{
			"Authorization": {row.scheme + row.token}, "Accept": {"application/json"}, "Accept-Language": {"en"},
			"User-Agent": {"agent/1.0"}, "Accept-Encoding": {"gzip"}, "Cache-Control": {"no-cache"},
		}
		if !reflect.DeepEqual(got.Header, want) {
			t.Errorf("%s: got headers %v, want %v", name, got.Header, want)
		}
	}
}

func TestRequestsInFlightAndConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const reads, allowed = 12, 3
		server, client := startSlow(t, months(even(400, 100)...), waldur.Config{MaxConcurrentRequests: allowed})
		var group sync.WaitGroup
		for range reads {
			group.Go(func() {
				if _, err := client.Usages(t.Context(), everything()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if server.InFlight() != allowed || server.Connections() != allowed {
			t.Errorf("got %d requests in flight at once and %d connections, want %d", server.InFlight(), server.Connections(), allowed)
		}
	})
}

func TestLogHasALinePerRequestAndPerRead(t *testing.T) {
	t.Parallel()
	server := newServer(months(100, 100, 100, 100)...)
	server.Intercept = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-Request-Id", "request-"+strconv.Itoa(n))
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 1
	}
	sizes := map[int]int{}
	server.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) { sizes[n] = len(response.Body) }
	var log []map[string]any
	query := everything()
	query.After, query.Before = "2024-08-01", "2024-10-01"
	if _, err := connect(t, server.Start(t), waldur.Config{Log: logTo(&log)}).Usages(t.Context(), query); err != nil {
		t.Fatal(err)
	}
	requests := server.Requests()
	var want []map[string]any
	for i, request := range requests {
		fields := map[string]any{
			"message": "Waldur request", "method": "GET", "path": request.Path, "attempt": 1, "duration_ms": int64(0), "status": request.Status,
			"request_id": "request-" + strconv.Itoa(i+1), "bytes": sizes[i+1],
		}
		for _, name := range []string{"date_after", "date_before", "page_size", "page"} {
			if value := request.Query.Get(name); value != "" {
				fields[name] = value
			}
		}
		want = append(want, fields)
	}
	delete(want[0], "bytes")
	want[0]["error"] = "GET " + requests[0].Path + " returned 503 Service Unavailable: no explanation"
	want[1]["attempt"] = 2
	want = append(want, map[string]any{"message": "Waldur read", "records": 300, "requests": len(requests), "retries": 1, "duration_ms": int64(0)})
	if !reflect.DeepEqual(log, want) {
		t.Errorf("got %v\nwant %v", log, want)
	}
}

func TestLogOfAFailedReadHasTheError(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, status(403, `{"detail":"No."}`, "X-Amzn-Trace-Id: trace-1"))
	var log []map[string]any
	_, err := readDate(t, url, waldur.Config{Log: logTo(&log)})
	if len(log) != 2 || err == nil || !strings.Contains(err.Error(), "403 Forbidden: No.") || log[0]["request_id"] != "trace-1" {
		t.Fatalf("got error %v, log %v", err, log)
	}
	for _, line := range log {
		if line["error"] != err.Error() || line["records"] != nil {
			t.Errorf("got line %v, want the error and no records", line)
		}
	}
}

// net/http reads the proxy variables once per process, so each row has its own.
func TestProxyVariablesAreHonored(t *testing.T) {
	const proxiedURL = "WALDUR_TEST_PROXIED_URL" // set in a process that reads through a proxy
	if url := os.Getenv(proxiedURL); url != "" {
		usage, err := readDate(t, url, waldur.Config{})
		fmt.Printf("read %q, error %v, %#v\n", usage.Date.Value, err, err)
		return
	}
	t.Parallel()
	var requests atomic.Int32
	responding := func(status int) string {
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
	direct, _ := serve(t, validResponse())
	const absent = "http://user:password@127.0.0.1:1" // port 1 is reserved: nothing listens
	const read = `read "2024-09-01", error <nil>`
	for name, row := range map[string]struct {
		url, variable, value string
		message              string
		reason               waldur.Reason
		requests             int32 // to the proxy
	}{
		"http":                      {"http://waldur.example.com", "HTTP_PROXY", responding(200), read, waldur.ReasonUnknown, 1},
		"https, unavailable proxy":  {"https://waldur.example.com", "HTTPS_PROXY", responding(503), "the proxy returned 503 Service Unavailable", waldur.ReasonProxy, 4},
		"https, proxy with a login": {"https://waldur.example.com", "HTTPS_PROXY", responding(407), "the proxy returned 407 Proxy Authentication Required", waldur.ReasonProxyCredentials, 1},
		"http, proxy with a login":  {"http://waldur.example.com", "HTTP_PROXY", responding(407), "returned 407", waldur.ReasonProxyCredentials, 1},
		"https, proxy refuses":      {"https://waldur.example.com", "HTTPS_PROXY", absent, "the proxy: the connection was refused", waldur.ReasonProxy, 0},
		"loopback needs no proxy":   {direct, "HTTP_PROXY", absent, read, waldur.ReasonUnknown, 0},
	} {
		requests.Store(0)
		output, err := inProcess(t, proxiedURL+"="+row.url, row.variable+"="+row.value)
		reason := "<nil>"
		if row.message != read {
			reason = fmt.Sprintf("Reason:%d,", row.reason)
		}
		if err != nil || !strings.Contains(output, row.message) || !strings.Contains(output, reason) || strings.Contains(output, "password") {
			t.Errorf("%s: got error %v, %s\nwant %q and %q in it, but no password", name, err, output, row.message, reason)
		}
		if requests.Load() != row.requests {
			t.Errorf("%s: got %d requests to the proxy, want %d", name, requests.Load(), row.requests)
		}
	}
}

// bombs returns responses to a request for 300 records that take a lot of memory
// if they are read completely.
func bombs() map[string]response {
	const readable = 2 << 20 // the client reads and decodes about this much of a response
	start := head(200, "Content-Type: application/json", "X-Result-Count: 1000")
	members := func(length int) response {
		var body strings.Builder
		body.WriteString(start + `[{"date":"2024-09-01"`)
		for i := 0; body.Len() < readable; i++ {
			fmt.Fprintf(&body, `,"%0*x":0`, length, i)
		}
		return reply(body.String() + "}]")
	}
	filled := func(before, opening, middle, closing, after string) response {
		n := readable / len(opening+closing)
		return reply(start + before + strings.Repeat(opening, n) + middle + strings.Repeat(closing, n) + after)
	}
	compressed := func(code int) response { // a thousandth of its decompressed size
		return reply(head(code, "Content-Encoding: gzip")).then(endless(packed(strings.Repeat("[", 1<<20))))
	}
	return map[string]response{
		"endless blanks":                   reply(start).then(endless(" ")),
		"endless text":                     reply(start + `[{"date":"`).then(endless("x")),
		"endless brackets":                 reply(start).then(endless("[")),
		"endless records":                  reply(start + "[").then(endless(`{"date":"2024-09-01"},`)),
		"endless nothing":                  reply(start + "[").then(endless(`{},`)),
		"many short members":               members(1),
		"many long members":                members(100),
		"many small records":               filled("[", `{"date":"2024-09-01"},`, "", "", `{"date":"2024-09-01"}]`),
		"one long text":                    filled(`[{"date":"`, "x", "", "", `"}]`),
		"text of escapes":                  filled(`[{"date":"`, `\u0041`, "", "", `"}]`),
		"a number of digits":               filled(`[{"date":"2024-09-01","reported_usage":`, "9", "", "", `}]`),
		"nested brackets":                  filled(`[{"x":`, "[", "", "]", `}]`),
		"nested objects":                   filled(`[{"x":`, `{"y":`, "1", "}", `}]`),
		"endless, compressed":              compressed(200),
		"endless, compressed, in an error": compressed(400),
	}
}

// A broken or hostile server must not exhaust the memory of the pipeline's
// machine. The test measures the memory that Go obtains from the system in a
// separate process with two reads at a time, and leaves 20 MB for the code. Without
// the race detector, which multiplies memory, the resident peak (VmHWM) was within
// 5 MB of that.
func TestBombTakesLessThan100MB(t *testing.T) {
	const memoryCap = 80 << 20
	const bombedURL = "WALDUR_TEST_BOMBED_URL" // set in the process whose memory is measured
	if url := os.Getenv(bombedURL); url != "" {
		client := connect(t, url, waldur.Config{})
		query := everything()
		query.Fields = waldur.Fields(waldur.FieldReportedUsage, waldur.FieldScope)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				_, err := client.Usages(t.Context(), query)
				if !isType[*waldur.FormatError](err) && !isType[*waldur.StatusError](err) {
					t.Errorf("got error %v, want that of the bomb", err)
				}
			})
		}
		group.Wait()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.Sys > memoryCap {
			t.Errorf("got %d kB for the reads, want at most %d", memory.Sys>>10, memoryCap>>10)
		}
		return
	}
	t.Parallel()
	for name, bomb := range bombs() {
		url, _ := serve(t, bomb)
		if output, err := inProcess(t, bombedURL+"="+url); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
}

// inProcess runs the test again in a separate process with the environment, and
// returns its output.
func inProcess(t *testing.T, environment ...string) (output string, err error) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), executable, "-test.v", "-test.run=^"+t.Name()+"$")
	command.Env = append(environment, "GORACE=atexit_sleep_ms=0")
	printed, err := command.CombinedOutput()
	return string(printed), err
}
