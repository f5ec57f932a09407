package waldur

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// page is one answer to a list request.
type page struct {
	usages []Usage // newest date first
	count  int     // X-Result-Count: records that match the window, on all pages
}

// fetch asks for a window and checks the answer: as many records as were asked
// for or counted, in order of their dates, within the window, of the scope. A
// server with a lower cap returns fewer records: it is asked again for as many.
func (p *pager) fetch(ctx context.Context, asked window) (page, error) {
	asked.size = min(asked.size, p.cap)
	got, err := p.fetchOnce(ctx, asked)
	if n := len(got.usages); err == nil && asked.page == 1 && 0 < n && n < min(asked.size, got.count) {
		p.cap, asked.size = n, n
		got, err = p.fetchOnce(ctx, asked)
	}
	if want := min(asked.size, got.count-(asked.page-1)*asked.size); err == nil && len(got.usages) < want {
		return page{}, p.incomplete("%d records came where %d were due", len(got.usages), want)
	}
	return got, err
}

func (p *pager) fetchOnce(ctx context.Context, asked window) (page, error) {
	header, body, err := p.list.operation.get(ctx, call{
		request: p.list.request,
		query:   asked.parameters(p.list.operation.client.config.Endpoint.ScopeURL(p.list.query.Scope)),
		records: asked.size,
	})
	if refused, ok := errors.AsType[*StatusError](err); ok && refused.Status == http.StatusNotFound && asked.page > 1 {
		return page{}, p.incomplete("page %d is gone", asked.page)
	}
	if err != nil {
		return page{}, err
	}
	var got page
	if got.usages, err = (decoder{request: p.list.request, fields: asked.fields, texts: p.texts}).list(body); err != nil {
		return page{}, err
	}
	if got.count, err = p.resultCount(header); err != nil {
		return page{}, err
	}
	if n := len(got.usages); n > min(asked.size, got.count) {
		return page{}, p.unverifiable("%d records came where %d were asked for and Waldur counted %d", n, asked.size, got.count)
	}
	if err := p.checkDates(got.usages, asked); err != nil {
		return page{}, err
	}
	return got, p.checkScopes(got.usages, asked)
}

// checkDates checks the invariant that the pager relies on: every record has a
// date, within the window, and none is newer than the one before it.
func (p *pager) checkDates(usages []Usage, asked window) error {
	last := asked.before
	for i := range usages {
		date := usages[i].Date
		if err := checkDate(p.list.request, i+1, date.Value); err != nil {
			return err
		}
		if (asked.before != "" && date.Value > asked.before) || date.Value < asked.after {
			return &FilterError{Request: p.list.request, Asked: asked.dates(), Got: date.Value}
		}
		if last != "" && date.Value > last {
			return &FormatError{Request: p.list.request, Record: i + 1, Attribute: FieldDate.String(), Problem: "is newer than the one before it"}
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

// checkScopes compares kind and uuid, as scheme and host of a record's scope
// vary with the proxies in front of Waldur.
func (p *pager) checkScopes(usages []Usage, asked window) error {
	if !asked.fields.Has(FieldScope) {
		return nil
	}
	for i := range usages {
		scope, ok := scopeOfURL(usages[i].Scope.Value)
		if !ok || scope != p.list.query.Scope {
			return &FilterError{Request: p.list.request, Asked: p.list.query.Scope.String(), Got: p.scopeShown(usages[i].Scope)}
		}
		p.scope = usages[i].Scope
	}
	return nil
}

func (p *pager) scopeShown(scope Nullable[string]) string {
	if other, ok := scopeOfURL(scope.Value); ok {
		return other.String()
	}
	if !scope.Valid {
		return "no scope"
	}
	return fmt.Sprintf("the scope %q", safeText(p.list.operation.client.config.Token, scope.Value))
}

// resultCount reads X-Result-Count, without which no list can be verified.
func (p *pager) resultCount(header http.Header) (int, error) {
	count, err := strconv.ParseUint(header.Get("X-Result-Count"), 10, 31)
	if err != nil {
		return 0, &FormatError{Request: p.list.request, Problem: "has no X-Result-Count header that is a number"}
	}
	return int(count), nil
}

func (p *pager) incomplete(problem string, values ...any) error {
	return &IncompleteError{Request: p.list.request, Problem: fmt.Sprintf(problem, values...)}
}

func isIncomplete(err error) bool {
	_, ok := errors.AsType[*IncompleteError](err)
	return ok
}

func (p *pager) unverifiable(problem string, values ...any) error {
	return &UnverifiableError{Request: p.list.request, Problem: fmt.Sprintf(problem, values...)}
}
