// Command bench prints what a read costs, as tables in Markdown. Each figure has
// its reference, measured in the same run, and what is to be reached:
//
//	go run ./internal/bench           an apply, against the http provider: minutes
//	go run ./internal/bench -quick    what lists cost a server, and the time until they are read: seconds
//
// The tables are those of TestListCosts, which is computed from the requests that
// are sent and so is the same in every run, and of BenchmarkApply.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	quick := flag.Bool("quick", false, "compute what lists cost")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *quick)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run prints the table that a test or a benchmark prints, and everything else
// if it fails.
func run(ctx context.Context, quick bool) error {
	arguments := []string{"test", "-count=1", "-timeout=30m", "-v", "-run=^TestListCosts$", "./internal/bench"}
	if !quick {
		arguments = []string{"test", "-timeout=30m", "-run=^$", "-bench=^BenchmarkApply$", "-benchtime=1x", "./internal/bench"}
	}
	test := exec.CommandContext(ctx, "go", arguments...)
	test.Stderr = os.Stderr
	out, err := test.Output()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.HasPrefix(line, "|") {
			fmt.Print(line)
		}
	}
	return err
}
