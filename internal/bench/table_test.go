package main

import (
	"strings"
	"testing"
	"time"
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

func TestTheBestRunOfABenchmarkCounts(t *testing.T) {
	t.Parallel()
	const output = `goos: linux
BenchmarkState/one_value-2         	       3	  80718254 ns/op	      8072 ns/record	13319557 B/op	  121477 allocs/op
BenchmarkState/one_value-2         	       3	  70000000 ns/op	      7000 ns/record	13319520 B/op	  121476 allocs/op
BenchmarkState/one_value_more-2    	       3	  10000000 ns/op	      1000 ns/record	13319520 B/op	       1 allocs/op
PASS
`
	got, err := parseBenchmark(output, "BenchmarkState/one_value")
	if want := (benchmark{70 * time.Millisecond, 121476}); err != nil || got != want {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	if _, err := parseBenchmark(output, "BenchmarkState/structs"); err == nil {
		t.Error("a benchmark that did not run has a result")
	}
}

func TestHistoriesHaveAsManyRecordsAsTheyShould(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]func(n, perMonth int) lengths{"even": even, "with gaps": withGaps, "grown": grown, "uneven": uneven} {
		for _, n := range []int{0, 1, 24, 3000} {
			history := shape(n, 168)
			if got := history.total(); got != n || len(history.records(0)) != n {
				t.Errorf("%s: %d records in the months, %d in all, want %d", name, got, len(history.records(0)), n)
			}
		}
	}
}
