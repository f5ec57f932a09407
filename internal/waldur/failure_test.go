package waldur_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// Waldur has one explanation for any invalid personal access token, and decodes the
// token as a JWT if personal access tokens are disabled.
func TestReasonOfARefusalIsRecognized(t *testing.T) {
	t.Parallel()
	const personal = "w_1735689599_Abc"
	detail := func(text string) string { return `{"detail":"` + text + `"}` }
	for name, row := range map[string]struct {
		token  string // empty: waldurtest.Token
		status int
		body   string
		byID   bool
		want   waldur.Reason
	}{
		"no token":                     {"", 401, detail("Authentication credentials were not provided."), false, waldur.ReasonNotProvided},
		"unknown token":                {"", 401, detail("Invalid token."), false, waldur.ReasonTokenInvalid},
		"token with spaces":            {"", 401, detail("Invalid token. Token string should not contain spaces."), false, waldur.ReasonTokenInvalid},
		"expired token":                {"", 401, detail("Token has expired."), true, waldur.ReasonTokenExpired},
		"inactive user":                {"", 401, detail("User inactive or deleted."), false, waldur.ReasonUserInactive},
		"malformed JWT":                {"", 401, detail("Invalid JWT token."), false, waldur.ReasonJWTMalformed},
		"inactive JWT":                 {"", 401, detail("Token is inactive or invalid."), false, waldur.ReasonJWTInactive},
		"no OIDC provider":             {"", 401, detail("Introspection configuration is incomplete."), false, waldur.ReasonOIDCNotConfigured},
		"OIDC provider fails":          {"", 401, detail("Introspection endpoint error."), false, waldur.ReasonOIDCProviderFailed},
		"OIDC provider is unreachable": {"", 401, detail("Connection to introspection endpoint failed: timed out"), false, waldur.ReasonOIDCProviderFailed},
		"JWT without a user":           {"", 401, detail("Token does not contain required user identifier field: 'username'"), false, waldur.ReasonUserIdentifierMissing},
		"another reason":               {"", 401, detail("No."), false, waldur.ReasonUnknown},
		"no reason":                    {"", 401, ``, false, waldur.ReasonUnknown},
		"a reason in another status":   {"", 403, detail("Invalid token."), false, waldur.ReasonUnknown},
		"personal, invalid":            {personal, 401, detail("Invalid token."), false, waldur.ReasonPersonalTokenInvalid},
		"personal, disabled":           {personal, 401, detail("Invalid JWT token."), false, waldur.ReasonPersonalTokensDisabled},
		"personal, inactive user":      {personal, 401, detail("User inactive or deleted."), false, waldur.ReasonUserInactive},
		"personal, expired":            {personal, 401, detail("Token has expired."), false, waldur.ReasonTokenExpired},
		"personal, another reason":     {personal, 401, detail("Something new in a server."), false, waldur.ReasonUnknown},
		"scope":                        {"", 400, `["Can't restore object from url: https://waldur.example.com/x"]`, false, waldur.ReasonScopeNotVisible},
		"dates":                        {"", 400, `{"date_after":["Enter a valid date."]}`, false, waldur.ReasonUnknown},
		"record":                       {"", 404, detail("No CategoryComponentUsage matches the given query."), true, waldur.ReasonRecordNotFound},
		"record, in other words":       {"", 404, detail("Not found."), true, waldur.ReasonRecordNotFound},
		"record, by something else":    {"", 404, `<h1>Not Found</h1>`, true, waldur.ReasonUnknown},
		"page":                         {"", 404, detail("Invalid page."), false, waldur.ReasonUnknown},
		"proxy":                        {"", 407, ``, false, waldur.ReasonProxyCredentials},
		"http to Go's https port":      {"", 400, "Client sent an HTTP request to an HTTPS server.\n", false, waldur.ReasonHTTPSExpected},
		"http to nginx's https port":   {"", 400, `<h1>400 The plain HTTP request was sent to HTTPS port</h1>`, false, waldur.ReasonHTTPSExpected},
		"http to Apache's https port":  {"", 400, `You're speaking plain HTTP to an SSL-enabled server port.`, false, waldur.ReasonHTTPSExpected},
		"HTTPS in an explanation":      {"", 400, detail("Use HTTPS."), false, waldur.ReasonUnknown},
		"any other status":             {"", 500, detail("Invalid token."), false, waldur.ReasonUnknown},
	} {
		url, _ := serve(t, status(row.status, row.body))
		config := waldur.Config{Token: token(t, cmp.Or(row.token, waldurtest.Token))}
		_, err := readAll(t, url, config)
		if row.byID {
			_, err = readDate(t, url, config)
		}
		if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Status != row.status || refused.Reason != row.want {
			t.Errorf("%s: got error %v, want reason %d", name, err, row.want)
		}
	}
}

func TestExplanationIsFoundInTheBodyOfAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"detail":"Invalid token."}`:                             "Invalid token.",
		`{"date_after":["One."],"date_before":["Two.","Three."]}`: "date_after: One. date_before: Two. Three.",
		`{"non_field_errors":["One."]}`:                           "One.",
		`["Can't restore object from url: garbage"]`:              "Can't restore object from url: garbage",
		`"No."`:                             "No.",
		`{"detail":"No.","code":7}`:         "No. code:",
		`{"detail":"One.","detail":"Two."}`: "One. Two.",
		`{"detail":"One.","more":["Tw`:      "One. more:",
		"{\"detail\":\"\xff.\"}":            "\ufffd.",
		``:                                  "",
		"\n<!doctype html>\n<html>":         "",
		`no healthy upstream`:               "",
		strings.Repeat("[", 64<<10):         "",
		`{"a":{"b":{"detail":"No."}}}`:      "a: b: No.",
	} {
		url, _ := serve(t, status(400, body))
		_, err := readDate(t, url, waldur.Config{})
		if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Detail != want {
			t.Errorf("%.100s: got error %v, want detail %q", body, err, want)
		}
	}
}

// Error numbers differ between systems, operations do not: 10061 is "refused" on
// Windows, where these tests do not run.
func TestOnlyTransientNetworkErrorsAreRetried(t *testing.T) {
	t.Parallel()
	unknownHost := strings.Repeat("a", 64) + ".example.com" // a DNS label has at most 63 characters
	_, timedOut := (&net.Dialer{Deadline: time.Unix(1, 0)}).Dial("tcp", "127.0.0.1:1")
	of := func(operation string, err error) error { return &net.OpError{Op: operation, Net: "tcp", Err: err} }
	for name, want := range map[string]struct {
		err      error // of the dial; nil: that of DNS
		attempts int
		reason   waldur.Reason
		problem  string
	}{
		"closed":                      {io.EOF, allRetries, waldur.ReasonUnknown, "the connection was closed before a response"},
		"closed before the request":   {errors.New("http: server closed idle connection"), allRetries, waldur.ReasonUnknown, "the connection was closed before a response"},
		"cut short":                   {fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), allRetries, waldur.ReasonUnknown, "the response was cut short"},
		"refused":                     {of("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), allRetries, waldur.ReasonConnectionRefused, "the connection was refused"},
		"refused on Windows":          {of("dial", os.NewSyscallError("connectex", syscall.Errno(10061))), allRetries, waldur.ReasonUnknown, "dial tcp: connectex"},
		"no route":                    {of("dial", syscall.EHOSTUNREACH), allRetries, waldur.ReasonUnknown, "dial tcp: no route to host"},
		"reset":                       {of("read", syscall.ECONNRESET), allRetries, waldur.ReasonUnknown, "the connection was reset"},
		"broken pipe":                 {of("write", syscall.EPIPE), allRetries, waldur.ReasonUnknown, "the connection was reset"},
		"refused by the proxy's host": {of("proxyconnect", of("dial", syscall.ECONNREFUSED)), allRetries, waldur.ReasonProxy, "the proxy: the connection was refused"},
		"the proxy's certificate is not trusted": {
			of("proxyconnect", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), noRetry, waldur.ReasonProxy, "the proxy: x509: ",
		},
		"the proxy speaks http": {
			of("proxyconnect", tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))}), noRetry, waldur.ReasonProxy, "the proxy: the port speaks http, not https",
		},
		"a proxy that does not connect":          {context.DeadlineExceeded, allRetries, waldur.ReasonProxy, "the proxy: no connection within a minute"},
		"a timeout of the system":                {timedOut, allRetries, waldur.ReasonUnknown, "dial tcp 127.0.0.1:1: i/o timeout"},
		"the name server did not respond":        {of("dial", &net.DNSError{IsTimeout: true}), allRetries, waldur.ReasonUnknown, "dial tcp"},
		"a temporary failure of the name server": {of("dial", &net.DNSError{IsTemporary: true}), allRetries, waldur.ReasonUnknown, "dial tcp"},
		"the host is unknown":                    {nil, noRetry, waldur.ReasonHostUnknown, "the host " + unknownHost + " is unknown"},
		"anything else":                          {errors.New("anything else"), noRetry, waldur.ReasonUnknown, "anything else"},
	} {
		var config waldur.Config
		if want.err != nil {
			config.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, want.err }
		}
		_, err := readDate(t, "https://"+unknownHost, config)
		got, ok := errors.AsType[*waldur.UnreachableError](err)
		if !ok || got.Attempts != want.attempts || got.Reason != want.reason || !strings.HasPrefix(got.Problem, want.problem) {
			t.Errorf("%s: got error %+v, want reason %d, problem %q after %d attempts", name, err, want.reason, want.problem, want.attempts)
		}
	}
}
