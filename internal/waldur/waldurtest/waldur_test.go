package waldurtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
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

const authorized = "Token " + waldurtest.Token

// ask requests a list without a socket. count is X-Result-Count, or "" in a refusal.
func ask(t *testing.T, w *waldurtest.Waldur, authorization, query string) (count, body string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, list+"?"+query, http.NoBody)
	request.Header.Set("Authorization", authorization)
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, request)
	return recorder.Header().Get("X-Result-Count"), recorder.Body.String()
}

func TestRecordInsertedBetweenCountAndSelectPushesAnotherOut(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.Record{Date: "2024-10-01", Type: "cpu"}, waldurtest.Record{Date: "2024-09-01", Type: "cpu"})
	w.BetweenCountAndSelect = func(int) { w.Add(waldurtest.Record{Date: "2024-10-01", Type: "ram"}) }
	count, body := ask(t, w, authorized, "field=date&field=type")
	if want := `[{"type":"cpu","date":"2024-10-01"},{"type":"ram","date":"2024-10-01"}]`; count != "2" || body != want {
		t.Errorf("got %s %s, want 2 %s", count, body, want)
	}
}

func TestRequestsWaitAsTheModelSays(t *testing.T) {
	t.Parallel()
	const cost = 22 * time.Millisecond
	oneToken, threeTokens := []string{"a", "a", "a"}, []string{"a", "b", "c"}
	for name, test := range map[string]struct {
		set    func(*waldurtest.Waldur)
		tokens []string
		want   time.Duration
	}{
		"not at all":             {func(w *waldurtest.Waldur) { w.Workers, w.TokenLock = 1, true }, oneToken, 0},
		"for the response":       {func(w *waldurtest.Waldur) { w.Sleep = true }, oneToken, cost},
		"for one of two workers": {func(w *waldurtest.Waldur) { w.Sleep, w.Workers = true, 2 }, threeTokens, 2 * cost},
		"for the token's lock":   {func(w *waldurtest.Waldur) { w.Sleep, w.TokenLock = true, true }, oneToken, 3 * cost},
		"not for another token":  {func(w *waldurtest.Waldur) { w.Sleep, w.TokenLock = true, true }, threeTokens, cost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := waldurtest.New()
				test.set(w)
				start := time.Now()
				var all sync.WaitGroup
				for _, token := range test.tokens {
					w.AddToken(token, waldurtest.User{})
					all.Go(func() { ask(t, w, "Token "+token, "") })
				}
				all.Wait()
				if took := time.Since(start); took != test.want {
					t.Errorf("got %v, want %v", took, test.want)
				}
				if test.want > 0 && w.InFlight() != len(test.tokens) {
					t.Errorf("got %d requests in flight, want %d", w.InFlight(), len(test.tokens))
				}
			})
		})
	}
}

// A client's next request can arrive before the handler of the last one has
// returned. Counting both would blame a client that sends one at a time.
func TestRequestIsInFlightUntilItsResponseIsSentOrItsConnectionBreaks(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Intercept = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
		switch n {
		case 1:
			rw.WriteHeader(http.StatusBadGateway)
			ask(t, w, authorized, "")
		case 2:
			_, _ = rw.Write([]byte("[]"))
			ask(t, w, authorized, "")
		case 4:
			panic(http.ErrAbortHandler) // the client repeats the request on another connection
		}
		return n <= 2
	}
	client := http.Client{Transport: &http.Transport{DialContext: w.StartInMemory(t)}}
	defer client.CloseIdleConnections()
	for range 2 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://waldur.test"+list, http.NoBody)
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
	if n := len(w.Requests()); n != 5 || w.InFlight() != 1 || w.Connections() != 2 {
		t.Errorf("got %d requests, %d in flight, %d connections, want 5, 1 and 2", n, w.InFlight(), w.Connections())
	}
	if w.Reset(); len(w.Requests()) != 0 || w.Cost() != 0 || w.InFlight() != 0 || w.Connections() != 0 {
		t.Error("the journal is not empty after Reset")
	}
}
