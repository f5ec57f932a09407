package waldur

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	resource = "marketplace-category-component-usages"

	// A full record is 283 bytes on average. Its texts are columns of at most
	// 255 characters, six bytes each when escaped: 8 KiB hold the largest. A
	// page of 300 is 85 kB, and read up to 2.4 MiB.
	maxRecordBytes = 8 << 10
	// Room for an error page, and for what surrounds the records.
	maxOtherBytes = 64 << 10
)

// call is a request to be made.
type call struct {
	request Request
	query   url.Values
	records int // at most, in the response: limits the number of bytes that are read
}

// result is the outcome of one attempt.
type result struct {
	status int // 0: no response
	header http.Header
	body   []byte // of a 200 response, to its end
}

var errRequestTimeout = errors.New("no complete response in time")

// attempt makes one HTTP request and reads its response to the end.
func (c *Client) attempt(ctx context.Context, call call) (result, error) {
	timed, cancel := context.WithTimeoutCause(ctx, c.config.RequestTimeout, errRequestTimeout)
	defer cancel()

	target := c.config.Endpoint.Origin() + call.request.Path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(timed, call.request.Method, target, http.NoBody)
	if err != nil {
		return result{}, c.failure(ctx, timed, call, err)
	}
	request.Header.Set("Authorization", c.config.Token.authorization())
	request.Header.Set("Accept", "application/json")
	// A cached response would not show changes.
	request.Header.Set("Cache-Control", "no-cache")
	// Waldur translates category titles and error texts: the same record would
	// differ between machines.
	request.Header.Set("Accept-Language", "en")
	request.Header.Set("User-Agent", c.config.UserAgent)

	// A RoundTrip neither follows redirects nor keeps cookies, unlike an
	// http.Client.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return result{}, c.failure(ctx, timed, call, err)
	}
	defer func() { _ = response.Body.Close() }()
	got := result{status: response.StatusCode, header: response.Header}
	if response.StatusCode != http.StatusOK {
		return got, c.refusal(ctx, call, response)
	}
	if got.body, err = readBody(call, response); err != nil {
		err = c.failure(ctx, timed, call, err)
	}
	return got, err
}

func readBody(call call, response *http.Response) ([]byte, error) {
	if strings.HasPrefix(strings.ToLower(response.Header.Get("Content-Type")), "text/html") {
		return nil, &FormatError{Request: call.request, Problem: "is an HTML page, not JSON"}
	}
	// The limit counts what comes out of decompression, so that a small response
	// cannot unfold into a large one.
	limit := int64(maxOtherBytes + call.records*maxRecordBytes)
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum):
		return nil, &FormatError{Request: call.request, Problem: "cannot be unpacked: its compression is damaged"}
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, &FormatError{Request: call.request, Problem: fmt.Sprintf("is larger than %d KiB, more than its records can need", limit>>10)}
	case response.ContentLength < 0 && len(response.TransferEncoding) == 0 && !response.Uncompressed:
		// The response has no length, so that its end and a broken connection look the
		// same. JSON that is right as far as it goes, but not complete, was cut short.
		_, err := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true)).ReadValue() // keeps no names
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return body, nil
}

// refusal turns a response that is not 200 into an error.
func (c *Client) refusal(ctx context.Context, call call, response *http.Response) error {
	if location := response.Header.Get("Location"); response.StatusCode/100 == 3 && location != "" {
		return &RedirectError{Request: call.request, Status: response.StatusCode, Target: c.redirectTarget(response.Request.URL, location)}
	}
	var body []byte
	if response.StatusCode != http.StatusSwitchingProtocols { // its body is the bare connection, which no context ends
		body, _ = io.ReadAll(io.LimitReader(response.Body, maxOtherBytes))
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	refused := &StatusError{
		Request:    call.request,
		Status:     response.StatusCode,
		RequestID:  c.requestID(response.Header),
		RetryAfter: retryAfter(response.Header, c.config.Clock.Now()),
	}
	// Go, nginx and Apache respond to http on their https port with a page: the first
	// two name HTTPS, the last one an "SSL-enabled server port".
	page := string(body)
	expectsHTTPS := strings.Contains(page, "HTTPS") || strings.Contains(page, "SSL-enabled")
	if refused.Status == http.StatusBadRequest && c.config.Endpoint.scheme == "http" && expectsHTTPS {
		refused.Reason, refused.Detail = ReasonHTTPSExpected, httpsExpected
		return refused
	}
	detail := explanation(body)
	refused.Reason, refused.Detail = c.refusalReason(call.request, refused.Status, detail), c.SafeText(detail)
	return refused
}

const httpsExpected = "the port expects https, not http"

// refusalReason recognizes the explanations of Waldur, which are English as
// every request asks for it.
func (c *Client) refusalReason(request Request, status int, detail string) Reason {
	switch {
	case status == http.StatusUnauthorized:
		return tokenRefusal(c.config.Token.Kind(), detail)
	case status == http.StatusBadRequest && strings.Contains(detail, "restore object from url"):
		return ReasonScopeNotVisible
	case status == http.StatusNotFound && detail != "" && request.Path != c.config.Endpoint.path(resource):
		return ReasonRecordNotFound
	case status == http.StatusProxyAuthRequired:
		return ReasonProxyCredentials
	default:
		return ReasonUnknown
	}
}

// tokenRefusal returns the reason of a 401 response. Waldur returns the same one
// whatever is wrong with a personal access token, and decodes it as a JWT where
// it accepts none.
func tokenRefusal(kind TokenKind, detail string) Reason {
	for _, known := range []struct {
		detail string // or how it begins
		reason Reason
	}{
		{"Authentication credentials were not provided.", ReasonNotProvided},
		{"Invalid token", ReasonTokenInvalid},
		{"Token has expired.", ReasonTokenExpired},
		{"User inactive or deleted.", ReasonUserInactive},
		{"Invalid JWT token.", ReasonJWTMalformed},
		{"Token is inactive or invalid.", ReasonJWTInactive},
		{"Introspection configuration is incomplete.", ReasonOIDCNotConfigured},
		{"Introspection endpoint error.", ReasonOIDCProviderFailed},
		{"Connection to introspection endpoint failed", ReasonOIDCProviderFailed},
		{"Token does not contain required user identifier field", ReasonUserIdentifierMissing},
	} {
		switch {
		case !strings.HasPrefix(detail, known.detail):
		case kind == PersonalAccessToken && known.reason == ReasonTokenInvalid:
			return ReasonPersonalTokenInvalid
		case kind == PersonalAccessToken && known.reason == ReasonJWTMalformed:
			return ReasonPersonalTokensDisabled
		default:
			return known.reason
		}
	}
	return ReasonUnknown
}

// redirectTarget returns the origin and the path of a redirect, which show a
// missing "s" or a missing prefix at once, without its query.
func (c *Client) redirectTarget(from *url.URL, location string) string {
	target, err := from.Parse(location)
	if err != nil {
		return "an address that is not a URL"
	}
	return c.SafeText((&url.URL{Scheme: target.Scheme, Host: target.Host}).String() + target.EscapedPath())
}

func (c *Client) requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Correlation-Id", "X-Amzn-Trace-Id"} {
		if id := header.Get(name); id != "" {
			return c.SafeText(id)
		}
	}
	return ""
}

