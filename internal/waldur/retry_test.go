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
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestWaitsDoubleUpToTheCapAndVaryInTheirUpperHalf(t *testing.T) {
	t.Parallel()
	bounds := map[int]time.Duration{
		1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second, 4: 4 * time.Second, 5: 8 * time.Second,
		6: 16 * time.Second, 7: 20 * time.Second, math.MaxInt: 20 * time.Second,
	}
	for attempt := 8; attempt < 200; attempt++ {
		bounds[attempt] = 20 * time.Second
	}
	for attempt, bound := range bounds {
		for _, drawn := range []float64{0, 0.25, 0.5, math.Nextafter(1, 0)} {
			got, want := backoff(attempt, func() float64 { return drawn }), bound/2+time.Duration(drawn*float64(bound/2))
			if got != want || got < bound/2 || got > retryCap {
				t.Errorf("the wait after attempt %d at %v is %s, want %s", attempt, drawn, got, want)
			}
		}
	}
}

func TestRetryAfterIsParsedAsSecondsOrDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	at := func(after time.Duration) string { return now.Add(after).Format(http.TimeFormat) }
	for name, row := range map[string]struct {
		retryAfter, date string
		want             time.Duration
	}{
		"nothing":                        {"", "", 0},
		"seconds":                        {"7", "", 7 * time.Second},
		"seconds with zeros":             {"007", "", 7 * time.Second},
		"an hour":                        {"3600", "", time.Hour},
		"zero":                           {"0", "", 0},
		"negative":                       {"-7", "", 0},
		"plus":                           {"+7", "", 0},
		"a fraction":                     {"1.5", "", 0},
		"an exponent":                    {"1e3", "", 0},
		"hexadecimal":                    {"0x10", "", 0},
		"underscores":                    {"1_0", "", 0},
		"words":                          {"soon", "", 0},
		"two numbers":                    {"7, 8", "", 0},
		"digits of another script":       {"٧", "", 0},
		"the longest duration":           {"9223372036", "", 9223372036 * time.Second},
		"overflows a duration":           {"9223372037", "", 0},
		"overflows 63 bits":              {"9223372036854775808", "", 0},
		"overflows every integer":        {strings.Repeat("9", 100), "", 0},
		"a date":                         {at(7 * time.Second), "", 7 * time.Second},
		"a date in RFC 850 form":         {now.Add(7 * time.Second).Format("Monday, 02-Jan-06 15:04:05 GMT"), "", 7 * time.Second},
		"a date in ANSI C form":          {now.Add(7 * time.Second).Format(time.ANSIC), "", 7 * time.Second},
		"now":                            {at(0), "", 0},
		"a date in the past":             {at(-time.Hour), "", 0},
		"a date that does not exist":     {"Fri, 31 Feb 2025 12:00:00 GMT", "", 0},
		"a date in ISO form":             {"2024-10-15T12:00:07Z", "", 0},
		"a date far away":                {"Fri, 31 Dec 9999 23:59:59 GMT", "", math.MaxInt64},
		"a date, server's clock is fast": {at(time.Hour + 7*time.Second), at(time.Hour), 7 * time.Second},
		"a date, malformed server date":  {at(7 * time.Second), "yesterday", 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Retry-After": {row.retryAfter}, "Date": {row.date}}
			if got := retryAfter(header, now); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
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
		err  error
		want bool
	}{
		"timeout":                                {errRequestTimeout, true},
		"closed":                                 {io.EOF, true},
		"closed before the request":              {errors.New("http: server closed idle connection"), true},
		"cut short":                              {fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), true},
		"refused":                                {of("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)), true},
		"refused on Windows":                     {of("dial", os.NewSyscallError("connectex", syscall.Errno(10061))), true},
		"no route":                               {of("dial", syscall.EHOSTUNREACH), true},
		"reset":                                  {of("read", syscall.ECONNRESET), true},
		"broken pipe":                            {of("write", syscall.EPIPE), true},
		"refused by the proxy's host":            {of("proxyconnect", of("dial", syscall.ECONNREFUSED)), true},
		"the proxy is unavailable":               {proxyError(503), true},
		"the proxy wants a password":             {proxyError(407), false},
		"an untrusted proxy":                     {of("proxyconnect", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), false},
		"the name server did not answer":         {of("dial", &net.DNSError{IsTimeout: true}), true},
		"a temporary failure of the name server": {of("dial", &net.DNSError{IsTemporary: true}), true},
		"the host is unknown":                    {of("dial", &net.DNSError{IsNotFound: true}), false},
		"TLS alert":                              {of("remote error", tls.AlertError(40)), false},
		"anything else":                          {errors.New("anything else"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := isTransient(row.err); got != row.want {
				t.Errorf("%v: isTransient is %t", row.err, got)
			}
		})
	}
}

func TestRetryBudgetIsLimited(t *testing.T) {
	t.Parallel()
	budget := newRetryBudget(4)
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	var group sync.WaitGroup
	var mu sync.Mutex
	withdrawn := 0
	for range 4 * retryReserve {
		group.Go(func() {
			if budget.withdraw(1, nil, now) {
				mu.Lock()
				defer mu.Unlock()
				withdrawn++
			}
		})
	}
	group.Wait()
	if withdrawn != retryReserve {
		t.Errorf("%d retries are allowed, want %d", withdrawn, retryReserve)
	}
	budget.deposit()
	if !budget.withdraw(1, nil, now) || budget.withdraw(1, nil, now) {
		t.Error("a good answer does not deposit exactly one retry")
	}
	for range 2 * retryReserve {
		budget.deposit()
	}
	for range retryReserve {
		if !budget.withdraw(1, nil, now) {
			t.Fatal("good answers do not refill the budget")
		}
	}
	if budget.withdraw(1, nil, now) {
		t.Error("good answers fill the budget beyond the reserve")
	}
}

func TestNoRequestIsMadeWhileAllHangButOneNowAndThen(t *testing.T) {
	t.Parallel()
	budget := newRetryBudget(4)
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	hung := errors.New("hung")
	for budget.withdraw(timeoutPrice, hung, now) {
		if budget.hanging(now) != nil {
			t.Fatal("no request is made while retries are allowed")
		}
	}
	if !errors.Is(budget.hanging(now), hung) {
		t.Error("requests are made after the budget is used up")
	}
	later := now.Add(retryCap + time.Second)
	if budget.hanging(later) != nil || !errors.Is(budget.hanging(later), hung) {
		t.Error("not exactly one request is let through after a while")
	}
	budget.deposit()
	if budget.hanging(later) != nil {
		t.Error("no request is made after one has succeeded")
	}
}

// FuzzRetryAfter checks that the wait is never negative, and that a number of
// seconds is returned exactly.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "7", "-7", "+7", "0", "1.5", "9223372036", "9223372037", "18446744073709551616", "Tue, 15 Oct 2024 12:00:07 GMT",
		"Tuesday, 15-Oct-24 12:00:07 GMT", "Tue Oct 15 12:00:07 2024", "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 0000 23:59:59 GMT", "soon",
	} {
		f.Add(value, "")
		f.Add(value, "Tue, 15 Oct 2024 11:00:00 GMT")
	}
	now := time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		wait := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, now)
		if wait < 0 {
			t.Fatalf("%q is parsed as %s", value, wait)
		}
		digits := strings.TrimLeft(value, "0")
		if strings.Trim(digits, "0123456789") == "" && digits != "" && len(digits) < 10 && strconv.Itoa(int(wait/time.Second)) != digits {
			t.Errorf("%q is parsed as %s", value, wait)
		}
	})
}
