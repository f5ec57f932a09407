// Command demo shows the provider at work: it builds the provider, starts a
// Waldur on a free loopback port, and runs Terraform or OpenTofu on small
// configurations: the usage of a project, a budget that is kept, and one that is
// exceeded. With WALDUR_API_URL, WALDUR_ACCESS_TOKEN and WALDUR_DEMO_SCOPE set,
// it reads the usage from that Waldur instead.
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
	s, err := newStage(ctx, out)
	if err != nil {
		return err
	}
	defer s.remove()
	from, err := waldur(out)
	if err != nil {
		return err
	}
	defer from.close()
	if err := showUsage(ctx, s.open(out, "usage", from)); err != nil || !from.fake {
		return err
	}
	return showBudgets(ctx, s.open(out, "budget", from))
}

func showUsage(ctx context.Context, usage scene) error {
	if err := usage.initAndApply(ctx); err != nil {
		return err
	}
	return errors.Join(usage.show(ctx, "usage"), usage.show(ctx, "record"))
}

func showBudgets(ctx context.Context, budget scene) error {
	if program := budget.dir.Sandbox.CLI; !program.Since(8, 7) {
		fmt.Fprintf(budget.out, "\n==> The budget needs Terraform 1.8 or OpenTofu 1.7; this is %s %s\n", program.Kind, program.Version)
		return nil
	}
	fmt.Fprintln(budget.out, "\n==> A budget that is kept")
	if err := budget.initAndApply(ctx, "-var=gpu_limit=700"); err != nil {
		return err
	}
	if err := budget.show(ctx, "report"); err != nil {
		return err
	}
	fmt.Fprintln(budget.out, "==> A budget that is exceeded")
	budget.announce("plan")
	plan := budget.dir.Command(ctx, "plan", "-no-color", "-var=gpu_limit=500")
	plan.Stdout, plan.Stderr = io.Discard, budget.out // a pipeline shows the error
	err := plan.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		fmt.Fprintf(budget.out, "==> The plan failed with exit code %d: a pipeline stops here\n", failed.ExitCode())
		return nil
	}
	return errors.Join(errors.New("the plan passed although the budget is exceeded"), err)
}
