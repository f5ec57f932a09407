// Package waldurtest provides a fake Waldur for tests, benchmarks and the demo:
// an [http.Handler] that answers requests for usage records as a real Waldur
// does.
//
// It is modelled on recorded exchanges, which its conformance test replays. It
// has the traps of the real server: a page has 10 records by default and never
// more than 300, an empty scope selects the complete installation, and the order
// of records of the same date and type depends on the requested page, so a
// client that follows page numbers loses records although every count is right.
//
// A request passes the files in this order: waldur.go (the server and its
// knobs), answer.go (endpoints and answers), token.go (users), query.go
// (filters and pages), records.go (stored records, their order and their JSON)
// and journal.go (requests and their cost). history.go makes test data.
package waldurtest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Token is the token that every fake Waldur accepts, in the form
// "Authorization: Token …". Its user can see everything.
const Token = "6f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"

// TB is the part of *testing.T, *testing.B and *rapid.T that [Waldur.Start] needs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Waldur is a fake Waldur server. Its fields are knobs, to be set before the
// first request. Its methods can be called at any time from any goroutine.
//
// The n of the hooks is the number of the request, from 1 in order of arrival;
// [Waldur.Reset] starts again. Request n is [Waldur.Requests]()[n-1]. The hooks
// may call the methods of Waldur, [Waldur.Update] included.
type Waldur struct {
	// PageCap is the largest page size. A larger page_size is reduced to it
	// without an error.
	PageCap int

	// PathPrefix, such as "/waldur", is the path below which a proxy serves
	// the API. Waldur itself does not know it: scopes and links lack it.
	PathPrefix string

	// IgnoreScope makes the server ignore the parameter scope, as Waldur
	// ignores every unknown parameter.
	IgnoreScope bool

	// Before is called before request n is answered.
	Before func(n int, r *http.Request)

	// Intercept may answer request n itself, and reports whether it did. It
	// breaks the connection by panic(http.ErrAbortHandler).
	Intercept func(n int, w http.ResponseWriter, r *http.Request) bool

	// BetweenCountAndSelect is called in a list request after the records are
	// counted and before the page is selected: Waldur does both without a
	// common snapshot.
	BetweenCountAndSelect func(n int)

	// Rewrite changes the answer to request n before it is sent.
	Rewrite func(n int, r *http.Request, answer *Answer)

	// Sleep makes an answer take the time that it costs (see [AnswerCost]).
	Sleep bool

	// Workers limits the number of requests that are answered at once if w
	// sleeps; others wait. 0 means no limit.
	Workers int

	// TokenLock makes requests with the same token wait for each other if w
	// sleeps, as on a server of October 2024, which updates the token's row in a
	// transaction that lasts as long as the request. A waiting request occupies
	// a worker.
	TokenLock bool

	// Latency is added to every answer; requests do not wait for each other.
	Latency time.Duration

	workersOnce  sync.Once
	workers      chan struct{} // has one element for each busy worker
	installation installation
	tokens       tokens
	journal      journal
}

// New returns a Waldur that accepts [Token] and has no records.
func New() *Waldur {
	w := &Waldur{PageCap: DefaultPageCap}
	w.AddToken(Token, User{})
	return w
}

// Start serves w on a free loopback port until the test ends. It returns the
// base URL, with [Waldur.PathPrefix] and without a trailing slash.
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

// StartInMemory serves w without a network until the test ends: dial connects to
// it, whatever the address. So it can be used in a bubble of [testing/synctest].
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
			case http.StateNew: // called by Serve itself, so not after it has returned
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
	n, entry := w.journal.begin(r)
	defer w.journal.end(entry) // an interceptor may panic
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
	answer := w.answer(n, r)
	if w.Rewrite != nil {
		w.Rewrite(n, r, answer)
	}
	sleep(r.Context(), w.Latency)
	// Before the answer is sent: a client that has it finds its request in the journal.
	w.journal.answered(entry, answer.Status, answer.records, answer.cost)
	answer.send(rw, r.Method)
}

// pipes is a listener in memory.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It is called once.
func (p pipes) Close() error {
	close(p.closed)
	return nil
}

// Addr implements net.Listener.
func (pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
