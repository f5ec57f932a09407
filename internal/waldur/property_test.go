package waldur_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// problem returns what is wrong with a list that was read without an error, or "":
// it has every record that existed throughout the read, once and with its amount,
// and no record that never existed. before and after are the records at both ends of
// the read.
func problem(usages []waldur.Usage, before, after []waldurtest.Record) string {
	first, last, listed := amounts(before), amounts(after), map[string]bool{}
	for _, u := range usages {
		name := u.Name.Value
		amount, existed := first[name]
		amountAfter, exists := last[name]
		switch {
		case listed[name]:
			return name + " is in the list twice"
		case !existed && !exists && !strings.HasPrefix(name, lateName):
			return name + " is in the list, but never existed"
		case existed && exists && amount == amountAfter && u.ReportedUsage != waldur.Of(amount):
			return name + " has another amount"
		}
		listed[name] = true
	}
	for name := range first {
		if _, exists := last[name]; exists && !listed[name] {
			return fmt.Sprintf("%s is missing: the list has %d records and no error", name, len(usages))
		}
	}
	return ""
}

// amounts returns the reported usages of records by name.
func amounts(records []waldurtest.Record) map[string]int64 {
	byName := map[string]int64{}
	for _, r := range records {
		byName[r.Name] = *r.ReportedUsage
	}
	return byName
}

// lateName is the start of the names of records that appear during a read.
const lateName = "late "

// modify changes the records as Waldur or an administrator may do during a read:
// it inserts late record number n, or deletes or updates a record.
func modify(records []waldurtest.Record, kind string, at, n int) []waldurtest.Record {
	if len(records) == 0 {
		return records
	}
	at %= len(records)
	if kind == "write" { // the hourly task writes the newest month
		newest := slices.MaxFunc(records, func(a, b waldurtest.Record) int { return strings.Compare(a.Date, b.Date) })
		at = slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date == newest.Date })
	}
	late := records[at]
	late.ID, late.Name = 0, lateName+strconv.Itoa(n)
	switch kind {
	case "delete":
		return slices.Delete(records, at, at+1)
	case "update":
		records[at].ReportedUsage = new(int64(-1 - n)) // no other amount is negative, so none comes back
		return records
	case "insert", "write":
		late.CategoryUUID = fmt.Sprintf("%032x", 1000+n)
	}
	return append(records, late) // a duplicate, unless its category is new
}

// longest returns the largest number of records of a date.
func longest(records []waldurtest.Record) (most int) {
	lengths := map[string]int{}
	for _, r := range records {
		lengths[r.Date]++
		most = max(most, lengths[r.Date])
	}
	return most
}

// The histories are generated: few or many months, even or uneven, with ties, some
// longer than a page, on servers with different page caps, read with one to four
// requests at once. `make proof` checks 10,000 cases of each row. Waldur itself
// inserts and updates; an administrator may delete, but not in the milliseconds
// between a count and a select.
func TestPropertyListIsExactOrFails(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ changes, defects []string }{
		"while nothing changes":                                    {},
		"while records are added, deleted and changed":             {changes: []string{"insert", "duplicate", "delete", "update"}},
		"while records are added between the count and the select": {changes: []string{"insert", "duplicate", "update"}},
		"while records are written into the newest month":          {changes: []string{"write", "update"}},
		"when responses are wrong":                                 {defects: []string{"count", "missing count", "lost record", "empty page", "repeated record"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				server := newServer()
				server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
				server.Add(drawHistory(t, server.PageCap)...)
				if row.changes != nil {
					scheduleChanges(t, server, row.changes)
				}
				mayGoUnnoticed := func() bool { return false }
				if row.defects != nil {
					mayGoUnnoticed = scheduleDefects(t, server, row.defects)
				}
				atOnce := rapid.IntRange(1, 4).Draw(t, "requests at once")
				client := connect(t, server.Start(t), waldur.Config{MaxConcurrentRequests: atOnce})

				before := server.Records()
				usages, err := client.Usages(t.Context(), everything())
				if got := server.InFlight(); got > atOnce {
					t.Fatalf("got %d requests in flight at once, want at most %d", got, atOnce)
				}
				requests, bound := len(server.Requests()), 5+3*len(before)
				// Seven attempts, each to collect a month twice with four page sizes. The count
				// can be too large by ten, and a page can shrink to one record.
				boundOfFailure := 7 * (5 + 2*4*(len(before)+10))
				aboveCap := longest(before) >= server.PageCap || row.changes != nil && longest(before)+maxChanges >= server.PageCap
				switch {
				case err == nil && mayGoUnnoticed():
				case err == nil:
					if wrong := problem(usages, before, server.Records()); wrong != "" {
						t.Fatal(wrong)
					}
					if requests > bound && row.changes == nil && row.defects == nil {
						t.Fatalf("got %d requests for %d records, want at most %d", requests, len(before), bound)
					}
				case row.defects != nil && requests <= boundOfFailure && (isType[*waldur.FormatError](err) ||
					isType[*waldur.IncompleteError](err) || isType[*waldur.UnverifiableError](err)):
				case isType[*waldur.IncompleteError](err) && (row.changes != nil || aboveCap): // many ties, few pages
				case isType[*waldur.UnverifiableError](err) && row.changes != nil && aboveCap: // duplicates
				default:
					t.Fatal(err)
				}
			})
		})
	}
}

