package waldurtest

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is a request that came in, with what was answered.
type Request struct {
	Method string
	// Path and Query are as sent; Path includes [Waldur.PathPrefix].
	Path   string
	Query  url.Values
	Header http.Header
	// Status is the status of the answer; 0 while there is none.
	Status int
	// Records is the number of records in the answer.
	Records int
	// Cost is what the answer cost the server (see [AnswerCost]).
	Cost time.Duration
}

// entry is a request of which the journal knows whether it is being answered.
type entry struct {
	Request
	open bool
}

// journal is what came in.
type journal struct {
	mu          sync.Mutex
	requests    []*entry
	cost        time.Duration
	inFlight    int
	peak        int
	connections int
}

// Requests returns what came in, in order of arrival.
func (w *Waldur) Requests() []Request {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	requests := make([]Request, len(w.journal.requests))
	for i, entry := range w.journal.requests {
		requests[i] = entry.Request
	}
	return requests
}

// Cost returns what the server spent on all answers (see [AnswerCost]).
func (w *Waldur) Cost() time.Duration {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.cost
}

// InFlight returns the largest number of requests that were being answered at once.
func (w *Waldur) InFlight() (peak int) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.peak
}

// Connections returns the number of connections that clients opened to the
// server that [Waldur.Start] started.
func (w *Waldur) Connections() (opened int) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.connections
}

// Reset forgets the requests, their cost, the peak of those in flight and the
// number of connections; not the records.
func (w *Waldur) Reset() {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	w.journal.requests = nil
	w.journal.cost = 0
	w.journal.peak = w.journal.inFlight
	w.journal.connections = 0
}

func (j *journal) arrived(r *http.Request) (n int, arrival *entry) {
	arrival = &entry{
		Request: Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()},
		open:    true,
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests = append(j.requests, arrival)
	j.inFlight++
	j.peak = max(j.peak, j.inFlight)
	return len(j.requests), arrival
}

// answered notes what is about to be sent. From then on the request counts as
// left: a client that has its answer may send the next one before the handler
// of this one has returned.
func (j *journal) answered(e *entry, status, records int, cost time.Duration) {
	j.mu.Lock()
	e.Status, e.Records, e.Cost = status, records, cost
	j.cost += cost
	j.mu.Unlock()
	j.left(e)
}

func (j *journal) left(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.open {
		e.open = false
		j.inFlight--
	}
}

func (j *journal) connected() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.connections++
}

// statusWriter notes the status that an interceptor sends.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and sends it.
func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write sends a body; without a status before it, that is 200.
func (s *statusWriter) Write(body []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(body)
}

// Unwrap lets [http.ResponseController] find what is underneath.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
