package documents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// projectOfTheDocuments is whose UUID stands in the documents.
const projectOfTheDocuments = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"

// installStandIn puts a provider into the mirror as waldur/waldur, which cannot
// be had without its registry: its address, its prefix, one of its data sources.
func installStandIn(t *testing.T, mirror string) {
	t.Helper()
	built := filepath.Join(t.TempDir(), "terraform-provider-waldur")
	if runtime.GOOS == "windows" {
		built += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", built, "./standin").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []cli.Kind{cli.Terraform, cli.OpenTofu} {
		dir := filepath.Join(mirror, kind.RegistryHost(), "waldur", "waldur", cli.LocalVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(built)), program, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func (w workshop) bothProvidersReadInOnePlan(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	now := time.Now().UTC()
	server.Add(waldurtest.History(projectOfTheDocuments, 2, 3, waldurtest.Newest(now.Year(), now.Month()))...)
	w = w.connected(server.Start(t), waldurtest.Token)
	for i, shows := range []string{"cpu_hours", "No changes"} {
		t.Run(fmt.Sprintf("configuration %d", i+1), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			surroundings(t, dir)
			write(t, filepath.Join(dir, "main.tf"), officialGuide(t, i))
			w.mustRun(t, dir, "init", "-no-color")
			if output := w.mustRun(t, dir, "plan", "-no-color"); !strings.Contains(output, shows) || len(server.Requests()) == 0 {
				t.Errorf("the plan shows no usage:\n%s", output)
			}
		})
	}
}

// The guide says what happens otherwise. If one of the programs learns it, the
// guide has to be changed.
func (w workshop) twoProvidersOfOnePrefixNeedNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ replace, with, refusal string }{
		"without provider = usage": {"provider     = usage\n", "\n", "Invalid data source"},
		"with a module that calls it waldur": {
			`output "cpu_hours"`, `module "budget" {
			  source       = "./budget-check"
			  providers    = { waldur = usage }
			  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
			  date_after   = "2024-10-01"
			  limits       = { cpu = { category_title = "Virtual machines", type = "cpu", measure = "reported_usage", limit = 1 } }
			}
			output "cpu_hours"`, "Provider type mismatch",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := officialGuide(t, 0)
			changed := strings.Replace(shown, test.replace, test.with, 1)
			if changed == shown {
				t.Fatalf("the guide does not say %q", test.replace)
			}
			dir := t.TempDir()
			surroundings(t, dir)
			write(t, filepath.Join(dir, "main.tf"), changed)
			output, exit := w.run(t, dir, "init", "-no-color")
			if exit == 0 {
				output, exit = w.run(t, dir, "validate", "-no-color")
			}
			if exit == 0 || !strings.Contains(output, test.refusal) {
				t.Errorf("it ended with %d:\n%s", exit, output)
			}
		})
	}
}

// officialGuide gives one of the configurations of the guide.
func officialGuide(t *testing.T, number int) string {
	t.Helper()
	return strings.Join(readPage(t, "docs/guides/beside-the-official-provider.md").configurations()[number], "\n")
}
