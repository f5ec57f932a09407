package waldur_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// reads counts reads of a changing list by their result.
type reads struct{ all, failed, wrong int }

// read reads the list and compares it with the records that exist throughout the
// read.
func (r *reads) read(t *testing.T, client *waldur.Client, throughout func() map[string]bool) {
	t.Helper()
	before := throughout()
	usages, err := client.Usages(t.Context(), everything())
	after := throughout()
	r.all++
	if err != nil {
		r.failed++
		t.Log(err)
		return
	}
	seen := map[string]bool{}
	for _, u := range usages {
		if seen[u.Name.Value] {
			r.wrong++
			return
		}
		seen[u.Name.Value] = true
	}
	for name := range before {
		if after[name] && !seen[name] {
			r.wrong++
			return
		}
	}
}

func (r *reads) check(t *testing.T, failedAtMost float64) {
	t.Helper()
	t.Logf("%d reads: %d failed, %d wrong", r.all, r.failed, r.wrong)
	if r.wrong > 0 || float64(r.failed) > failedAtMost*float64(r.all) {
		t.Errorf("want 0 wrong, and at most %g %% failed", 100*failedAtMost)
	}
}

func namesIn(server *waldurtest.Waldur) func() map[string]bool {
	return func() map[string]bool {
		names := map[string]bool{}
		for _, r := range server.Records() {
			names[r.Name] = true
		}
		return names
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
		config.Dial, config.Clock, config.MaxConcurrentRequests, config.MaxRetries = dial, nil, 4, 6
		config.Random = nil
	}
	return server, connect(t, "http://waldur.example.com", append([]func(*waldur.Config){defaults}, change...)...)
}

// serveDrawn returns a server with up to four pages of records, in months of up
// to a third of a page. Nine of ten servers have smaller pages than a real one,
// which costs a fifth and is the same to the client.
func serveDrawn(seed uint64, random *rand.Rand) (*waldurtest.Waldur, []waldurtest.Record) {
	server := waldurtest.New()
	if seed%10 > 0 {
		server.PageCap = 60
	}
	page := server.PageCap
	records := months(even(page/6+random.IntN(4*page), page/25+random.IntN(page/3))...)
	server.Add(records...)
	return server, records
}

// late returns record n to appear during a read, in the month of another record.
func late(other waldurtest.Record, n int) waldurtest.Record {
	other.ID, other.Name, other.CategoryUUID = 0, fmt.Sprintf("late %d", n), fmt.Sprintf("%032x", 100+n)
	return other
}

func TestNothingIsLostToInsertionsBetweenCountAndSelect(t *testing.T) {
	t.Parallel()
	var result reads
	for seed := range uint64(600) {
		random := rand.New(rand.NewPCG(seed, 0))
		server, records := serveDrawn(seed, random)
		var mu sync.Mutex
		server.BetweenCountAndSelect = func(n int) {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(10) < 3 {
				server.Add(late(records[n*37%len(records)], n))
			}
		}
		result.read(t, connect(t, server.Start(t)), namesIn(server))
	}
	result.check(t, 0.02)
}

// On the first of a month, a server of October 2024 writes the records of the new
// month one by one.
func TestReadsSucceedWhileANewMonthAppears(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var result reads
		for n := range 60 {
			perMonth := 12 + 3*n
			records := months(even((3+n%11)*perMonth, perMonth)...)
			newest := perMonth
			server, client := startSlow(t, records[newest:])
			var writing sync.WaitGroup
			writing.Go(func() { server.Write(t.Context(), 5*time.Millisecond, records[:newest]...) })
			result.read(t, client, namesIn(server))
			writing.Wait()
		}
		result.check(t, 1.0/60)
	})
}

func TestReadsSucceedWhileRecordsAreAddedDeletedAndChanged(t *testing.T) {
	t.Parallel()
	var result reads
	for seed := range uint64(240) {
		random := rand.New(rand.NewPCG(seed, 1))
		server, _ := serveDrawn(seed, random)
		var mu sync.Mutex
		server.Before = func(n int, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(10) >= 6 {
				return
			}
			server.Update(func(records []waldurtest.Record) []waldurtest.Record {
				at := random.IntN(len(records))
				switch random.IntN(3) {
				case 0:
					return slices.Delete(records, at, at+1)
				case 1:
					return append(records, late(records[at], n))
				default:
					records[at].ReportedUsage = new(random.Int64())
					return records
				}
			})
		}
		result.read(t, connect(t, server.Start(t), func(config *waldur.Config) { config.MaxConcurrentRequests = 4 }), namesIn(server))
	}
	result.check(t, 0.02)
}

func TestReadsSucceedWhileTheCurrentMonthChangesTwentyTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var result reads
		records := months(even(700, 60)...)
		server, client := startSlow(t, records)
		done := make(chan struct{})
		var writing sync.WaitGroup
		writing.Go(func() {
			ticker := time.NewTicker(50 * time.Millisecond)
			defer ticker.Stop()
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				case <-ticker.C:
				}
				server.Update(func(stored []waldurtest.Record) []waldurtest.Record {
					if n%2 == 1 {
						return stored[:len(stored)-1]
					}
					return append(stored, late(records[n%60], n))
				})
			}
		})
		for range 36 {
			result.read(t, client, namesIn(server))
		}
		close(done)
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
		"a proxy answers 502":             {502, "", 4},
		"a proxy asks to retry in 1 s":    {503, "1", 4},
		"twelve requests at once are met": {502, "", 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var result reads
				start := time.Now()
				restarting := func() bool { return time.Since(start) < 10*time.Second }
				server, client := startSlow(t, months(even(700, 60)...), func(config *waldur.Config) {
					config.MaxConcurrentRequests = restart.atOnce
					dial := config.Dial
					config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
						if restarting() && restart.status == 0 {
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
						}
						return dial(ctx, network, address)
					}
				})
				server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
					if restarting() {
						w.Header().Set("Retry-After", restart.retryAfter)
						w.WriteHeader(restart.status)
					}
					return restarting()
				}
				var mu sync.Mutex
				var group sync.WaitGroup
				for range 12 {
					group.Go(func() {
						var one reads
						one.read(t, client, namesIn(server))
						mu.Lock()
						defer mu.Unlock()
						result.all, result.failed, result.wrong = result.all+one.all, result.failed+one.failed, result.wrong+one.wrong
					})
				}
				group.Wait()
				result.check(t, 1.0/12)
			})
		})
	}
}

// Without a deadline, an outage in which each request hangs until its timeout
// blocks a pipeline for most of an hour.
func TestReadsDuringAnOutageEndWithinTheirDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Minute
		server, client := startSlow(t, months(60))
		server.Intercept = func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		start := time.Now()
		var group sync.WaitGroup
		for range 50 {
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
		t.Logf("50 reads ended after %s, %d requests", time.Since(start), len(server.Requests()))
		if time.Since(start) > limit {
			t.Errorf("want at most %s", limit)
		}
	})
}

func TestDeadlineErrorHasTheLimitAndTheLastFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := startSlow(t, months(60))
		server.Intercept = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := client.Usages(ctx, everything())
		ended, ok := errors.AsType[*waldur.DeadlineError](err)
		if !ok || ended.Limit != 10*time.Second {
			t.Fatalf("error %v", err)
		}
		if last, ok := errors.AsType[*waldur.StatusError](ended.LastFailure); !ok || last.Status != http.StatusBadGateway {
			t.Errorf("the last failure is %v", ended.LastFailure)
		}
	})
}
