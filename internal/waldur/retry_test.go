package waldur_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestWaitsDoubleUpToTheCapAndVaryInTheirUpperHalf(t *testing.T) {
	t.Parallel()
	for _, retries := range []int{-1, 1, 12, 50} {
		for _, drawn := range []float64{0, 0.25, math.Nextafter(1, 0)} {
			url, requests := serve(t, status(503, "{}"))
			clock := new(clock)
			_, err := readDate(t, url, waldur.Config{MaxRetries: retries, Clock: clock, Random: func() float64 { return drawn }})
			want := max(0, retries)
			refused, ok := errors.AsType[*waldur.StatusError](err)
			if !ok || refused.Attempts != 1+want || refused.BudgetUsedUp || requests() != 1+want || len(clock.waits()) != want {
				t.Errorf("got error %v after %d requests and waits of %v, want %d retries", err, requests(), clock.waits(), want)
			}
			for i, wait := range clock.waits() {
				bound := min(20*time.Second, 500*time.Millisecond<<min(i, 10))
				if want := bound/2 + time.Duration(drawn*float64(bound/2)); wait != want || wait > bound {
					t.Errorf("wait %d with %v drawn: got %s, want %s", i+1, drawn, wait, want)
				}
			}
		}
	}
}

func TestRetryAfterIsHonoredUpToTheCap(t *testing.T) {
	t.Parallel()
	const second, waitCap, backoff = time.Second, 20 * time.Second, 375 * time.Millisecond // three quarters of the first bound
	at := func(after time.Duration) string { return new(clock).Now().Add(after).Format(http.TimeFormat) }
	retryAfter := map[string]time.Duration{
		"7": 7 * second, "007": 7 * second, "20": 20 * second, "21": 21 * second, "3600": time.Hour, "9223372036": 9223372036 * second,
		at(7 * second):                    7 * second,
		at(20 * second):                   20 * second,
		at(time.Hour):                     time.Hour,
		"Tuesday, 15-Oct-24 12:00:07 GMT": 7 * second,
		"Tue Oct 15 12:00:07 2024":        7 * second,
		"Fri, 31 Dec 9999 23:59:59 GMT":   math.MaxInt64,
		// Relative to the clock of the server, if it is known.
		at(time.Hour+7*second) + "\r\nDate: " + at(time.Hour): 7 * second,
		at(7*second) + "\r\nDate: yesterday":                  7 * second,
	}
	for _, unusable := range []string{
		"", "0", "-7", "+7", "1.5", "1e3", "0x10", "1_0", "soon", "7, 8", "٧", at(0), at(-time.Hour),
		"Fri, 31 Feb 2025 12:00:00 GMT", "2024-10-15T12:00:07Z", "9223372037", "9223372036854775808", strings.Repeat("9", 100),
	} {
		retryAfter[unusable] = 0
	}
	for value, want := range retryAfter {
		for _, code := range []int{429, 503} {
			url, requests := serve(t, status(code, "{}", "Retry-After: "+value), validResponse())
			clock := new(clock)
			_, err := readDate(t, url, waldur.Config{Clock: clock})
			waits, wantRequests := []time.Duration{max(want, backoff)}, 2
			if want > waitCap {
				waits, wantRequests = nil, 1
			}
			refused, failed := errors.AsType[*waldur.StatusError](err)
			if failed != (want > waitCap) || failed && refused.RetryAfter != want || !slices.Equal(clock.waits(), waits) || requests() != wantRequests {
				t.Errorf("%d, %q: got error %v after %d requests and waits of %v, want waits of %v", code, value, err, requests(), clock.waits(), waits)
			}
		}
	}
}

func TestServerErrorIsRetriedOnceAmongOtherFaults(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, status(500, "{}"), status(503, "{}"), status(500, `{"detail":"Again."}`), validResponse())
	_, err := readDate(t, url, waldur.Config{})
	if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Status != 500 || requests() != 3 {
		t.Errorf("got error %v after %d requests, want the second status 500 after 3", err, requests())
	}
}

