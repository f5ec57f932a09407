package waldurtest

import (
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The endpoint of the usage records, and what it allows.
const (
	listPath     = "/api/marketplace-category-component-usages/"
	listAllows   = "GET, POST, HEAD, OPTIONS"
	recordAllows = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
)

// requestLineLimit is gunicorn's: bytes of a request line without its line end.
const requestLineLimit = 4094

// Answer is what is sent for one request. Its length is that of Body, unless
// Header says something else: a greater Content-Length breaks the connection
// after Body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// answer returns the answer to request n, the number of records in it, and its cost.
func (w *Waldur) answer(n int, r *http.Request) (answer *Answer, records int, cost time.Duration) {
	// gunicorn refuses a long request line before Django sees it.
	line := len(r.Method) + len(" ") + len(r.URL.RequestURI()) + len(" HTTP/1.1")
	if line > requestLineLimit {
		return requestLineTooLong(line), 0, 0
	}

	language := language(r.Header.Get("Accept-Language"))
	path, below := strings.CutPrefix(r.URL.Path, w.PathPrefix)
	id, belowList := strings.CutPrefix(path, listPath)
	withSlash := strings.HasSuffix(id, "/")
	id = strings.TrimSuffix(id, "/")

	switch {
	case below && (path+"/" == listPath || belowList && isLookup(id) && !withSlash):
		return redirect(path+"/", r.URL.RawQuery, language), 0, 0
	case below && path == listPath:
		return w.view(r, language, listAllows, func(user User) (*Answer, int, time.Duration) {
			return w.list(n, r, user, language)
		})
	case below && belowList && isLookup(id):
		return w.view(r, language, recordAllows, func(user User) (*Answer, int, time.Duration) {
			return w.read(id, r, user, language)
		})
	default:
		return htmlAnswer(http.StatusNotFound, notFoundPage, language), 0, 0
	}
}

// isLookup tells whether a path segment may stand for a record.
func isLookup(segment string) bool {
	return segment != "" && !strings.ContainsAny(segment, "/.")
}

// view does what Waldur does before it looks at a query: it settles the
// content type, then who is asking, then the method.
func (w *Waldur) view(r *http.Request, language, allows string, get func(User) (*Answer, int, time.Duration)) (answer *Answer, records int, cost time.Duration) {
	holder, refusal := w.authenticate(r, language)
	switch {
	case !acceptsJSON(r.Header.Values("Accept")):
		answer = detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.", language)
	case refusal != nil:
		answer = refusal
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		answer = detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method), language)
	default:
		answer, records, cost = w.inTurn(r, holder, get)
	}
	if answer.Status < http.StatusInternalServerError {
		answer.Header.Set("Allow", allows)
	}
	return answer, records, cost
}

// inTurn lets a request wait for a worker, and for others with its token, when
// w sleeps.
func (w *Waldur) inTurn(r *http.Request, holder *holder, get func(User) (*Answer, int, time.Duration)) (answer *Answer, records int, cost time.Duration) {
	if !w.Sleep {
		return get(holder.user)
	}
	if w.Workers > 0 {
		w.workers.Do(func() { w.busy = make(chan struct{}, w.Workers) })
		defer acquire(r.Context(), w.busy)()
	}
	if w.TokenLock {
		defer acquire(r.Context(), holder.turn)()
	}
	answer, records, cost = get(holder.user)
	sleep(r.Context(), cost)
	return answer, records, cost
}

// acquire waits for a place in the channel, unless the client is gone before,
// and returns what frees it again.
func acquire(ctx context.Context, places chan struct{}) (release func()) {
	select {
	case places <- struct{}{}:
		return func() { <-places }
	case <-ctx.Done():
		return func() {}
	}
}

// send writes the answer; to a HEAD request only its head.
func (a *Answer) send(rw http.ResponseWriter, method string) {
	maps.Copy(rw.Header(), a.Header)
	if a.Header.Get("Content-Length") == "" {
		rw.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	rw.WriteHeader(a.Status)
	if method != http.MethodHead {
		_, _ = rw.Write(a.Body)
	}
}

// jsonAnswer is an answer of the API.
func jsonAnswer(status int, body []byte, language string) *Answer {
	return &Answer{status, header("application/json", language), body}
}

// detail is the API's answer to what it refuses as a whole.
func detail(status int, text, language string) *Answer {
	body := append([]byte(`{"detail":`), appendJSONString(nil, text)...)
	return jsonAnswer(status, append(body, '}'), language)
}

// htmlAnswer is an answer of Django itself, which does not know of JSON.
func htmlAnswer(status int, body, language string) *Answer {
	return &Answer{status, header("text/html; charset=utf-8", language), []byte(body)}
}

// redirect leads to the same place with a slash, by a relative Location.
func redirect(path, query, language string) *Answer {
	answer := htmlAnswer(http.StatusMovedPermanently, "", language)
	if query != "" {
		path += "?" + query
	}
	answer.Header.Set("Location", path)
	return answer
}

// requestLineTooLong is gunicorn's own answer. Only its status and kind are
// observed; its wording is that of gunicorn's other error page.
func requestLineTooLong(line int) *Answer {
	const reason = "Bad Request"
	message := fmt.Sprintf("Request Line is too large (%d > %d)", line, requestLineLimit)
	body := "<html>\n  <head>\n    <title>" + reason + "</title>\n  </head>\n  <body>\n    <h1><p>" + reason +
		"</p></h1>\n    " + html.EscapeString(message) + "\n  </body>\n</html>\n"
	return &Answer{http.StatusBadRequest, http.Header{"Content-Type": {"text/html"}, "Connection": {"close"}}, []byte(body)}
}

// header is what every answer of Django carries.
func header(contentType, language string) http.Header {
	return http.Header{
		"Server":           {"gunicorn"},
		"Vary":             {"Accept-Language, Cookie"},
		"Content-Type":     {contentType},
		"Content-Language": {language},
	}
}

const (
	notFoundPage = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n" +
		"  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"
	serverErrorPage = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Server Error (500)</title>\n</head>\n<body>\n" +
		"  <h1>Server Error (500)</h1><p></p>\n</body>\n</html>\n"
)

// acceptsJSON tells whether the API, which speaks JSON only, can satisfy the header Accept.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for kind := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json", "application/*", "*/*", "":
			return true
		}
	}
	return false
}

// language returns the language of an answer: of the two that the recordings
// hold, the one that the header names first, English when it names neither.
func language(acceptLanguage string) string {
	for tag := range strings.SplitSeq(strings.ToLower(acceptLanguage), ",") {
		tag, _, _ = strings.Cut(tag, ";")
		primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		if primary == "et" || primary == "en" {
			return primary
		}
	}
	return "en"
}