// drawHistory draws the records of the project.
func drawHistory(t *rapid.T, pageCap int) []waldurtest.Record {
	lengths := rapid.SliceOfN(rapid.IntRange(0, pageCap*3/2), 0, 8).Draw(t, "lengths")
	if rapid.Bool().Draw(t, "even") {
		for i := range lengths {
			lengths[i] = min(lengths[0], pageCap)
		}
	}
	return monthsWithTies(rapid.IntRange(1, 6).Draw(t, "ties"), lengths...)
}

const maxChanges = 8 // during a read

// scheduleChanges draws changes that the server makes during requests, before them
// or between their count and their select.
func scheduleChanges(t *rapid.T, server *waldurtest.Waldur, kinds []string) {
	type change struct {
		request int
		between bool
		kind    string
		at      int
	}
	due := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
		return change{
			request: rapid.IntRange(1, 16).Draw(t, "request"),
			between: !slices.Contains(kinds, "delete") && rapid.Bool().Draw(t, "between"),
			kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			at:      rapid.IntRange(0, 1000).Draw(t, "at"),
		}
	}), 0, maxChanges).Draw(t, "changes")
	apply := func(request int, between bool) {
		for n, c := range due {
			if c.request == request && c.between == between {
				server.Update(func(records []waldurtest.Record) []waldurtest.Record { return modify(records, c.kind, c.at, n) })
			}
		}
	}
	server.Before = func(n int, _ *http.Request) { apply(n, false) }
	server.BetweenCountAndSelect = func(n int) { apply(n, true) }
}

// scheduleDefects draws a defect of the responses to some requests. mayGoUnnoticed
// reports whether no client can notice it: a response was a full page, and its count
// is wrong by just the number of missing records, or a record in it is repeated.
func scheduleDefects(t *rapid.T, server *waldurtest.Waldur, defects []string) (mayGoUnnoticed func() bool) {
	defect := rapid.SampledFrom(defects).Draw(t, "defect")
	every := rapid.IntRange(1, 5).Draw(t, "every")
	by := rapid.SampledFrom([]int{-3, -1, 1, 2, 10}).Draw(t, "by")
	server.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) {
		count, err := strconv.Atoi(response.Header.Get("X-Result-Count"))
		var records []json.RawMessage
		if n%every != 0 || err != nil || json.Unmarshal(response.Body, &records) != nil {
			return
		}
		switch {
		case defect == "count":
			response.Header.Set("X-Result-Count", strconv.Itoa(max(0, count+by)))
		case defect == "missing count":
			response.Header.Del("X-Result-Count")
		case defect == "empty page":
			records = records[:0]
		case len(records) < 2:
		case defect == "lost record":
			records = records[1:]
		case defect == "repeated record":
			records = append(records, records[len(records)-1])
		}
		response.Body, _ = json.Marshal(records)
	}
	return func() bool {
		return (defect == "count" || defect == "repeated record") &&
			slices.ContainsFunc(server.Requests(), func(r waldurtest.Request) bool { return r.Records == server.PageCap })
	}
}

