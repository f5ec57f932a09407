package waldur

import (
	"context"
	"errors"
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
		return page{}, incomplete(p.list.request, "%d records came where %d were due", len(got.usages), want)
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
		return page{}, incomplete(p.list.request, "page %d is gone", asked.page)
	}
	if err != nil {
		return page{}, err
	}
	var got page
	if got.usages, err = (decoder{request: p.list.request, fields: asked.fields, texts: p.texts}).list(body); err != nil {
		return page{}, err
	}
	count, err := strconv.ParseUint(header.Get("X-Result-Count"), 10, 31)
	if err != nil {
		return page{}, &FormatError{Request: p.list.request, Problem: "has no X-Result-Count header that is a number"}
	}
	got.count = int(count)
	if n := len(got.usages); n > min(asked.size, got.count) {
		return page{}, unverifiable(p.list.request, "%d records came where %d were asked for and Waldur counted %d", n, asked.size, got.count)
	}
	if asked.fields.Has(FieldScope) && len(got.usages) > 0 {
		if err := p.list.operation.client.checkScopes(p.list.request, p.list.query.Scope, got.usages); err != nil {
			return page{}, err
		}
		p.scope = got.usages[0].Scope
	}
	return got, asked.checkDates(p.list.request, got.usages)
}
