package waldur

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	retryBase = 500 * time.Millisecond // bound of the first wait
	retryCap  = 20 * time.Second       // bound of every wait
	// Capacity of the retry budget: 50, or 8 for each concurrent request (6 retries,
	// the default, and 2 more) if that is more. A retry withdraws 1, or timeoutPrice
	// after a timeout of a request, and a success deposits 1.
	retryReserve           = 50
	retryReservePerRequest = 8
	timeoutPrice           = 5 // timeouts cost a run the most time
)

// operation holds the state shared by all requests of one read.
type operation struct {
	client  *Client
	started time.Time

	mu                sync.Mutex
	requests, retries int
	lastFailure       error
}

func (c *Client) newOperation() *operation {
	return &operation{client: c, started: c.config.Clock.Now()}
}

// get makes a request, and retries it while that may help. It holds the semaphore
// during the waits, so no more than the maximum number of concurrent requests are
// tried at a time, even during an outage.
func (o *operation) get(ctx context.Context, asked call) (http.Header, []byte, error) {
	if err := o.client.sem.Acquire(ctx, 1); err != nil {
		return nil, nil, err
	}
	defer o.client.sem.Release(1)
	clock, budget := o.client.config.Clock, o.client.retries
	// While requests hang, most are not sent.
	if timeout := budget.admit(clock.Now()); timeout != nil {
		return nil, nil, &OutageError{Request: asked.request, Timeout: timeout}
	}
	for attempt := 1; ; attempt++ {
		began := clock.Now()
		got, err := o.client.attempt(ctx, asked)
		setAttempts(err, attempt)
		o.recordAttempt(ctx, asked, attempt, got, clock.Now().Sub(began), err)
		if err == nil {
			budget.deposit()
			return got.header, got.body, nil
		}
		wait, retry := o.nextWait(err, attempt)
		if !retry {
			return nil, nil, err
		}
		if !budget.withdraw(err, clock.Now()) {
			return nil, nil, budgetUsedUp(err)
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return nil, nil, err
		}
	}
}

// nextWait returns how long to wait before the next attempt, and reports whether
// there is to be one.
func (o *operation) nextWait(err error, attempt int) (wait time.Duration, retry bool) {
	wait = backoff(attempt, o.client.config.Random)
	if refused, ok := errors.AsType[*StatusError](err); ok {
		wait = max(wait, refused.RetryAfter)
	}
	return wait, isRetryable(err, attempt) && attempt <= o.client.config.MaxRetries && wait <= retryCap
}

// wait waits before a step of a list is repeated, and keeps its failure for end.
func (o *operation) wait(ctx context.Context, attempt int, failure error) error {
	o.mu.Lock()
	o.lastFailure = failure
	o.mu.Unlock()
	return o.client.config.Clock.Sleep(ctx, backoff(attempt, o.client.config.Random))
}

// recordAttempt counts and logs an attempt, and keeps its failure for end.
func (o *operation) recordAttempt(ctx context.Context, asked call, attempt int, got result, took time.Duration, err error) {
	o.mu.Lock()
	o.requests++
	if attempt > 1 {
		o.retries++
	}
	if err != nil && ctx.Err() == nil {
		o.lastFailure = err
	}
	o.mu.Unlock()
	fields := map[string]any{
		"method": asked.request.Method, "path": asked.request.Path, "attempt": attempt,
		"duration_ms": took.Milliseconds(),
	}
	for _, name := range []string{"date_after", "date_before", "page_size", "page"} {
		if value := asked.query.Get(name); value != "" {
			fields[name] = value
		}
	}
	if got.status != 0 {
		fields["status"] = got.status
	}
	if id := o.client.requestID(got.header); id != "" {
		fields["request_id"] = id
	}
	if err != nil {
		fields["error"] = err.Error()
	} else {
		fields["bytes"] = len(got.body)
	}
	o.client.config.Log(ctx, "Waldur request", fields)
}

