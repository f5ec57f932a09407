// Command bench measures what a read costs: the server, the machine and the
// person who waits. Beside every figure stands its reference, measured in the
// same run, and what is to be reached. It prints one Markdown table for each
// question:
//
//	go run ./internal/bench           everything, some minutes
//	go run ./internal/bench -quick    what a read costs the server, seconds
//
// The first table is computed from the requests that were really sent, so it
// is the same in every run; the others are times. It needs no network but the
// loopback, and leaves nothing behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// longest bounds the whole program, should something hang.
const longest = 30 * time.Minute

func main() {
	quick := flag.Bool("quick", false, "only what a read costs the server: seconds, and the same in every run")
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
	measure := []func(context.Context) (table, error){serverCost, intoState, applies}
	if quick {
		measure = measure[:1]
	}
	for i, one := range measure {
		measured, err := one(ctx)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Println()
		}
		fmt.Print(measured)
	}
	return nil
}
