package waldurtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const list = "/api/marketplace-category-component-usages/"

func newWaldur(records ...waldurtest.Record) *waldurtest.Waldur {
	w := waldurtest.New()
	w.Add(records...)
	return w
}

// ask sends a GET request with the usual token, without a socket, for a path and
// query of the host waldur.test. headers are pairs; an empty value removes a
// header.
func ask(t *testing.T, w http.Handler, path string, headers ...string) answer {
	t.Helper()
	return send(t, w, http.MethodGet, path, headers...)
}

func send(t *testing.T, w http.Handler, method, path string, headers ...string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	request.Host = "waldur.test"
	request.Header.Set("Authorization", "Token "+waldurtest.Token)
	request.Header.Set("Accept", "application/json")
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
		if pair[1] == "" {
			request.Header.Del(pair[0])
		}
	}
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, request)
	return answer{recorder.Code, recorder.Header(), recorder.Body.String()}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// count returns the value of X-Result-Count.
func (a answer) count(t *testing.T) int {
	t.Helper()
	count, err := strconv.Atoi(a.header.Get("X-Result-Count"))
	if err != nil {
		t.Fatalf("X-Result-Count: %v; status %d, body %.200s", err, a.status, a.body)
	}
	return count
}

// records returns the objects of a list as strings.
func (a answer) records(t *testing.T) []string {
	t.Helper()
	var objects []json.RawMessage
	unmarshal(t, a.body, &objects)
	texts := make([]string, len(objects))
	for i, object := range objects {
		texts[i] = string(object)
	}
	return texts
}

func TestOtherRequestsAreAnsweredAsDjangoAndGunicornDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, path string
		status       int
		holds        string
	}{
		"another endpoint is an HTML page":        {"GET", "/api/nope/", 404, "<h1>Not Found</h1>"},
		"an id with a dot is an HTML page":        {"GET", list + "1.5/", 404, "<h1>Not Found</h1>"},
		"a list without a slash is redirected":    {"GET", strings.TrimSuffix(list, "/") + "?a=1", 301, ""},
		"another method is not allowed":           {"POST", list, 405, `{"detail":"Method \"POST\" not allowed."}`},
		"a request line at the limit is accepted": {"GET", list + "?a=" + strings.Repeat("a", 4094-len("GET  HTTP/1.1")-len(list+"?a=")), 200, "[]"},
		"a longer request line is an HTML page":   {"GET", list + "?a=" + strings.Repeat("a", 4095-len("GET  HTTP/1.1")-len(list+"?a=")), 400, "Request Line is too large (4095 &gt; 4094)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := send(t, waldurtest.New(), test.method, test.path)
			if got.status != test.status || !strings.Contains(got.body, test.holds) {
				t.Errorf("got %d %s, want %d with %s", got.status, got.body, test.status, test.holds)
			}
		})
	}
}

func TestHeadCostsAsMuchAsGetAndHasNoBody(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 5)...)
	get := ask(t, w, list)
	cost := w.Cost()
	head := send(t, w, http.MethodHead, list)
	if head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(get.body)) {
		t.Errorf("HEAD sent %q and the length %s, GET %d bytes", head.body, head.header.Get("Content-Length"), len(get.body))
	}
	if w.Cost() != 2*cost {
		t.Errorf("GET cost %v, both %v", cost, w.Cost())
	}
}

func TestHooksCanChangeRecordsAndAnswers(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	w := waldurtest.New()
	w.Before = func(n int, _ *http.Request) {
		w.Add(waldurtest.Record{Scope: scope, Date: "2024-10-01", Type: strconv.Itoa(n)})
	}
	w.Intercept = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			http.Error(rw, "busy", http.StatusServiceUnavailable)
		}
		return n == 2
	}
	w.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) {
		if n == 3 {
			answer.Header.Set("X-Result-Count", "1000")
			answer.Body = []byte("[]")
		}
	}
	path := list + "?scope=" + scope
	if got := ask(t, w, path); got.count(t) != 1 {
		t.Errorf("a record added before the request is not counted: %d", got.count(t))
	}
	if got := ask(t, w, path); got.status != http.StatusServiceUnavailable {
		t.Errorf("the intercepted request was answered with %d", got.status)
	}
	if got := ask(t, w, path); got.count(t) != 1000 || got.body != "[]" {
		t.Errorf("the rewritten answer is %d %s", got.count(t), got.body)
	}
	if got := ask(t, w, path); got.count(t) != 4 {
		t.Errorf("4 records were added, %d counted", got.count(t))
	}
	var statuses []int
	for _, request := range w.Requests() {
		statuses = append(statuses, request.Status)
	}
	if want := []int{200, 503, 200, 200}; !slices.Equal(statuses, want) {
		t.Errorf("the journal holds %v, want %v", statuses, want)
	}
}

