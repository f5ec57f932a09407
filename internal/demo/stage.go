package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

//go:embed usage/main.tf budget/main.tf
var configurations embed.FS

const buildFolder = "build"

// stage is where configurations run: a program, and a folder from which it
// installs the provider.
type stage struct {
	program        cli.CLI
	folder, config string
}

func build(ctx context.Context, out io.Writer) (stage, error) {
	program, err := cli.Find(ctx, cli.Any, out)
	if err != nil {
		return stage{}, err
	}
	fmt.Fprintln(out, "==> Building the provider")
	binary, err := cli.BuildProvider(ctx, buildFolder, cli.LocalVersion)
	if err != nil {
		return stage{}, err
	}
	folder, err := os.MkdirTemp(buildFolder, "demo-")
	if err != nil {
		return stage{}, err
	}
	if err := os.CopyFS(folder, configurations); err != nil {
		return stage{}, err
	}
	config, err := cli.Mirror(folder, binary, cli.LocalVersion)
	return stage{program, folder, config}, err
}

func (s stage) remove() { _ = os.RemoveAll(s.folder) }

// scene is a configuration on the stage.
type scene struct {
	stage
	dir         string
	environment []string
}

func (s stage) open(name string, from source) scene {
	return scene{s, filepath.Join(s.folder, name), from.environment}
}

// command prepares the program, and says that it runs.
func (s scene) command(ctx context.Context, out io.Writer, arguments ...string) *exec.Cmd {
	fmt.Fprintf(out, "==> %s %s\n", s.program.Kind, arguments[0])
	cmd := s.program.Command(ctx, s.dir, s.config, arguments...)
	cmd.Env = append(cmd.Env, s.environment...)
	return cmd
}

// must runs the program in silence, unless it fails.
func (s scene) must(ctx context.Context, out io.Writer, arguments ...string) error {
	if output, err := s.command(ctx, out, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", s.program.Kind, arguments[0], err, output)
	}
	return nil
}

// show prints an output of the configuration.
func (s scene) show(ctx context.Context, out io.Writer, name string) error {
	value, err := s.command(ctx, io.Discard, "output", "-raw", name).Output()
	fmt.Fprintf(out, "\n%s\n", value)
	return err
}
