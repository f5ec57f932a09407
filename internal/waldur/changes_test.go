package waldur_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// reads counts reads of changing lists by their result.
type reads struct {
	mu                 sync.Mutex
	all, failed, wrong int
}

func (r *reads) read(t *testing.T, server *waldurtest.Waldur, client *waldur.Client) {
	t.Helper()
	before := server.Records()
	usages, err := client.Usages(t.Context(), everything())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all++
	if err != nil {
		r.failed++
		t.Log(err)
	} else if wrong := problem(usages, before, server.Records()); wrong != "" {
		r.wrong++
		t.Log(wrong)
	}
}

func (r *reads) check(t *testing.T, failedAtMost float64) {
	t.Helper()
	t.Logf("%d reads: %d failed, %d wrong", r.all, r.failed, r.wrong)
	if r.wrong > 0 || float64(r.failed) > failedAtMost*float64(r.all) {
		t.Errorf("want 0 wrong, and at most %g %% failed", 100*failedAtMost)
	}
}

// startSlow returns a server that takes as long as a real one, for a bubble of
// synctest, and its client with the default settings of the provider.
func startSlow(t *testing.T, records []waldurtest.Record, change ...func(*waldur.Config)) (*waldurtest.Waldur, *waldur.Client) {
	t.Helper()
	server := newServer(records...)
	server.Sleep, server.Workers = true, 4
	dial := server.StartInMemory(t)
	defaults := func(config *waldur.Config) {
		config.Dial, config.Clock, config.Random, config.MaxConcurrentRequests, config.MaxRetries = dial, nil, nil, 4, 6
	}
	return server, connect(t, "http://waldur.example.com", append([]func(*waldur.Config){defaults}, change...)...)
}

// Each list has up to three pages of records, in months of up to a third of a page.
// 19 of 20 are on a server with smaller pages than a real one, which costs a tenth
// and is the same to the client.
func TestNothingIsLostWhileRecordsChange(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reads, atOnce int
		between       bool // the count and the select of a request; otherwise before it
		inTen         int  // of ten requests, at how many a record changes
		kinds         []string
	}{
		"records are inserted between count and select":                  {600, 2, true, 3, []string{"insert"}},
		"records are added, deleted and changed before 60 % of requests": {240, 4, false, 6, []string{"insert", "delete", "update"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var result reads
			for pageCap, reads := range map[int]int{300: row.reads / 20, 30: row.reads - row.reads/20} {
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(1, uint64(pageCap)))
				draw := func(n int) int {
					mu.Lock()
					defer mu.Unlock()
					return random.IntN(n)
				}
				server := newServer()
				server.PageCap = pageCap
				change := func(n int) {
					if kind, at := row.kinds[draw(len(row.kinds))], draw(1<<16); draw(10) < row.inTen {
						server.Update(func(records []waldurtest.Record) []waldurtest.Record { return modify(records, kind, at, n) })
					}
				}
				if row.between {
					server.BetweenCountAndSelect = change
				} else {
					server.Before = func(n int, _ *http.Request) { change(n) }
				}
				client := connect(t, server.Start(t), atOnce(row.atOnce))
				for range reads {
					server.Reset()
					server.Update(func([]waldurtest.Record) []waldurtest.Record {
						return months(even(pageCap/6+draw(3*pageCap), pageCap/25+draw(pageCap/3))...)
					})
					result.read(t, server, client)
				}
			}
			result.check(t, 0.02)
		})
	}
}

// On the first of a month, a server of October 2024 writes the records of the new
// month one by one.
func TestReadsSucceedWhileANewMonthAppears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var result reads
		for n := range 60 {
			perMonth := 12 + 3*n
			records := months(even((2+n%5)*perMonth, perMonth)...)
			server, client := startSlow(t, records[perMonth:])
			var writing sync.WaitGroup
			writing.Go(func() { server.Write(t.Context(), 5*time.Millisecond, records[:perMonth]...) })
			result.read(t, server, client)
			writing.Wait()
		}
		result.check(t, 1.0/60)
	})
}

func TestReadsSucceedWhileTheCurrentMonthChangesTwentyTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var result reads
		server, client := startSlow(t, months(even(400, 60)...))
		ctx, stop := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		writing.Go(func() {
			every := time.NewTicker(50 * time.Millisecond)
			defer every.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				<-every.C
				server.Update(func(records []waldurtest.Record) []waldurtest.Record {
					if n%2 == 1 {
						return records[:len(records)-1] // the one that was written last
					}
					return modify(records, "write", 0, n)
				})
			}
		})
		for range 36 {
			result.read(t, server, client)
		}
		stop()
		writing.Wait()
		result.check(t, 0.02)
	})
}

func TestReadsSurviveARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]struct {
		status     int // of a proxy; 0: connections are refused
		retryAfter string
		atOnce     int // requests
	}{
		"connections are refused":         {0, "", 4},
		"a proxy returns 502":             {502, "", 4},
		"a proxy asks to retry in 1 s":    {503, "1", 4},
		"twelve requests at once are met": {502, "", 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				restarting := func() bool { return time.Since(start) < 10*time.Second }
				server, client := startSlow(t, months(even(400, 60)...), atOnce(restart.atOnce), func(config *waldur.Config) {
					dial := config.Dial
					config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
						if restarting() && restart.status == 0 {
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
						}
						return dial(ctx, network, address)
					}
				})
				server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
					if !restarting() {
						return false
					}
					w.Header().Set("Retry-After", restart.retryAfter)
					w.WriteHeader(restart.status)
					return true
				}
				var result reads
				var group sync.WaitGroup
				for range 12 {
					group.Go(func() { result.read(t, server, client) })
				}
				group.Wait()
				result.check(t, 1.0/12)
			})
		})
	}
}

// Without a deadline, an outage in which each request hangs until its timeout
// blocks a pipeline for most of an hour. When the outage is over, the next request
// that is let through ends it for all.
func TestReadsDuringAnOutageEndWithinTheirDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Minute
		server, client := startSlow(t, months(60))
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
						t.Errorf("error %v", err)
					}
				})
			}
			group.Wait()
			return len(server.Requests()) - before
		}
		start := time.Now()
		requests := readAtOnce(50)
		t.Logf("50 reads ended after %s, %d requests", time.Since(start), requests)
		if time.Since(start) > limit || requests > 14 {
			t.Errorf("want at most %s and 14 requests", limit)
		}
		<-time.NewTimer(21 * time.Second).C
		if requests := readAtOnce(3); requests != 1 {
			t.Errorf("%d requests are let through after a while, want 1", requests)
		}
		over.Store(true)
		if requests := readAtOnce(1); requests != 0 {
			t.Errorf("%d requests are let through at once, want 0", requests)
		}
		<-time.NewTimer(21 * time.Second).C
		for range 2 {
			if _, err := client.Usages(t.Context(), everything()); err != nil {
				t.Errorf("error %v after the outage", err)
			}
		}
	})
}

func TestReadEndsAtItsDeadlineWithTheLastFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Second
		server, client := startSlow(t, months(60))
		server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := client.Usages(ctx, everything())
		ended, ok := errors.AsType[*waldur.DeadlineError](err)
		if !ok || time.Since(start) != limit {
			t.Fatalf("error %v after %s", err, time.Since(start))
		}
		if last, ok := errors.AsType[*waldur.StatusError](ended.LastFailure); !ok || last.Status != http.StatusBadGateway {
			t.Errorf("the last failure is %v", ended.LastFailure)
		}
	})
}
