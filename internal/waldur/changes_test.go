package waldur_test

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
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
func startSlow(t *testing.T, records []waldurtest.Record, config waldur.Config) (*waldurtest.Waldur, *waldur.Client) {
	t.Helper()
	server := newServer(records...)
	server.Sleep, server.Workers = true, 4
	config.Dial = server.StartInMemory(t)
	config.MaxConcurrentRequests = cmp.Or(config.MaxConcurrentRequests, 4)
	config.MaxRetries = 6
	return server, connectInTime(t, "http://waldur.example.com", config)
}

func TestReadsAreExactWhileRecordsChange(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reads        int
		failedAtMost float64
		records      func(n int, random *rand.Rand) []waldurtest.Record // of read n
		change       func(ctx context.Context, server *waldurtest.Waldur, random *rand.Rand)
	}{
		"records are inserted between the count and the select of 30 % of requests": {
			600, 0.02, upToThreePages, func(_ context.Context, server *waldurtest.Waldur, random *rand.Rand) {
				server.BetweenCountAndSelect = func(n int) { modifySome(server, random, 3, n, "insert") }
			},
		},
		"records are added, deleted and changed before 60 % of requests": {
			240, 0.02, upToThreePages, func(_ context.Context, server *waldurtest.Waldur, random *rand.Rand) {
				server.Before = func(n int, _ *http.Request) { modifySome(server, random, 6, n, "insert", "delete", "update") }
			},
		},
		// As a server of October 2024 does on the first of a month.
		"the records of a new month are written one by one": {
			60, 1.0 / 60, func(n int, _ *rand.Rand) []waldurtest.Record {
				perMonth := 12 + 3*n
				return months(even((2+n%5)*perMonth, perMonth)...)
			}, func(ctx context.Context, server *waldurtest.Waldur, _ *rand.Rand) {
				var month []waldurtest.Record
				server.Update(func(records []waldurtest.Record) []waldurtest.Record {
					length := slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date != records[0].Date })
					month = records[:length]
					return records[length:]
				})
				go server.Write(ctx, 5*time.Millisecond, month...)
			},
		},
		"the current month changes twenty times a second": {
			36, 0.02, func(int, *rand.Rand) []waldurtest.Record {
				return months(even(400, 60)...)
			}, func(ctx context.Context, server *waldurtest.Waldur, _ *rand.Rand) {
				go func() {
					every := time.NewTicker(50 * time.Millisecond)
					defer every.Stop()
					for n := 0; ; n++ {
						select {
						case <-ctx.Done():
							return
						case <-every.C:
						}
						server.Update(func(records []waldurtest.Record) []waldurtest.Record {
							if n%2 == 1 {
								return records[:len(records)-1] // the one that was written last
							}
							return modify(records, "write", 0, n)
						})
					}
				}()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var result reads
				random := rand.New(rand.NewPCG(1, 1))
				server, client := startSlow(t, nil, waldur.Config{})
				for n := range row.reads {
					server.Reset()
					server.Update(func([]waldurtest.Record) []waldurtest.Record { return row.records(n, random) })
					ctx, stop := context.WithCancel(t.Context())
					row.change(ctx, server, random)
					result.read(t, server, client)
					stop()
					synctest.Wait()
				}
				result.check(t, row.failedAtMost)
			})
		})
	}
}

// upToThreePages returns the records of up to three pages, in months of up to a
// third of a page.
func upToThreePages(_ int, random *rand.Rand) []waldurtest.Record {
	const pageCap = waldurtest.DefaultPageCap
	return months(even(pageCap/6+random.IntN(3*pageCap), pageCap/25+random.IntN(pageCap/3))...)
}

// modifySome changes a record in some of ten requests, of which this is number n.
func modifySome(server *waldurtest.Waldur, random *rand.Rand, inTen, n int, kinds ...string) {
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		if random.IntN(10) >= inTen {
			return records
		}
		return modify(records, kinds[random.IntN(len(kinds))], random.IntN(1<<16), n)
	})
}

func TestReadsSurviveARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]struct {
		status     int // of a proxy; 0: connections are closed
		retryAfter string
		atOnce     int // requests
	}{
		"connections are closed":          {0, "", 4},
		"a proxy returns 502":             {502, "", 4},
		"a proxy asks to retry in 1 s":    {503, "1", 4},
		"twelve requests at once are met": {502, "", 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				server, client := startSlow(t, months(even(400, 60)...), waldur.Config{MaxConcurrentRequests: restart.atOnce})
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
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Second
		server, client := startSlow(t, months(60), waldur.Config{})
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
			t.Fatalf("got error %v after %s, want a DeadlineError after %s", err, time.Since(start), limit)
		}
		if last, ok := errors.AsType[*waldur.StatusError](ended.LastFailure); !ok || last.Status != http.StatusBadGateway {
			t.Errorf("got last failure %v, want status 502", ended.LastFailure)
		}
	})
}