// end logs the read and returns its error: a DeadlineError with the last failure
// if the deadline has passed.
func (o *operation) end(ctx context.Context, request Request, records int, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &DeadlineError{Request: request, LastFailure: o.lastFailure}
	}
	fields := map[string]any{
		"requests": o.requests, "retries": o.retries,
		"duration_ms": o.client.config.Clock.Now().Sub(o.started).Milliseconds(),
	}
	if err != nil {
		fields["error"] = err.Error()
	} else {
		fields["records"] = records
	}
	o.client.config.Log(ctx, "Waldur read", fields)
	return err
}

// isRetryable reports whether the same request may succeed a moment later.
func isRetryable(err error, attempt int) bool {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		// Waldur returns 500 without an explanation while its database restarts. A 500
		// with an explanation is retried only after the first attempt.
		broken := refused.Status == http.StatusInternalServerError
		return isTransientStatus(refused.Status) || broken && (refused.Detail == "" || attempt == 1)
	}
	unreachable, ok := errors.AsType[*UnreachableError](err)
	return ok && unreachable.transient
}

func isTransientStatus(status int) bool {
	return slices.Contains([]int{
		http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

// setAttempts sets in the error of a request how often it was made.
func setAttempts(err error, attempts int) {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		refused.Attempts = attempts
	}
	if unreachable, ok := errors.AsType[*UnreachableError](err); ok {
		unreachable.Attempts = attempts
	}
}

// budgetUsedUp returns a copy of an error that says why its request is not retried.
// The original is shared: recordAttempt and withdraw have kept it.
func budgetUsedUp(err error) error {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		final := *refused
		final.BudgetUsedUp = true
		return &final
	}
	if unreachable, ok := errors.AsType[*UnreachableError](err); ok {
		final := *unreachable
		final.BudgetUsedUp = true
		return &final
	}
	return err
}

// backoff returns how long to wait before retry number attempt: between half of
// a bound and the bound, which doubles each time. The fixed half outlasts a
// restart of the server; the random half spreads clients that failed together.
func backoff(attempt int, random func() float64) time.Duration {
	doublings := min(attempt-1, 6) // the seventh bound is the cap
	bound := min(retryCap, retryBase<<doublings)
	return bound/2 + time.Duration(random()*float64(bound/2))
}

// retryAfter parses Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is
// compared with the response's Date header if there is one, since clocks differ. It
// returns 0 if the header is missing or malformed.
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

// retryBudget is shared by all requests of a client.
type retryBudget struct {
	reserve int

	mu      sync.Mutex
	balance int
	hung    error     // the latest timeout that was not retried, since the budget was used up; nil after a success
	since   time.Time // time of that timeout, or of the last request that was let through
}

func newRetryBudget(concurrentRequests int) *retryBudget {
	reserve := max(retryReserve, retryReservePerRequest*concurrentRequests)
	return &retryBudget{reserve: reserve, balance: reserve}
}

// withdraw reports whether a retry is allowed after a failure.
func (b *retryBudget) withdraw(failure error, now time.Time) bool {
	unreachable, ok := errors.AsType[*UnreachableError](failure)
	timeout, price := ok && unreachable.Reason == ReasonTimeout, 1
	if timeout {
		price = timeoutPrice
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.balance >= price {
		b.balance -= price
		return true
	}
	if timeout {
		b.hung, b.since = unreachable, now
	}
	return false
}

func (b *retryBudget) deposit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.balance = min(b.reserve, b.balance+1)
	b.hung = nil
}

// admit returns nil if a request may be made. Otherwise it would probably hang, since
// the budget is used up and no request has succeeded since: admit returns the
// timeout that showed it. One request is let through every retryCap.
func (b *retryBudget) admit(now time.Time) (timeout error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hung != nil && now.Sub(b.since) > retryCap {
		b.since = now
		return nil
	}
	return b.hung
}
