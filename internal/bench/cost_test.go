//go:build !race

// The race detector makes this several times slower and finds nothing new: the
// tests of internal/waldur read such lists under it.

package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// TestListCosts computes what lists cost the server and how long they take to
// read, from the requests that the client sends. The fake Waldur takes the time
// that a real one was measured to take for each response, and synctest lets
// that time pass at once, so the figures are the same in every run.
func TestListCosts(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(shortLists(t), longLists(t), requestsAtOnce(t), tenThousandRecords(t))
	measured := table("What a list costs", rows)
	fmt.Print(measured)
	if strings.Contains(measured, notReached) {
		t.Error("some of the figures above miss their target")
	}
	design, err := os.ReadFile("../../DESIGN.md")
	if err != nil || !strings.Contains(string(design), measured) {
		t.Errorf("the figures above differ from those in DESIGN.md: %v", err)
	}
}

// settings are those of a read. The zero value means the defaults of the provider
// and a current server.
type settings struct {
	atOnce int // requests; defaults to 4
	server serverKind
	fields waldur.FieldSet // defaults to all
}

// cost is the cost of a read.
type cost struct {
	requests int
	server   time.Duration // its time for all responses
	wait     time.Duration // until the list is read
}

func (l list) read(t *testing.T, s settings) (c cost) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := l.serve(1, s.server)
		endpoint, err := waldur.ParseEndpoint("http://waldur.example.com")
		if err != nil {
			t.Fatal(err)
		}
		token, err := waldur.ParseToken(waldurtest.Token)
		if err != nil {
			t.Fatal(err)
		}
		client := waldur.NewClient(waldur.Config{
			Endpoint: endpoint, Token: token, MaxConcurrentRequests: cmp.Or(s.atOnce, 4), Dial: server.StartInMemory(t),
		})
		t.Cleanup(client.Close)
		start := time.Now()
		usages, err := client.Usages(t.Context(), waldur.Query{
			Scope: waldur.Scope{Kind: waldur.Project, UUID: uuid(0)}, Fields: cmp.Or(s.fields, waldur.AllFields()),
		})
		if err != nil || len(usages) != l.n {
			t.Fatalf("got %d records and error %v, want %d records", len(usages), err, l.n)
		}
		c = cost{requests: len(server.Requests()), server: server.Cost(), wait: time.Since(start)}
	})
	return c
}

// plain returns the cost of pages of 300 with all attributes, read one by one.
func (l list) plain() time.Duration {
	return time.Duration(l.pages()-1)*waldurtest.ResponseCost(0) + waldurtest.ResponseCost(l.n)
}

// floor returns the cost of all records in one response without the scope, the
// least for which all other attributes can be read.
func (l list) floor() time.Duration { return waldurtest.ResponseCost(l.n, "name", "category_uuid") }

// against compares a time with a share of its reference.
func against(unit, measured, reference time.Duration, share float64) figures {
	f := figures{measured: float64(measured) / float64(unit), reference: float64(reference) / float64(unit)}
	f.most = share * f.reference
	return f
}

func shortLists(t *testing.T) []row {
	t.Helper()
	rows := []row{{what: "Server time, lists of a page or less, at 5, 12 and 60 records a month; reference: one plain request"}}
	var all, allPlain time.Duration
	for _, n := range []int{0, 1, 5, 12, 24, 60, 144, 288} {
		var server time.Duration
		plain := list{n: n}.plain()
		r, share := row{what: list{n: n}.String(), unit: "ms", toReach: "≤ 0.80 ×"}, 0.80
		if n < 60 {
			r.toReach, share = "≤ + 25 ms", 1+25/(plain.Seconds()*1e3)
		}
		for _, perMonth := range []int{5, 12, 60} {
			server = list{n, perMonth, even}.read(t, settings{}).server
			r.cases = append(r.cases, against(time.Millisecond, server, plain, share))
		}
		all, allPlain = all+server, allPlain+plain
		rows = append(rows, r)
	}
	return append(rows, row{"all of these", "ms", "≤ 0.78 ×", []figures{against(time.Millisecond, all, allPlain, 0.78)}})
}

func longLists(t *testing.T) []row {
	t.Helper()
	rows := []row{{what: "Server time, longer lists at 12 / 60 / 168 records a month; reference: 22 ms + 1.68 ms a record"}}
	for _, change := range []months{even, grown, uneven} {
		for i, n := range []int{600, 3000, 10000} {
			share := []float64{1.25, 1.20, 1.15}[i]
			if change == uneven {
				share = 1.30
			}
			r := row{what: list{n: n, months: change}.String(), unit: "s", toReach: fmt.Sprintf("≤ %.2f ×", share)}
			for _, perMonth := range []int{12, 60, 168} {
				if n == 600 && perMonth == 168 {
					r.toReach, share = r.toReach+" (1.45 at 168)", 1.45
				}
				l := list{n, perMonth, change}
				r.cases = append(r.cases, against(time.Second, l.read(t, settings{}).server, l.floor(), share))
			}
			rows = append(rows, r)
		}
	}
	return rows
}

func requestsAtOnce(t *testing.T) []row {
	t.Helper()
	shares := func(server serverKind, n, perMonth int, shares ...float64) row {
		l := list{n, perMonth, even}
		r := row{what: fmt.Sprintf("%s at %d a month", l, perMonth), unit: "s"}
		var most []string
		for i, share := range shares {
			wait := l.read(t, settings{server: server, atOnce: 1 << i}).wait
			r.cases = append(r.cases, against(time.Second, wait, l.plain(), share))
			most = append(most, fmt.Sprintf("%.2f", share))
		}
		r.toReach = "≤ " + strings.Join(slices.Compact(most), " / ") + " ×"
		return r
	}
	return []row{
		{what: "Time until the list is read with 1 / 2 / 4 concurrent requests, server with 4 workers; reference: pages of 300 one by one"},
		shares(current, 1200, 60, 0.72, 0.50, 0.40),
		shares(current, 3000, 84, 0.72, 0.40, 0.25),
		shares(current, 10000, 168, 0.72, 0.38, 0.22),
		{what: "The same on a server from October 2024, which processes one request of a token at a time"},
		shares(old, 288, 12, 0.70, 0.70, 0.70),
		shares(old, 3000, 84, 0.70, 0.70, 0.70),
		shares(old, 10000, 168, 0.70, 0.70, 0.70),
	}
}

func tenThousandRecords(t *testing.T) []row {
	t.Helper()
	requests := row{what: "requests; plain pages of 300: 34", toReach: "≤ 75"}
	lean := row{what: "server time with `fields = [\"date\", \"reported_usage\"]`; reference: plain pages of 300", unit: "s", toReach: "≤ 0.12 ×"}
	for _, perMonth := range []int{12, 60, 168} {
		l := list{10000, perMonth, even}
		requests.cases = append(requests.cases, figures{measured: float64(l.read(t, settings{}).requests), most: 75})
		two := l.read(t, settings{fields: waldur.Fields(waldur.FieldDate, waldur.FieldReportedUsage)})
		lean.cases = append(lean.cases, against(time.Second, two.server, l.plain(), 0.12))
	}
	return []row{{what: "Other figures of 10,000 records, at 12 / 60 / 168 records a month"}, requests, lean}
}
