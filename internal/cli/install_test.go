package cli

import (
	"os"
	"strings"
	"testing"
)

const configuration = `
terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}

data "waldur_category_component_usage" "it" {
  id = 1
}
`

// initialize runs "init", and "validate", which starts the provider.
func initialize(t *testing.T, program CLI, config, version string) {
	t.Helper()

	w := Sandbox{CLI: program, Config: config}.WorkingDir(t.TempDir())
	if err := w.Write("main.tf", configuration); err != nil {
		t.Fatal(err)
	}

	out, err := w.MustRun(t.Context(), "init", "-no-color")
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(out, "Installed waldur/waldur-usage v"+version) {
		t.Errorf("another provider was installed:\n%s", out)
	}

	if _, err := w.MustRun(t.Context(), "validate", "-no-color"); err != nil {
		t.Errorf("the provider does not start: %v", err)
	}
}

func TestAccInitInstallsTheProvider(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance test: needs TF_ACC=1")
	}

	program, err := Find(t.Context(), Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}

	binary, err := BuildProvider(t.Context(), t.TempDir(), LocalVersion)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("in a mirror", func(t *testing.T) {
		config, err := Mirror(t.TempDir(), binary, LocalVersion)
		if err != nil {
			t.Fatal(err)
		}

		initialize(t, program, config, LocalVersion)
	})

	t.Run("installed, without any configuration", func(t *testing.T) {
		t.Setenv("HOME", t.TempDir())
		t.Setenv("AppData", t.TempDir())

		if _, err := Install(binary, LocalVersion); err != nil {
			t.Fatal(err)
		}

		initialize(t, program, "", LocalVersion)
	})

	t.Run("for its schema, under the given name", func(t *testing.T) {
		got, err := program.Schema(t.Context(), binary, "waldur")
		if err != nil {
			t.Fatal(err)
		}

		for _, want := range []string{`"provider_schemas":{"waldur":`, `"waldur_category_component_usages":`} {
			if !strings.Contains(string(got), want) {
				t.Errorf("no %s in %s", want, got)
			}
		}
	})
}
