// Command demo shows the provider at work: it builds it, starts a Waldur on a
// free loopback port, and runs small configurations through Terraform or
// OpenTofu: a project's usage, a budget that holds, and one that does not. With
// WALDUR_API_URL, WALDUR_ACCESS_TOKEN and WALDUR_DEMO_SCOPE set, it reads the
// usage from that Waldur instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has been called
	}
}

func run(ctx context.Context, out io.Writer) error {
	stage, err := build(ctx, out)
	if err != nil {
		return err
	}
	defer stage.remove()
	from, err := waldur(out)
	if err != nil {
		return err
	}
	defer from.close()
	if err := showUsage(ctx, out, stage, from); err != nil || !from.fake {
		return err
	}
	return showBudgets(ctx, out, stage, from)
}

func showUsage(ctx context.Context, out io.Writer, stage stage, from source) error {
	usage := stage.open("usage", from)
	for _, arguments := range [][]string{{"init"}, {"apply", "-auto-approve"}} {
		if err := usage.must(ctx, out, arguments...); err != nil {
			return err
		}
	}
	return errors.Join(usage.show(ctx, out, "usage"), usage.show(ctx, out, "record"))
}

func showBudgets(ctx context.Context, out io.Writer, stage stage, from source) error {
	budget := stage.open("budget", from)
	fmt.Fprintln(out, "\n==> A budget that holds")
	for _, arguments := range [][]string{{"init"}, {"apply", "-auto-approve", "-var=gpu_limit=700"}} {
		if err := budget.must(ctx, out, arguments...); err != nil {
			return err
		}
	}
	if err := budget.show(ctx, out, "report"); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n==> A budget that does not")
	plan := budget.command(ctx, out, "plan", "-no-color", "-var=gpu_limit=500")
	plan.Stdout, plan.Stderr = io.Discard, out
	err := plan.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		fmt.Fprintf(out, "==> The plan ended with %d: a pipeline stops here\n", failed.ExitCode())
		return nil
	}
	return errors.Join(errors.New("the plan passed over the budget"), err)
}
