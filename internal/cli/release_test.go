package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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

func TestAccReleaseHasAChecksumOfEveryArchiveAndOfTheManifest(t *testing.T) {
	t.Parallel()

	dir := release(t)
	sums := sums(t, dir)

	for _, archive := range archives(t, dir) {
		content, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}

		sum := sha256.Sum256(content)
		if got, want := sums[filepath.Base(archive)], hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: the list says %q, the file has %s", filepath.Base(archive), got, want)
		}
	}

	manifest, err := os.ReadFile("../../terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}

	sum := sha256.Sum256(manifest)
	name := "terraform-provider-waldur-usage_" + version(t, dir) + "_manifest.json"

	if got, want := sums[name], hex.EncodeToString(sum[:]); got != want {
		t.Errorf("without %s, the registry assumes protocol 5: the list says %q, the file has %s", name, got, want)
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

// The mirror contains the archives as a registry serves them, and the CLI picks
// that of its platform.
func TestAccReleaseInstallsFromItsArchive(t *testing.T) {
	t.Parallel()

	released := release(t)

	program, err := Find(t.Context(), Any, t.Output())
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()

	config, err := writeConfig(dir)
	if err != nil {
		t.Fatal(err)
	}

	mirror := filepath.Join(dir, "plugins", program.Kind.RegistryHost(), "waldur", "waldur-usage")
	if err := os.MkdirAll(mirror, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, archive := range archives(t, released) {
		if err := os.Symlink(archive, filepath.Join(mirror, filepath.Base(archive))); err != nil {
			t.Fatal(err)
		}
	}

	initialize(t, program, config, version(t, released))
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