func TestRecordInsertedBetweenCountAndSelectPushesAnotherOut(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	w := waldurtest.New()
	w.Add(
		waldurtest.Record{Scope: scope, Date: "2024-10-01", Type: "cpu"},
		waldurtest.Record{Scope: scope, Date: "2024-09-01", Type: "cpu"},
	)
	w.BetweenCountAndSelect = func(int) {
		w.Add(waldurtest.Record{Scope: scope, Date: "2024-10-01", Type: "ram"})
	}
	got := ask(t, w, list+"?field=type&field=date&scope="+scope)
	if want := `[{"type":"cpu","date":"2024-10-01"},{"type":"ram","date":"2024-10-01"}]`; got.count(t) != 2 || got.body != want {
		t.Errorf("got %d %s, want 2 %s", got.count(t), got.body, want)
	}
}

func TestUpdateReplacesTheRecords(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	w := newWaldur(waldurtest.History(scope, 2, 3)...)
	before := w.Records()
	w.Update(func(records []waldurtest.Record) []waldurtest.Record {
		records[0].Name = "changed"
		return records[:4]
	})
	if got := ask(t, w, list+"?scope="+scope); got.count(t) != 4 {
		t.Errorf("%d records, want 4", got.count(t))
	}
	if before[0].Name == "changed" || w.Records()[0].Name != "changed" {
		t.Error("Records does not return a copy of what is stored")
	}
}

func TestAPICanBeServedBelowAPrefix(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.PathPrefix = "/waldur"
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 1, 1)...)
	if base := w.Start(t); !strings.HasSuffix(base, "/waldur") {
		t.Errorf("the base URL is %s", base)
	}
	if got := ask(t, w, list); got.status != http.StatusNotFound {
		t.Errorf("outside the prefix the status is %d", got.status)
	}
	got := ask(t, w, "/waldur"+list)
	if want := "<http://waldur.test" + list + ">"; got.count(t) != 1 || !strings.HasPrefix(got.header.Get("Link"), want) {
		t.Errorf("below the prefix: %d, %s", got.count(t), got.header.Get("Link"))
	}
	if path := w.Requests()[1].Path; path != "/waldur"+list {
		t.Errorf("the journal holds the path %s", path)
	}
}

func TestRequestsWithOneTokenWaitForEachOther(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tokens [3]string
		want   time.Duration
	}{
		"one token":    {[3]string{"a", "a", "a"}, 3 * waldurtest.AnswerCost(0)},
		"three tokens": {[3]string{"a", "b", "c"}, waldurtest.AnswerCost(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := waldurtest.New()
				w.Sleep, w.TokenLock = true, true
				for _, token := range "abc" {
					w.AddToken(string(token), waldurtest.User{})
				}
				start := time.Now()
				var all sync.WaitGroup
				for _, token := range test.tokens {
					all.Go(func() { ask(t, w, list, "Authorization", "Token "+token) })
				}
				all.Wait()
				if took := time.Since(start); took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
				if w.InFlight() != 3 {
					t.Errorf("%d requests in flight, want 3", w.InFlight())
				}
			})
		})
	}
}

func TestLatencyIsAddedToEachRequestSeparately(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := waldurtest.New()
		w.Latency = 20 * time.Millisecond
		start := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { ask(t, w, list) })
		}
		all.Wait()
		if took := time.Since(start); took != w.Latency {
			t.Errorf("ten requests at once took %v, want %v", took, w.Latency)
		}
	})
}

func TestSequentialRequestsUseOneConnectionAndAreOneInFlight(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	base := w.Start(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	for range 50 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+list, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if w.InFlight() != 1 || w.Connections() != 1 {
		t.Errorf("%d in flight, %d connections, want 1 and 1", w.InFlight(), w.Connections())
	}
	w.Reset()
	if len(w.Requests()) != 0 || w.Cost() != 0 || w.InFlight() != 0 || w.Connections() != 0 {
		t.Error("Reset does not clear the journal")
	}
}

// A client's next request can arrive before the handler of the last one has
// returned. Counting both would blame a client that sends one at a time.
func TestRequestIsNotInFlightAfterItsAnswerIsSent(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, list, nil)
	w.ServeHTTP(onWrite{httptest.NewRecorder(), func() { ask(t, w, list) }}, request)
	if len(w.Requests()) != 2 || w.InFlight() != 1 {
		t.Errorf("%d requests, %d in flight, want 2 and 1", len(w.Requests()), w.InFlight())
	}
}

type onWrite struct {
	http.ResponseWriter
	then func()
}

func (o onWrite) Write(body []byte) (int, error) {
	o.then()
	return o.ResponseWriter.Write(body)
}

func TestRequestIsNotInFlightAfterItsConnectionBreaks(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Intercept = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	base := w.Start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		t.Fatalf("status %d over a broken connection", response.StatusCode)
	}
	ask(t, w, list)
	if w.InFlight() != 1 || w.Requests()[0].Status != 0 {
		t.Errorf("%d in flight, first status %d", w.InFlight(), w.Requests()[0].Status)
	}
}
