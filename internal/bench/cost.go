package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// roundTrip is what a person waits for each request beside the server's work:
// the way there and back, and a proxy.
const roundTrip = 30 * time.Millisecond

// serverCost tells what lists cost the server. Nothing is timed: the fake
// Waldur adds up what a real one was measured to spend on each answer that was
// really given, so the figures are the same in every run.
func serverCost(ctx context.Context) (table, error) {
	short := group{title: "Server's time, lists of a page or less, at 5, 12 and 60 records a month; reference: one plain request"}
	waiting := group{title: "Server's time and 30 ms of waiting for each request, at the same densities; reference: plain pages of 300"}
	var all comparison
	for _, n := range []int{0, 1, 5, 12, 24, 60, 144, 288} {
		read, err := compareEach(ctx, even, n, waldur.AllFields(), 5, 12, 60)
		if err != nil {
			return table{}, err
		}
		short.rows = append(short.rows, read.onePage())
		if n >= 144 {
			waiting.rows = append(waiting.rows, read.withWaiting())
		}
		all.ours.cost += read[0].ours.cost
		all.plain.cost += read[0].plain.cost
	}
	short.rows = append(short.rows, row{
		what: "all of these", unit: "ms", toReach: "≤ 0.78 ×",
		points: []point{against(milliseconds(all.ours.cost), milliseconds(all.plain.cost), 0.78)},
	})

	long := group{title: "Server's time, longer lists at 12 / 60 / 168 records a month; reference: 22 ms + 1.68 ms a record"}
	other := group{title: "Other figures of the longest list, at the same densities"}
	for _, months := range []struct {
		title string
		shape func(n, perMonth int) lengths
		share float64
	}{
		{"", even, 1.15},
		{", every fourth month missing", withGaps, 1.15},
		{", grown from half in two steps", grown, 1.15},
		{", months that differ by up to a tenth", uneven, 1.30},
	} {
		for _, n := range []int{600, 3000, 10000} {
			read, err := compareEach(ctx, months.shape, n, waldur.AllFields(), 12, 60, 168)
			if err != nil {
				return table{}, err
			}
			long.rows = append(long.rows, read.manyPages(months.title, months.share))
			if months.title != "" {
				continue
			}
			waiting.rows = append(waiting.rows, read.withWaiting())
			if n == 10000 {
				other.rows = append(other.rows, read.requests())
			}
		}
	}

	lean, err := compareEach(ctx, even, 10000, waldur.Fields(waldur.FieldDate, waldur.FieldReportedUsage), 12, 60, 168)
	if err != nil {
		return table{}, err
	}
	other.rows = append(other.rows, lean.oneUsage())
	return table{"What a list costs the server", []group{short, long, waiting, other}}, nil
}

// comparison is one history, read by the provider and by plain pages.
type comparison struct {
	n, perMonth int
	ours, plain account
}

type comparisons []comparison

// account is what a read was made of.
type account struct {
	cost     time.Duration // of the server
	requests int
}

func (a account) withWaiting() float64 {
	return milliseconds(a.cost + time.Duration(a.requests)*roundTrip)
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

// compareEach reads histories of n records that differ in how many each month
// has. They do not disturb each other, as nothing is timed.
func compareEach(ctx context.Context, shape func(n, perMonth int) lengths, n int, fields waldur.FieldSet, densities ...int) (comparisons, error) {
	all := make(comparisons, len(densities))
	var reads errgroup.Group
	for i, perMonth := range densities {
		reads.Go(func() error {
			ours, plain, err := compare(ctx, shape(n, perMonth), fields)
			if err != nil {
				return fmt.Errorf("%d records at %d a month: %w", n, perMonth, err)
			}
			all[i] = comparison{n, perMonth, ours, plain}
			return nil
		})
	}
	return all, reads.Wait()
}

func compare(ctx context.Context, history lengths, fields waldur.FieldSet) (ours, plain account, err error) {
	s := serve(history, 1, func(*waldurtest.Waldur) {})
	defer s.close()
	n, err := s.readList(ctx, fields)
	if err != nil {
		return ours, plain, err
	}
	if n != history.total() {
		return ours, plain, fmt.Errorf("%d records came", n)
	}
	ours = account{s.Cost(), len(s.Requests())}
	// Requests that are under way together would share their waiting.
	if peak := s.InFlight(); peak != 1 {
		return ours, plain, fmt.Errorf("%d requests were in flight at once: they are not rounds of waiting", peak)
	}
	s.Reset()
	err = s.readPlain(ctx, pages(history.total()))
	return ours, account{s.Cost(), len(s.Requests())}, err
}

func (c comparisons) title() string {
	if c[0].n == 1 {
		return "1 record"
	}
	return thousands(c[0].n) + " records"
}

// onePage is a list that a plain client reads in one request.
func (c comparisons) onePage() row {
	r := row{what: c.title(), unit: "ms", toReach: "≤ + 25 ms"}
	share := 1e3
	if c[0].n >= 60 {
		r.toReach, share = "≤ 0.80 ×", 0.80
	}
	for _, of := range c {
		plain := milliseconds(of.plain.cost)
		r.points = append(r.points, point{milliseconds(of.ours.cost), plain, min(plain+25, share*plain)})
	}
	return r
}

// manyPages is a list against its floor: no reader that asks for all
// attributes but scope can do with less.
func (c comparisons) manyPages(months string, share float64) row {
	r := row{what: c.title() + months, unit: "s", toReach: fmt.Sprintf("≤ %.2f ×", share)}
	for _, of := range c {
		share := share
		if of.n == 600 && of.perMonth == 168 && share < 1.35 {
			r.toReach, share = r.toReach+" (1.35 at 168)", 1.35
		}
		floor := waldurtest.AnswerCost(of.n, "name", "type", "measured_unit", "category_title", "category_uuid", "date", "reported_usage", "fixed_usage")
		r.points = append(r.points, against(of.ours.cost.Seconds(), floor.Seconds(), share))
	}
	return r
}

func (c comparisons) withWaiting() row {
	r := row{what: c.title(), unit: "s", toReach: "≤ 0.85 ×"}
	for _, of := range c {
		r.points = append(r.points, against(of.ours.withWaiting()/1e3, of.plain.withWaiting()/1e3, 0.85))
	}
	return r
}

func (c comparisons) oneUsage() row {
	r := row{what: "server's time with `fields = [\"date\", \"reported_usage\"]`; reference: plain pages of 300", unit: "s", toReach: "≤ 0.12 ×"}
	for _, of := range c {
		r.points = append(r.points, against(of.ours.cost.Seconds(), of.plain.cost.Seconds(), 0.12))
	}
	return r
}

func (c comparisons) requests() row {
	r := row{what: "requests; plain pages of 300: 34", toReach: "≤ 75"}
	for _, of := range c {
		r.points = append(r.points, atMost(float64(of.ours.requests), 75))
	}
	return r
}
