package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFindReturnsTheNamedOrInstalledCLI(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	const warning = "\nWarning: Unable to open CLI configuration file\n\n"
	for name, test := range map[string]struct {
		terraform, tofu, named string // what the programs answer to "version"; none: there is no such program
		kind                   Kind
		want                   CLI    // its path is the name of the program
		err                    string // instead of a CLI
	}{
		"Terraform is preferred":           {"Terraform v1.11.4", "OpenTofu v1.12.6", "", Any, CLI{Terraform, "1.11.4", "terraform"}, ""},
		"the wanted kind":                  {"Terraform v1.11.4", "OpenTofu v1.12.6", "", OpenTofu, CLI{OpenTofu, "1.12.6", "tofu"}, ""},
		"the named program is preferred":   {"Terraform v1.11.4", "", "OpenTofu v1.6.0", Any, CLI{OpenTofu, "1.6.0", "named"}, ""},
		"the named one is the other kind":  {"Terraform v1.11.4", "", "OpenTofu v1.6.0", Terraform, CLI{Terraform, "1.11.4", "terraform"}, ""},
		"a program knows which one it is":  {warning + "OpenTofu v1.12.6\non linux_amd64", "", "", Any, CLI{OpenTofu, "1.12.6", "terraform"}, ""},
		"a program that is neither":        {"GNU Emacs 29.1", "", "", Any, CLI{}, "GNU Emacs"},
		"the named program does not exist": {"Terraform v1.11.4", "", "absent", Any, CLI{}, pathVariable},
		"none of the wanted kind":          {"", "OpenTofu v1.12.6", "", Terraform, CLI{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			t.Setenv(pathVariable, "")
			for program, answer := range map[string]string{"terraform": test.terraform, "tofu": test.tofu, "named": test.named} {
				path := filepath.Join(dir, program)
				if program == "named" && answer != "" {
					t.Setenv(pathVariable, path)
				}
				if answer == "" || answer == "absent" {
					continue
				}
				if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+answer+"'\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			got, err := installed(t.Context(), test.kind)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want an error with %q", err, test.err)
				}
				return
			}
			if test.want.Path != "" {
				test.want.Path = filepath.Join(dir, test.want.Path)
			}
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestSinceComparesWithTheVersionOfTheKind(t *testing.T) {
	t.Parallel()
	for cli, want := range map[CLI]bool{
		{Kind: Terraform, Version: "1.7.5"}:  false,
		{Kind: Terraform, Version: "1.8.0"}:  true,
		{Kind: Terraform, Version: "1.11.4"}: true,
		{Kind: OpenTofu, Version: "1.6.3"}:   false,
		{Kind: OpenTofu, Version: "1.7.0"}:   true,
		{Kind: OpenTofu, Version: "2.0.0"}:   true,
	} {
		if got := cli.Since(8, 7); got != want {
			t.Errorf("%s %s: got %t", cli.Kind, cli.Version, got)
		}
	}
}
