package waldur

import (
	"net/http"
	"time"
)

// DecodeList decodes a list of records, as a read of a list does.
func DecodeList(body []byte, fields FieldSet) ([]Usage, error) {
	return decoder{fields: fields, texts: newInterner()}.list(body)
}

// RetryAfter parses the Retry-After header.
func RetryAfter(header http.Header, now time.Time) time.Duration { return retryAfter(header, now) }
