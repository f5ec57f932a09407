package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
)

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// packages returns the folders of the provider below a mirror, one for each registry.
func packages(t *testing.T, mirror, version string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(mirror, "registry.*", "waldur", "waldur-usage", version, runtime.GOOS+"_"+runtime.GOARCH))
	if err != nil || len(dirs) != 2 {
		t.Fatalf("want the provider for two registries in %s, got %q, %v", mirror, dirs, err)
	}
	return dirs
}

func TestSandboxHasTheLatestBuildForBothRegistries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sandbox, binary := cli.Sandbox{Config: filepath.Join(dir, "cli.tfrc")}, filepath.Join(dir, "terraform-provider-waldur-usage")
	for _, build := range []string{"earlier", "latest"} {
		if err := errors.Join(os.WriteFile(binary, []byte(build), 0o755), sandbox.Add(cli.Source, binary)); err != nil {
			t.Fatal(err)
		}
		for _, provider := range packages(t, filepath.Join(dir, "plugins"), cli.LocalVersion) {
			// Another file would change the checksum of the package.
			files, err := filepath.Glob(filepath.Join(provider, "*"))
			if err != nil || len(files) != 1 {
				t.Fatalf("got %q, %v", files, err)
			}
			program, err := os.ReadFile(files[0])
			if info, _ := os.Stat(files[0]); err != nil || string(program) != build || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("%s is not the %s build: %q, %v", files[0], build, program, err)
			}
			if err := os.WriteFile(filepath.Join(provider, "stale"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAccSandboxReachesNoRegistry(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(clitest.Sandbox(t).Config)
	if err != nil || !strings.Contains(string(config), "filesystem_mirror") || strings.Contains(string(config), "direct") {
		t.Errorf("got %s, %v", config, err)
	}
}

// "init" needs no CLI configuration, and "validate" starts the provider.
func TestAccInitFindsTheInstalledProvider(t *testing.T) {
	sandbox := clitest.Sandbox(t)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AppData", t.TempDir())
	built := packages(t, filepath.Join(filepath.Dir(sandbox.Config), "plugins"), cli.LocalVersion)[0]
	binaries, err := filepath.Glob(filepath.Join(built, "*"))
	if err != nil || len(binaries) != 1 {
		t.Fatalf("got %q, %v", binaries, err)
	}
	if _, err := cli.Install(binaries[0], "1.2.3"); err != nil {
		t.Fatal(err)
	}
	w := cli.Sandbox{CLI: sandbox.CLI}.WorkingDir(t.TempDir())
	clitest.Write(t, w, "main.tf", `
terraform {
  required_providers {
    waldur = { source = "waldur/waldur-usage" }
  }
}
data "waldur_category_component_usage" "it" { id = 1 }
`)
	if printed := clitest.MustRun(t, w, "init", "-no-color"); !strings.Contains(printed, "Installed waldur/waldur-usage v1.2.3") {
		t.Errorf("another provider was installed:\n%s", printed)
	}
	clitest.MustRun(t, w, "validate", "-no-color")
}
