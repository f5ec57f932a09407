// Command cmd makes package cli available to the GNUmakefile.
//
//	find [-cli KIND]                              prints the path of the CLI
//	acceptance [-cli KIND] COMMAND [ARGUMENT...]  runs acceptance tests on the CLI with a command, such as "go test"
//	schema                                        prints the schema of the provider for tfplugindocs
//	install [-version X.Y.Z] BINARY               installs the provider for the user
//
// KIND is any, terraform or tofu.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	usage := errors.New("usage: find, acceptance, schema or install")
	if len(arguments) == 0 {
		return usage
	}
	flags := flag.NewFlagSet(arguments[0], flag.ExitOnError)
	want := flags.String("cli", string(cli.Any), "the CLI to use: any, terraform or tofu")
	version := flags.String("version", cli.LocalVersion, "the version of the installed provider")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	switch verb := arguments[0]; {
	case verb == "find":
		program, err := cli.Find(ctx, cli.Kind(*want), os.Stderr)
		if err == nil {
			fmt.Println(program.Path)
		}
		return err
	case verb == "acceptance" && flags.NArg() > 0:
		return inSandbox(ctx, cli.Kind(*want), func(s cli.Sandbox) error {
			fmt.Fprintf(os.Stderr, "acceptance tests on %s %s, %s\n", s.CLI.Kind, s.CLI.Version, s.CLI.Path)
			cmd := s.Acceptance(ctx, flags.Arg(0), flags.Args()[1:]...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			return cmd.Run()
		})
	case verb == "schema":
		return inSandbox(ctx, cli.Any, func(s cli.Sandbox) error {
			document, err := s.Schema(ctx)
			fmt.Print(document)
			return err
		})
	case verb == "install":
		return install(flags.Arg(0), *version)
	}
	return usage
}

func inSandbox(ctx context.Context, want cli.Kind, use func(cli.Sandbox) error) error {
	dir, err := os.MkdirTemp("", "acceptance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sandbox, err := cli.NewSandbox(ctx, want, dir, os.Stderr)
	if err != nil {
		return err
	}
	return use(sandbox)
}

func install(binary, version string) error {
	dirs, err := cli.Install(binary, version)
	if err != nil {
		return err
	}
	fmt.Printf(`Installed for Terraform and OpenTofu. Paste, then run "terraform init" or "tofu init":

terraform {
  required_providers {
    waldur = {
      source  = %q
      version = %q
    }
  }
}

After you install another build, remove .terraform.lock.hcl before init: it
contains the checksum of this one. As long as these folders exist, no version is
installed from a registry:

`, cli.Source, version)
	for _, dir := range dirs {
		fmt.Println("  " + filepath.Dir(dir))
	}
	return nil
}
