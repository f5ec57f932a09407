package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// TestListCosts computes what lists cost the server and how long a reader waits
// for them, from the requests that the client sends. The fake Waldur takes the
// time that a real one was measured to take for each answer, and a bubble of
// synctest passes it at once, so the figures are the same in every run.
func TestListCosts(t *testing.T) {
	t.Parallel()
	measured := table{"What a list costs", []group{shortLists(t), longLists(t), currentServer(t), oldServer(t), otherFigures(t)}}
	fmt.Print(measured)
	for _, g := range measured.groups {
		for _, r := range g.rows {
			if !r.reached() {
				t.Errorf("%s: %s", g.title, strings.Join(r.cells(), " | "))
			}
		}
	}
	design, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(design), measured.String()) {
		t.Error("DESIGN.md has other figures than those above")
	}
}

// listRead is what one read of a list was made of.
type listRead struct {
	records, requests int
	cost              time.Duration // of the server
	wall              time.Duration
}

// read reads a list with the default settings, or another number of requests
// at once, from a server that serve may change.
func read(t *testing.T, history lengths, fields waldur.FieldSet, atOnce int, serve func(*waldurtest.Waldur)) (done listRead) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := waldurtest.New()
		serve(server)
		server.AddScope("/api/projects/" + projectUUID(0) + "/")
		server.Add(history.records(0)...)
		endpoint, err := waldur.ParseEndpoint("http://waldur.example.com")
		if err != nil {
			t.Fatal(err)
		}
		token, err := waldur.ParseToken(waldurtest.Token)
		if err != nil {
			t.Fatal(err)
		}
		client := waldur.NewClient(waldur.Config{
			Endpoint: endpoint, Token: token, MaxConcurrentRequests: atOnce, Dial: server.StartInMemory(t),
		})
		t.Cleanup(client.Close)
		start := time.Now()
		usages, err := client.Usages(t.Context(), waldur.Query{Scope: waldur.Scope{Kind: waldur.Project, UUID: projectUUID(0)}, Fields: fields})
		if err != nil || len(usages) != history.total() {
			t.Fatalf("%d of %d records, error %v", len(usages), history.total(), err)
		}
		done = listRead{len(usages), len(server.Requests()), server.Cost(), time.Since(start)}
	})
	return done
}

const atOnceByDefault = 4

// plain is what pages of 300 with all attributes cost, read one by one.
func (r listRead) plain() time.Duration {
	return time.Duration(pages(r.records)-1)*waldurtest.AnswerCost(0) + waldurtest.AnswerCost(r.records)
}

