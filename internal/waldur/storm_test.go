package waldur_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// A pipeline must not fail for one bad response among hundreds, and a list must
// not lack the records of a bad response. One response in five is a fault.
func TestReadsInAStormOfFaultsAreExactOrFail(t *testing.T) {
	t.Parallel()
	const reads, requestsAtOnce = 1000, 8
	records := months(even(24, 4)...)
	query := everything()
	query.Fields = waldur.Fields(waldur.FieldName, waldur.FieldReportedUsage)
	var want []waldur.Usage
	for _, r := range records {
		want = append(want, waldur.Usage{Name: waldur.Of(r.Name), Date: waldur.Of(r.Date), ReportedUsage: waldur.Of(*r.ReportedUsage)})
	}

	var faulty atomic.Int32
	drawn := func(n int) int { return rand.New(rand.NewPCG(1, uint64(n))).IntN(20) }
	storm := newServer(records...)
	storm.PageCap = 20 // fewer records to decode per request
	storm.Intercept = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		kind := drawn(n)
		if kind < 4 {
			faulty.Add(1)
		}
		switch kind {
		case 0:
			http.Error(w, "<h1>Service Unavailable</h1>", http.StatusServiceUnavailable)
		case 1:
			w.Header().Set("Retry-After", "3")
			http.Error(w, `{"detail":"Request was throttled."}`, http.StatusTooManyRequests)
		case 2:
			if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = connection.(*net.TCPConn).SetLinger(0)
				_ = connection.Close()
			}
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
	client := connect(t, storm.Start(t), atOnce(requestsAtOnce), func(config *waldur.Config) { config.MaxRetries = 5 })
	var exact atomic.Int32
	var group sync.WaitGroup
	for range requestsAtOnce {
		group.Go(func() {
			for range reads / requestsAtOnce {
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
	total := len(storm.Requests())
	t.Logf("%d of %d reads exact; %d of %d responses faulty", exact.Load(), reads, faulty.Load(), total)
	if exact.Load() < reads*99/100 {
		t.Error("want at least 99 %")
	}
	if share := float64(faulty.Load()) / float64(total); total < 2*reads || share < 0.18 || share > 0.22 {
		t.Errorf("want 18 to 22 %% of at least %d responses to be faulty", 2*reads)
	}
}

// Without a budget, each of 50 data sources makes 1 + max_retries requests when
// Waldur is down, and the plan waits for all of them.
func TestOutageIsLimitedByTheSharedRetryBudget(t *testing.T) {
	t.Parallel()
	const reads, readsAtOnce = 50, 10 // Terraform reads 10 at once
	const budget = 50                 // retries before the first success
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
			url, requests := serve(t, outage.response)
			clock := new(clock)
			client := connect(t, url, func(config *waldur.Config) {
				config.MaxRetries, config.Clock, config.Random = outage.retries, clock, func() float64 { return 0.999 }
			})
			var throttled atomic.Int32
			var group sync.WaitGroup
			for range readsAtOnce {
				group.Go(func() {
					for range reads / readsAtOnce {
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
			var waited time.Duration
			for _, wait := range clock.waits() {
				waited += wait
			}
			if requests() != reads+budget || waited > outage.most || throttled.Load() == 0 {
				t.Errorf("%d requests, want %d; waits of %s in total, want at most %s; %d errors are marked as throttled",
					requests(), reads+budget, waited, outage.most, throttled.Load())
			}
		})
	}
}
