// Package waldurtest provides a fake Waldur for tests, benchmarks and the demo:
// an [http.Handler] that responds to requests for usage records as a real Waldur
// does.
//
// It is modelled on recorded exchanges, which its conformance test replays. It
// has the traps of the real server: a page has 10 records by default and never
// more than 300, an empty scope selects the complete installation, and the order
// of records of the same date and type depends on the requested page, so a
// client that follows page numbers loses records although every count is right.
//
// The files are waldur.go (the server and its options), journal.go (received
// requests), request.go (users, filters and pages), response.go (endpoints and
// responses) and records.go (stored records, their order, JSON and cost).
// history.go generates test data.
package waldurtest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
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

// Waldur is a fake Waldur server. Its fields are options, to be set before the
// first request. Its methods can be called at any time from any goroutine.
//
// The n of the hooks is the number of the request, from 1 in order of arrival;
// [Waldur.Reset] starts again. Request n is [Waldur.Requests]()[n-1]. The hooks
// may call the methods of Waldur, including [Waldur.Update].
type Waldur struct {
	// PageCap is the largest page size. A larger page_size is reduced to it
	// without an error.
	PageCap int

	// PathPrefix, such as "/waldur", is the path below which a proxy serves
	// the API. Waldur itself does not know it, so scopes and links lack it.
	PathPrefix string

	// IgnoreScope makes the server ignore the parameter scope, as Waldur
	// ignores every unknown parameter.
	IgnoreScope bool

	// Before is called before request n is handled.
	Before func(n int, r *http.Request)

	// Intercept may respond to request n itself, and reports whether it did. To
	// break the connection, it panics with [http.ErrAbortHandler].
	Intercept func(n int, w http.ResponseWriter, r *http.Request) bool

	// BetweenCountAndSelect is called in a list request after the records are
	// counted and before the page is selected: Waldur does both without a
	// common snapshot.
	BetweenCountAndSelect func(n int)

	// Rewrite changes the response to request n before it is sent.
	Rewrite func(n int, r *http.Request, response *Response)

	// Sleep makes a response take the time that it costs (see [ResponseCost]).
	Sleep bool

	// Workers limits the number of requests that are processed at once if Sleep
	// is set; others wait. 0 means no limit.
	Workers int

	// TokenLock makes requests with the same token wait for each other if Sleep
	// is set, as on a server from October 2024, which updates the token's row in a
	// transaction that lasts as long as the request. A waiting request occupies
	// a worker.
	TokenLock bool

	mu         sync.Mutex // guards the fields below
	semaphores map[string]chan struct{}
	users      map[string]User // by token
	scopes     map[string]bool
	// records are never changed in place, so a response can be written from them
	// without a lock.
	records []Record
	lastID  int64
	sorted  map[string][]*Record // by scope, "" for all; empty after a change
	journal journal
}

// New returns a Waldur that accepts [Token] and has no records.
func New() *Waldur {
	return &Waldur{
		PageCap:    DefaultPageCap,
		semaphores: map[string]chan struct{}{},
		users:      map[string]User{Token: {}},
		scopes:     map[string]bool{},
		sorted:     map[string][]*Record{},
	}
}

// Start serves w on a free loopback port until the test ends. It returns the
// base URL, with [Waldur.PathPrefix] and without a trailing slash.
func (w *Waldur) Start(t TB) (baseURL string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the fake Waldur cannot listen: %v", err)
	}
	return w.serve(t, listener) + w.PathPrefix
}

// StartInMemory serves w without a network until the test ends, as a bubble of
// [testing/synctest] requires. dial connects to it, whatever the address.
func (w *Waldur) StartInMemory(t TB) (dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	t.Helper()
	closed := make(chan struct{})
	listener := pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
	w.serve(t, listener)
	return listener.dial
}

func (w *Waldur) serve(t TB, listener net.Listener) (baseURL string) {
	t.Helper()
	server := &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: w,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.journal.connections++
			}
		},
	}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// ServeHTTP handles one request; it needs no socket.
func (w *Waldur) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	n, request, end := w.begin(r)
	defer end(0) // if a hook panics or sends nothing
	rw = &observer{rw, end}
	if w.Before != nil {
		w.Before(n, r)
	}
	if w.Intercept != nil && w.Intercept(n, rw, r) {
		return
	}
	response := w.respond(n, r)
	if w.Rewrite != nil {
		w.Rewrite(n, r, response)
	}
	w.mu.Lock()
	request.Records = response.records
	w.journal.cost += response.cost
	w.mu.Unlock()
	rw.Header().Set("Content-Length", strconv.Itoa(len(response.Body)))
	maps.Copy(rw.Header(), response.Header)
	rw.WriteHeader(response.Status)
	_, _ = rw.Write(response.Body)
}

// pipes is a listener in memory.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	close       func()
}

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
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

// Close implements net.Listener.
func (p pipes) Close() error {
	p.close()
	return nil
}

// Addr implements net.Listener.
func (pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