// floor is what all records cost in one answer without their scopes. No reader
// that asks for all attributes can do with less.
func (r listRead) floor() time.Duration {
	return waldurtest.AnswerCost(r.records, "name", "category_uuid")
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

func title(records int) string {
	if records == 1 {
		return "1 record"
	}
	return thousands(records) + " records"
}

func shortLists(t *testing.T) group {
	t.Helper()
	g := group{title: "Server's time, lists of a page or less, at 5, 12 and 60 records a month; reference: one plain request"}
	var ours, plain time.Duration
	for _, n := range []int{0, 1, 5, 12, 24, 60, 144, 288} {
		r := row{what: title(n), unit: "ms", toReach: "≤ + 25 ms"}
		if n >= 60 {
			r.toReach = "≤ 0.80 ×"
		}
		for i, perMonth := range []int{5, 12, 60} {
			list := read(t, even(n, perMonth), waldur.AllFields(), atOnceByDefault, current)
			reference := milliseconds(list.plain())
			most := reference + 25
			if n >= 60 {
				most = 0.80 * reference
			}
			r.points = append(r.points, point{milliseconds(list.cost), reference, most})
			if i == 0 {
				ours, plain = ours+list.cost, plain+list.plain()
			}
		}
		g.rows = append(g.rows, r)
	}
	g.rows = append(g.rows, row{
		what: "all of these", unit: "ms", toReach: "≤ 0.78 ×",
		points: []point{against(milliseconds(ours), milliseconds(plain), 0.78)},
	})
	return g
}

func longLists(t *testing.T) group {
	t.Helper()
	g := group{title: "Server's time, longer lists at 12 / 60 / 168 records a month; reference: 22 ms + 1.68 ms a record"}
	for _, months := range []struct {
		title string
		shape func(n, perMonth int) lengths
		share float64
	}{
		{"", even, 0},
		{", grown from half in two steps", grown, 0},
		{", months that differ by up to a tenth", uneven, 1.30},
	} {
		for _, list := range []struct {
			n     int
			share float64
		}{{600, 1.25}, {3000, 1.20}, {10000, 1.15}} {
			n, share := list.n, max(list.share, months.share)
			r := row{what: title(n) + months.title, unit: "s", toReach: fmt.Sprintf("≤ %.2f ×", share)}
			for _, perMonth := range []int{12, 60, 168} {
				list := read(t, months.shape(n, perMonth), waldur.AllFields(), atOnceByDefault, current)
				share := share
				if n == 600 && perMonth == 168 {
					r.toReach, share = r.toReach+" (1.45 at 168)", 1.45
				}
				r.points = append(r.points, against(list.cost.Seconds(), list.floor().Seconds(), share))
			}
			g.rows = append(g.rows, r)
		}
	}
	return g
}

func currentServer(t *testing.T) group {
	t.Helper()
	g := group{title: "Time until the list is read with 1 / 2 / 4 requests at once, server with 4 workers; reference: pages of 300 one by one"}
	for _, list := range []struct {
		n, perMonth int
		shares      [3]float64
	}{
		{1200, 60, [3]float64{0.72, 0.50, 0.40}},
		{3000, 84, [3]float64{0.72, 0.40, 0.25}},
		{10000, 168, [3]float64{0.72, 0.38, 0.22}},
	} {
		r := row{
			what: fmt.Sprintf("%s at %d a month", title(list.n), list.perMonth), unit: "s",
			toReach: fmt.Sprintf("≤ %.2f / %.2f / %.2f ×", list.shares[0], list.shares[1], list.shares[2]),
		}
		for i, atOnce := range []int{1, 2, 4} {
			done := read(t, even(list.n, list.perMonth), waldur.AllFields(), atOnce, current)
			r.points = append(r.points, against(done.wall.Seconds(), done.plain().Seconds(), list.shares[i]))
		}
		g.rows = append(g.rows, r)
	}
	return g
}

func oldServer(t *testing.T) group {
	t.Helper()
	g := group{title: "The same on a server of October 2024, which answers one request of a token at a time"}
	for _, list := range []struct{ n, perMonth int }{{288, 12}, {3000, 84}, {10000, 168}} {
		r := row{what: fmt.Sprintf("%s at %d a month", title(list.n), list.perMonth), unit: "s", toReach: "≤ 0.70 ×"}
		for _, atOnce := range []int{1, 2, 4} {
			done := read(t, even(list.n, list.perMonth), waldur.AllFields(), atOnce, old)
			r.points = append(r.points, against(done.wall.Seconds(), done.plain().Seconds(), 0.70))
		}
		g.rows = append(g.rows, r)
	}
	return g
}

func otherFigures(t *testing.T) group {
	t.Helper()
	g := group{title: "Other figures of 10,000 records, at 12 / 60 / 168 records a month"}
	requests := row{what: "requests; plain pages of 300: 34", toReach: "≤ 75"}
	lean := row{what: "server's time with `fields = [\"date\", \"reported_usage\"]`; reference: plain pages of 300", unit: "s", toReach: "≤ 0.12 ×"}
	for _, perMonth := range []int{12, 60, 168} {
		all := read(t, even(10000, perMonth), waldur.AllFields(), atOnceByDefault, current)
		requests.points = append(requests.points, atMost(float64(all.requests), 75))
		few := read(t, even(10000, perMonth), waldur.Fields(waldur.FieldDate, waldur.FieldReportedUsage), atOnceByDefault, current)
		lean.points = append(lean.points, against(few.cost.Seconds(), few.plain().Seconds(), 0.12))
	}
	g.rows = append(g.rows, requests, lean)
	return g
}
