package waldur

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	resource = "marketplace-category-component-usages"

	// A full record is 283 bytes on average. Its texts are columns of at most
	// 255 characters, six bytes each when escaped: 8 KiB hold the largest.
	maxRecordBytes = 8 << 10
	// Room for an error page, and for what surrounds the records.
	maxOtherBytes = 64 << 10
)

// call is a request to be made and what is done with its answer.
type call struct {
	request Request
	query   url.Values
	records int // at most so many in the answer: bounds what is read of it
	// read judges a 200 answer and tells how many records it held.
	read func(header http.Header, body []byte) (int, error)
}

// outcome is what a log line says of an attempt.
type outcome struct {
	status, records int
	requestID       string
}

var errRequestTimeout = errors.New("no complete answer in time")

// attempt makes one HTTP request and reads its answer to the end. It waits for
// its turn first; the time for the request begins with it.
func (c *Client) attempt(ctx context.Context, call call) (outcome, error) {
	if err := c.turns.Acquire(ctx, 1); err != nil {
		return outcome{}, err
	}
	defer c.turns.Release(1)
	timed, cancel := context.WithTimeoutCause(ctx, c.config.RequestTimeout, errRequestTimeout)
	defer cancel()

	target := c.config.Endpoint.Origin() + call.request.Path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(timed, call.request.Method, target, http.NoBody)
	if err != nil {
		return outcome{}, c.unreachable(timed, call, err)
	}
	request.Header.Set("Authorization", c.config.Token.authorization())
	request.Header.Set("Accept", "application/json")
	// Category titles and error texts are translated otherwise: the same
	// record would differ from machine to machine.
	request.Header.Set("Accept-Language", "en")
	request.Header.Set("User-Agent", c.config.UserAgent)

	response, err := c.http.Do(request)
	if err != nil {
		return outcome{}, c.failure(ctx, timed, call, err)
	}
	defer func() { _ = response.Body.Close() }()
	done := outcome{status: response.StatusCode, requestID: c.requestID(response.Header)}

	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxOtherBytes))
		if err := ctx.Err(); err != nil {
			return done, err
		}
		return done, c.refusal(call, response, body)
	}
	// The limit counts what comes out of decompression, so that a small answer
	// cannot unfold into a large one.
	limit := int64(maxOtherBytes + call.records*maxRecordBytes)
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return done, c.failure(ctx, timed, call, err)
	}
	if int64(len(body)) > limit {
		return done, &FormatError{Request: call.request, Problem: fmt.Sprintf("is larger than %d KiB, more than its records can need", limit>>10)}
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		return done, &FormatError{Request: call.request, Problem: "is an HTML page, not JSON"}
	}
	done.records, err = call.read(response.Header, body)
	return done, err
}

// refusal turns an answer that is not 200 into an error.
func (c *Client) refusal(call call, response *http.Response, body []byte) error {
	if location := response.Header.Get("Location"); response.StatusCode/100 == 3 && location != "" {
		return &RedirectError{Request: call.request, Status: response.StatusCode, Target: c.redirectTarget(response, location)}
	}
	refused := &StatusError{
		Request: call.request,
		Status:  response.StatusCode,
		Detail:  safeText(c.config.Token, explanation(body)),
		ID:      c.requestID(response.Header),
	}
	refused.ComeBack = comeBack(response.Header, c.config.Clock.Now())
	return refused
}

// redirectTarget names where a redirect points: its origin and path, which
// show a missing "s" or a missing prefix at once, without its query.
func (c *Client) redirectTarget(response *http.Response, location string) string {
	target, err := response.Request.URL.Parse(location)
	if err != nil {
		return "an address that is not a URL"
	}
	return safeText(c.config.Token, target.Scheme+"://"+target.Host+target.EscapedPath())
}

func (c *Client) requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Correlation-Id", "X-Amzn-Trace-Id"} {
		if id := header.Get(name); id != "" {
			return safeText(c.config.Token, id)
		}
	}
	return ""
}

// failure turns the error of a request without a whole answer into one that
// can be told apart. The end of the read itself stays what it is.
func (c *Client) failure(ctx, timed context.Context, call call, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if problem := tlsProblem(err); problem != "" {
		return &TLSError{Request: call.request, Origin: c.config.Endpoint.Origin(), Problem: safeText(c.config.Token, problem), cause: err}
	}
	return c.unreachable(timed, call, err)
}

func (c *Client) unreachable(timed context.Context, call call, err error) error {
	if cause := context.Cause(timed); errors.Is(cause, errRequestTimeout) {
		err = cause
	}
	return &UnreachableError{
		Request: call.request,
		Origin:  c.config.Endpoint.Origin(),
		Problem: safeText(c.config.Token, c.networkProblem(err)),
		cause:   err,
	}
}

// networkProblem says in a few words why no answer came. The text of url.Error
// is left out: it repeats the whole query.
func (c *Client) networkProblem(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, errRequestTimeout):
		return fmt.Sprintf("no complete answer within %s", c.config.RequestTimeout.Round(time.Millisecond))
	case isDNS && unknown.IsNotFound:
		return fmt.Sprintf("the host %s is unknown", unknown.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer was cut short"
	case errors.Is(err, io.EOF):
		return "the connection was closed before an answer"
	default:
		return err.Error()
	}
}

// tlsProblem tells why a connection is not trusted, or nothing when that is
// not what failed.
func tlsProblem(err error) string {
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return untrusted.Err.Error()
	}
	if notTLS, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return notTLS.Msg + ": the port does not speak TLS"
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return alert.Error()
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return invalid.Error()
	}
	if strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return "the port speaks http, not https"
	}
	return ""
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
