package waldur

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pageCap       = 300 // Waldur returns no more records in a response, whatever page_size says
	scopesChecked = 25  // at the end of a list whose records cannot be told apart by component
)

// pager reads a part of a list, from its newest date to its oldest.
//
// Waldur sorts by date and type. Records of the same date and type (in several
// categories) have an order that depends on LIMIT and OFFSET, so following pages
// loses some and repeats others, with the right total. The pager therefore
// requests page 1 and moves date_before; only a date that fills a page is read
// from several, see appendLongDate. It appends any other date only if the
// same response continues with an older record: a response is one view of the
// table, sorted by date, so the date is complete whatever the order of its ties.
// Only the oldest date of a list has no older record; see appendOldest.
type pager struct {
	list   *listReader
	texts  interner
	cap    int    // largest page; fetch lowers it to what the server returns
	before string // newest date that is still to be read; empty: no bound
	until  string // newest date of the next part, where this one ends; empty: it ends with the list
	done   bool
	usages []Usage          // complete dates only
	scope  Nullable[string] // of a record of the list, as Waldur writes it

	// Hints: they decide what a read costs, not what it returns.
	remaining int      // records still to be read in this part
	later     int      // records of the parts after this one
	ahead     []string // dates of the next records
	usual     int      // records of one date elsewhere in the list
}

func (l *listReader) newPager() *pager {
	return &pager{list: l, texts: newInterner(), cap: pageCap, before: l.query.Before}
}

func (p *pager) readAll(ctx context.Context) error {
	for !p.done {
		if err := p.list.repeat(ctx, p.step); err != nil {
			return err
		}
	}
	return nil
}

// step appends at least one date, or finds that none is left.
func (p *pager) step(ctx context.Context) error {
	size, err := p.nextSize(ctx)
	if err != nil {
		return err
	}
	for {
		got, err := p.fetch(ctx, p.upTo(p.before, size, p.list.query.recordFields()))
		if err != nil {
			return err
		}
		if got.count == 0 {
			p.done = true
			return nil
		}
		rest := p.appendComplete(got)
		switch {
		case p.done:
			return nil
		case len(got.usages) == got.count:
			return p.appendOldest(ctx, rest)
		case len(rest) < len(got.usages):
			return nil
		case size >= p.cap:
			return p.appendLongDate(ctx, rest[0].Date.Value)
		}
		size = p.cap // the date has more records than expected
	}
}

// appendComplete appends the dates of this part that an older record follows in the
// same response, and returns the remaining records: those of the last date, or, at
// the end of a part, of the next one.
func (p *pager) appendComplete(got page) (rest []Usage) {
	n := len(got.usages) - lastDateLength(got.usages)
	p.before = got.usages[n].Date.Value
	if p.before <= p.until {
		p.done = true
		n = slices.IndexFunc(got.usages, func(u Usage) bool { return u.Date.Value <= p.until })
	}
	p.append(got.usages[:n])
	p.remaining = got.count - n - p.later
	return got.usages[n:]
}

// appendOldest appends the oldest date of the list. Only its count shows that it
// is complete, and Waldur counts before it selects: a record inserted in between
// pushes the last one out, unnoticed. A later count up to the oldest date
// reveals that, whatever happens to newer dates. The response also shows the scope.
func (p *pager) appendOldest(ctx context.Context, oldest []Usage) error {
	size := 1
	// Records of other scopes would not appear as duplicates, see checkDuplicates.
	if !p.list.query.Fields.identifies() {
		size = min(len(oldest), scopesChecked)
	}
	date := oldest[0].Date.Value
	end, err := p.fetch(ctx, p.upTo(date, size, Fields(FieldDate, FieldScope)))
	if err != nil {
		return err
	}
	if end.count != len(oldest) {
		return incomplete(p.list.request, "%d records up to %s came, then Waldur counted %d", len(oldest), date, end.count)
	}
	if now := end.usages[0].Date.Value; now != date {
		return incomplete(p.list.request, "the oldest records were of %s, then of %s", date, now)
	}
	p.append(oldest)
	p.scope = end.usages[0].Scope
	p.done = true
	return nil
}

// readScope reads the scope of the newest record.
func (p *pager) readScope(ctx context.Context) error {
	newest, err := p.fetch(ctx, p.upTo(p.list.query.Before, 1, Fields(FieldDate, FieldScope)))
	if err != nil {
		return err
	}
	if newest.count == 0 {
		return incomplete(p.list.request, "records came, then Waldur counted none")
	}
	p.scope = newest.usages[0].Scope
	return nil
}

// upTo returns the window of page 1 of the records up to a date.
func (p *pager) upTo(before string, size int, fields FieldSet) window {
	return window{after: p.list.query.After, before: before, size: size, page: 1, fields: fields}
}

// nextSize returns the number of records to request. While more than a page remains,
// the page should end one record after the end of a date, so that only that record
// is read twice. Where the lengths of months differ, the dates of a page are
// requested first, at 0.09 ms a record instead of 1.68. Without fields that need
// look-ups, pages are full: such records cost little, even if most are read twice.
func (p *pager) nextSize(ctx context.Context) (int, error) {
	if !p.list.query.recordFields().costsLookups() || (p.until == "" && p.remaining <= p.cap) {
		return p.cap, nil
	}
	if p.remaining < p.cap { // the page ends with the first record of the next part
		return max(0, p.remaining) + 1, nil
	}
	if size := p.sizeAhead(); size > 0 {
		return size, nil
	}
	if length, steady := p.steadyLength(); steady && length < p.cap {
		return (p.cap-1)/length*length + 1, nil
	}
	dates, err := p.fetch(ctx, p.upTo(p.before, p.cap, Fields(FieldDate)))
	if err != nil {
		return 0, err
	}
	p.ahead = datesOf(dates.usages)
	return cmp.Or(p.sizeAhead(), p.cap), nil
}

// sizeAhead returns the size of a page that ends one record after the last date
// whose number of records is known, or 0 if there is none.
func (p *pager) sizeAhead() int {
	p.ahead = slices.DeleteFunc(p.ahead, func(date string) bool { return date > p.before })
	if len(p.ahead) == 0 || p.ahead[0] == p.ahead[len(p.ahead)-1] {
		return 0
	}
	return min(p.cap, slices.Index(p.ahead, p.ahead[len(p.ahead)-1])+1)
}

// steadyLength returns the number of records of the last date, and reports
// whether the date before it has as many. If there is only one date, it is compared
// with the usual length.
func (p *pager) steadyLength() (length int, steady bool) {
	last := lastDateLength(p.usages)
	before := cmp.Or(lastDateLength(p.usages[:len(p.usages)-last]), p.usual)
	return last, last > 0 && last == before
}

// append appends complete dates, which are older than those that the pager has,
// so sorting each page sorts the list.
func (p *pager) append(usages []Usage) {
	slices.SortFunc(usages, compare)
	p.usages = append(p.usages, usages...)
}

// appendLongDate appends a date with at least as many records as fit on a page,
// which no filter can split. A deletion and an insertion while its pages are read
// would leave the count unchanged, so the date is collected twice, with the page
// sizes in another order, and both must have the same records.
func (p *pager) appendLongDate(ctx context.Context, date string) error {
	first, err := p.collect(ctx, date, 8, 6, 7, 5)
	if err != nil {
		return err
	}
	second, err := p.collect(ctx, date, 7, 5, 8, 6)
	if err != nil {
		return err
	}
	if !maps.Equal(first, second) {
		return incomplete(p.list.request, "the records of %s changed while they were read", date)
	}
	usages := slices.Collect(maps.Values(second))
	for i := range usages {
		usages[i].clear(AllFields() &^ p.list.query.recordFields())
	}
	p.append(usages)
	p.remaining -= len(usages)
	day, err := ParseDate(date)
	p.before = day.AddDate(0, 0, -1).Format(time.DateOnly)
	return err
}

// collect merges the pages of a date by record identity, until it has as many
// records as Waldur counts: what one page size loses at its boundaries, another
// finds. Page sizes are given in eighths of the cap.
func (p *pager) collect(ctx context.Context, date string, eighths ...int) (map[identity]Usage, error) {
	seen, count := map[identity]Usage{}, -1
	wanted := window{after: date, before: date, fields: p.list.query.recordFields() | Fields(FieldType, FieldCategoryUUID)}
	for _, eighth := range eighths {
		wanted.size = max(1, p.cap*eighth/8)
		for wanted.page = 1; count < 0 || (len(seen) < count && (wanted.page-1)*wanted.size < count); wanted.page++ {
			got, err := p.fetch(ctx, wanted)
			if err != nil {
				return nil, err
			}
			if count >= 0 && got.count != count {
				return nil, incomplete(p.list.request, "Waldur counted %d records of %s, then %d", count, date, got.count)
			}
			count = got.count
			slices.SortFunc(got.usages, compare)
			for range Duplicates(got.usages) {
				return nil, unverifiable(p.list.request, "%s fills a page, and has several records of one component, which cannot be told apart", date)
			}
			for _, usage := range got.usages {
				seen[usage.identity()] = usage
			}
		}
	}
	if count == 0 {
		return nil, incomplete(p.list.request, "records of %s came, then Waldur counted none", date)
	}
	if len(seen) != count {
		return nil, incomplete(p.list.request, "of %d records of %s, pages held %d", count, date, len(seen))
	}
	return seen, nil
}

// page is one response to a list request.
type page struct {
	usages []Usage // newest date first
	count  int     // X-Result-Count: records that match the window, on all pages
}

// fetch requests a window and checks the response: it has as many records as were
// requested or counted, sorted by date, within the window and, if their scopes were
// requested, of the scope. If the server caps pages below the size, fetch lowers the
// pager's cap and asks again, since sizes are chosen by what a page can hold.
func (p *pager) fetch(ctx context.Context, wanted window) (page, error) {
	wanted.size = min(wanted.size, p.cap)
	got, err := p.fetchOnce(ctx, wanted)
	if n := len(got.usages); err == nil && wanted.page == 1 && 0 < n && n < min(wanted.size, got.count) {
		p.cap, wanted.size = n, n
		got, err = p.fetchOnce(ctx, wanted)
	}
	if due := min(wanted.size, got.count-(wanted.page-1)*wanted.size); err == nil && len(got.usages) < due {
		return page{}, incomplete(p.list.request, "%d records came where %d were due", len(got.usages), due)
	}
	return got, err
}

func (p *pager) fetchOnce(ctx context.Context, wanted window) (page, error) {
	header, body, err := p.list.operation.get(ctx, call{
		request: p.list.request,
		query:   wanted.parameters(p.list.scopeURL),
		records: wanted.size,
	})
	if refused, ok := errors.AsType[*StatusError](err); ok && refused.Status == http.StatusNotFound && wanted.page > 1 {
		return page{}, incomplete(p.list.request, "page %d is gone", wanted.page)
	}
	if err != nil {
		return page{}, err
	}
	var got page
	if got.usages, err = (decoder{request: p.list.request, fields: wanted.fields, token: p.list.operation.client.config.Token, texts: p.texts}).list(body); err != nil {
		return page{}, err
	}
	counts := slices.Compact(header.Values("X-Result-Count"))
	count, err := strconv.ParseUint(strings.Join(counts, ", "), 10, 31)
	if err != nil {
		return page{}, &FormatError{Request: p.list.request, Problem: "has no X-Result-Count header that is a number"}
	}
	got.count = int(count)
	if n := len(got.usages); n > min(wanted.size, got.count) {
		return page{}, unverifiable(p.list.request, "%d records came where %d were asked for and Waldur counted %d", n, wanted.size, got.count)
	}
	if wanted.fields.Has(FieldScope) {
		if err := p.list.operation.client.checkScopes(p.list.request, p.list.query.Scope, got.usages); err != nil {
			return page{}, err
		}
	}
	return got, wanted.checkDates(p.list.request, got.usages)
}
