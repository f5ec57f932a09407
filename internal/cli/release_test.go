package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// release returns the folder with the files of a release or a snapshot, and its
// version.
func release(t *testing.T) (dir, version string) {
	t.Helper()
	dir = os.Getenv("RELEASE")
	if dir == "" {
		t.Skip(`run "make release-check", which builds the archives of a release`)
	}
	lists, err := filepath.Glob(filepath.Join(dir, "*_SHA256SUMS"))
	if err != nil || len(lists) != 1 {
		t.Fatalf("want one list of checksums, got %q, %v", lists, err)
	}
	match := regexp.MustCompile(`^terraform-provider-waldur-usage_([^_]+)_SHA256SUMS$`).FindStringSubmatch(filepath.Base(lists[0]))
	if match == nil {
		t.Fatalf("the registries do not accept the name %s", lists[0])
	}
	return dir, match[1]
}

// sum returns the SHA-256 of a file.
func sum(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Terraform's registry rejects a list of checksums with any other file, and
// assumes protocol 5 without the manifest.
func TestAccReleaseHasTheFilesOfEachPlatform(t *testing.T) {
	t.Parallel()
	dir, version := release(t)
	release := "terraform-provider-waldur-usage_" + version + "_"
	want := map[string]string{release + "manifest.json": sum(t, "../../terraform-registry-manifest.json")}
	for _, platform := range []string{
		"darwin_amd64", "darwin_arm64",
		"freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
		"linux_386", "linux_amd64", "linux_arm", "linux_arm64",
		"windows_386", "windows_amd64", "windows_arm64",
	} {
		want[release+platform+".zip"] = sum(t, filepath.Join(dir, release+platform+".zip"))
		sbom, err := os.ReadFile(filepath.Join(dir, release+platform+".cdx.json"))
		if err != nil || !strings.Contains(string(sbom), `"pkg:golang/github.com/hashicorp/terraform-plugin-framework@`) {
			t.Errorf("the SBOM of %s does not list the modules of the provider: %v", platform, err)
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, release+"SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got[name] = sum
	}
	if !maps.Equal(got, want) {
		t.Errorf("the list of checksums has %q\nwant %q", got, want)
	}
	if zips, err := filepath.Glob(filepath.Join(dir, "*.zip")); err != nil || len(zips) != len(want)-1 {
		t.Errorf("got the archives %q, %v", zips, err)
	}
}

// The rehearsal of a release: a pipeline installs it and checks a budget. The
// archives are in a mirror as they are in a registry, and the CLI installs the
// one for its platform.
func TestAccReleaseInstallsFromItsArchiveAndChecksABudget(t *testing.T) {
	t.Parallel()
	dir, version := release(t)
	const project = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
	server := waldurtest.New()
	server.Add(waldurtest.History(project, 24, 12)...)
	url := server.Start(t)
	// Without the file of the sandbox, so that only the mirror has the provider.
	w := cli.Sandbox{CLI: clitest.Sandbox(t).CLI}.WorkingDir(t.TempDir(),
		"WALDUR_API_URL="+url, "WALDUR_ACCESS_TOKEN="+waldurtest.Token, "TF_VAR_scope="+url+project)
	gate, err := os.ReadFile("../demo/budget/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, w, "main.tf", string(gate))
	mirror := filepath.Join(w.Dir, "mirror")
	provider := filepath.Join(mirror, w.Sandbox.CLI.Kind.RegistryHost(), cli.Source)
	archives, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err := errors.Join(err, os.MkdirAll(provider, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		if err := os.Symlink(archive, filepath.Join(provider, filepath.Base(archive))); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		command  string
		exitCode int
		prints   string
	}{
		{"init -no-color -plugin-dir=" + mirror, 0, "Installed waldur/waldur-usage v" + version},
		{"plan -no-color -var=gpu_limit=700", 0, "Budget: 2 near, 1 ok."},
		{"plan -no-color -var=gpu_limit=500", 1, "over by 98"},
	} {
		r := clitest.Run(t, w, strings.Fields(step.command)...)
		t.Logf("%s %s %s: exit code %d\n%s", w.Sandbox.CLI.Kind, w.Sandbox.CLI.Version, step.command, r.ExitCode, r.Output)
		if r.ExitCode != step.exitCode || !r.Contains(step.prints) {
			t.Fatalf("want exit code %d and %q", step.exitCode, step.prints)
		}
	}
}
