package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// release returns the folder with the archives of a release or a snapshot.
func release(t *testing.T) string {
	t.Helper()

	dir := os.Getenv("RELEASE")
	if dir == "" {
		t.Skip(`run "make release-check", which builds the archives of a release`)
	}

	return dir
}

// sums returns the checksums by file name.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()

	lists, err := filepath.Glob(filepath.Join(dir, "*_SHA256SUMS"))
	if err != nil || len(lists) != 1 {
		t.Fatalf("want one list of checksums, got %q, %v", lists, err)
	}

	list, err := os.ReadFile(lists[0])
	if err != nil {
		t.Fatal(err)
	}

	sums := map[string]string{}

	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}

	return sums
}

// archives returns the files that a CLI can install.
func archives(t *testing.T, dir string) []string {
	t.Helper()

	archives, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in %s: %v", dir, err)
	}

	return archives
}

// Terraform's registry rejects a list that has any other file in it.
func TestAccReleaseHasChecksumsOfItsArchivesAndManifestOnly(t *testing.T) {
	t.Parallel()

	dir := release(t)
	sums := sums(t, dir)

	if want := len(archives(t, dir)) + 1; len(sums) != want {
		t.Errorf("%d checksums, want %d: %q", len(sums), want, slices.Sorted(maps.Keys(sums)))
	}

	for _, archive := range archives(t, dir) {
		content, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}

		sum := sha256.Sum256(content)
		if got, want := sums[filepath.Base(archive)], hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: the list has %q, the file %s", filepath.Base(archive), got, want)
		}
	}

	manifest, err := os.ReadFile("../../terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}

	sum := sha256.Sum256(manifest)
	name := "terraform-provider-waldur-usage_" + version(t, dir) + "_manifest.json"

	if got, want := sums[name], hex.EncodeToString(sum[:]); got != want {
		t.Errorf("the registry assumes protocol 5 without %s: the list has %q, the file %s", name, got, want)
	}
}

func TestAccReleaseHasAnSBOMOfEachArchive(t *testing.T) {
	t.Parallel()

	for _, archive := range archives(t, release(t)) {
		content, err := os.ReadFile(strings.TrimSuffix(archive, ".zip") + ".cdx.json")
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(content), `"pkg:golang/github.com/hashicorp/terraform-plugin-framework@`) {
			t.Errorf("the SBOM of %s does not list the modules of the provider", filepath.Base(archive))
		}
	}
}

func TestAccReleaseHasThePlatformsOfBothCLIs(t *testing.T) {
	t.Parallel()

	var got []string

	for _, archive := range archives(t, release(t)) {
		parts := strings.Split(strings.TrimSuffix(filepath.Base(archive), ".zip"), "_")
		got = append(got, strings.Join(parts[len(parts)-2:], "_"))
	}

	slices.Sort(got)

	want := []string{
		"darwin_amd64", "darwin_arm64",
		"freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
		"linux_386", "linux_amd64", "linux_arm", "linux_arm64",
		"windows_386", "windows_amd64", "windows_arm64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The archives are in a mirror as they are in a registry, and the CLI installs
// the one for its platform.
func TestAccReleaseInstallsFromItsArchive(t *testing.T) {
	t.Parallel()

	released := release(t)

	program, err := Find(t.Context(), Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}

	initialize(t, program, archiveMirror(t, program.Kind, released), version(t, released))
}

// The rehearsal of a release: a pipeline installs it and checks a budget.
func TestAccReleaseChecksABudget(t *testing.T) {
	t.Parallel()

	released := release(t)

	program, err := Find(t.Context(), Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}

	now := time.Now().UTC()
	server := waldurtest.New()
	server.Add(waldurtest.History("/api/projects/2b5719686db84f24bf64c3dfec58fbeb/", 24, 8, waldurtest.Newest(now.Year(), now.Month()))...)

	w := Sandbox{CLI: program, Config: archiveMirror(t, program.Kind, released)}.
		WorkingDir(t.TempDir(), "WALDUR_API_URL="+server.Start(t), "WALDUR_ACCESS_TOKEN="+waldurtest.Token)
	if err := w.Write("main.tf", budgetGate); err != nil {
		t.Fatal(err)
	}

	run := func(arguments ...string) Result {
		r, err := w.Run(t.Context(), arguments...)
		if err != nil {
			t.Fatal(err)
		}

		t.Logf("%s %s %s: exit code %d\n%s", program.Kind, program.Version, strings.Join(arguments, " "), r.ExitCode, r.Output)

		return r
	}

	if r := run("init", "-no-color"); r.ExitCode != 0 {
		t.Fatal("the release is not installed")
	}

	if r := run("plan", "-no-color"); r.ExitCode != 1 || !strings.Contains(r.Output, "cpu             20186 of      15000") {
		t.Error("a plan over the budget does not fail with the usage")
	}

	if r := run("plan", "-no-color", `-var=limits={"cpu":20186,"ram":69252}`); r.ExitCode != 0 {
		t.Error("a plan within the budget fails")
	}
}

// budgetGate fails a plan when the project of the fake Waldur used more in this
// month than a limit, or when there is no data for it.
const budgetGate = `
terraform {
  required_providers { waldur = { source = "waldur/waldur-usage" } }
}
variable "limits" {
  type    = map(number)
  default = { cpu = 15000, ram = 80000 }
}
data "waldur_category_component_usages" "month" {
  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
  date_after   = formatdate("YYYY-MM-01", plantimestamp())
  lifecycle {
    postcondition {
      condition     = alltrue([for t, limit in var.limits : try(sum([for u in self.usages : u.reported_usage if u.type == t]) <= limit, false)])
      error_message = join("\n", concat(["Used this month:"], [for t, limit in var.limits : format("  %-10s %10v of %10v", t, try(sum([for u in self.usages : u.reported_usage if u.type == t]), "no data"), limit)]))
    }
  }
}
output "used" { value = { for u in data.waldur_category_component_usages.month.usages : u.type => u.reported_usage... } }
`

// archiveMirror makes a file system mirror of the archives in a release and
// returns the CLI configuration file that installs from it alone.
func archiveMirror(t *testing.T, kind Kind, released string) (config string) {
	t.Helper()

	dir := t.TempDir()

	config, err := writeConfig(dir)
	if err != nil {
		t.Fatal(err)
	}

	mirror := filepath.Join(dir, "plugins", kind.RegistryHost(), "waldur", "waldur-usage")
	if err := os.MkdirAll(mirror, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, archive := range archives(t, released) {
		if err := os.Symlink(archive, filepath.Join(mirror, filepath.Base(archive))); err != nil {
			t.Fatal(err)
		}
	}

	return config
}

// version returns the version in the names of the archives.
func version(t *testing.T, dir string) string {
	t.Helper()

	name := filepath.Base(archives(t, dir)[0])

	match := regexp.MustCompile(`^terraform-provider-waldur-usage_([^_]+)_`).FindStringSubmatch(name)
	if match == nil {
		t.Fatalf("the registry does not accept the name %s", name)
	}

	return match[1]
}
