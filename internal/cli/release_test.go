package cli_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
		t.Fatalf("got the checksum files %q, %v, want one", lists, err)
	}
	// The registries accept no other name.
	name := strings.Split(filepath.Base(lists[0]), "_")
	if len(name) != 3 || name[0] != "terraform-provider-waldur-usage" {
		t.Fatalf("got the checksum file %s, want terraform-provider-waldur-usage_VERSION_SHA256SUMS", lists[0])
	}
	return dir, name[1]
}

// Terraform's registry rejects a checksum file that lists any other file, and
// assumes protocol 5 without the manifest.
func TestAccReleaseHasTheFilesOfEachPlatform(t *testing.T) {
	t.Parallel()
	dir, version := release(t)
	prefix := "terraform-provider-waldur-usage_" + version + "_"
	read := func(path string) []byte {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		return content
	}
	line := func(name string, content []byte) string {
		return fmt.Sprintf("%x  %s%s", sha256.Sum256(content), prefix, name)
	}
	want := []string{line("manifest.json", read("../../terraform-registry-manifest.json"))}
	for _, platform := range []string{
		"darwin_amd64", "darwin_arm64",
		"freebsd_386", "freebsd_amd64", "freebsd_arm", "freebsd_arm64",
		"linux_386", "linux_amd64", "linux_arm", "linux_arm64",
		"windows_386", "windows_amd64", "windows_arm64",
	} {
		path := filepath.Join(dir, prefix+platform)
		want = append(want, line(platform+".zip", read(path+".zip")))
		if !strings.Contains(string(read(path+".cdx.json")), `"pkg:golang/github.com/hashicorp/terraform-plugin-framework@`) {
			t.Errorf("the SBOM of %s does not list the modules of the provider", platform)
		}
	}
	got := strings.Split(strings.TrimSpace(string(read(filepath.Join(dir, prefix+"SHA256SUMS")))), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got the checksums\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if archives, err := filepath.Glob(filepath.Join(dir, "*.zip")); err != nil || len(archives) != len(want)-1 {
		t.Errorf("got the archives %q, %v, want %d", archives, err, len(want)-1)
	}
}

// The rehearsal of a release: the CLI installs the archive for its platform from
// a mirror, as it does from a registry, and checks a budget.
func TestAccReleaseInstallsFromItsArchiveAndChecksABudget(t *testing.T) {
	t.Parallel()
	dir, version := release(t)
	const project = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
	server := waldurtest.New()
	server.Add(waldurtest.History(project, 24, 12)...)
	url := server.Start(t)
	// Without the CLI configuration of the sandbox, only the mirror has the
	// provider.
	w := cli.Sandbox{CLI: clitest.Sandbox(t).CLI}.WorkingDir(t.TempDir(),
		"WALDUR_API_URL="+url, "WALDUR_ACCESS_TOKEN="+waldurtest.Token, "TF_VAR_scope="+url+project)
	mirror := filepath.Join(w.Dir, "mirror")
	provider := filepath.Join(mirror, w.Sandbox.CLI.Kind.RegistryHost(), cli.Source)
	gate, gateErr := os.ReadFile("../demo/budget/main.tf")
	archives, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err := errors.Join(gateErr, err, w.Write("main.tf", string(gate)), os.MkdirAll(provider, 0o700)); err != nil {
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
		got := clitest.Run(t, w, strings.Fields(step.command)...)
		t.Logf("%s %s %s: exit code %d\n%s", w.Sandbox.CLI.Kind, w.Sandbox.CLI.Version, step.command, got.ExitCode, got.Output)
		if got.ExitCode != step.exitCode || !got.Contains(step.prints) {
			t.Fatalf("want exit code %d and %q", step.exitCode, step.prints)
		}
	}
}
