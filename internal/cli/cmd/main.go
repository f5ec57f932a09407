// Command cmd makes package cli available to the GNUmakefile.
//
//	find [-cli KIND]                              prints the path of the CLI
//	acceptance [-cli KIND] COMMAND [ARGUMENT...]  runs acceptance tests on the CLI with a command, such as "go test"
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
	usage := errors.New("usage: find [-cli KIND] | acceptance [-cli KIND] COMMAND… | install [-version X.Y.Z] BINARY")
	if len(arguments) == 0 {
		return usage
	}
	flags := flag.NewFlagSet(arguments[0], flag.ExitOnError)
	want := flags.String("cli", string(cli.Any), "the CLI to use: any, terraform or tofu")
	version := flags.String("version", cli.LocalVersion, "the version of the installed provider")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	kind := cli.Kind(*want)
	if kind != cli.Any && kind != cli.Terraform && kind != cli.OpenTofu {
		return fmt.Errorf("-cli %s: must be any, terraform or tofu", kind)
	}
	switch verb := arguments[0]; {
	case verb == "find":
		program, err := cli.Find(ctx, kind, os.Stderr)
		if err == nil {
			fmt.Println(program.Path)
		}
		return err
	case verb == "acceptance" && flags.NArg() > 0:
		return acceptance(ctx, kind, flags.Args())
	case verb == "install" && flags.NArg() == 1:
		return install(flags.Arg(0), *version)
	}
	return usage
}

func acceptance(ctx context.Context, want cli.Kind, command []string) error {
	dir, err := os.MkdirTemp("", "acceptance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sandbox, err := cli.NewSandbox(ctx, want, dir, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "using %s %s, %s\n", sandbox.CLI.Kind, sandbox.CLI.Version, sandbox.CLI.Path)
	cmd := sandbox.Acceptance(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
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
