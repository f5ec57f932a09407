// Command bench measures what a read costs, and prints a table in Markdown. Each
// figure has its reference, measured in the same run, and what is to be reached:
//
//	go run ./internal/bench           an apply, against the http provider: minutes
//	go run ./internal/bench -quick    the server's time and the reader's: seconds
//
// The quick table is computed from the requests that are sent, so it is the
// same in every run.
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
	"time"
)

// longest limits the complete program, should something hang.
const longest = 30 * time.Minute

func main() {
	quick := flag.Bool("quick", false, "what lists cost, computed in seconds and the same in every run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, longest)
	err := run(ctx, *quick)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool) error {
	if quick {
		return listCosts(ctx)
	}
	measured, err := applies(ctx)
	if err != nil {
		return err
	}
	fmt.Print(measured)
	return nil
}

// listCosts prints the table that a test computes: only a test can let the time
// of a server pass at once.
func listCosts(ctx context.Context) error {
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", "^TestListCosts$", "./internal/bench")
	out, err := test.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.HasPrefix(line, "|") {
			fmt.Print(line)
		}
	}
	return err
}
