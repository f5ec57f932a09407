package waldur

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	pageCap = 300 // Waldur gives no more records in an answer, whatever page_size says
	// A list that need not tell its scopes opens with room for 24 records and
	// one more, scopes included: asking 24 of them for their scope (1.07 ms
	// each) costs Waldur about as much as another request (22 ms).
	openingSize = 24 + 1
	maxReads    = 3 // of a list whose counts do not add up
)

// Usages reads every record that the query matches, newest date first, then by
// type, category uuid and the other attributes. The list is proved complete or
// the read is an error:
//
//   - *IncompleteError: the counts did not add up, three times;
//   - *FilterError: Waldur did not apply the scope or the dates;
//   - *FormatError, *StatusError, *RedirectError, *TLSError, *UnreachableError:
//     a request failed;
//   - the context's error when it ended.
//
// Source: GET /api/marketplace-category-component-usages/.
func (c *Client) Usages(ctx context.Context, query Query) ([]Usage, error) {
	query.Fields |= Fields(FieldDate)
	reading := c.newReading()
	usages, err := reading.prove(ctx, query)
	reading.log(ctx, len(usages), err)
	return usages, err
}

// prove reads the list until its counts add up.
func (r *reading) prove(ctx context.Context, query Query) ([]Usage, error) {
	for reads := 1; ; reads++ {
		walk := walk{reading: r, query: query, before: query.Before, left: unknown, cap: pageCap}
		usages, err := walk.run(ctx)
		doubt, incomplete := errors.AsType[*IncompleteError](err)
		if !incomplete {
			return usages, err
		}
		if reads == maxReads {
			doubt.Reads = reads
			return nil, doubt
		}
	}
}

// walk reads a list from its newest date to its oldest.
//
// Waldur sorts by date and type. Records of the same date and type (several
// categories) come in an order that depends on LIMIT and OFFSET, so that pages
// lose some and repeat others, with the right total. The walk therefore asks
// for page 1 only, and moves date_before. Of an answer it takes a date only
// when the same answer goes on with an older record, or holds all that is
// left: the date is then whole, whatever the order of its ties.
type walk struct {
	*reading
	query    Query
	before   string // newest date that is still to be read; empty: no bound
	left     int    // records up to that date, by the counts so far; or unknown
	cap      int    // records in a page at most: fewer when the server says so
	scope    Nullable[string]
	taken    []Usage
	complete bool
}

const unknown = -1

func (w *walk) run(ctx context.Context) ([]Usage, error) {
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	for !w.complete {
		if err := w.step(ctx); err != nil {
			return nil, err
		}
	}
	for i := range w.taken {
		w.taken[i].Scope = w.scope
	}
	return w.taken, w.checkTwins(ctx)
}

// open shows that the server applies the scope, and how many records there
// are. The scope is the same in every record of a list and costs Waldur 39 % of
// an answer: it is asked of one record, and given to all. A list that is to
// have no scopes begins with the first few records, scopes included; often
// those are all.
func (w *walk) open(ctx context.Context) error {
	size, fields := openingSize, w.query.Fields|Fields(FieldScope)
	if w.query.Fields.Has(FieldScope) {
		size, fields = 1, Fields(FieldDate, FieldScope)
	}
	page, err := w.next(ctx, size, fields)
	if err != nil {
		return err
	}
	if size > 1 || page.count == 0 {
		w.take(page)
		return nil
	}
	w.scope, w.left = page.usages[0].Scope, page.count
	return nil
}

// step takes at least one date.
func (w *walk) step(ctx context.Context) error {
	size, err := w.nextSize(ctx)
	if err != nil {
		return err
	}
	page, err := w.next(ctx, size, w.listFields())
	if err != nil {
		return err
	}
	if took := w.take(page); took > 0 || w.complete {
		return nil
	}
	return w.takeDate(ctx, page.usages[0].Date.Value)
}

