package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// intoState tells what records cost the machine on their way into the state.
func intoState(ctx context.Context) (table, error) {
	conversion, err := conversions(ctx)
	if err != nil {
		return table{}, err
	}
	reads, err := wholeReads(ctx)
	return table{"What a list costs the machine", []group{conversion, reads}}, err
}

// conversions runs the benchmark of package provider, which alone knows how a
// record becomes a value.
func conversions(ctx context.Context) (group, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench=^BenchmarkState$", "-benchtime=3x", "-count=3", "./internal/provider").CombinedOutput()
	if err != nil {
		return group{}, fmt.Errorf("benchmark of package provider: %w\n%s", err, out)
	}
	ours, err := parseBenchmark(string(out), "BenchmarkState/one_value")
	if err != nil {
		return group{}, err
	}
	structs, err := parseBenchmark(string(out), "BenchmarkState/structs")
	const n = 10_000
	return group{"10,000 records into the state; reference: setting a list of structs", []row{
		{
			what: "time", unit: "ms", toReach: "≤ 0.10 ×",
			points: []point{against(milliseconds(ours.time), milliseconds(structs.time), 0.10)},
		},
		{
			what: "allocations a record", toReach: "≤ 50",
			points: []point{{ours.allocations / n, structs.allocations / n, 50}},
		},
	}}, err
}

// benchmark is the best of the runs of one benchmark.
type benchmark struct {
	time        time.Duration
	allocations float64
}

// parseBenchmark finds a benchmark in what "go test" prints:
//
//	BenchmarkName-2   5   93420451 ns/op   26729606 B/op   410026 allocs/op
func parseBenchmark(output, name string) (best benchmark, err error) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.TrimRight(strings.TrimRight(words[0], "0123456789"), "-") != name {
			continue
		}
		var run benchmark
		for i := 2; i+1 < len(words); i += 2 {
			value, err := strconv.ParseFloat(words[i], 64)
			if err != nil {
				return best, fmt.Errorf("%q: %w", line, err)
			}
			switch words[i+1] {
			case "ns/op":
				run.time = time.Duration(value)
			case "allocs/op":
				run.allocations = value
			}
		}
		if best.time == 0 || run.time < best.time {
			best = run
		}
	}
	if best.time == 0 || best.allocations == 0 {
		return best, fmt.Errorf("no result of %s in\n%s", name, output)
	}
	return best, nil
}

// wholeReads times ReadDataSource from its request to its response: reading
// over the loopback, judging, sorting, converting and encoding. A tenfold list
// must not take much more than tenfold the time.
func wholeReads(ctx context.Context) (group, error) {
	var took []time.Duration
	for _, n := range []int{10_000, 100_000} {
		one, err := wholeRead(ctx, n)
		if err != nil {
			return group{}, err
		}
		took = append(took, one)
	}
	return group{"One call of ReadDataSource, the fake Waldur's own work included; reference: 10,000 records", []row{{
		what: "100,000 records", unit: "s", toReach: "≤ 12 ×",
		points: []point{against(took[1].Seconds(), took[0].Seconds(), 12)},
	}}}, nil
}

func wholeRead(ctx context.Context, n int) (time.Duration, error) {
	s := serve(even(n, 168), 1, func(*waldurtest.Waldur) {})
	defer s.close()
	reader, err := connect(ctx, s)
	if err != nil {
		return 0, err
	}
	request, err := reader.request()
	if err != nil {
		return 0, err
	}
	return fastest(8, func() (time.Duration, error) {
		runtime.GC() // no run pays for what another left
		start := time.Now()
		state, err := reader.read(ctx, request)
		took := time.Since(start)
		if err != nil {
			return 0, err
		}
		return took, reader.holds(state, n)
	})
}

// fastest repeats a measurement: on a machine that does other things too, the
// least time is the one nearest to the truth.
func fastest(runs int, measure func() (time.Duration, error)) (time.Duration, error) {
	var least time.Duration
	for run := range runs {
		took, err := measure()
		if err != nil {
			return 0, err
		}
		if run == 0 || took < least {
			least = took
		}
	}
	return least, nil
}
