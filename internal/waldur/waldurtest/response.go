package waldurtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// listPath is the endpoint of the usage records.
const listPath = "/api/marketplace-category-component-usages/"

// Response is the response to one request. Its Content-Length is the length of
// Body, unless Header has another one, as for a response that is cut short.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	records int           // in Body
	cost    time.Duration // see [ResponseCost]
}

// respond returns the response to request n.
func (w *Waldur) respond(n int, r *http.Request) (response *Response) {
	path, below := strings.CutPrefix(r.URL.Path, w.PathPrefix)
	withSlash := strings.TrimSuffix(path, "/") + "/"
	id, isUsages := strings.CutPrefix(withSlash, listPath)
	id = strings.TrimSuffix(id, "/")
	allow := "GET, POST, HEAD, OPTIONS"
	if id != "" {
		allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
	}
	switch {
	case !below || !isUsages || strings.ContainsAny(id, "/."):
		response = htmlPage(http.StatusNotFound, "Not Found", "The requested resource was not found on this server.")
	case path != withSlash:
		location := url.URL{Path: withSlash, RawQuery: r.URL.RawQuery}
		response = newResponse(http.StatusMovedPermanently, "text/html; charset=utf-8", nil)
		response.Header.Set("Location", location.String())
	default:
		response = w.view(n, r, id)
		if response.Status < http.StatusInternalServerError {
			response.Header.Set("Allow", allow)
		}
	}
	response.Header.Set("Content-Language", language(r))
	return response
}

// view checks the content type and the token, in this order, before it looks at
// the query. If Sleep is set, the request then waits for a worker and
// for its token's lock, and then for as long as its response costs.
func (w *Waldur) view(n int, r *http.Request, id string) (response *Response) {
	token, user, refusal := w.authenticate(r)
	accept := strings.Join(r.Header.Values("Accept"), ",")
	switch {
	case accept != "" && !strings.Contains(accept, "application/json") && !strings.Contains(accept, "*/*"):
		return detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	case refusal != nil:
		return refusal
	}
	if w.Sleep && w.Workers > 0 {
		defer w.enter(r.Context(), "worker", w.Workers)()
	}
	if w.Sleep && w.TokenLock {
		defer w.enter(r.Context(), "token "+token, 1)()
	}
	f, refusal := w.filters(r, user)
	switch {
	case refusal != nil:
		return refusal
	case id == "":
		response = w.list(n, r, f)
	default:
		response = w.record(id, r, f)
	}
	if w.Sleep {
		sleep(r.Context(), response.cost)
	}
	return response
}

// enter acquires a slot of a semaphore and returns a function that releases it.
// If ctx ends first, it acquires none.
func (w *Waldur) enter(ctx context.Context, name string, places int) (leave func()) {
	w.mu.Lock()
	if w.semaphores[name] == nil {
		w.semaphores[name] = make(chan struct{}, places)
	}
	semaphore := w.semaphores[name]
	w.mu.Unlock()
	select {
	case semaphore <- struct{}{}:
		return func() { <-semaphore }
	case <-ctx.Done():
		return func() {}
	}
}

// list handles a request for a list: it filters, counts, and then selects.
func (w *Waldur) list(n int, r *http.Request, f filters) *Response {
	query := r.URL.Query()
	count := len(w.matching(f))
	p, ok := w.page(query, count)
	if !ok {
		return detail(http.StatusNotFound, "Invalid page.")
	}
	if w.BetweenCountAndSelect != nil {
		w.BetweenCountAndSelect(n)
	}
	records := p.of(w.matching(f))

	names, origin := requested(query["field"]), origin(r)
	body := []byte{'['}
	for i, record := range records {
		if i > 0 {
			body = append(body, ',')
		}
		body = record.appendJSON(body, names, origin)
	}
	response := jsonResponse(http.StatusOK, append(body, ']'))
	response.Header.Set("X-Result-Count", strconv.Itoa(count))
	response.Header.Set("Link", p.links(origin+listPath, query))
	response.records, response.cost = len(records), ResponseCost(len(records), names...)
	return response
}

// record handles a request for one record. The filters of the list apply here too.
func (w *Waldur) record(id string, r *http.Request, f filters) *Response {
	number, err := strconv.ParseInt(id, 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return detail(http.StatusNotFound, "Not found.")
	}
	records := w.matching(f)
	at := slices.IndexFunc(records, func(record *Record) bool { return record.ID == number })
	if at < 0 {
		return detail(http.StatusNotFound, "No CategoryComponentUsage matches the given query.")
	}
	names := requested(r.URL.Query()["field"])
	response := jsonResponse(http.StatusOK, records[at].appendJSON(nil, names, origin(r)))
	response.records, response.cost = 1, ResponseCost(1, names...)
	return response
}

// origin returns the origin that Waldur believes to be its own: the host comes from
// the request, and the scheme from the proxy.
func origin(r *http.Request) string {
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// language returns the language of a response. The recordings have two.
func language(r *http.Request) string {
	if strings.HasPrefix(r.Header.Get("Accept-Language"), "et") {
		return "et"
	}
	return "en"
}

func newResponse(status int, contentType string, body []byte) *Response {
	return &Response{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// jsonResponse returns a response of the API. Waldur escapes the line separators of
// JavaScript.
func jsonResponse(status int, body []byte) *Response {
	body = bytes.ReplaceAll(body, []byte("\u2028"), []byte(`\u2028`))
	body = bytes.ReplaceAll(body, []byte("\u2029"), []byte(`\u2029`))
	return newResponse(status, "application/json", body)
}

// refuse returns the API's response to a request that it refuses.
func refuse(status int, reason any) *Response {
	body, _ := json.Marshal(reason, jsontext.AllowInvalidUTF8(true)) // text can always be encoded
	return jsonResponse(status, body)
}

// detail returns a refusal of the form {"detail": text}.
func detail(status int, text string) *Response {
	return refuse(status, map[string]string{"detail": text})
}

// htmlPage returns a response of Django itself, which does not use JSON.
func htmlPage(status int, title, text string) *Response {
	const format = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>%[1]s</title>\n</head>\n<body>\n" +
		"  <h1>%[1]s</h1><p>%[2]s</p>\n</body>\n</html>\n"
	return newResponse(status, "text/html; charset=utf-8", fmt.Appendf(nil, format, title, text))
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
