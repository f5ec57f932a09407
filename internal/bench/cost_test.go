//go:build !race

// The race detector makes this take several times as long, and finds nothing that
// the tests of internal/waldur do not show: they read such lists under it.

package main

import (
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

// TestListCosts computes what lists cost the server and how long a reader waits
// for them, from the requests that the client sends. The fake Waldur takes the
// time that a real one was measured to take for each response, and a bubble of
// synctest passes it at once, so the figures are the same in every run.
func TestListCosts(t *testing.T) {
	t.Parallel()
	r := reader{}
	var rows []row
	for _, part := range []func(*testing.T) []row{r.shortLists, r.longLists, r.requestsAtOnce, r.tenThousandRecords} {
		rows = append(rows, part(t)...)
	}
	for _, row := range rows {
		if !row.reached() {
			t.Error(row)
		}
	}
	measured := table("What a list costs", rows)
	fmt.Print(measured)
	design, err := os.ReadFile("../../DESIGN.md")
	if err != nil || !strings.Contains(string(design), measured) {
		t.Errorf("DESIGN.md has other figures than those above: %v", err)
	}
}

// settings are those of a read.
type settings struct {
	list   list
	atOnce int  // requests
	old    bool // a server of October 2024
	lean   bool // two attributes only
}

// reader holds what was read, since several rows show the same.
type reader map[settings]listRead

// listRead is what one read of a list was made of.
type listRead struct {
	requests int
	cost     time.Duration // of the server
	took     time.Duration // until the list is read
	plain    time.Duration // that pages of 300 with all attributes cost, read one by one
	floor    time.Duration // that all records cost in one response without scope: no reader of all attributes can do with less
}

// byDefault reads the list with the default settings, from a current server.
func (l list) byDefault() settings { return settings{list: l, atOnce: 4} }

func (r reader) read(t *testing.T, s settings) listRead {
	t.Helper()
	if _, done := r[s]; !done {
		synctest.Test(t, func(t *testing.T) { r[s] = s.read(t) })
	}
	return r[s]
}

func (s settings) read(t *testing.T) listRead {
	t.Helper()
	server := waldurtest.New()
	current(server)
	server.TokenLock = s.old
	server.AddScope(path(0))
	server.Add(s.list.records(0)...)
	endpoint, err := waldur.ParseEndpoint("http://waldur.example.com")
	if err != nil {
		t.Fatal(err)
	}
	token, err := waldur.ParseToken(waldurtest.Token)
	if err != nil {
		t.Fatal(err)
	}
	client := waldur.NewClient(waldur.Config{Endpoint: endpoint, Token: token, MaxConcurrentRequests: s.atOnce, Dial: server.StartInMemory(t)})
	t.Cleanup(client.Close)
	query := waldur.Query{Scope: waldur.Scope{Kind: waldur.Project, UUID: uuid(0)}, Fields: waldur.AllFields()}
	if s.lean {
		query.Fields = waldur.Fields(waldur.FieldDate, waldur.FieldReportedUsage)
	}
	start := time.Now()
	usages, err := client.Usages(t.Context(), query)
	if err != nil || len(usages) != s.list.n {
		t.Fatalf("%d of %d records, error %v", len(usages), s.list.n, err)
	}
	return listRead{
		requests: len(server.Requests()),
		cost:     server.Cost(),
		took:     time.Since(start),
		plain:    time.Duration(s.list.pages()-1)*waldurtest.ResponseCost(0) + waldurtest.ResponseCost(s.list.n),
		floor:    waldurtest.ResponseCost(s.list.n, "name", "category_uuid"),
	}
}

func (r reader) shortLists(t *testing.T) []row {
	t.Helper()
	rows := []row{{what: "Server's time, lists of a page or less, at 5, 12 and 60 records a month; reference: one plain request"}}
	var all, allPlain time.Duration
	milliseconds := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	for _, n := range []int{0, 1, 5, 12, 24, 60, 144, 288} {
		row := row{what: list{n: n}.String(), unit: "ms", toReach: "≤ + 25 ms"}
		if n >= 60 {
			row.toReach = "≤ 0.80 ×"
		}
		var read listRead
		for _, perMonth := range []int{5, 12, 60} {
			read = r.read(t, list{n, perMonth, even}.byDefault())
			figures := against(milliseconds(read.cost), milliseconds(read.plain), 0.80)
			if n < 60 {
				figures.most = figures.reference + 25
			}
			row.cases = append(row.cases, figures)
		}
		all, allPlain = all+read.cost, allPlain+read.plain
		rows = append(rows, row)
	}
	return append(rows, row{
		what: "all of these", unit: "ms", toReach: "≤ 0.78 ×",
		cases: []figures{against(milliseconds(all), milliseconds(allPlain), 0.78)},
	})
}

func (r reader) longLists(t *testing.T) []row {
	t.Helper()
	rows := []row{{what: "Server's time, longer lists at 12 / 60 / 168 records a month; reference: 22 ms + 1.68 ms a record"}}
	for _, months := range []months{even, grown, uneven} {
		for _, size := range []struct {
			n     int
			share float64
		}{{600, 1.25}, {3000, 1.20}, {10000, 1.15}} {
			n, share := size.n, size.share
			if months == uneven {
				share = 1.30
			}
			row := row{what: list{n: n}.String() + string(months), unit: "s", toReach: fmt.Sprintf("≤ %.2f ×", share)}
			for _, perMonth := range []int{12, 60, 168} {
				if n == 600 && perMonth == 168 {
					row.toReach, share = row.toReach+" (1.45 at 168)", 1.45
				}
				read := r.read(t, list{n, perMonth, months}.byDefault())
				row.cases = append(row.cases, against(read.cost.Seconds(), read.floor.Seconds(), share))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (r reader) requestsAtOnce(t *testing.T) []row {
	t.Helper()
	shares := func(old bool, n, perMonth int, shares ...float64) row {
		row := row{what: fmt.Sprintf("%s at %d a month", list{n: n}, perMonth), unit: "s"}
		var most []string
		for i, share := range shares {
			read := r.read(t, settings{list: list{n, perMonth, even}, atOnce: 1 << i, old: old})
			row.cases = append(row.cases, against(read.took.Seconds(), read.plain.Seconds(), share))
			most = append(most, fmt.Sprintf("%.2f", share))
		}
		row.toReach = "≤ " + strings.Join(slices.Compact(most), " / ") + " ×"
		return row
	}
	return []row{
		{what: "Time until the list is read with 1 / 2 / 4 requests at once, server with 4 workers; reference: pages of 300 one by one"},
		shares(false, 1200, 60, 0.72, 0.50, 0.40),
		shares(false, 3000, 84, 0.72, 0.40, 0.25),
		shares(false, 10000, 168, 0.72, 0.38, 0.22),
		{what: "The same on a server of October 2024, which processes one request of a token at a time"},
		shares(true, 288, 12, 0.70, 0.70, 0.70),
		shares(true, 3000, 84, 0.70, 0.70, 0.70),
		shares(true, 10000, 168, 0.70, 0.70, 0.70),
	}
}

func (r reader) tenThousandRecords(t *testing.T) []row {
	t.Helper()
	requests := row{what: "requests; plain pages of 300: 34", toReach: "≤ 75"}
	lean := row{what: "server's time with `fields = [\"date\", \"reported_usage\"]`; reference: plain pages of 300", unit: "s", toReach: "≤ 0.12 ×"}
	for _, perMonth := range []int{12, 60, 168} {
		read := list{10000, perMonth, even}.byDefault()
		requests.cases = append(requests.cases, figures{measured: float64(r.read(t, read).requests), most: 75})
		read.lean = true
		lean.cases = append(lean.cases, against(r.read(t, read).cost.Seconds(), r.read(t, read).plain.Seconds(), 0.12))
	}
	return []row{{what: "Other figures of 10,000 records, at 12 / 60 / 168 records a month"}, requests, lean}
}
