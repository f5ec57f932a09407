package waldurtest

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Request is a received request, with facts about its answer.
type Request struct {
	Method string
	// Path and Query are as sent. Path includes [Waldur.PathPrefix].
	Path   string
	Query  url.Values
	Header http.Header
	// Status is the status of the answer, or 0 without one.
	Status int
	// Records is the number of records in the answer.
	Records int
	// Cost is the server's time for the answer (see [AnswerCost]).
	Cost time.Duration
}

// entry is a request in the journal.
type entry struct {
	request  Request
	inFlight bool
}

// journal records the requests.
type journal struct {
	mu          sync.Mutex
	entries     []*entry
	cost        time.Duration
	inFlight    int
	peak        int
	connections int
}

// Requests returns the requests in order of arrival.
func (w *Waldur) Requests() []Request {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	requests := make([]Request, len(w.journal.entries))
	for i, entry := range w.journal.entries {
		requests[i] = entry.request
	}
	return requests
}

// Cost returns the server's time for all answers (see [AnswerCost]).
func (w *Waldur) Cost() time.Duration {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.cost
}

// InFlight returns the largest number of requests that were in flight at once.
func (w *Waldur) InFlight() (peak int) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.peak
}

// Connections returns the number of connections that clients opened.
func (w *Waldur) Connections() (opened int) {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.journal.connections
}

// Reset clears the journal: requests, cost, requests in flight and connections.
// The records stay.
func (w *Waldur) Reset() {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	w.journal.entries = nil
	w.journal.cost = 0
	w.journal.peak = w.journal.inFlight
	w.journal.connections = 0
}

func (j *journal) begin(r *http.Request) (n int, e *entry) {
	e = &entry{
		request:  Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()},
		inFlight: true,
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	j.inFlight++
	j.peak = max(j.peak, j.inFlight)
	return len(j.entries), e
}

// answered records an answer that is about to be sent, and ends the request: a
// client that has its answer may send the next request before the handler of
// this one has returned.
func (j *journal) answered(e *entry, status, records int, cost time.Duration) {
	j.mu.Lock()
	e.request.Status, e.request.Records, e.request.Cost = status, records, cost
	j.cost += cost
	j.mu.Unlock()
	j.end(e)
}

func (j *journal) end(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.inFlight {
		e.inFlight = false
		j.inFlight--
	}
}

func (j *journal) connected() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.connections++
}

// statusWriter records the status that an interceptor sends.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader records the status and sends it.
func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write sends a body. The status is 200 if none was sent before.
func (s *statusWriter) Write(body []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(body)
}

// Unwrap returns the underlying writer, for [http.ResponseController].
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// AnswerCost returns the time that a real Waldur takes for an answer, by the
// measured formula
//
//	22 ms + records × (0.09 + 0.52 if any of type, name, measured_unit
//	                        + 1.07 if any of category_title, category_uuid, which need the 0.52 too
//	                        + 1.07 if scope) ms
//
// names are the requested attributes; none means all nine. A read by id is an
// answer with one record. Refusals cost nothing here.
func AnswerCost(records int, names ...string) time.Duration {
	return fieldsOf(names).cost(records)
}

func (f fields) cost(records int) time.Duration {
	const (
		answer    = 22 * time.Millisecond
		row       = 90 * time.Microsecond
		component = 520 * time.Microsecond
		category  = 1070 * time.Microsecond
		scope     = 1070 * time.Microsecond
	)
	record := row
	if f.has(fieldName | fieldType | fieldMeasuredUnit | fieldCategoryTitle | fieldCategoryUUID) {
		record += component
	}
	if f.has(fieldCategoryTitle | fieldCategoryUUID) {
		record += category
	}
	if f.has(fieldScope) {
		record += scope
	}
	return answer + time.Duration(records)*record
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
