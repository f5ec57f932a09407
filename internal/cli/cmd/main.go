// Command cmd is package cli for the Makefile.
//
//	find       [-cli any|terraform|tofu]                       prints the path of the CLI
//	acceptance [-cli any|terraform|tofu] COMMAND [ARGUMENT…]   runs a command, such as "go test", with acceptance tests on the CLI
//	schema     [-cli any|terraform|tofu] BINARY                prints the schema of the provider for tfplugindocs
//	install    -version X.Y.Z BINARY                           installs the provider for the user
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
	if len(arguments) == 0 {
		return errors.New("usage: find, acceptance, schema or install")
	}

	verb := arguments[0]
	flags := flag.NewFlagSet(verb, flag.ExitOnError)
	want := flags.String("cli", string(cli.Any), "the CLI to use: any, terraform or tofu")
	version := flags.String("version", cli.LocalVersion, "the version of the installed provider")

	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}

	if verb == "install" {
		return install(flags.Arg(0), *version)
	}

	if verb == "acceptance" {
		return acceptance(ctx, cli.Kind(*want), flags.Args())
	}

	program, err := cli.Find(ctx, cli.Kind(*want), os.Stderr)
	if err != nil {
		return err
	}

	switch verb {
	case "find":
		fmt.Println(program.Path)

		return nil
	case "schema":
		return schema(ctx, program, flags.Arg(0))
	default:
		return fmt.Errorf("unknown command %q", verb)
	}
}

func acceptance(ctx context.Context, want cli.Kind, command []string) error {
	if len(command) == 0 {
		return errors.New("acceptance: no command to run")
	}

	dir, err := os.MkdirTemp("", "acceptance-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	sandbox, err := cli.NewSandbox(ctx, want, dir, os.Stderr)
	if err != nil {
		return err
	}

	fmt.Fprintf(os.Stderr, "acceptance tests on %s %s, %s\n", sandbox.CLI.Kind, sandbox.CLI.Version, sandbox.CLI.Path)

	cmd := sandbox.Acceptance(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr

	return cmd.Run()
}

func schema(ctx context.Context, program cli.CLI, binary string) error {
	// tfplugindocs finds the schemas of the data sources by their prefix.
	document, err := program.Schema(ctx, binary, "waldur")
	if err != nil {
		return err
	}

	_, err = os.Stdout.Write(document)

	return err
}

func install(binary, version string) error {
	dirs, err := cli.Install(binary, version)
	if err != nil {
		return err
	}

	source, err := cli.Source(binary)
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

`, source, version)

	for _, dir := range dirs {
		fmt.Println("  " + filepath.Dir(dir))
	}

	return nil
}
