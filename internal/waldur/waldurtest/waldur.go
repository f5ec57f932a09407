// Package waldurtest is a Waldur for tests, benchmarks and the demo: an
// [http.Handler] that answers requests for usage records as a real Waldur does.
//
// It is modelled on recorded exchanges, which its conformance test replays.
// Its traps are the real server's too: the default page holds 10 records, more
// than 300 are never given, an empty scope means the whole installation, and
// records of the same date and type come in an order that depends on the page
// that was asked for, so that a client that follows page numbers loses records
// although every count is right.
//
// A request passes the files in this order: answer.go (which endpoint),
// token.go (who asks), date.go and scope.go (for which records), page.go (for
// which of them), order.go (in which order), record.go (with which fields) and
// cost.go (at which cost).
package waldurtest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Token is the token that every fake Waldur accepts, in the form
// "Authorization: Token …". Its user sees everything.
const Token = "6f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"

// TB is what [Waldur.Start] needs of a *testing.T, *testing.B or *rapid.T.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Waldur is a fake Waldur server. Its fields are knobs, to be set before the
// first request; its methods can be called at any time from any goroutine.
//
// Request numbers, the n of the hooks, count from 1 in order of arrival and
// start again after [Waldur.Reset]: request n is [Waldur.Requests]()[n-1].
// The hooks may call the methods of Waldur, [Waldur.Update] included.
type Waldur struct {
	// PageCap is the largest page; a larger page_size is cut to it silently.
	PageCap int

	// PathPrefix, such as "/waldur", is the path below which a proxy shows
	// the API. Waldur itself does not know it: scopes and links lack it.
	PathPrefix string

	// IgnoreScope makes a server that does not know the parameter scope, and
	// therefore ignores it, as Waldur ignores every parameter it does not know.
	IgnoreScope bool

	// Before is called before request n is answered.
	Before func(n int, r *http.Request)

	// Intercept may answer request n itself: it returns true when it did.
	// It breaks the connection by panic(http.ErrAbortHandler).
	Intercept func(n int, w http.ResponseWriter, r *http.Request) bool

	// BetweenCountAndSelect is called in a list request after the records
	// were counted and before the page is selected: Waldur does both without
	// a common snapshot.
	BetweenCountAndSelect func(n int)

	// Rewrite changes the answer to request n before it is sent.
	Rewrite func(n int, r *http.Request, answer *Answer)

	// Sleep makes an answer last as long as it costs (see [AnswerCost]).
	Sleep bool

	// Workers is the number of requests that are answered at once when w
	// sleeps; the others wait. 0 means no limit.
	Workers int

	// TokenLock makes requests with the same token wait for each other when w
	// sleeps, as on a server of October 2024, which updates the token's row in a
	// transaction as long as the request. Each of them occupies a worker.
	TokenLock bool

	// Latency is added to every answer; requests do not wait for each other.
	Latency time.Duration

	workers      sync.Once
	busy         chan struct{} // holds one for each worker that is busy
	installation installation
	tokens       tokens
	journal      journal
}

// New returns a Waldur without records that accepts [Token].
func New() *Waldur {
	w := &Waldur{PageCap: DefaultPageCap}
	w.AddToken(Token, User{})
	return w
}

// Start serves w on a free loopback port until the test ends, and returns
// its base URL without a trailing slash, [Waldur.PathPrefix] included.
func (w *Waldur) Start(t TB) (baseURL string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("The fake Waldur cannot listen: %v", err)
		return ""
	}
	w.serve(t, listener)
	return "http://" + listener.Addr().String() + w.PathPrefix
}

// StartInMemory serves w until the test ends, without a network: dial connects
// to it whatever the address. In a bubble of [testing/synctest], time then
// passes at once.
func (w *Waldur) StartInMemory(t TB) (dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	t.Helper()
	listener := pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	w.serve(t, listener)
	return listener.dial
}

func (w *Waldur) serve(t TB, listener net.Listener) {
	t.Helper()
	var connections sync.WaitGroup
	server := &http.Server{
		Handler: w,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // told by Serve itself, so never after it has ended
				connections.Add(1)
				w.journal.connected()
			case http.StateHijacked, http.StateClosed:
				connections.Done()
			case http.StateActive, http.StateIdle:
			}
		},
		ReadHeaderTimeout: time.Minute,
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		connections.Wait()
	})
}

// ServeHTTP answers one request; it needs no socket.
func (w *Waldur) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	n, entry := w.journal.arrived(r)
	defer w.journal.left(entry) // an interceptor may panic
	if w.Before != nil {
		w.Before(n, r)
	}
	if w.Intercept != nil {
		observed := &statusWriter{ResponseWriter: rw}
		if w.Intercept(n, observed, r) {
			w.journal.answered(entry, observed.status, 0, 0)
			return
		}
	}
	answer, records, cost := w.answer(n, r)
	if w.Rewrite != nil {
		w.Rewrite(n, r, answer)
	}
	sleep(r.Context(), w.Latency)
	// Before the answer is sent: a client that has it finds its request in the journal.
	w.journal.answered(entry, answer.Status, records, cost)
	answer.send(rw, r.Method)
}
