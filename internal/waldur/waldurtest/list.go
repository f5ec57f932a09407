package waldurtest

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// list answers a request for a list: it filters, counts, and then selects.
func (w *Waldur) list(n int, r *http.Request, user User, language string) (*Answer, int, time.Duration) {
	query := r.URL.Query()
	filter, refusal := w.filter(query, user, language)
	if refusal != nil {
		return refusal, 0, 0
	}
	count := len(filter.apply(&w.installation))
	window, ok := w.window(query, count)
	if !ok {
		return detail(http.StatusNotFound, "Invalid page.", language), 0, 0
	}
	if w.BetweenCountAndSelect != nil {
		w.BetweenCountAndSelect(n)
	}
	records := window.take(filter.apply(&w.installation))

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
	answer.Header.Set("Link", window.links(origin+listPath, query))
	return answer, len(records), fields.cost(len(records))
}

// read answers a request for one record. The filters of the list hold here too.
func (w *Waldur) read(id string, r *http.Request, user User, language string) (*Answer, int, time.Duration) {
	query := r.URL.Query()
	filter, refusal := w.filter(query, user, language)
	if refusal != nil {
		return refusal, 0, 0
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil && !isOutOfRange(err) {
		return detail(http.StatusNotFound, "Not found.", language), 0, 0
	}
	record := w.installation.record(number)
	if err != nil || record == nil || !filter.holds(record) {
		return detail(http.StatusNotFound, "No CategoryComponentUsage matches the given query.", language), 0, 0
	}
	fields := fieldsOf(query["field"])
	return jsonAnswer(http.StatusOK, record.appendJSON(nil, fields, origin(r)), language), 1, fields.cost(1)
}

// filter is what a query asks for: a scope's path ("" for all), and dates
// from after to before, both inclusive, in the form "2024-10-01" ("" for open).
type filter struct {
	scope, after, before string
}

// filter reads the filters of a query; Waldur checks the dates first. Of a
// parameter that comes twice, the last one counts.
func (w *Waldur) filter(query url.Values, user User, language string) (filter, *Answer) {
	after, before, refusal := dates(query, language)
	if refusal != nil {
		return filter{}, refusal
	}
	scope := last(query, "scope")
	if scope == "" || w.IgnoreScope {
		return filter{"", after, before}, nil
	}
	path, refusal := w.scopePath(scope, user, language)
	return filter{path, after, before}, refusal
}

// apply returns the records that the filter lets through, in Waldur's order
// but for ties.
func (f filter) apply(i *installation) []*Record {
	return between(i.list(f.scope), f.after, f.before)
}

// holds tells whether the filter lets one record through.
func (f filter) holds(record *Record) bool {
	return (f.scope == "" || f.scope == record.Scope) &&
		(f.after == "" || f.after <= record.Date) &&
		(f.before == "" || record.Date <= f.before)
}

// last returns the last value of a parameter, "" when there is none.
func last(query url.Values, name string) string {
	values := query[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
