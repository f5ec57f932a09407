package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// thisBinary returns the binary of the tests, which names the same module as the
// provider.
func thisBinary(t *testing.T) string {
	t.Helper()

	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	return path
}

func TestSourceIsDerivedFromTheModule(t *testing.T) {
	t.Parallel()

	if got, err := Source(thisBinary(t)); err != nil || got != "waldur/waldur-usage" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSourceRefusesOtherPrograms(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "terraform-provider-waldur-usage")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}

	if got, err := Source(path); err == nil {
		t.Errorf("got %q", got)
	}
}

func TestMirrorServesBothHostsAndNothingElse(t *testing.T) {
	t.Parallel()

	dir, binary := t.TempDir(), thisBinary(t)

	config, err := Mirror(dir, binary, LocalVersion)
	if err != nil {
		t.Fatal(err)
	}

	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		path := filepath.Join(dir, "plugins", host, "waldur", "waldur-usage", LocalVersion,
			runtime.GOOS+"_"+runtime.GOARCH, filepath.Base(binary))
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o100 == 0 {
			t.Errorf("no program: %v", err)
		}
	}

	content, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}

	if strings.Contains(string(content), "direct") {
		t.Errorf("a test would reach the network:\n%s", content)
	}
}

func TestMirrorDropsTheEarlierBuild(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()

	packages, err := layOut(dir, thisBinary(t), LocalVersion)
	if err != nil {
		t.Fatal(err)
	}

	// A remaining file would change the checksum of the package.
	stale := filepath.Join(packages[0], "stale")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	if _, err := layOut(dir, thisBinary(t), LocalVersion); err != nil {
		t.Fatal(err)
	}

	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}
