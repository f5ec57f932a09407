package waldur

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Usage returns one record by its id, with the fields that are asked for and its
// date. Any user may read any record by id; list records carry none.
//
// Errors: *StatusError (404: there is no such record), *RedirectError, *TLSError,
// *UnreachableError, *OutageError and *FormatError for a request,
// *DeadlineError when the context's deadline has passed, and the context's error
// when it was canceled.
//
// Source: GET /api/marketplace-category-component-usages/{id}/.
func (c *Client) Usage(ctx context.Context, id int64, fields FieldSet) (Usage, error) {
	fields |= Fields(FieldDate)
	operation := c.newOperation(ctx)
	request := Request{
		Method: http.MethodGet,
		Path:   c.config.Endpoint.path(resource + "/" + strconv.FormatInt(id, 10)),
	}
	usage, err := operation.readRecord(ctx, request, fields)
	return usage, operation.end(ctx, request, 1, err)
}

func (o *operation) readRecord(ctx context.Context, request Request, fields FieldSet) (Usage, error) {
	query := url.Values{}
	addFields(query, fields)
	_, body, err := o.get(ctx, call{request: request, query: query, records: 1})
	if err != nil {
		return Usage{}, err
	}
	usage, err := decoder{request: request, fields: fields, texts: newInterner()}.one(body)
	if err == nil && usage.Date.Valid {
		err = checkDate(request, 0, usage.Date.Value)
	}
	return usage, err
}

func checkDate(request Request, record int, date string) error {
	if _, err := ParseDate(date); err != nil {
		return &FormatError{Request: request, Record: record, Attribute: FieldDate.String(), Problem: "is not a date YYYY-MM-DD"}
	}
	return nil
}
