package waldur

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// refusal returns the error of a response whose status is not 200.
func (c *Client) refusal(ctx context.Context, request Request, response *http.Response) error {
	if location := response.Header.Get("Location"); response.StatusCode/100 == 3 && location != "" {
		return &RedirectError{Request: request, Status: response.StatusCode, Target: c.redirectTarget(response.Request.URL, location)}
	}
	var body []byte
	if response.StatusCode != http.StatusSwitchingProtocols { // its body is the connection itself, which no context closes
		body, _ = io.ReadAll(io.LimitReader(response.Body, maxOtherBytes))
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	refused := &StatusError{
		Request:    request,
		Status:     response.StatusCode,
		RequestID:  c.requestID(response.Header),
		RetryAfter: retryAfter(response.Header, c.config.Clock.Now()),
	}
	var detail string
	if refused.Status >= http.StatusBadRequest { // otherwise, the body may be data
		detail = explanation(body)
	}
	// On their https port, Go, nginx and Apache respond to http with a page. Those of
	// Go and nginx contain "HTTPS", that of Apache "SSL-enabled server port".
	html := string(body)
	expectsHTTPS := detail == "" && (strings.Contains(html, "HTTPS") || strings.Contains(html, "SSL-enabled"))
	if refused.Status == http.StatusBadRequest && c.config.Endpoint.scheme == "http" && expectsHTTPS {
		refused.Reason, refused.Detail = ReasonHTTPSExpected, httpsExpected
		return refused
	}
	refused.Reason, refused.Detail = c.refusalReason(request, refused.Status, detail), c.SafeText(detail)
	return refused
}

const httpsExpected = "the port expects https, not http"

// refusalReason recognizes Waldur's explanations. They are in English, the
// language that every request asks for.
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

// tokenRefusal returns the reason of a 401 response. Waldur returns the same
// explanation whatever is wrong with a personal access token. If it does not accept
// such tokens, it decodes them as JWTs.
func tokenRefusal(kind TokenKind, detail string) Reason {
	for _, known := range []struct {
		detail string // a prefix
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
		if !strings.HasPrefix(detail, known.detail) {
			continue
		}
		switch {
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

// redirectTarget returns the origin and the path of a redirect, which reveal a
// missing "s" or a missing prefix. The query is left out.
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

// failure converts the error of a request without a complete response to one of
// this package's types. It returns a FormatError unchanged and, if ctx has ended,
// the error of ctx.
func (c *Client) failure(ctx, timed context.Context, request Request, err error) error {
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
		return &TLSError{Request: request, Origin: origin, Reason: reason, Problem: c.SafeText(unquote(problem))}
	}
	reason, problem, transient := c.networkProblem(err)
	return &UnreachableError{Request: request, Origin: origin, Reason: reason, Problem: c.SafeText(unquote(problem)), transient: transient}
}

// unquote undoes the escapes in the quoted parts of an error's text. net/http quotes
// what it cannot parse; [Client.SafeText] removes control characters only if they are
// not escaped.
func unquote(text string) string {
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	return quoted.ReplaceAllStringFunc(text, func(part string) string {
		if plain, err := strconv.Unquote(part); err == nil {
			return `"` + plain + `"`
		}
		return part
	})
}

// networkProblem says in a few words why there is no response, and reports whether
// the same request may succeed a moment later.
func (c *Client) networkProblem(err error) (reason Reason, problem string, transient bool) {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	network, isNetwork := errors.AsType[*net.OpError](err)
	proxy, isProxy := errors.AsType[proxyError](err)
	text := err.Error()
	switch {
	case isProxy && proxy == http.StatusProxyAuthRequired:
		return ReasonProxyCredentials, proxy.Error(), false
	case isProxy:
		return ReasonProxy, proxy.Error(), isTransientStatus(int(proxy))
	case isNetwork && network.Op == "proxyconnect":
		if _, problem = tlsProblem(network.Err); problem == "" {
			_, problem, transient = c.networkProblem(network.Err)
		}
		return ReasonProxy, "the proxy: " + problem, transient
	case errors.Is(err, errRequestTimeout):
		return ReasonTimeout, fmt.Sprintf("no complete response within %s", c.config.RequestTimeout.Round(time.Millisecond)), true
	case !isNetwork && errors.Is(err, context.DeadlineExceeded): // net/http waits a minute for a proxy to connect
		return ReasonProxy, "the proxy: no connection within a minute", true
	case isDNS && dns.IsNotFound:
		return ReasonHostUnknown, fmt.Sprintf("the host %s is unknown", dns.Name), false
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonConnectionRefused, "the connection was refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ReasonUnknown, "the connection was reset", true
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ReasonUnknown, "the response was cut short", true
	// The connection was closed before the request was written: net/http does not
	// export this error.
	case errors.Is(err, io.EOF), strings.Contains(text, "http: server closed idle connection"):
		return ReasonUnknown, "the connection was closed before a response", true
	// The start of a TLS alert.
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return ReasonHTTPSExpected, httpsExpected, false
	default:
		return ReasonUnknown, text, isDNS || isConnectionFailure(err) || isMalformedHead(err)
	}
}

// isConnectionFailure reports whether an operation on a connection failed. The
// error numbers of refused, reset and unreachable differ between systems.
func isConnectionFailure(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && (slices.Contains([]string{"dial", "read", "write"}, network.Op) || isConnectionFailure(network.Err))
}

// isMalformedHead reports whether the head of a response cannot be parsed. If the
// connection ends in the middle of a line, net/http reports a malformed line.
func isMalformedHead(err error) bool {
	_, line := errors.AsType[textproto.ProtocolError](err)
	return line || strings.Contains(err.Error(), "malformed HTTP ")
}

// tlsProblem says why a connection is not trusted. It returns "" for another error,
// also for one of the connection to a proxy.
func tlsProblem(err error) (Reason, string) {
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "proxyconnect" {
		return ReasonUnknown, ""
	}
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
// server. It replaces the text of the proxy, which net/http would show.
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

// explanation returns the text of an error body: {"detail": "…"}, {"attribute":
// ["…"]} or ["…"]. It returns "" for a body that is not JSON, such as the HTML page
// of a proxy. A part of an explanation is better than none, so malformed JSON is
// read up to its error.
func explanation(body []byte) string {
	in := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var said []string
	for {
		token, err := in.ReadToken()
		if err != nil {
			return strings.Join(said, " ")
		}
		if token.Kind() != '"' {
			continue
		}
		text := token.String()
		if kind, n := in.StackIndex(in.StackDepth()); kind == '{' && n%2 == 1 { // a member's name
			if text == "detail" || text == "non_field_errors" {
				continue
			}
			text += ":"
		}
		said = append(said, text)
	}
}
