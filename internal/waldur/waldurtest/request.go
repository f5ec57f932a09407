package waldurtest

import (
	"net/http"
	"net/url"
	"time"
)

// Request is a request that came in, with what was answered.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	// Status is the status of the answer; 0 while it is not answered yet.
	Status int
	// Records is the number of records in the answer.
	Records int
	// Cost is what the answer cost the server (see [AnswerCost]).
	Cost time.Duration
}
