package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

//go:embed usage/main.tf budget/main.tf
var configurations embed.FS

// buildFolder is ignored by Git, like the configurations' state.
const buildFolder = "build"

// stage is a temporary folder with the configurations, and a CLI to run them.
type stage struct {
	sandbox cli.Sandbox
	dir     string
}

func newStage(ctx context.Context, out io.Writer) (*stage, error) {
	if err := os.MkdirAll(buildFolder, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(buildFolder, "demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir}
	if err := os.CopyFS(dir, configurations); err != nil {
		s.remove()
		return nil, err
	}
	fmt.Fprintln(out, "==> Building the provider")
	if s.sandbox, err = cli.NewSandbox(ctx, cli.Any, dir, out); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *stage) remove() { _ = os.RemoveAll(s.dir) }

// scene is a configuration on the stage.
type scene struct {
	dir cli.WorkingDir
	out io.Writer
}

func (s *stage) open(out io.Writer, name string, from source) scene {
	return scene{s.sandbox.WorkingDir(filepath.Join(s.dir, name), from.environment...), out}
}

// announce prints the command that is about to run.
func (s scene) announce(command string) {
	fmt.Fprintf(s.out, "==> %s %s\n", s.dir.Sandbox.CLI.Kind, command)
}

// initAndApply prints the output of the CLI only if it fails.
func (s scene) initAndApply(ctx context.Context, arguments ...string) error {
	s.announce("init")
	if _, err := s.dir.MustRun(ctx, "init"); err != nil {
		return err
	}
	s.announce("apply")
	_, err := s.dir.MustRun(ctx, append([]string{"apply", "-auto-approve"}, arguments...)...)
	return err
}

// show prints an output of the configuration.
func (s scene) show(ctx context.Context, name string) error {
	value, err := s.dir.MustRun(ctx, "output", "-raw", name)
	fmt.Fprintf(s.out, "\n%s\n", value)
	return err
}
