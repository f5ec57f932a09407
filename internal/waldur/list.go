package waldur

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Usages returns every record that the query matches, newest date first, then
// by type, category uuid and the other attributes.
//
// The list is complete, or the read fails: each date comes complete from one
// response, every date that exists throughout the read is in the list exactly
// once, and a record that exists throughout the read is never missing and
// never repeated. A record that appears meanwhile may or may not be included.
// Only a date that fills a response is merged from several, and is read twice
// to confirm it. All of this relies on Waldur, which never deletes a record;
// DESIGN.md says what a deletion at the wrong moment could hide.
//
// Errors: *IncompleteError if its responses did not fit together in any attempt,
// *UnverifiableError if the responses can never be verified to be complete,
// *FilterError if a response shows that Waldur did not apply the scope or the
// dates, and those of [Client.Usage].
//
// Source: GET /api/marketplace-category-component-usages/.
func (c *Client) Usages(ctx context.Context, query Query) ([]Usage, error) {
	query.Fields |= Fields(FieldDate)
	list := listReader{
		operation: c.newOperation(),
		request:   Request{Method: http.MethodGet, Path: c.config.Endpoint.path(resource)},
		query:     query,
		scopeURL:  c.config.Endpoint.ScopeURL(query.Scope),
	}
	usages, err := list.read(ctx)
	if err := list.operation.end(ctx, list.request, len(usages), err); err != nil {
		return nil, err
	}
	return usages, nil
}

// listReader reads one list, with several pagers at once if it is long.
type listReader struct {
	operation *operation
	request   Request
	query     Query
	scopeURL  string
}

func (l *listReader) read(ctx context.Context) ([]Usage, error) {
	first := l.newPager()
	if err := l.repeat(ctx, first.step); err != nil {
		return nil, err
	}
	pagers, err := l.split(ctx, first)
	if err != nil {
		return nil, err
	}
	group, groupContext := errgroup.WithContext(ctx)
	for _, part := range pagers {
		group.Go(func() error { return part.readAll(groupContext) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	usages := first.usages
	for _, part := range pagers[1:] {
		usages = append(usages, part.usages...)
	}
	if err := l.setScopes(ctx, first, usages); err != nil {
		return nil, err
	}
	return usages, l.checkDuplicates(ctx, usages)
}

const maxAttempts = 7 // of one step whose responses do not fit together

// repeat runs a step, and runs it again after a wait while its responses do not fit
// together, up to maxAttempts times.
func (l *listReader) repeat(ctx context.Context, step func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := step(ctx)
		incomplete, ok := errors.AsType[*IncompleteError](err)
		if !ok {
			return err
		}
		incomplete.Attempts = attempt
		if attempt == maxAttempts {
			return incomplete
		}
		if err := l.operation.wait(ctx, attempt, err); err != nil {
			return err
		}
	}
}

// split divides the remaining dates among pagers: up to one for each concurrent
// request, and at most one for each remaining page. The parts are divided at dates,
// so no record is in two of them or in none, even if the positions at which the
// dates were found have moved meanwhile.
func (l *listReader) split(ctx context.Context, first *pager) ([]*pager, error) {
	if first.done {
		return []*pager{first}, nil
	}
	parts := max(1, min(l.operation.client.config.MaxConcurrentRequests, (first.remaining+first.cap-1)/first.cap))
	later := make([]*pager, parts-1)
	group, groupContext := errgroup.WithContext(ctx)
	largest, usual := first.cap, lastDateLength(first.usages)
	// A server that ignores the scope is noticed before its complete
	// installation is read.
	group.Go(func() error { return l.repeat(groupContext, first.readScope) })
	for i := range later {
		position := len(first.usages) + first.remaining*(i+1)/parts
		group.Go(func() (err error) {
			later[i], err = l.pagerNear(groupContext, position, largest, usual)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	pagers := []*pager{first}
	for _, next := range later {
		// The index is the length of the first month of next: steadyLength compares it
		// with the month of a pager that has read only one.
		first.usual = max(first.usual, slices.IndexFunc(next.ahead, func(date string) bool { return date < next.before }))
		previous := pagers[len(pagers)-1]
		if !next.done && next.before < previous.before {
			// next.remaining still includes the parts after it.
			previous.until, previous.later = next.before, next.remaining
			previous.remaining -= next.remaining
			pagers = append(pagers, next)
		}
	}
	return pagers, nil
}

// pagerNear returns a pager that begins with a date near a position of the list, or
// one that is done if the page there is empty, gone or too short. It requests the
// dates of a page, in 49 ms instead of the 526 ms of its records, and keeps them:
// they show the lengths of the next months.
func (l *listReader) pagerNear(ctx context.Context, position, largest, usual int) (*pager, error) {
	next := l.newPager()
	next.cap, next.usual = largest, usual
	dates := next.upTo(next.before, next.cap, Fields(FieldDate))
	dates.page += position / dates.size
	got, err := next.fetch(ctx, dates)
	_, changed := errors.AsType[*IncompleteError](err)
	if changed || err == nil && len(got.usages) == 0 {
		next.done = true
		return next, nil
	}
	if err != nil {
		return nil, err
	}
	start, offset := 0, (dates.page-1)*dates.size
	for i := 1; i < len(got.usages); i++ {
		if got.usages[i].Date != got.usages[i-1].Date && (start == 0 || offset+i <= position) {
			start = i
		}
	}
	next.ahead = datesOf(got.usages[start:])
	next.before, next.remaining = next.ahead[0], got.count-offset-start
	return next, nil
}

// setScopes sets the scope of each record to that of one record, since scopes
// take 39 % of the time of a record.
func (l *listReader) setScopes(ctx context.Context, first *pager, usages []Usage) error {
	// split has read the scope, or the oldest date has shown it, unless that date was
	// deleted before appendOldest confirmed it.
	if len(usages) > 0 && !first.scope.Valid {
		if err := l.repeat(ctx, first.readScope); err != nil {
			return err
		}
	}
	if l.query.Fields.Has(FieldScope) {
		for i := range usages {
			usages[i].Scope = first.scope
		}
	}
	return nil
}

// checkDuplicates requests all scopes of each date with duplicates. Waldur allows
// duplicates, but they are also a sign of a server that ignores the scope, since
// the records of a project have counterparts at its customer.
func (l *listReader) checkDuplicates(ctx context.Context, usages []Usage) error {
	var dates []string
	for duplicate := range Duplicates(usages) {
		dates = append(dates, duplicate.Date.Value)
	}
	for _, date := range slices.Compact(dates) {
		scopes := window{after: date, before: date, size: pageCap, page: 1, fields: Fields(FieldDate, FieldScope)}
		err := l.repeat(ctx, func(ctx context.Context) error {
			got, err := l.newPager().fetch(ctx, scopes) // checks them; fetch may lower the cap of its pager
			if err == nil && len(got.usages) < got.count {
				return incomplete(l.request, "of %d records of %s, a page held %d", got.count, date, len(got.usages))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
