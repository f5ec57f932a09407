package waldur

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	resource = "marketplace-category-component-usages"

	// A complete record has 283 bytes on average, and a page of 300 has 85 kB. Texts
	// are columns of at most 255 characters, of six bytes each when escaped: the
	// largest record fits in 8 KiB, and a page in 2.4 MiB.
	maxRecordBytes = 8 << 10
	// For the response around the records, or an error page.
	maxOtherBytes = 64 << 10
)

// call is a request to be made.
type call struct {
	request Request
	query   url.Values
	records int // the most that the response may have: limits its size
}

// result is the outcome of one attempt.
type result struct {
	status int // 0: no response
	header http.Header
	body   []byte // of a 200 response, complete
}

// errRequestTimeout is the cause of a context that ended with Config.RequestTimeout,
// and not with the read.
var errRequestTimeout = errors.New("no complete response in time")

// attempt makes one HTTP request and reads its response to the end.
func (c *Client) attempt(ctx context.Context, asked call) (result, error) {
	timed, cancel := context.WithTimeoutCause(ctx, c.config.RequestTimeout, errRequestTimeout)
	defer cancel()

	target := c.config.Endpoint.Origin() + asked.request.Path
	if len(asked.query) > 0 {
		target += "?" + asked.query.Encode()
	}
	request, err := http.NewRequestWithContext(timed, asked.request.Method, target, http.NoBody)
	if err != nil {
		return result{}, c.failure(ctx, timed, asked.request, err)
	}
	request.Header.Set("Authorization", c.config.Token.authorization())
	request.Header.Set("Accept", "application/json")
	// A cached response would hide changes.
	request.Header.Set("Cache-Control", "no-cache")
	// Waldur translates category titles and error texts: without this header, the
	// same record would differ between machines.
	request.Header.Set("Accept-Language", "en")
	request.Header.Set("User-Agent", c.config.UserAgent)

	// A RoundTrip neither follows redirects nor keeps cookies, unlike an
	// http.Client.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return result{}, c.failure(ctx, timed, asked.request, err)
	}
	defer func() { _ = response.Body.Close() }()
	got := result{status: response.StatusCode, header: response.Header}
	if response.StatusCode != http.StatusOK {
		return got, c.refusal(ctx, asked.request, response)
	}
	if got.body, err = readBody(asked, response); err != nil {
		err = c.failure(ctx, timed, asked.request, err)
	}
	return got, err
}

func readBody(asked call, response *http.Response) ([]byte, error) {
	if strings.HasPrefix(strings.ToLower(response.Header.Get("Content-Type")), "text/html") {
		return nil, &FormatError{Request: asked.request, Problem: "is an HTML page, not JSON"}
	}
	// Bytes are counted after decompression, so a small response cannot expand
	// without limit.
	limit := int64(maxOtherBytes + asked.records*maxRecordBytes)
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum):
		return nil, &FormatError{Request: asked.request, Problem: "cannot be unpacked: its compression is damaged"}
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, &FormatError{Request: asked.request, Problem: fmt.Sprintf("is larger than %d KiB, more than its records can need", limit>>10)}
	case response.ContentLength < 0 && len(response.TransferEncoding) == 0 && !response.Uncompressed:
		// Without a length, the end of the response and a broken connection look the
		// same. If the JSON is valid but does not end, it was cut short.
		duplicatesAllowed := jsontext.AllowDuplicateNames(true) // so the decoder need not remember those it has read
		_, err := jsontext.NewDecoder(bytes.NewReader(body), duplicatesAllowed).ReadValue()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return body, nil
}