// A pipeline must not fail because of one bad response among hundreds, and a list
// must not lack the records of a bad response. One response in five is a fault.
func TestReadsInAStormOfFaultsAreExactOrFail(t *testing.T) {
	t.Parallel()
	const reads, requestsAtOnce = 1000, 8
	records := months(even(24, 4)...)
	drawn := func(n int) int { return rand.New(rand.NewPCG(1, uint64(n))).IntN(20) } // below 4: a fault
	storm := newServer(records...)
	storm.PageCap = 20 // fewer records to decode per request
	storm.Intercept = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		switch drawn(n) {
		case 0:
			http.Error(w, "<h1>Service Unavailable</h1>", http.StatusServiceUnavailable)
		case 1:
			w.Header().Set("Retry-After", "3")
			http.Error(w, `{"detail":"Request was throttled."}`, http.StatusTooManyRequests)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	storm.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) {
		if drawn(n) == 3 {
			response.Header.Set("Content-Length", strconv.Itoa(len(response.Body)))
			response.Body = response.Body[:len(response.Body)/2]
		}
	}
	url := storm.Start(t)
	want := usagesOf(records, url)
	client := connect(t, url, waldur.Config{MaxConcurrentRequests: requestsAtOnce, MaxRetries: 5})
	var exact atomic.Int32
	var group sync.WaitGroup
	for range requestsAtOnce {
		group.Go(func() {
			for range reads / requestsAtOnce {
				usages, err := client.Usages(t.Context(), everything())
				switch {
				case err == nil && slices.Equal(usages, want):
					exact.Add(1)
				case err == nil:
					t.Errorf("got %d wrong records and no error", len(usages))
				case !isType[*waldur.StatusError](err) && !isType[*waldur.UnreachableError](err):
					t.Errorf("got error %T: %v", err, err)
				}
			}
		})
	}
	group.Wait()
	faulty, total := 0, len(storm.Requests())
	for n := range total {
		if drawn(n+1) < 4 {
			faulty++
		}
	}
	t.Logf("%d of %d reads exact; %d of %d responses faulty", exact.Load(), reads, faulty, total)
	if exact.Load() < reads*99/100 {
		t.Error("want at least 99 % of the reads to be exact")
	}
	if faulty*5 < total*9/10 || total < 2*reads {
		t.Errorf("want about a fifth of at least %d responses to be faulty", 2*reads)
	}
}

// Without a budget, each of 50 data sources makes 1 + max_retries requests when
// Waldur is down, and the plan waits for all of them.
func TestOutageIsLimitedByTheSharedRetryBudget(t *testing.T) {
	t.Parallel()
	const reads, readsAtOnce = 50, 10 // Terraform reads 10 at once
	const before = 60                 // successes before the outage, which do not raise the budget
	const budget = 50                 // retries in the outage
	const after = 2                   // successes after the outage, each of which allows a retry
	for name, outage := range map[string]struct {
		response response
		retries  int
		most     time.Duration // total of all waits
	}{
		"every response 503":               {status(503, "{}"), 3, budget * 2 * time.Second},
		"every response 503, many retries": {status(503, "{}"), 1000, budget * 20 * time.Second},
		"every response has Retry-After":   {status(503, "{}", "Retry-After: 20"), 3, budget * 20 * time.Second},
		"every connection closed":          {reply(""), 3, budget * 2 * time.Second},
		"every response cut short":         {reply(head(200, "Content-Length: 100") + "[{"), 3, budget * 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			success, failure := []response{status(200, "[]", "X-Result-Count: 0")}, []response{outage.response}
			url, requests := serve(t, slices.Concat(
				slices.Repeat(success, before), slices.Repeat(failure, reads+budget), slices.Repeat(success, after), failure)...)
			clock := new(clock)
			client := connect(t, url, waldur.Config{MaxRetries: outage.retries, Clock: clock, Random: func() float64 { return 0.999 }})
			read := func() (attempts int, throttled bool) {
				_, err := client.Usages(t.Context(), everything())
				if refused, ok := errors.AsType[*waldur.StatusError](err); ok {
					return refused.Attempts, refused.BudgetUsedUp
				}
				if unreachable, ok := errors.AsType[*waldur.UnreachableError](err); ok {
					return unreachable.Attempts, unreachable.BudgetUsedUp
				}
				return 0, false
			}
			for range before {
				read()
			}
			var group sync.WaitGroup
			for range readsAtOnce {
				group.Go(func() {
					for range reads / readsAtOnce {
						if attempts, _ := read(); attempts == 0 {
							t.Error("got no error, want one in the outage")
						}
					}
				})
			}
			group.Wait()
			var waited time.Duration
			for _, wait := range clock.waits() {
				waited += wait
			}
			if got, want := requests(), before+reads+budget; got != want || waited > outage.most {
				t.Errorf("got %d requests, waits of %s in total, want %d, at most %s", got, waited, want, outage.most)
			}
			for range after {
				read()
			}
			if attempts, throttled := read(); attempts != 1+after || !throttled {
				t.Errorf("got %d attempts, throttled %t, want %d after as many successes, true", attempts, throttled, 1+after)
			}
		})
	}
}

func TestReadsSurviveARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]struct {
		status     int // of a proxy; 0: connections are closed
		retryAfter string
		atOnce     int // requests
	}{
		"connections are closed":                {0, "", 4},
		"a proxy returns 502":                   {502, "", 4},
		"a proxy asks to retry in 1 s":          {503, "1", 4},
		"twelve requests are in flight at once": {502, "", 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, records := time.Now(), months(even(400, 60)...)
				server, client := startSlow(t, records, waldur.Config{MaxConcurrentRequests: restart.atOnce})
				server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
					if time.Since(start) >= 10*time.Second {
						return false
					}
					if restart.status == 0 {
						panic(http.ErrAbortHandler)
					}
					w.Header().Set("Retry-After", restart.retryAfter)
					w.WriteHeader(restart.status)
					return true
				}
				var group sync.WaitGroup
				for range 12 {
					group.Go(func() {
						usages, err := client.Usages(t.Context(), everything())
						wantAll(t, usages, err, "http://waldur.example.com", records)
					})
				}
				group.Wait()
			})
		})
	}
}

// Without a deadline, an outage in which each request hangs until its timeout
// blocks a pipeline for most of an hour. After the outage, the next request that is
// let through ends the block for all reads.
func TestReadsDuringAnOutageEndWithinTheirDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Minute
		server, client := startSlow(t, months(60), waldur.Config{})
		var over atomic.Bool
		server.Intercept = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
			if !over.Load() {
				<-r.Context().Done()
			}
			return !over.Load()
		}
		readAtOnce := func(reads int) (requests int) {
			before := len(server.Requests())
			var group sync.WaitGroup
			for range reads {
				group.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()
					_, err := client.Usages(ctx, everything())
					if !isType[*waldur.OutageError](err) && !isType[*waldur.UnreachableError](err) {
						t.Errorf("got error %v, want that of the outage", err)
					}
				})
			}
			group.Wait()
			return len(server.Requests()) - before
		}
		start := time.Now()
		requests := readAtOnce(50)
		t.Logf("50 reads ended after %s, %d requests", time.Since(start), requests)
		if time.Since(start) > limit || requests != 14 {
			t.Errorf("want at most %s and 14 requests: 4 at once and 10 retries", limit)
		}
		<-time.NewTimer(21 * time.Second).C
		if requests := readAtOnce(3); requests != 1 {
			t.Errorf("got %d requests after a while, want 1 that is let through", requests)
		}
		over.Store(true)
		if requests := readAtOnce(1); requests != 0 {
			t.Errorf("got %d requests at once, want 0", requests)
		}
		<-time.NewTimer(21 * time.Second).C
		for range 2 {
			if _, err := client.Usages(t.Context(), everything()); err != nil {
				t.Errorf("got error %v after the outage", err)
			}
		}
	})
}

func TestReadEndsAtItsDeadlineWithTheLastFailure(t *testing.T) {
	t.Parallel()
	refuse := func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	isRefusal := func(err error) bool {
		refused, ok := errors.AsType[*waldur.StatusError](err)
		return ok && refused.Status == http.StatusBadGateway
	}
	for name, row := range map[string]struct {
		disturb func(*waldurtest.Waldur)
		isLast  func(error) bool
	}{
		"while it waits for a retry": {func(server *waldurtest.Waldur) { server.Intercept = refuse }, isRefusal},
		"during a request": {func(server *waldurtest.Waldur) {
			server.Intercept = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n > 1 {
					<-r.Context().Done()
				}
				return refuse(n, w, r)
			}
		}, isRefusal},
		"while records change": {func(server *waldurtest.Waldur) {
			server.Rewrite = func(_ int, _ *http.Request, response *waldurtest.Response) { empty(response, 60) }
		}, isType[*waldur.IncompleteError]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const limit = 10 * time.Second
				server, client := startSlow(t, months(60), waldur.Config{})
				row.disturb(server)
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				_, err := client.Usages(ctx, everything())
				ended, ok := errors.AsType[*waldur.DeadlineError](err)
				if !ok || time.Since(start) != limit {
					t.Fatalf("got error %v after %s, want a DeadlineError after %s", err, time.Since(start), limit)
				}
				if !row.isLast(ended.LastFailure) {
					t.Errorf("got last failure %v of type %[1]T", ended.LastFailure)
				}
			})
		})
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
	f.Fuzz(func(t *testing.T, value, date string) {
		wait := waldur.RetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, new(clock).Now())
		digits := strings.TrimLeft(value, "0")
		isNumber := strings.Trim(digits, "0123456789") == "" && digits != "" && len(digits) < 10
		if wait < 0 || isNumber && strconv.Itoa(int(wait/time.Second)) != digits {
			t.Errorf("%q: got %s", value, wait)
		}
	})
}
