package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	goversion "go/version"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// newTools returns the tools of a new checkout that downloads from the given site
// and builds a stand-in for OpenTofu.
func newTools(t *testing.T, site http.Handler) tools {
	t.Helper()
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	root := t.TempDir()
	if err := os.CopyFS(root, fstest.MapFS{
		openTofuSource + "/go.mod":           {Data: []byte("module github.com/opentofu/opentofu\n")},
		openTofuSource + "/go.sum":           {},
		openTofuSource + "/cmd/tofu/main.go": {Data: []byte("package main\n\nfunc main() {}\n")},
	}); err != nil {
		t.Fatal(err)
	}
	return tools{root: root, url: server.URL, connect: time.Minute, progress: t.Output()}
}

// signedRelease returns a site with a release of Terraform and the public key of
// its signature.
func signedRelease(t *testing.T) (site http.Handler, key string) {
	t.Helper()
	signer, err := openpgp.NewEntity("Releases", "", "releases@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var archive, public, signature bytes.Buffer
	zipped := zip.NewWriter(&archive)
	_, createErr := zipped.Create(executable("terraform"))
	armored, armorErr := armor.Encode(&public, openpgp.PublicKeyType, nil)
	err = errors.Join(createErr, zipped.Close(), armorErr, signer.Serialize(armored), armored.Close())
	name := fmt.Sprintf("terraform_1.11.4_%s_%s.zip", runtime.GOOS, runtime.GOARCH)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), name)
	if err := errors.Join(err, openpgp.DetachSign(&signature, signer, strings.NewReader(sums), nil)); err != nil {
		t.Fatal(err)
	}
	index := fmt.Sprintf(`{"name":"terraform","version":"1.11.4","shasums":"SUMS","shasums_signature":"_SHA256SUMS.sig",
		"builds":[{"os":%q,"arch":%q,"filename":%q,"url":"/terraform/1.11.4/archive.zip"}]}`, runtime.GOOS, runtime.GOARCH, name)
	return http.FileServerFS(fstest.MapFS{
		"terraform/1.11.4/index.json":      {Data: []byte(index)},
		"terraform/1.11.4/SUMS":            {Data: []byte(sums)},
		"terraform/1.11.4/_SHA256SUMS.sig": {Data: signature.Bytes()},
		"terraform/1.11.4/archive.zip":     {Data: archive.Bytes()},
	}), public.String()
}

func TestTerraformIsDownloadedOnceAndOnlyAsSigned(t *testing.T) {
	t.Parallel()
	site, key := signedRelease(t)
	folder := newTools(t, site)
	for range 2 { // the second call finds nothing that the first one left behind
		if path, err := folder.get(t.Context(), Terraform); err == nil || !strings.Contains(err.Error(), "signature") {
			t.Errorf("without HashiCorp's signature: got %q, %v, want an error", path, err)
		}
	}
	folder.key = key
	path, err := folder.get(t.Context(), Terraform)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o100 == 0 {
		t.Errorf("got %s, %v, want an executable file", path, err)
	}
	folder.url = "" // another download would fail
	if again, err := folder.get(t.Context(), Any); err != nil || again != path {
		t.Errorf("got %q, %v, want %q", again, err, path)
	}
}

// Some firewalls drop packets without a response.
func TestDownloadGivesUpOnASiteThatDoesNotRespond(t *testing.T) {
	t.Parallel()
	folder := newTools(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	folder.connect = 10 * time.Millisecond
	if _, err := folder.get(t.Context(), Terraform); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestOpenTofuIsBuiltOnceIfTerraformCannotBeDownloaded(t *testing.T) {
	t.Parallel()
	var progress strings.Builder
	folder := newTools(t, http.NotFoundHandler())
	folder.progress = &progress
	for range 2 {
		if path, err := folder.get(t.Context(), Any); err != nil || !exists(path) {
			t.Fatalf("got %q, %v, want a program", path, err)
		}
	}
	if got := progress.String(); strings.Count(got, "building OpenTofu") != 1 || !strings.Contains(got, "takes a few minutes") {
		t.Errorf("got %q, want one line about the build and its duration", got)
	}
}

func TestFolderOutsideACheckoutIsRejected(t *testing.T) {
	t.Chdir(t.TempDir())
	if root, err := checkout(t.Context()); err == nil {
		t.Errorf("got %q, want an error", root)
	}
}

// Workflows install the toolchain of go.mod and do not let Go replace it.
func TestToolchainCanBuildEveryTool(t *testing.T) {
	t.Parallel()
	version := func(file, directive string) string {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^` + directive + `(\d\S*)$`).FindSubmatch(content)
		if found == nil {
			t.Fatalf("%s has no line %q", file, directive)
		}
		return "go" + string(found[1])
	}
	toolchain := version("../../go.mod", "toolchain go")
	files, err := filepath.Glob("../../tools/*/go.mod")
	if err != nil || len(files) < 4 {
		t.Fatalf("got %v, %v, want at least 4 files", files, err)
	}
	for _, file := range append(files, "../../go.mod", "../../tools/go.mod") {
		if needed := version(file, "go "); goversion.Compare(needed, toolchain) > 0 {
			t.Errorf("%s needs %s, the toolchain is %s", file, needed, toolchain)
		}
	}
}
