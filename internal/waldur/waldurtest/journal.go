package waldurtest

import (
	"net/http"
	"net/url"
	"time"
)

// Request is a received request, with facts about its response.
type Request struct {
	Method string
	// Path and Query are as sent. Path includes [Waldur.PathPrefix].
	Path   string
	Query  url.Values
	Header http.Header
	// Status is the status of the response, or 0 without one.
	Status int
	// Records is the number of records in the response.
	Records int
	// Cost is the server's time for the response (see [ResponseCost]).
	Cost time.Duration

	done bool
}

type journal struct {
	requests       []*Request
	inFlight, peak int
	connections    int
}

// Requests returns the requests in order of arrival.
func (w *Waldur) Requests() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	requests := make([]Request, len(w.journal.requests))
	for i, request := range w.journal.requests {
		requests[i] = *request
	}
	return requests
}

// Cost returns the server's time for all responses (see [ResponseCost]).
func (w *Waldur) Cost() (sum time.Duration) {
	for _, request := range w.Requests() {
		sum += request.Cost
	}
	return sum
}

// InFlight returns the largest number of requests that were in flight at once.
func (w *Waldur) InFlight() (peak int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.peak
}

// Connections returns the number of connections that clients opened.
func (w *Waldur) Connections() (opened int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.connections
}

// Reset clears the journal: requests, cost, requests in flight and connections.
// The records stay.
func (w *Waldur) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = journal{inFlight: w.journal.inFlight, peak: w.journal.inFlight}
}

func (w *Waldur) begin(r *http.Request) (n int, request *Request) {
	request = &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal.requests = append(w.journal.requests, request)
	w.journal.inFlight++
	w.journal.peak = max(w.journal.peak, w.journal.inFlight)
	return len(w.journal.requests), request
}

// end takes a request out of flight. Only the first call for it counts.
func (w *Waldur) end(request *Request, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !request.done {
		request.done, request.Status = true, status
		w.journal.inFlight--
	}
}

// observer ends a request when its response is about to be sent: a client that has
// it finds its request in the journal, and may send the next one before the
// handler of this one has returned.
type observer struct {
	http.ResponseWriter
	waldur  *Waldur
	request *Request
}

// WriteHeader implements http.ResponseWriter.
func (o *observer) WriteHeader(status int) {
	o.waldur.end(o.request, status)
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observer) Write(body []byte) (int, error) {
	o.waldur.end(o.request, http.StatusOK)
	return o.ResponseWriter.Write(body)
}

// Unwrap returns the underlying writer, for [http.ResponseController].
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }
