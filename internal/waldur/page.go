package waldur

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// page is one answer to a list request.
type page struct {
	usages []Usage // newest date first
	count  int     // X-Result-Count: records that match the window, on all pages
	asked  int     // page_size
}

// complete tells whether the page holds all that matches its window. A page
// that is filled to its last place could not contradict a wrong count, so it is
// believed only where no larger one can be asked for.
func (p page) complete() bool {
	return len(p.usages) == p.count && (len(p.usages) < p.asked || p.asked == pageCap)
}

// whole gives the records of the dates that the page holds whole: all when it
// is complete, otherwise those newer than its last record.
func (p page) whole() []Usage {
	if p.complete() {
		return p.usages
	}
	return p.usages[:len(p.usages)-lastDate(p.usages)]
}

// next asks for the first page of what is still to be read. The counts must
// chain: what was left is what Waldur counts now.
func (w *walk) next(ctx context.Context, size int, fields FieldSet) (page, error) {
	got, err := w.fetch(ctx, window{after: w.query.After, before: w.before, size: min(size, w.cap), page: 1, fields: fields})
	if err == nil && w.left != unknown && got.count != w.left {
		return page{}, w.doubt("%d records were left, then Waldur counted %d", w.left, got.count)
	}
	return got, err
}

// fetch asks for a window and judges the answer.
func (w *walk) fetch(ctx context.Context, asked window) (page, error) {
	got := page{asked: asked.size}
	err := w.get(ctx, call{
		request: w.listRequest(),
		query:   asked.parameters(w.config.Endpoint.ScopeURL(w.query.Scope)),
		records: asked.size,
		read: func(header http.Header, body []byte) (int, error) {
			var err error
			if got.usages, err = w.decoder(w.listRequest(), asked.fields).list(body); err != nil {
				return 0, err
			}
			got.count, err = w.resultCount(header)
			return len(got.usages), err
		},
	})
	if err != nil {
		return page{}, err
	}
	if err := w.checkDates(got.usages, asked); err != nil {
		return page{}, err
	}
	if asked.fields.Has(FieldScope) {
		if err := w.checkScopes(got.usages); err != nil {
			return page{}, err
		}
	}
	return got, w.checkLength(got, asked)
}

// checkLength compares the number of records with the count. Fewer than were
// asked for is what a server with a lower cap gives: the walk goes on with
// shorter pages, and if it was no cap, the next count will tell.
func (w *walk) checkLength(got page, asked window) error {
	n, want := len(got.usages), min(asked.size, got.count-(asked.page-1)*asked.size)
	switch {
	case n > got.count:
		return w.doubt("%d records came where Waldur counted %d", n, got.count)
	case n > asked.size:
		return w.doubt("%d records came where %d were asked for", n, asked.size)
	case n >= want:
		return nil
	case n == 0 || asked.page > 1:
		return w.doubt("%d records came where %d were due", n, want)
	default:
		w.cap = n
		return nil
	}
}

// checkDates makes sure of what the walk stands on: every record has a date,
// inside the window, and none is newer than the one before it.
func (w *walk) checkDates(usages []Usage, asked window) error {
	last := asked.before
	for i := range usages {
		date := usages[i].Date
		if err := checkDate(w.listRequest(), i+1, date.Value); err != nil {
			return err
		}
		if (asked.before != "" && date.Value > asked.before) || date.Value < asked.after {
			return &FilterError{Request: w.listRequest(), Asked: asked.dates(), Got: date.Value}
		}
		if last != "" && date.Value > last {
			return &FormatError{Request: w.listRequest(), Record: i + 1, Attribute: FieldDate.String(), Problem: "is newer than the one before it"}
		}
		last = date.Value
	}
	return nil
}

func checkDate(request Request, record int, date string) error {
	if _, err := ParseDate(date); err != nil {
		return &FormatError{Request: request, Record: record, Attribute: FieldDate.String(), Problem: "is not a date YYYY-MM-DD"}
	}
	return nil
}

// resultCount reads X-Result-Count, without which no list can be proved.
func (w *walk) resultCount(header http.Header) (int, error) {
	count, err := strconv.ParseUint(header.Get("X-Result-Count"), 10, 31)
	if err != nil {
		return 0, &FormatError{Request: w.listRequest(), Problem: "has no X-Result-Count header that is a number"}
	}
	return int(count), nil
}

func (r *reading) listRequest() Request {
	return Request{Method: http.MethodGet, Path: r.config.Endpoint.path(resource)}
}

func (w window) dates() string {
	return fmt.Sprintf("dates from %s to %s", orAny(w.after), orAny(w.before))
}

func orAny(date string) string {
	if date == "" {
		return "any"
	}
	return date
}

func dayBefore(date string) (string, error) {
	day, err := ParseDate(date)
	return day.AddDate(0, 0, -1).Format(time.DateOnly), err
}