// failure turns the error of a request without a complete response into one of
// this package's types. The error of ctx, which ends the read, is returned as
// it is.
func (c *Client) failure(ctx, timed context.Context, call call, err error) error {
	if malformed, ok := errors.AsType[*FormatError](err); ok {
		return malformed
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if cause := context.Cause(timed); errors.Is(cause, errRequestTimeout) {
		err = cause
	}
	origin := c.config.Endpoint.Origin()
	if reason, problem := tlsProblem(err); problem != "" {
		return &TLSError{Request: call.request, Origin: origin, Reason: reason, Problem: c.SafeText(problem)}
	}
	reason, problem, transient := c.networkProblem(err)
	return &UnreachableError{Request: call.request, Origin: origin, Reason: reason, Problem: c.SafeText(problem), transient: transient}
}

// networkProblem says in a few words why no response came, and reports whether the
// same request may succeed a moment later.
func (c *Client) networkProblem(err error) (reason Reason, problem string, transient bool) {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	operation, isOperation := errors.AsType[*net.OpError](err)
	proxy, isProxy := errors.AsType[proxyError](err)
	text := err.Error()
	switch {
	case isProxy && proxy == http.StatusProxyAuthRequired:
		return ReasonProxyCredentials, proxy.Error(), false
	case isProxy:
		return ReasonProxy, proxy.Error(), isTransientStatus(int(proxy))
	case isOperation && operation.Op == "proxyconnect":
		_, problem, transient = c.networkProblem(operation.Err)
		return ReasonProxy, "the proxy: " + problem, transient
	case errors.Is(err, errRequestTimeout):
		return ReasonTimeout, fmt.Sprintf("no complete response within %s", c.config.RequestTimeout.Round(time.Millisecond)), true
	case isDNS && dns.IsNotFound:
		return ReasonHostUnknown, fmt.Sprintf("the host %s is unknown", dns.Name), false
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused, "the connection was refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ReasonUnknown, "the connection was reset", true
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonUnknown, "the response was cut short", true
	// The text is that of an error which net/http does not export: the connection
	// was closed before the request was written.
	case errors.Is(err, io.EOF), strings.Contains(text, "http: server closed idle connection"):
		return ReasonUnknown, "the connection was closed before a response", true
	// The start of a TLS alert.
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return ReasonHTTPSExpected, httpsExpected, false
	default:
		return ReasonUnknown, text, isDNS || isConnectionFailure(err) || isMalformedHead(err)
	}
}

// isConnectionFailure reports whether an operation on a connection failed, whatever
// its error number: refused, reset and unreachable differ between systems.
func isConnectionFailure(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && (slices.Contains([]string{"dial", "read", "write"}, operation.Op) || isConnectionFailure(operation.Err))
}

// isMalformedHead recognizes a response whose head cannot be read. When the
// connection ends inside a line of it, net/http does not report that, but a
// malformed line.
func isMalformedHead(err error) bool {
	_, line := errors.AsType[textproto.ProtocolError](err)
	return line || strings.Contains(err.Error(), "malformed HTTP ")
}

// tlsProblem says why a connection is not trusted, if that is what failed.
func tlsProblem(err error) (Reason, string) {
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ReasonUnknown, untrusted.Err.Error()
	}
	if notTLS, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		if string(notTLS.RecordHeader[:]) == "HTTP/" {
			return ReasonHTTPExpected, "the port speaks http, not https"
		}
		return ReasonNotHTTPS, "the port does not speak TLS"
	}
	// Other failures of a handshake, such as no common version, have no type.
	text := err.Error()
	for _, side := range []string{"remote error: ", "local error: "} {
		text = strings.TrimPrefix(text, side)
	}
	if strings.HasPrefix(text, "tls: ") {
		return ReasonUnknown, text
	}
	return ReasonUnknown, ""
}

// proxyError is the status with which a proxy refused to connect to an https
// server. It replaces the proxy's own words, which net/http would show.
type proxyError int

func (e proxyError) Error() string {
	return fmt.Sprintf("the proxy returned %d %s", int(e), http.StatusText(int(e)))
}

func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return proxyError(response.StatusCode)
	}
	return nil
}
