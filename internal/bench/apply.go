package main

import (
	"context"
	"fmt"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// applies tells how long a person waits, and what that takes of the machine:
// the real provider, run by a real CLI, from an empty state to one output.
func applies(ctx context.Context) (table, error) {
	w, err := newWorkshop(ctx)
	if err != nil {
		return table{}, err
	}
	defer w.close()
	t := table{title: fmt.Sprintf("What a person waits for, with %s %s", w.sandbox.CLI.Kind, w.sandbox.CLI.Version)}
	for _, measure := range []func(context.Context) (group, error){w.slowServer, w.fastServer, w.memory, w.manyLists} {
		measured, err := measure(ctx)
		if err != nil {
			return table{}, err
		}
		t.groups = append(t.groups, measured)
	}
	return t, nil
}

// asSlowAsMeasured makes the fake take the time that a real Waldur takes, and
// answer requests with one token one after the other.
func asSlowAsMeasured(w *waldurtest.Waldur) { w.Sleep, w.TokenLock = true, true }

func atOnce(*waldurtest.Waldur) {}

// after20ms makes a Waldur that answers requests with one token side by side.
func after20ms(w *waldurtest.Waldur) { w.Latency = 20 * time.Millisecond }

func (w *workshop) slowServer(ctx context.Context) (group, error) {
	g := group{title: "`apply` of one list and the sum of its usage, Waldur as slow as a real one; reference: the http provider, pages of 300"}
	for _, list := range []struct {
		months, perMonth int
		share            float64
	}{
		{24, 1, 1.1},
		{24, 12, 0.8},
		{24, 84, 0.7},
		// As many records again, but a page holds no more than one month of them.
		{12, 168, 0.7},
	} {
		history := even(list.months*list.perMonth, list.perMonth)
		timed, err := w.race(ctx, "apply", scene{history: history, projects: 1, server: asSlowAsMeasured, concurrency: 2}, 5)
		if err != nil {
			return g, err
		}
		g.rows = append(g.rows, timed.row(fmt.Sprintf("%s, %d months of %d", records(history), list.months, list.perMonth), list.share))
	}
	return g, nil
}

func (w *workshop) fastServer(ctx context.Context) (group, error) {
	g := group{title: "The same, Waldur answering at once: what the CLI, the providers and the fake take"}
	for _, list := range []struct {
		history lengths
		share   float64
	}{
		{even(10, 12), 1.2},
		{even(1000, 168), 1.4},
		{even(10000, 168), 1.8},
	} {
		timed, err := w.race(ctx, "apply", scene{history: list.history, projects: 1, server: atOnce, concurrency: 2}, 15)
		if err != nil {
			return g, err
		}
		g.rows = append(g.rows, timed.row(records(list.history), list.share))
	}
	return g, nil
}

// memory looks at the provider's process while an apply runs.
func (w *workshop) memory(ctx context.Context) (group, error) {
	const most = 120
	g := group{title: "The most memory that a process of the provider had at any time in three runs, its program included"}
	list := scene{history: even(10000, 168), projects: 1, server: atOnce, concurrency: 2}
	var peak int64
	for range 3 {
		run, err := w.peakMemory(ctx, list)
		if err != nil {
			return g, err
		}
		peak = max(peak, run)
	}
	g.rows = append(g.rows, row{
		what: records(list.history) + "", unit: "MB", toReach: fmt.Sprintf("≤ %d MB", most),
		points: []point{atMost(float64(peak)/1e6, most)},
	})
	return g, nil
}

func (w *workshop) manyLists(ctx context.Context) (group, error) {
	g := group{title: "`plan` of 200 lists of 24 records each; reference: the http provider, the same 200"}
	for _, site := range []struct {
		title       string
		server      func(*waldurtest.Waldur)
		concurrency int
		share       float64
	}{
		{"Waldur as slow as a real one, `max_concurrent_requests = 2`", asSlowAsMeasured, 2, 1.0},
		{"Waldur answering each request after 20 ms, side by side, `max_concurrent_requests = 10`", after20ms, 10, 2.0},
	} {
		timed, err := w.race(ctx, "plan", scene{history: even(24, 12), projects: 200, server: site.server, concurrency: site.concurrency}, 3)
		if err != nil {
			return g, err
		}
		connections, inFlight := float64(site.concurrency+2), float64(site.concurrency)
		g.rows = append(g.rows,
			timed.row(site.title, site.share),
			row{
				what: "– connections", toReach: "≤ " + figure(connections),
				points: []point{{float64(timed.ours.connections), float64(timed.reference.connections), connections}},
			},
			row{
				what: "– most requests in flight at once", toReach: "≤ " + figure(inFlight),
				points: []point{{float64(timed.ours.inFlight), float64(timed.reference.inFlight), inFlight}},
			},
		)
	}
	return g, nil
}

func records(history lengths) string { return thousands(history.total()) + " records" }

func (p pair) row(what string, share float64) row {
	return row{
		what: what, unit: "s", toReach: fmt.Sprintf("≤ %.1f ×", share),
		points: []point{against(p.ours.took.Seconds(), p.reference.took.Seconds(), share)},
	}
}
