package waldur

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Usage reads one record by its id, with the fields that are asked for and its
// date. An id that does not exist is a *StatusError with status 404; the other
// errors are those of Usages. Any user may read any record by id; list records
// carry none.
//
// Source: GET /api/marketplace-category-component-usages/{id}/.
func (c *Client) Usage(ctx context.Context, id int64, fields FieldSet) (Usage, error) {
	fields |= Fields(FieldDate)
	reading := c.newReading()
	request := Request{
		Method: http.MethodGet,
		Path:   c.config.Endpoint.path(resource + "/" + strconv.FormatInt(id, 10)),
	}
	query := url.Values{}
	addFields(query, fields)
	var usage Usage
	err := reading.get(ctx, call{
		request: request,
		query:   query,
		records: 1,
		read: func(_ http.Header, body []byte) (_ int, err error) {
			if usage, err = reading.decoder(request, fields).one(body); err == nil && usage.Date.Valid {
				err = checkDate(request, 0, usage.Date.Value)
			}
			return 1, err
		},
	})
	reading.log(ctx, 1, err)
	return usage, err
}