func TestReadsAreExactWhileRecordsChange(t *testing.T) {
	t.Parallel()
	replace := func(server *waldurtest.Waldur, records []waldurtest.Record) {
		server.Update(func([]waldurtest.Record) []waldurtest.Record { return records })
	}
	// Up to three pages, in months of up to a third of a page.
	upToThreePages := func(random *rand.Rand) []waldurtest.Record {
		const pageCap = waldurtest.DefaultPageCap
		return months(even(pageCap/6+random.IntN(3*pageCap), pageCap/25+random.IntN(pageCap/3))...)
	}
	for name, row := range map[string]struct {
		reads        int
		failedAtMost float64
		start        func(ctx context.Context, n int, server *waldurtest.Waldur, random *rand.Rand) // the changes during read n
	}{
		"records are inserted between the count and the select of 30 % of requests": {
			600, 0.02, func(_ context.Context, _ int, server *waldurtest.Waldur, random *rand.Rand) {
				replace(server, upToThreePages(random))
				server.BetweenCountAndSelect = func(n int) { modifySome(server, random, 3, n, "insert") }
			},
		},
		"records are added, deleted and changed before 60 % of requests": {
			240, 0.02, func(_ context.Context, _ int, server *waldurtest.Waldur, random *rand.Rand) {
				replace(server, upToThreePages(random))
				server.Before = func(n int, _ *http.Request) { modifySome(server, random, 6, n, "insert", "delete", "update") }
			},
		},
		// As a server from October 2024 does on the first of a month.
		"the records of a new month are written one by one": {
			60, 1.0 / 60, func(ctx context.Context, n int, server *waldurtest.Waldur, _ *rand.Rand) {
				perMonth := 12 + 3*n
				records := months(even((2+n%5)*perMonth, perMonth)...)
				replace(server, records[perMonth:])
				go every(ctx, 5*time.Millisecond, func(n int) {
					if n < perMonth {
						server.Add(records[n])
					}
				})
			},
		},
		"the current month changes twenty times a second": {
			36, 0.02, func(ctx context.Context, _ int, server *waldurtest.Waldur, _ *rand.Rand) {
				replace(server, months(even(400, 60)...))
				go every(ctx, 50*time.Millisecond, func(n int) {
					server.Update(func(records []waldurtest.Record) []waldurtest.Record {
						if n%2 == 1 {
							return records[:len(records)-1] // the one that was written last
						}
						return modify(records, "write", 0, n)
					})
				})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				failed := 0
				random := rand.New(rand.NewPCG(1, 1))
				server, client := startSlow(t, nil, waldur.Config{})
				for n := range row.reads {
					server.Reset()
					ctx, stop := context.WithCancel(t.Context())
					row.start(ctx, n, server, random)
					before := server.Records()
					usages, err := client.Usages(ctx, everything())
					if err != nil {
						failed++
						t.Log(err)
					} else if wrong := problem(usages, before, server.Records()); wrong != "" {
						t.Error(wrong)
					}
					stop()
					synctest.Wait()
				}
				t.Logf("%d of %d reads failed", failed, row.reads)
				if got := float64(failed) / float64(row.reads); got > row.failedAtMost {
					t.Errorf("got %g %% failed reads, want at most %g %%", 100*got, 100*row.failedAtMost)
				}
			})
		})
	}
}

// every calls change at each interval, from n = 0, until ctx ends.
func every(ctx context.Context, interval time.Duration, change func(n int)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			change(n)
		}
	}
}

// modifySome changes a record with a probability of inTen in ten, before or during
// request n.
func modifySome(server *waldurtest.Waldur, random *rand.Rand, inTen, n int, kinds ...string) {
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		if random.IntN(10) >= inTen {
			return records
		}
		return modify(records, kinds[random.IntN(len(kinds))], random.IntN(1<<16), n)
	})
}
