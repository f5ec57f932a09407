package main

import (
	"context"
	"fmt"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// applies measures how long a person waits, and the memory that it takes: the
// provider, run by a CLI, from an empty state to one output.
func applies(ctx context.Context) (table, error) {
	w, err := newWorkshop(ctx)
	if err != nil {
		return table{}, err
	}
	defer w.close()
	t := table{title: fmt.Sprintf("Time of an apply, with %s %s", w.sandbox.CLI.Kind, w.sandbox.CLI.Version)}
	for _, measure := range []func(context.Context) (group, error){w.oldServer, w.manyLists, w.immediateServer, w.memory} {
		measured, err := measure(ctx)
		if err != nil {
			return table{}, err
		}
		t.groups = append(t.groups, measured)
	}
	return t, nil
}

// current makes the fake take the time of a Waldur that answers requests with
// one token side by side; old, of one that answers them one after another.
func current(w *waldurtest.Waldur) { w.Sleep, w.Workers = true, 4 }

func old(w *waldurtest.Waldur) { w.Sleep, w.Workers, w.TokenLock = true, 4, true }

func immediate(*waldurtest.Waldur) {}

func (w *workshop) oldServer(ctx context.Context) (group, error) {
	g := group{title: "`apply` of one list and the sum of its usage, server of October 2024; reference: the http provider, pages of 300"}
	for _, list := range []struct {
		months, perMonth int
		share            float64
	}{{24, 1, 1.1}, {24, 12, 0.8}, {24, 84, 0.75}, {12, 168, 0.75}} {
		history := even(list.months*list.perMonth, list.perMonth)
		timed, err := w.race(ctx, "apply", scene{history: history, projects: 1, server: old}, 5)
		if err != nil {
			return g, err
		}
		g.rows = append(g.rows, timed.row(fmt.Sprintf("%s, %d months of %d", records(history), list.months, list.perMonth), list.share))
	}
	return g, nil
}

func (w *workshop) manyLists(ctx context.Context) (group, error) {
	g := group{title: "`apply` of many lists; reference: the http provider, one page for each"}
	for _, lists := range []struct {
		title    string
		projects int
		history  lengths
		server   func(*waldurtest.Waldur)
	}{
		{"100 lists of 60 records, current server with 4 workers", 100, even(60, 12), current},
		{"200 lists of 24 records, server of October 2024", 200, even(24, 12), old},
	} {
		timed, err := w.race(ctx, "apply", scene{history: lists.history, projects: lists.projects, server: lists.server}, 3)
		if err != nil {
			return g, err
		}
		g.rows = append(g.rows, timed.row(lists.title, 1.0), row{
			what: "– most requests in flight at once", toReach: "≤ 4",
			points: []point{{float64(timed.ours.inFlight), float64(timed.reference.inFlight), 4}},
		})
	}
	return g, nil
}

func (w *workshop) immediateServer(ctx context.Context) (group, error) {
	g := group{title: "`apply` of one list, server that answers at once: the time of the CLI, the providers and the fake"}
	for _, list := range []struct {
		history lengths
		share   float64
	}{{even(10, 12), 1.2}, {even(1000, 168), 1.4}, {even(10000, 168), 2.1}} {
		timed, err := w.race(ctx, "apply", scene{history: list.history, projects: 1, server: immediate}, 15)
		if err != nil {
			return g, err
		}
		g.rows = append(g.rows, timed.row(records(list.history), list.share))
	}
	return g, nil
}

// memory looks at the provider's process while an apply runs.
func (w *workshop) memory(ctx context.Context) (group, error) {
	const most = 150
	g := group{title: "The most memory that a process of the provider had at any time in three runs, its program included"}
	list := scene{history: even(10000, 168), projects: 1, server: immediate}
	var peak int64
	for range 3 {
		run, err := w.peakMemory(ctx, list)
		if err != nil {
			return g, err
		}
		peak = max(peak, run)
	}
	g.rows = append(g.rows, row{
		what: records(list.history), unit: "MB", toReach: fmt.Sprintf("≤ %d MB", most),
		points: []point{atMost(float64(peak)/1e6, most)},
	})
	return g, nil
}

func records(history lengths) string { return thousands(history.total()) + " records" }

func (p pair) row(what string, share float64) row {
	return row{
		what: what, unit: "s", toReach: fmt.Sprintf("≤ %.2f ×", share),
		points: []point{against(p.ours.took.Seconds(), p.reference.took.Seconds(), share)},
	}
}
