// Command bench prints what a read costs, as a table in Markdown. Each figure is
// shown with its target and, where there is one, a reference, which is measured in
// the same run or computed:
//
//	go run ./internal/bench           an apply, against the http provider: minutes
//	go run ./internal/bench -quick    what lists cost a server, and how long they take to read: seconds
//
// TestListCosts computes the quick table from the requests that are sent, so it is
// the same in every run. BenchmarkApply times the other one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	quick := flag.Bool("quick", false, "compute what lists cost")
	flag.Parse()
	which := []string{"-run=^$", "-bench=^BenchmarkApply$", "-benchtime=1x"}
	if *quick {
		which = []string{"-run=^TestListCosts$"}
	}
	arguments := append([]string{"test", "./internal/bench", "-count=1", "-v", "-timeout=30m"}, which...)
	test := exec.CommandContext(context.Background(), "go", arguments...)
	test.Stderr = os.Stderr
	out, err := test.Output()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.HasPrefix(line, "|") {
			fmt.Print(line)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
