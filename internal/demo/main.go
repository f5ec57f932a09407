// Command demo shows the provider at work: it builds it, starts a Waldur on a
// free loopback port, and applies a small configuration through Terraform or
// OpenTofu. With WALDUR_API_URL, WALDUR_ACCESS_TOKEN and WALDUR_DEMO_SCOPE set,
// it reads from that Waldur instead.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

//go:embed main.tf
var configuration []byte

const (
	buildFolder = "build"
	projectPath = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
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

// source is the Waldur that is read, and what of it.
type source struct {
	endpoint, token, scope string
	record                 string // id; empty: none is known
	close                  func()
}

// waldur gives the one that the environment names, or a fake one.
func waldur(out io.Writer) (source, error) {
	given := source{
		endpoint: os.Getenv("WALDUR_API_URL"), token: os.Getenv("WALDUR_ACCESS_TOKEN"), scope: os.Getenv("WALDUR_DEMO_SCOPE"),
		close: func() {},
	}
	switch {
	case given.endpoint != "" && given.token != "" && given.scope != "":
		fmt.Fprintf(out, "==> Reading from your Waldur\n")
		return given, nil
	case given.scope != "":
		return source{}, errors.New("WALDUR_DEMO_SCOPE is set: set WALDUR_API_URL and WALDUR_ACCESS_TOKEN too, or none of the three")
	}
	fake := waldurtest.New()
	fake.Add(waldurtest.History(projectPath, 24, 12)...)
	server := httptest.NewServer(fake)
	fmt.Fprintf(out, "==> Started a Waldur with a project's usage of two years at %s\n", server.URL)
	return source{
		endpoint: server.URL, token: waldurtest.Token, scope: server.URL + projectPath,
		record: "1", close: server.Close,
	}, nil
}

func run(ctx context.Context, out io.Writer) error {
	program, err := cli.Find(ctx, cli.Any, out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "==> Building the provider")
	binary, err := cli.BuildProvider(ctx, buildFolder, cli.LocalVersion)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(buildFolder, "demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	config, err := cli.Mirror(folder, binary, cli.LocalVersion)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "main.tf"), configuration, 0o600); err != nil {
		return err
	}
	from, err := waldur(out)
	if err != nil {
		return err
	}
	defer from.close()

	step := func(arguments ...string) *exec.Cmd {
		cmd := program.Command(ctx, folder, config, arguments...)
		cmd.Env = append(cmd.Env, "WALDUR_API_URL="+from.endpoint, "WALDUR_ACCESS_TOKEN="+from.token, "TF_VAR_scope="+from.scope)
		if from.record != "" {
			cmd.Env = append(cmd.Env, "TF_VAR_record_id="+from.record)
		}
		return cmd
	}
	for _, arguments := range [][]string{{"init"}, {"apply", "-auto-approve"}} {
		fmt.Fprintf(out, "==> %s %s\n", program.Kind, arguments[0])
		if output, err := step(arguments...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", program.Kind, arguments[0], err, output)
		}
	}
	for _, name := range []string{"usage", "record"} {
		fmt.Fprintln(out)
		show := step("output", "-raw", name)
		show.Stdout, show.Stderr = out, out
		if err := show.Run(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return nil
}
