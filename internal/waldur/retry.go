package waldur

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	retryBase = 500 * time.Millisecond // bound of the first wait
	retryCap  = 20 * time.Second       // bound of every wait
	// retryReserve bounds a storm: so many repeats may be owed over the whole
	// client. Each takes one, each good answer gives one back. When Waldur is
	// down, fifty reads do not repeat a hundred and fifty requests.
	retryReserve = 50
)

// reading is one read on behalf of a caller: the requests that it makes share
// its account.
type reading struct {
	*Client
	started           time.Time
	requests, retries int
	memory            memory
}

func (c *Client) newReading() *reading {
	return &reading{Client: c, started: c.config.Clock.Now(), memory: newMemory()}
}

func (r *reading) decoder(request Request, fields FieldSet) decoder {
	return decoder{request: request, fields: fields, memory: r.memory}
}

// get makes a request until it succeeds, or until repeating it is of no use.
func (r *reading) get(ctx context.Context, call call) error {
	serverErrors := 0
	for attempt := 1; ; attempt++ {
		r.requests++
		began := r.config.Clock.Now()
		done, err := r.attempt(ctx, call)
		r.logAttempt(ctx, call, attempt, done, r.config.Clock.Now().Sub(began), err)
		if err == nil {
			r.budget.giveBack()
			return nil
		}
		if done.status == http.StatusInternalServerError {
			serverErrors++
		}
		if !isRetryable(err) || serverErrors > 1 || attempt > r.config.MaxRetries {
			return afterAttempts(err, attempt, false)
		}
		wait := backoff(attempt, r.config.Random)
		if refused, ok := errors.AsType[*StatusError](err); ok && refused.RetryAfter > 0 {
			if refused.RetryAfter > retryCap {
				return afterAttempts(err, attempt, false)
			}
			wait = refused.RetryAfter
		}
		if !r.budget.take() {
			return afterAttempts(err, attempt, true)
		}
		r.retries++
		if err := r.config.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// isRetryable reports whether the same request may succeed a moment later.
func isRetryable(err error) bool {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		return isTransientStatus(refused.Status) || refused.Status == http.StatusInternalServerError
	}
	unreachable, ok := errors.AsType[*UnreachableError](err)
	return ok && unreachable.transient
}

func isTransientStatus(status int) bool {
	return slices.Contains([]int{
		http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

// isTransient reports whether what broke a request off is of the network, and may be
// over a moment later. A failed operation on a connection counts whatever its
// number: refused, reset and unreachable differ from system to system.
func isTransient(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return !dns.IsNotFound
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return slices.Contains([]string{"dial", "read", "write"}, operation.Op) || isTransient(operation.Err)
	}
	if proxy, ok := errors.AsType[proxyError](err); ok {
		return isTransientStatus(int(proxy))
	}
	return errors.Is(err, errRequestTimeout) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		closedAtOnce(err) || malformedHead(err)
}

// afterAttempts notes in the error how often the request was made.
func afterAttempts(err error, attempts int, throttled bool) error {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		refused.Attempts, refused.Throttled = attempts, throttled
	}
	if unreachable, ok := errors.AsType[*UnreachableError](err); ok {
		unreachable.Attempts, unreachable.Throttled = attempts, throttled
	}
	return err
}

// backoff is how long to wait before repeat number attempt: anything up to a
// bound that doubles each time ("full jitter"), so that clients that failed
// together do not come back together.
func backoff(attempt int, random func() float64) time.Duration {
	doublings := min(attempt-1, 6) // the seventh bound is the cap
	return time.Duration(random() * float64(min(retryCap, retryBase<<doublings)))
}

// retryAfter reads Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is
// taken against the server's own Date where that is given, as clocks differ.
// Zero: nothing usable was said, and the ordinary wait applies.
func retryAfter(header http.Header, now time.Time) time.Duration {
	said := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(said, 10, 63); err == nil {
		if seconds > math.MaxInt64/uint64(time.Second) {
			return 0
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(said)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return max(0, until.Sub(now))
}

// retryBudget is shared by all reads of a client.
type retryBudget struct {
	mu   sync.Mutex
	left int
}

func newRetryBudget() *retryBudget { return &retryBudget{left: retryReserve} }

func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		return false
	}
	b.left--
	return true
}

func (b *retryBudget) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(retryReserve, b.left+1)
}

func (r *reading) logAttempt(ctx context.Context, call call, attempt int, done outcome, took time.Duration, err error) {
	fields := map[string]any{
		"method": call.request.Method, "path": call.request.Path, "attempt": attempt,
		"duration_ms": took.Milliseconds(),
	}
	for _, name := range []string{"date_after", "date_before", "page_size", "page"} {
		if value := call.query.Get(name); value != "" {
			fields[name] = value
		}
	}
	if done.status != 0 {
		fields["status"] = done.status
	}
	if done.requestID != "" {
		fields["request_id"] = done.requestID
	}
	if err != nil {
		fields["error"] = err.Error()
	} else {
		fields["records"] = done.records
	}
	r.config.Log(ctx, "Waldur request", fields)
}

func (r *reading) log(ctx context.Context, records int, err error) {
	fields := map[string]any{
		"requests": r.requests, "retries": r.retries,
		"duration_ms": r.config.Clock.Now().Sub(r.started).Milliseconds(),
	}
	if err != nil {
		fields["error"] = err.Error()
	} else {
		fields["records"] = records
	}
	r.config.Log(ctx, "Waldur read", fields)
}