// nextSize is how many records to ask for. More than one page is left: the
// page should end one record after the end of a date, which proves that date
// without reading more twice. Months are mostly as long as each other, so the
// last two tell; where they differ, the dates alone of a page are asked for,
// at 0.09 ms a record instead of 1.68.
func (w *walk) nextSize(ctx context.Context) (int, error) {
	if w.left <= w.cap || !w.listFields().costsLookups() {
		return w.cap, nil
	}
	if length, steady := steadyLength(w.taken); steady && length < w.cap {
		return (w.cap-1)/length*length + 1, nil
	}
	dates, err := w.next(ctx, w.cap, Fields(FieldDate))
	return len(dates.whole()) + 1, err
}

// steadyLength is the number of records of each of the last two dates, if it
// is the same.
func steadyLength(taken []Usage) (length int, steady bool) {
	last := lastDate(taken)
	return last, last > 0 && last == lastDate(taken[:len(taken)-last])
}

// lastDate is how many records at the end share their date.
func lastDate(usages []Usage) int {
	n := 0
	for n < len(usages) && usages[len(usages)-1-n].Date == usages[len(usages)-1].Date {
		n++
	}
	return n
}

// take keeps the dates that the page proves whole, and tells how many records
// those are.
func (w *walk) take(page page) int {
	whole := page.whole()
	w.keep(whole)
	w.left = page.count - len(whole)
	w.complete = page.complete()
	if !w.complete {
		w.before = page.usages[len(page.usages)-1].Date.Value
	}
	return len(whole)
}

// keep adds whole dates, older than those before them: sorting each page sorts
// the list.
func (w *walk) keep(usages []Usage) {
	slices.SortFunc(usages, compare)
	w.taken = append(w.taken, usages...)
}

// takeDate reads a date that is longer than the page that showed it.
func (w *walk) takeDate(ctx context.Context, date string) error {
	only := window{after: date, before: date, size: w.cap, page: 1, fields: w.listFields()}
	page, err := w.fetch(ctx, only)
	if err != nil {
		return err
	}
	usages := page.usages
	if !page.complete() {
		if usages, err = w.mergePages(ctx, only); err != nil {
			return err
		}
	}
	w.keep(usages)
	w.left -= len(usages)
	w.before, err = dayBefore(date)
	return err
}

// checkTwins looks again at each date that has two records of the same
// component. Waldur allows them. But they are also what a server that ignores
// the scope would give, even where the first record happened to fit: every
// record of a project has its like at the project's customer.
func (w *walk) checkTwins(ctx context.Context) error {
	seen := ""
	for twin := range Duplicates(w.taken) {
		date := twin.Date.Value
		if date == seen {
			continue
		}
		seen = date
		if _, err := w.fetch(ctx, window{after: date, before: date, size: w.cap, page: 1, fields: Fields(FieldDate, FieldScope)}); err != nil {
			return err
		}
	}
	return nil
}

// checkScopes compares kind and uuid: scheme and host of a record's scope vary
// with the proxies in front of Waldur.
func (w *walk) checkScopes(usages []Usage) error {
	for i := range usages {
		if scope, ok := scopeOfURL(usages[i].Scope.Value); !ok || scope != w.query.Scope {
			return &FilterError{Request: w.listRequest(), Asked: w.query.Scope.String(), Got: w.shownScope(usages[i].Scope)}
		}
	}
	return nil
}

func (w *walk) shownScope(scope Nullable[string]) string {
	if other, ok := scopeOfURL(scope.Value); ok {
		return other.String()
	}
	if !scope.Valid {
		return "no scope"
	}
	return fmt.Sprintf("the scope %q", safeText(w.config.Token, scope.Value))
}

// listFields is what every record is asked for: all but the scope, which the
// opening has shown, unless the records lack what tells two scopes' records
// apart afterwards.
func (w *walk) listFields() FieldSet {
	if component := Fields(FieldType, FieldCategoryUUID); w.query.Fields&component != component {
		return w.query.Fields
	}
	return w.query.Fields &^ Fields(FieldScope)
}

func (w *walk) doubt(problem string, values ...any) error {
	return &IncompleteError{Request: w.listRequest(), Problem: fmt.Sprintf(problem, values...)}
}
