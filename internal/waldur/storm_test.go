package waldur_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// storm is a proxy in front of a Waldur whose records do not change. One answer in
// five, drawn from a seed, is a fault.
type storm struct {
	waldur  *waldurtest.Waldur
	answers sync.Map // *httptest.ResponseRecorder by query, a cache
	mu      sync.Mutex
	random  *rand.Rand
	total   atomic.Int32
	faulty  atomic.Int32
}

func (s *storm) draw() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(20)
}

func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorded, found := s.answers.Load(r.URL.RawQuery)
	if !found {
		recorder := httptest.NewRecorder()
		s.waldur.ServeHTTP(recorder, r)
		recorded, _ = s.answers.LoadOrStore(r.URL.RawQuery, recorder)
	}
	answer := recorded.(*httptest.ResponseRecorder)
	body := answer.Body.Bytes()
	kind := s.draw()
	if s.total.Add(1); kind < 4 {
		s.faulty.Add(1)
	}
	switch kind {
	case 0:
		http.Error(w, "<h1>Service Unavailable</h1>", http.StatusServiceUnavailable)
	case 1:
		w.Header().Set("Retry-After", "3")
		http.Error(w, `{"detail":"Request was throttled."}`, http.StatusTooManyRequests)
	case 2:
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.(*net.TCPConn).SetLinger(0)
			_ = connection.Close()
		}
	default:
		for _, name := range []string{"X-Result-Count", "Content-Type"} {
			w.Header().Set(name, answer.Header().Get(name))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.Code)
		if kind == 3 {
			_, _ = w.Write(body[:len(body)/2])
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body)
	}
}

// A pipeline must not fail for one bad answer among hundreds, and a list must not
// lack the records of a bad answer.
func TestReadsInAStormOfFaultsAreExactOrFail(t *testing.T) {
	t.Parallel()
	const reads, atOnce = 1000, 8
	proxy := &storm{waldur: waldurtest.New(), random: rand.New(rand.NewPCG(1, 2))}
	proxy.waldur.PageCap = 60 // fewer records to decode per request
	records := months(even(120, 12)...)
	proxy.waldur.Add(records...)
	query := everything()
	query.Fields = waldur.Fields(waldur.FieldName, waldur.FieldReportedUsage)
	want, err := connect(t, proxy.waldur.Start(t)).Usages(t.Context(), query)
	wantAll(t, want, err, records)

	server := httptest.NewServer(proxy)
	defer server.Close()
	client := connect(t, server.URL, func(config *waldur.Config) { config.MaxRetries, config.MaxConcurrentRequests = 5, atOnce })
	var exact atomic.Int32
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for range reads / atOnce {
				usages, err := client.Usages(t.Context(), query)
				switch {
				case err == nil && slices.Equal(usages, want):
					exact.Add(1)
				case err == nil:
					t.Errorf("a read returned %d other records and no error", len(usages))
				case !isType[*waldur.StatusError](err) && !isType[*waldur.UnreachableError](err):
					t.Errorf("a read failed with %T: %v", err, err)
				}
			}
		})
	}
	group.Wait()
	total, faulty := proxy.total.Load(), proxy.faulty.Load()
	if exact.Load() < reads*99/100 {
		t.Errorf("%d of %d reads are exact, want at least 99 %%", exact.Load(), reads)
	}
	if share := float64(faulty) / float64(total); total < 2*reads || share < 0.18 || share > 0.22 {
		t.Errorf("%d of %d answers are faulty, want 18 to 22 %% of at least %d", faulty, total, 2*reads)
	}
	t.Logf("%d of %d reads exact; %d of %d answers faulty", exact.Load(), reads, faulty, total)
}

// Without a budget, each of 50 data sources makes 1 + max_retries requests when
// Waldur is down, and the plan waits for all of them.
func TestOutageIsLimitedByTheSharedRetryBudget(t *testing.T) {
	t.Parallel()
	const reads, atOnce = 50, 10 // Terraform reads 10 at once
	const budget = 50            // retries before the first success
	for name, outage := range map[string]struct {
		answer  answer
		retries int
		most    time.Duration // total of all waits
	}{
		"every answer 503":               {status(503, "{}"), 3, budget * 2 * time.Second},
		"every answer 503, many retries": {status(503, "{}"), 1000, budget * 20 * time.Second},
		"every answer has Retry-After":   {status(503, "{}", "Retry-After: 20"), 3, budget * 20 * time.Second},
		"every connection closed":        {reply(""), 3, budget * 2 * time.Second},
		"every answer cut short":         {reply(head(200, "Content-Length: 100") + "[{"), 3, budget * 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, outage.answer)
			clock := newClock()
			client := connect(t, url, func(config *waldur.Config) {
				config.MaxRetries, config.Clock, config.Random = outage.retries, clock, func() float64 { return 0.999 }
			})
			var throttled atomic.Int32
			var group sync.WaitGroup
			for range atOnce {
				group.Go(func() {
					for range reads / atOnce {
						_, err := client.Usages(t.Context(), everything())
						if err == nil {
							t.Error("a read succeeded")
						}
						refused, _ := errors.AsType[*waldur.StatusError](err)
						unreachable, _ := errors.AsType[*waldur.UnreachableError](err)
						if refused != nil && refused.Throttled || unreachable != nil && unreachable.Throttled {
							throttled.Add(1)
						}
					}
				})
			}
			group.Wait()
			if got := requests(); got != reads+budget {
				t.Errorf("%d requests for %d reads, want %d", got, reads, reads+budget)
			}
			var waited time.Duration
			for _, wait := range clock.waits() {
				waited += wait
			}
			if waited > outage.most {
				t.Errorf("waits of %s in total, want at most %s", waited, outage.most)
			}
			if throttled.Load() == 0 {
				t.Error("no error is marked as throttled")
			}
		})
	}
}
