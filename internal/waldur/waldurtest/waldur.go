// Package waldurtest is a Waldur for tests, benchmarks and the demo: an
// [http.Handler] that answers requests for usage records as a real Waldur does.
//
// It is modelled on recorded exchanges, which its conformance test replays.
// Its traps are the real server's too: the default page holds 10 records, more
// than 300 are never given, an empty scope means the whole installation, and
// records of the same date and type come in an order that depends on the page
// that was asked for, so that a client that follows page numbers loses records
// although every count is right.
package waldurtest

import (
	"net/http"
	"time"
)

// Token is the token that every fake Waldur accepts, in the form
// "Authorization: Token …". Its user sees everything.
const Token = "6f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"

// The sizes of a page: without page_size, and at most.
const (
	DefaultPageSize = 10
	DefaultPageCap  = 300
)

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
// start again after [Waldur.Reset]: n is the position in [Waldur.Requests].
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
	// A broken connection is panic(http.ErrAbortHandler).
	Intercept func(n int, w http.ResponseWriter, r *http.Request) bool

	// BetweenCountAndSelect is called in a list request after the records
	// were counted and before the page is selected: Waldur does both without
	// a common snapshot.
	BetweenCountAndSelect func(n int)

	// Rewrite changes the answer to request n before it is sent.
	Rewrite func(n int, r *http.Request, answer *Answer)

	// Sleep makes an answer last as long as it costs (see [AnswerCost]), and
	// requests with the same token wait for each other, as on a real server.
	Sleep bool

	// Latency is added to every answer; requests do not wait for each other.
	Latency time.Duration
}

// Answer is what is sent for one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// User is whom a token belongs to.
type User struct {
	// UUID is 32 hex digits, by which staff may impersonate the user; "" for none.
	UUID string
	// Staff may impersonate others, and sees every scope.
	Staff bool
	// Sees lists the scopes that the user may see, as paths such as
	// "/api/projects/<32 hex>/"; nil means every scope. Waldur checks it for the value
	// of the parameter scope only: it filters no records.
	Sees []string
	// Inactive and Expired make Waldur refuse the token.
	Inactive, Expired bool
}

// New returns a Waldur without records that accepts [Token].
func New() *Waldur {
	return &Waldur{PageCap: DefaultPageCap}
}

// Start serves w on a free loopback port until the test ends, and returns
// its base URL without a trailing slash, [Waldur.PathPrefix] included.
func (w *Waldur) Start(t TB) (baseURL string) { panic("not built yet") }

// ServeHTTP answers one request; it needs no socket.
func (w *Waldur) ServeHTTP(rw http.ResponseWriter, r *http.Request) { panic("not built yet") }

// AddToken makes w accept another token. A token that starts with "w_" is a
// personal access token: it is accepted as "Bearer", any other as "Token".
func (w *Waldur) AddToken(token string, user User) {}

// Add stores records, and makes their scopes exist.
func (w *Waldur) Add(records ...Record) {}

// AddScope makes a scope exist that may have no records, given as a path such
// as "/api/projects/<32 hex>/". "/api/users/<32 hex>/" makes a user without a token.
func (w *Waldur) AddScope(path string) {}

// Update replaces the stored records by those that change returns. It gets a
// copy. Between its call and its return nobody else can see or change records,
// so change must not call methods of w.
func (w *Waldur) Update(change func([]Record) []Record) {}

// Records returns a copy of the stored records, in the order of their storage.
func (w *Waldur) Records() []Record { return nil }

// Requests returns what came in, in order of arrival.
func (w *Waldur) Requests() []Request { return nil }

// Reset forgets the requests, their cost, the peak of those in flight and the
// number of connections; not the records.
func (w *Waldur) Reset() {}

// Cost returns what the server spent on all answers (see [AnswerCost]).
func (w *Waldur) Cost() time.Duration { return 0 }

// InFlight returns the largest number of requests that were being answered at once.
func (w *Waldur) InFlight() (peak int) { return 0 }

// Connections returns the number of connections that clients opened to the
// server that [Waldur.Start] started.
func (w *Waldur) Connections() (opened int) { return 0 }
