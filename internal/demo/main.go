// Command demo shows the provider at work: it builds the provider, starts a
// fake Waldur on a free loopback port, and runs Terraform or OpenTofu on small
// configurations: the usage of a project, and a budget check that passes and one
// that fails. With WALDUR_API_URL, WALDUR_ACCESS_TOKEN and WALDUR_DEMO_SCOPE set,
// it shows only the usage, from that Waldur.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

//go:embed usage/main.tf budget/main.tf
var configurations embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	scope := os.Getenv("WALDUR_DEMO_SCOPE")
	if scope != "" && (os.Getenv("WALDUR_API_URL") == "" || os.Getenv("WALDUR_ACCESS_TOKEN") == "") {
		return errors.New("WALDUR_DEMO_SCOPE is set: set WALDUR_API_URL and WALDUR_ACCESS_TOKEN too, or unset it")
	}
	dir, err := os.MkdirTemp("", "demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, configurations); err != nil {
		return err
	}
	fmt.Println("==> Building the provider")
	sandbox, err := cli.NewSandbox(ctx, cli.Any, dir, os.Stdout)
	if err != nil {
		return err
	}
	usage, budget := filepath.Join(dir, "usage"), filepath.Join(dir, "budget")
	if scope != "" {
		fmt.Println("==> Reading from your Waldur")
		return showUsage(ctx, sandbox.WorkingDir(usage, "TF_VAR_scope="+scope))
	}
	const project = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
	fake := waldurtest.New()
	fake.Add(waldurtest.History(project, 24, 12)...)
	server := httptest.NewServer(fake)
	defer server.Close()
	fmt.Printf("==> Started a fake Waldur with two years of a project's usage at %s\n", server.URL)
	environment := []string{
		"WALDUR_API_URL=" + server.URL, "WALDUR_ACCESS_TOKEN=" + waldurtest.Token,
		"TF_VAR_scope=" + server.URL + project, "TF_VAR_record_id=1",
	}
	if err := showUsage(ctx, sandbox.WorkingDir(usage, environment...)); err != nil {
		return err
	}
	return showBudgets(ctx, sandbox.WorkingDir(budget, environment...))
}

func showUsage(ctx context.Context, usage cli.WorkingDir) error {
	if err := initAndApply(ctx, usage); err != nil {
		return err
	}
	return errors.Join(show(ctx, usage, "usage"), show(ctx, usage, "record"))
}

func showBudgets(ctx context.Context, budget cli.WorkingDir) error {
	if program := budget.Sandbox.CLI; !program.Since(8, 7) {
		fmt.Printf("\n==> The budget needs Terraform 1.8 or OpenTofu 1.7; this is %s %s\n", program.Kind, program.Version)
		return nil
	}
	fmt.Println("\n==> Usage within the budget")
	if err := initAndApply(ctx, budget, "-var=gpu_limit=700"); err != nil {
		return err
	}
	if err := show(ctx, budget, "report"); err != nil {
		return err
	}
	fmt.Println("==> Usage over the budget")
	announce(budget, "plan")
	plan := budget.Command(ctx, "plan", "-no-color", "-var=gpu_limit=500")
	plan.Stderr = os.Stdout // a pipeline shows the error
	err := plan.Run()
	failed, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return errors.New("the plan passed although the budget is exceeded")
	case ok && failed.ExitCode() == 1 && ctx.Err() == nil:
		fmt.Println("==> The plan failed with exit code 1: a pipeline stops here")
		return nil
	default:
		return err
	}
}

// announce prints the command that is about to run.
func announce(w cli.WorkingDir, command string) {
	fmt.Printf("==> %s %s\n", w.Sandbox.CLI.Kind, command)
}

// initAndApply runs both commands. Their output is part of the error if one fails.
func initAndApply(ctx context.Context, w cli.WorkingDir, arguments ...string) error {
	announce(w, "init")
	if _, err := w.MustRun(ctx, "init", "-no-color"); err != nil {
		return err
	}
	announce(w, "apply")
	_, err := w.MustRun(ctx, append([]string{"apply", "-auto-approve", "-no-color"}, arguments...)...)
	return err
}

// show prints an output of the configuration.
func show(ctx context.Context, w cli.WorkingDir, name string) error {
	value, err := w.MustRun(ctx, "output", "-raw", name)
	fmt.Printf("\n%s\n", value)
	return err
}
