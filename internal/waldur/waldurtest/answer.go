package waldurtest

import (
	"context"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The endpoint of the usage records, and the methods it allows.
const (
	listPath     = "/api/marketplace-category-component-usages/"
	listAllows   = "GET, POST, HEAD, OPTIONS"
	recordAllows = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
)

// requestLineLimit is gunicorn's limit of a request line, in bytes, without its line ending.
const requestLineLimit = 4094

// Answer is the response to one request. Its Content-Length is the length of
// Body unless Header sets another: a greater one breaks the connection after
// Body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	records int           // in Body
	cost    time.Duration // see [AnswerCost]
}

// answer returns the answer to request n.
func (w *Waldur) answer(n int, r *http.Request) *Answer {
	// gunicorn refuses a long request line before Django sees it.
	line := len(r.Method) + len(" ") + len(r.URL.RequestURI()) + len(" HTTP/1.1")
	if line > requestLineLimit {
		return requestLineTooLong(line)
	}

	language := language(r.Header.Get("Accept-Language"))
	path, below := strings.CutPrefix(r.URL.Path, w.PathPrefix)
	id, belowList := strings.CutPrefix(path, listPath)
	withSlash := strings.HasSuffix(id, "/")
	id = strings.TrimSuffix(id, "/")

	switch {
	case below && (path+"/" == listPath || belowList && isLookup(id) && !withSlash):
		return redirect(path+"/", r.URL.RawQuery, language)
	case below && path == listPath:
		return w.view(r, language, listAllows, func(user User) *Answer { return w.list(n, r, user, language) })
	case below && belowList && isLookup(id):
		return w.view(r, language, recordAllows, func(user User) *Answer { return w.record(id, r, user, language) })
	default:
		return htmlAnswer(http.StatusNotFound, notFoundPage, language)
	}
}

// isLookup reports whether a path segment can be the id of a record.
func isLookup(segment string) bool {
	return segment != "" && !strings.ContainsAny(segment, "/.")
}

// view does what Waldur does before it looks at a query: it checks the content
// type, the token and the method, in this order.
func (w *Waldur) view(r *http.Request, language, allows string, get func(User) *Answer) *Answer {
	holder, answer := w.authenticate(r, language)
	switch {
	case !acceptsJSON(r.Header.Values("Accept")):
		answer = detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.", language)
	case answer != nil: // refused
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		answer = detail(http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method), language)
	default:
		answer = w.work(r, holder, get)
	}
	if answer.Status < http.StatusInternalServerError {
		answer.Header.Set("Allow", allows)
	}
	return answer
}

// work answers a request. If w sleeps, the request first waits for a worker and
// for its token's lock, and then for as long as its answer costs.
func (w *Waldur) work(r *http.Request, holder *holder, get func(User) *Answer) *Answer {
	if !w.Sleep {
		return get(holder.user)
	}
	if w.Workers > 0 {
		w.workersOnce.Do(func() { w.workers = make(chan struct{}, w.Workers) })
		defer acquire(r.Context(), w.workers)()
	}
	if w.TokenLock {
		defer acquire(r.Context(), holder.lock)()
	}
	answer := get(holder.user)
	sleep(r.Context(), answer.cost)
	return answer
}

// acquire takes a place in the semaphore and returns a function that frees it.
// If ctx ends first, it takes none.
func acquire(ctx context.Context, semaphore chan struct{}) (release func()) {
	select {
	case semaphore <- struct{}{}:
		return func() { <-semaphore }
	case <-ctx.Done():
		return func() {}
	}
}

// list answers a request for a list: it filters, counts, and then selects.
func (w *Waldur) list(n int, r *http.Request, user User, language string) *Answer {
	query := r.URL.Query()
	filter, refusal := w.filter(query, user, language)
	if refusal != nil {
		return refusal
	}
	count := len(filter.apply(&w.installation))
	page, ok := w.page(query, count)
	if !ok {
		return detail(http.StatusNotFound, "Invalid page.", language)
	}
	if w.BetweenCountAndSelect != nil {
		w.BetweenCountAndSelect(n)
	}
	records := page.of(filter.apply(&w.installation))

	fields := fieldsOf(query["field"])
	origin := origin(r)
	body := append(make([]byte, 0, 2+len(records)*320), '[')
	for i, record := range records {
		if i > 0 {
			body = append(body, ',')
		}
		body = record.appendJSON(body, fields, origin)
	}
	answer := jsonAnswer(http.StatusOK, append(body, ']'), language)
	answer.Header.Set("X-Result-Count", strconv.Itoa(count))
	answer.Header.Set("Link", page.links(origin+listPath, query))
	answer.records, answer.cost = len(records), fields.cost(len(records))
	return answer
}

// record answers a request for one record. The filters of the list apply here too.
func (w *Waldur) record(id string, r *http.Request, user User, language string) *Answer {
	query := r.URL.Query()
	filter, refusal := w.filter(query, user, language)
	if refusal != nil {
		return refusal
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return detail(http.StatusNotFound, "Not found.", language)
	}
	record := w.installation.record(number)
	if err != nil || record == nil || !filter.matches(record) {
		return detail(http.StatusNotFound, "No CategoryComponentUsage matches the given query.", language)
	}
	fields := fieldsOf(query["field"])
	answer := jsonAnswer(http.StatusOK, record.appendJSON(nil, fields, origin(r)), language)
	answer.records, answer.cost = 1, fields.cost(1)
	return answer
}

// origin is the origin at which Waldur believes to be reached: it takes the
// host from the request, and the scheme from the proxy.
func origin(r *http.Request) string {
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// send writes the answer; to a HEAD request, only its header.
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
	return &Answer{Status: status, Header: header("application/json", language), Body: body}
}

// detail is the API's answer to a request that it refuses for a reason other
// than the value of a parameter.
func detail(status int, text, language string) *Answer {
	return jsonAnswer(status, append(appendJSONString([]byte(`{"detail":`), text), '}'), language)
}

// htmlAnswer is an answer of Django itself, which knows no JSON.
func htmlAnswer(status int, body, language string) *Answer {
	return &Answer{Status: status, Header: header("text/html; charset=utf-8", language), Body: []byte(body)}
}

// redirect answers with a relative Location.
func redirect(path, query, language string) *Answer {
	answer := htmlAnswer(http.StatusMovedPermanently, "", language)
	if query != "" {
		path += "?" + query
	}
	answer.Header.Set("Location", path)
	return answer
}

// requestLineTooLong is gunicorn's own answer. Only its status and kind were
// observed; its wording is that of gunicorn's other error page.
func requestLineTooLong(line int) *Answer {
	const reason = "Bad Request"
	message := fmt.Sprintf("Request Line is too large (%d > %d)", line, requestLineLimit)
	body := "<html>\n  <head>\n    <title>" + reason + "</title>\n  </head>\n  <body>\n    <h1><p>" + reason +
		"</p></h1>\n    " + html.EscapeString(message) + "\n  </body>\n</html>\n"
	return &Answer{Status: http.StatusBadRequest, Header: http.Header{"Content-Type": {"text/html"}, "Connection": {"close"}}, Body: []byte(body)}
}

// header returns the header that every answer of Django has.
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

// acceptsJSON reports whether JSON, the API's only content type, satisfies the
// Accept header.
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

// language returns the language of an answer. The recordings have two: the
// first of them in the header, or English.
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
