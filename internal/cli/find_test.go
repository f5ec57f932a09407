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
	type programs map[string]string // the output of "version" by file name
	both := programs{"terraform": "Terraform v1.11.4", "tofu": "OpenTofu v1.12.6"}
	terraform, tofu := CLI{Terraform, "1.11.4", "terraform"}, CLI{OpenTofu, "1.12.6", "tofu"}
	const warning = "\nWarning: Unable to open CLI configuration file\n\n"
	for name, test := range map[string]struct {
		programs programs
		named    string // by TF_ACC_TERRAFORM_PATH
		kind     Kind
		want     CLI // with the name of the file as path
		err      string
	}{
		"Terraform is preferred":           {both, "", Any, terraform, ""},
		"the wanted kind":                  {both, "", OpenTofu, tofu, ""},
		"none of the wanted kind":          {programs{"tofu": "OpenTofu v1.12.6"}, "", Terraform, CLI{}, ""},
		"the named program is preferred":   {both, "tofu", Any, tofu, ""},
		"the named one is the other kind":  {both, "tofu", Terraform, terraform, ""},
		"the named program does not exist": {both, "absent", Any, CLI{}, pathVariable},
		"OpenTofu called terraform": {
			programs{"terraform": warning + "OpenTofu v1.12.6\non linux_amd64"}, "", Any, CLI{OpenTofu, "1.12.6", "terraform"}, "",
		},
		"the other kind does not work":    {programs{"terraform": "", "tofu": "OpenTofu v1.12.6"}, "", OpenTofu, tofu, ""},
		"the wanted kind does not work":   {programs{"terraform": "", "tofu": "OpenTofu v1.12.6"}, "", Terraform, CLI{}, "neither Terraform nor OpenTofu"},
		"the named program does not work": {programs{"terraform": "", "tofu": "OpenTofu v1.12.6"}, "terraform", OpenTofu, CLI{}, "neither Terraform nor OpenTofu"},
		"neither of the two":              {programs{"terraform": "GNU Emacs 29.1"}, "", Any, CLI{}, "GNU Emacs"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			t.Setenv(pathVariable, test.named)
			for program, version := range test.programs {
				if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			got, err := installed(t.Context(), test.kind)
			if test.want.Path != "" {
				test.want.Path = filepath.Join(dir, test.want.Path)
			}
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %+v, %v, want %+v and the error %q", got, err, test.want, test.err)
			}
		})
	}
}

func TestSinceComparesWithTheVersionOfTheKind(t *testing.T) {
	t.Parallel()
	for cli, want := range map[CLI]bool{
		{Kind: Terraform, Version: "0.15.5"}: false,
		{Kind: Terraform, Version: "1.7.5"}:  false,
		{Kind: Terraform, Version: "1.8.0"}:  true,
		{Kind: Terraform, Version: "1.11.4"}: true,
		{Kind: OpenTofu, Version: "1.6.3"}:   false,
		{Kind: OpenTofu, Version: "1.7.0"}:   true,
		{Kind: OpenTofu, Version: "2.0.0"}:   true,
	} {
		if got := cli.Since(8, 7); got != want {
			t.Errorf("%s %s: got %t, want %t", cli.Kind, cli.Version, got, want)
		}
	}
}
