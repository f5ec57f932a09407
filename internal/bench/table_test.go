package main

import (
	"strings"
	"testing"
)

func TestARowIsReachedOnlyWhenEachOfItsCasesIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		points []point
		want   string
	}{
		"one case below": {[]point{against(79, 100, 0.80)}, "| lists | 79 ms | 100 ms | 0.79 | x | reached |"},
		"one case above": {[]point{against(81, 100, 0.80)}, "| lists | 81 ms | 100 ms | 0.81 | x | **not reached** |"},
		"the last of three": {
			[]point{against(1, 100, 0.80), against(79, 100, 0.80), against(1234, 100, 0.80)},
			"| lists | 1 / 79 / 1,234 ms | 100 ms | 0.010 / 0.79 / 12.34 | x | **not reached** |",
		},
		"a number without a reference": {[]point{atMost(62, 75)}, "| lists | 62 ms | – | – | x | reached |"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := table{"What", []group{{"group", []row{{what: "lists", unit: "ms", points: c.points, toReach: "x"}}}}}.String()
			if got := strings.Split(strings.TrimSpace(shown), "\n"); got[len(got)-1] != c.want {
				t.Errorf("got  %s\nwant %s", got[len(got)-1], c.want)
			}
		})
	}
}

func TestHistoriesHaveAsManyRecordsAsTheyShould(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]func(n, perMonth int) lengths{"even": even, "grown": grown, "uneven": uneven} {
		for _, n := range []int{0, 1, 24, 3000} {
			history := shape(n, 168)
			if got := history.total(); got != n || len(history.records(0)) != n {
				t.Errorf("%s: %d records in the months, %d in all, want %d", name, got, len(history.records(0)), n)
			}
		}
	}
}
