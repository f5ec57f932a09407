package waldur

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRetryAfterIsParsedAsSecondsOrDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	at := func(after time.Duration) string { return now.Add(after).Format(http.TimeFormat) }
	const second = time.Second
	want := map[string]time.Duration{
		"7": 7 * second, "007": 7 * second, "3600": time.Hour, "9223372036": 9223372036 * second,
		at(7 * second):                    7 * second,
		"Tuesday, 15-Oct-24 12:00:07 GMT": 7 * second,
		"Tue Oct 15 12:00:07 2024":        7 * second,
		"Fri, 31 Dec 9999 23:59:59 GMT":   math.MaxInt64,
		"Fri, 31 Feb 2025 12:00:00 GMT":   0,
		"2024-10-15T12:00:07Z":            0,
		"9223372037":                      0, // overflows a duration
		"9223372036854775808":             0, // overflows 63 bits
		strings.Repeat("9", 100):          0,
	}
	for _, unusable := range []string{"", "0", "-7", "+7", "1.5", "1e3", "0x10", "1_0", "soon", "7, 8", "٧", at(0), at(-time.Hour)} {
		want[unusable] = 0
	}
	for value, wait := range want {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != wait {
			t.Errorf("%q is %s, want %s", value, got, wait)
		}
	}
	for date, value := range map[string]string{at(time.Hour): at(time.Hour + 7*second), "yesterday": at(7 * second)} {
		if got := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now); got != 7*second {
			t.Errorf("%q is %s when the server's date is %q", value, got, date)
		}
	}
	if got := retryAfter(http.Header{}, now); got != 0 {
		t.Errorf("%s without the header", got)
	}
}

// Error numbers differ between systems, operations do not. 10061 is "refused" on
// Windows, where these tests do not run.
func TestNetworkErrorsAreTransient(t *testing.T) {
	t.Parallel()
	of := func(operation string, err error) error { return &net.OpError{Op: operation, Net: "tcp", Err: err} }
	for name, row := range map[string]struct {
		err    error
		want   bool
		reason Reason
	}{
		"timeout":                                {errRequestTimeout, true, ReasonTimeout},
		"closed":                                 {io.EOF, true, ReasonUnknown},
		"closed before the request":              {errors.New("http: server closed idle connection"), true, ReasonUnknown},
		"cut short":                              {fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), true, ReasonUnknown},
		"refused":                                {of("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), true, ReasonRefused},
		"refused on Windows":                     {of("dial", os.NewSyscallError("connectex", syscall.Errno(10061))), true, ReasonUnknown},
		"no route":                               {of("dial", syscall.EHOSTUNREACH), true, ReasonUnknown},
		"reset":                                  {of("read", syscall.ECONNRESET), true, ReasonUnknown},
		"broken pipe":                            {of("write", syscall.EPIPE), true, ReasonUnknown},
		"refused by the proxy's host":            {of("proxyconnect", of("dial", syscall.ECONNREFUSED)), true, ReasonProxy},
		"the proxy is unavailable":               {proxyError(503), true, ReasonProxy},
		"the proxy wants a password":             {proxyError(407), false, ReasonProxyCredentials},
		"an untrusted proxy":                     {of("proxyconnect", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), false, ReasonProxy},
		"the name server did not respond":        {of("dial", &net.DNSError{IsTimeout: true}), true, ReasonUnknown},
		"a temporary failure of the name server": {of("dial", &net.DNSError{IsTemporary: true}), true, ReasonUnknown},
		"the host is unknown":                    {of("dial", &net.DNSError{IsNotFound: true}), false, ReasonHostUnknown},
		"TLS alert":                              {of("remote error", tls.AlertError(40)), false, ReasonUnknown},
		"anything else":                          {errors.New("anything else"), false, ReasonUnknown},
	} {
		if reason, problem, transient := (&Client{}).networkProblem(row.err); transient != row.want || reason != row.reason {
			t.Errorf("%s: transient is %t, and the reason %d: %s", name, transient, reason, problem)
		}
	}
}

func TestRetryBudgetIsLimited(t *testing.T) {
	t.Parallel()
	refused, timeout := &UnreachableError{Reason: ReasonRefused}, &UnreachableError{Reason: ReasonTimeout}
	budget := newRetryBudget(4)
	for _, row := range []struct {
		successes int
		failure   error
		retries   int
	}{{0, refused, 50}, {0, refused, 0}, {1, refused, 1}, {100, refused, 50}, {100, timeout, 10}, {4, timeout, 0}, {1, timeout, 1}} {
		for range row.successes {
			budget.deposit()
		}
		retries := 0
		for budget.withdraw(row.failure, time.Time{}) {
			retries++
		}
		if retries != row.retries {
			t.Errorf("%d retries after %d successes, want %d", retries, row.successes, row.retries)
		}
	}
	if reserve := newRetryBudget(10).balance; reserve != 80 {
		t.Errorf("a reserve of %d for ten requests at once", reserve)
	}
}

// FuzzRetryAfter checks that the wait is never negative, and that a number of
// seconds is returned exactly.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "7", "-7", "1.5", "9223372036", "9223372037", "18446744073709551616", "Tue, 15 Oct 2024 12:00:07 GMT",
		"Tuesday, 15-Oct-24 12:00:07 GMT", "Tue Oct 15 12:00:07 2024", "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 0000 23:59:59 GMT",
	} {
		f.Add(value, "")
		f.Add(value, "Tue, 15 Oct 2024 11:00:00 GMT")
	}
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		wait := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now)
		digits := strings.TrimLeft(value, "0")
		isNumber := strings.Trim(digits, "0123456789") == "" && digits != "" && len(digits) < 10
		if wait < 0 || isNumber && strconv.Itoa(int(wait/time.Second)) != digits {
			t.Errorf("%q is parsed as %s", value, wait)
		}
	})
}
