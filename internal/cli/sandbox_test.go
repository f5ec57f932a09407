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

// "init" needs no CLI configuration, and "validate" starts the provider. Any file
// left over from an earlier build would change the checksum of the package.
func TestAccInitFindsTheLatestInstalledBuild(t *testing.T) {
	sandbox := clitest.Sandbox(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AppData", home)
	earlier := filepath.Join(t.TempDir(), "terraform-provider-waldur-usage_earlier")
	latest, err := filepath.Glob(filepath.Join(filepath.Dir(sandbox.Config), "terraform-provider-waldur-usage*"))
	if err := errors.Join(err, os.WriteFile(earlier, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, binary := range append([]string{earlier}, latest...) {
		for _, version := range []string{"one", "v1.2.3", "1.2"} {
			if _, err := cli.Install(binary, version); err == nil {
				t.Errorf("%s: got no error for a version that no CLI accepts", version)
			}
		}
		if _, err := cli.Install(binary, "1.2.3"); err != nil {
			t.Fatal(err)
		}
	}
	platform := runtime.GOOS + "_" + runtime.GOARCH
	files, err := filepath.Glob(filepath.Join(home, "*terraform.d/plugins/registry.*/waldur/waldur-usage/1.2.3", platform, "*"))
	if err != nil || len(files) != 2 || filepath.Base(files[0]) != filepath.Base(latest[0]) {
		t.Errorf("got %q, %v, want the latest build for two registries", files, err)
	}
	w := cli.Sandbox{CLI: sandbox.CLI}.WorkingDir(t.TempDir())
	clitest.Write(t, w, "main.tf", cli.Required+`data "waldur_category_component_usage" "it" { id = 1 }`)
	const want = "Installed waldur/waldur-usage v1.2.3"
	if got := clitest.MustRun(t, w, "init", "-no-color"); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %q", got, want)
	}
	clitest.MustRun(t, w, "validate", "-no-color")
}
