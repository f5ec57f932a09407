package waldurtest

import (
	"net/http"
	"net/url"
	"time"
)

// Request is a received request, with facts about its response.
type Request struct {
	// Path and Query are as sent. Path includes [Waldur.PathPrefix].
	Path   string
	Query  url.Values
	Header http.Header
	// Status is the status of the response, or 0 without one.
	Status int
	// Records is the number of records in the response.
	Records int
}

type journal struct {
	requests       []*Request
	cost           time.Duration
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
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.cost
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

// Reset clears the journal: requests, cost, the peak of requests in flight and
// connections. The records stay.
func (w *Waldur) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = journal{inFlight: w.journal.inFlight, peak: w.journal.inFlight}
}

// begin adds request n to the journal. Only the first call of end has an effect.
func (w *Waldur) begin(r *http.Request) (n int, request *Request, end func(status int)) {
	request = &Request{Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal.requests = append(w.journal.requests, request)
	w.journal.inFlight++
	w.journal.peak = max(w.journal.peak, w.journal.inFlight)
	inFlight := true
	return len(w.journal.requests), request, func(status int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if inFlight {
			inFlight, request.Status = false, status
			w.journal.inFlight--
		}
	}
}

// observer ends a request when its response is about to be sent: its client may
// send the next request before the handler of this one has returned.
type observer struct {
	http.ResponseWriter
	end func(status int)
}

// WriteHeader implements http.ResponseWriter.
func (o *observer) WriteHeader(status int) {
	o.end(status)
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observer) Write(body []byte) (int, error) {
	o.end(http.StatusOK)
	return o.ResponseWriter.Write(body)
}

// Unwrap returns the underlying writer, for [http.ResponseController].
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }
