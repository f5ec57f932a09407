package waldur

import (
	"context"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Usages returns every record that the query matches, newest date first, then
// by type, category uuid and the other attributes.
//
// The list is complete, or the read fails: each date comes complete from one
// answer, every date that exists throughout the read is in the list exactly
// once, and a record that exists throughout the read is never missing and
// never repeated. A record that appears meanwhile may or may not be included.
//
// Errors:
//
//   - *IncompleteError: records kept changing while they were read;
//   - *UnverifiableError: the answers can never be verified to be complete;
//   - *FilterError: Waldur did not apply the scope or the dates;
//   - *FormatError, *StatusError, *RedirectError, *TLSError, *UnreachableError,
//     *OutageError: a request failed;
//   - *DeadlineError when the context's deadline has passed, and the context's
//     error when it was canceled.
//
// Source: GET /api/marketplace-category-component-usages/.
func (c *Client) Usages(ctx context.Context, query Query) ([]Usage, error) {
	query.Fields |= Fields(FieldDate)
	list := listReader{
		operation: c.newOperation(ctx),
		query:     query,
		request:   Request{Method: http.MethodGet, Path: c.config.Endpoint.path(resource)},
	}
	usages, err := list.read(ctx)
	return usages, list.operation.end(ctx, list.request, len(usages), err)
}

// listReader reads one list, by several pagers side by side where it is long.
type listReader struct {
	operation *operation
	query     Query
	request   Request
}

func (l *listReader) read(ctx context.Context) ([]Usage, error) {
	first := l.newPager(l.query.Before)
	if err := first.advance(ctx); err != nil {
		return nil, err
	}
	pagers, err := l.split(ctx, first)
	if err != nil {
		return nil, err
	}
	group, groupContext := errgroup.WithContext(ctx)
	for _, pager := range pagers {
		group.Go(func() error { return pager.readAll(groupContext) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	usages := first.usages
	for _, pager := range pagers[1:] {
		usages = append(usages, pager.usages...)
	}
	return usages, l.resolveScopes(ctx, usages, pagers[len(pagers)-1])
}

// split divides the dates that the first answer leaves among pagers, so that
// no more of them run than requests are allowed at once and each has a page to
// read. Dates are what divides them, so that no record can be on both sides or
// on neither, whatever happens to the positions by which the dates are found.
func (l *listReader) split(ctx context.Context, first *pager) ([]*pager, error) {
	if first.done {
		return []*pager{first}, nil
	}
	taken, total := len(first.usages), len(first.usages)+first.remaining
	parts := min(l.operation.client.config.MaxConcurrentRequests, (first.remaining+first.cap-1)/first.cap)
	cuts := make([]cut, max(1, parts))
	group, groupContext := errgroup.WithContext(ctx)
	// A server that ignores the scope is found out before its complete
	// installation is read.
	group.Go(func() error { return first.readScope(groupContext) })
	for i := 1; i < parts; i++ {
		group.Go(func() (err error) {
			cuts[i], err = l.newPager("").findCut(groupContext, first.cap, taken+first.remaining*i/parts)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	pagers := []*pager{first}
	for _, cut := range cuts[1:] {
		previous := pagers[len(pagers)-1]
		if cut.date == "" || cut.date >= previous.before {
			continue
		}
		next := l.newPager(cut.date)
		next.cap, next.ahead, next.remaining, next.usual = first.cap, cut.dates, total-cut.position, lastDate(first.usages)
		previous.until, previous.later = cut.date, next.remaining
		previous.remaining -= next.remaining
		pagers = append(pagers, next)
	}
	return pagers, nil
}

// resolveScopes gives each record its scope, which is read of one record only
// as it costs Waldur 39 % of an answer, and asks each date with duplicates for
// all of its scopes. Waldur allows duplicates, but they are also what a server
// that ignores the scope returns: each record of a project has its counterpart
// at the project's customer.
func (l *listReader) resolveScopes(ctx context.Context, usages []Usage, last *pager) error {
	if len(usages) == 0 {
		return nil
	}
	if !last.scope.Valid {
		if err := last.readScope(ctx); err != nil {
			return err
		}
	}
	if l.query.Fields.Has(FieldScope) {
		for i := range usages {
			usages[i].Scope = last.scope
		}
	}
	checked := ""
	for duplicate := range Duplicates(usages) {
		date := duplicate.Date.Value
		if date == checked {
			continue
		}
		checked = date
		if _, err := last.fetch(ctx, window{after: date, before: date, size: last.cap, page: 1, fields: Fields(FieldDate, FieldScope)}); err != nil {
			return err
		}
	}
	return nil
}

// recordFields is what every record is asked for: all but the scope, unless
// the records lack what tells two scopes' records apart.
func (l *listReader) recordFields() FieldSet {
	if !l.query.Fields.identifies() {
		return l.query.Fields
	}
	return l.query.Fields &^ Fields(FieldScope)
}

// cut is a date at which a list can be divided, and what was seen there. These
// are hints: they decide what a read costs, not what it returns.
type cut struct {
	date     string   // newest date of the older part
	position int      // number of newer records
	dates    []string // of the records from there on
}

// findCut returns the start of the month nearest to a position: the dates of a
// page are 9 % of its cost, and show how long the next months are as well.
func (p *pager) findCut(ctx context.Context, size, position int) (cut, error) {
	number := position/size + 1
	page, err := p.fetch(ctx, window{
		after: p.list.query.After, before: p.list.query.Before,
		size: size, page: number, fields: Fields(FieldDate),
	})
	if isIncomplete(err) {
		return cut{}, nil // the list has become shorter: one part less
	}
	if err != nil {
		return cut{}, err
	}
	dates, offset := datesOf(page.usages), (number-1)*size
	nearest := 0
	for i := 1; i < len(dates); i++ {
		if dates[i] != dates[i-1] && (nearest == 0 || distance(offset+i, position) < distance(offset+nearest, position)) {
			nearest = i
		}
	}
	return cut{date: dates[nearest], position: offset + nearest, dates: dates[nearest:]}, nil
}

func distance(a, b int) int { return max(a-b, b-a) }

func datesOf(usages []Usage) []string {
	return slices.Collect(func(yield func(string) bool) {
		for i := range usages {
			if !yield(usages[i].Date.Value) {
				return
			}
		}
	})
}
