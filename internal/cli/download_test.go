package cli

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// signer returns a key pair, and its public key as releases needs it.
func signer(t *testing.T) (entity *openpgp.Entity, public string) {
	t.Helper()

	entity, err := openpgp.NewEntity("Releases", "", "releases@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}

	var armored strings.Builder

	writer, err := armor.Encode(&armored, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}

	if err := errors.Join(entity.Serialize(writer), writer.Close()); err != nil {
		t.Fatal(err)
	}

	return entity, armored.String()
}

// serveReleases starts a site with one signed release of Terraform, some of whose
// files are replaced.
func serveReleases(t *testing.T, entity *openpgp.Entity, replaced map[string]string) *httptest.Server {
	t.Helper()

	var archive bytes.Buffer

	writer := zip.NewWriter(&archive)

	program, err := writer.Create(executable("terraform"))
	if err != nil {
		t.Fatal(err)
	}

	_, err = io.WriteString(program, "#!/bin/sh\necho Terraform v1.11.4\n")
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}

	name := fmt.Sprintf("terraform_1.11.4_%s_%s.zip", runtime.GOOS, runtime.GOARCH)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), name)

	var signature strings.Builder
	if err := openpgp.DetachSign(&signature, entity, strings.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}

	files := map[string]string{
		"index.json": fmt.Sprintf(`{"name":"terraform","version":"1.11.4","shasums":"SUMS","shasums_signature":"_SHA256SUMS.sig",
			"builds":[{"os":%q,"arch":%q,"filename":%q,"url":"/terraform/1.11.4/archive.zip"}]}`, runtime.GOOS, runtime.GOARCH, name),
		"SUMS": sums, "_SHA256SUMS.sig": signature.String(), "archive.zip": archive.String(),
	}

	maps.Copy(files, replaced)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, found := files[strings.TrimPrefix(r.URL.Path, "/terraform/1.11.4/")]
		if !found {
			http.NotFound(w, r)

			return
		}

		w.Header().Set("Content-Type", map[string]string{".json": "application/json", ".zip": "application/zip"}[filepath.Ext(r.URL.Path)])
		_, _ = io.WriteString(w, content)
	}))
	t.Cleanup(server.Close)

	return server
}

// checkout returns the root of a checkout with the files from which the path of
// OpenTofu is derived.
func checkout(t *testing.T) string {
	t.Helper()

	root := t.TempDir()
	source := filepath.Join(root, openTofuSource)

	if err := os.MkdirAll(source, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"go.mod", "go.sum"} {
		if err := os.WriteFile(filepath.Join(source, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return root
}

func TestTerraformIsDownloadedOnce(t *testing.T) {
	t.Parallel()

	entity, public := signer(t)
	server := serveReleases(t, entity, nil)
	folder := tools{root: checkout(t), releases: releases{url: server.URL, key: public, connect: time.Minute}, progress: t.Output()}

	path, err := folder.get(t.Context(), Any)
	if err != nil {
		t.Fatal(err)
	}

	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o100 == 0 {
		t.Errorf("%s is not executable: %v", path, err)
	}

	server.Close()

	if again, err := folder.get(t.Context(), Terraform); err != nil || again != path {
		t.Errorf("got %q, %v, want %q", again, err, path)
	}
}

func TestDownloadRefusesUnsignedReleases(t *testing.T) {
	t.Parallel()

	entity, public := signer(t)
	_, another := signer(t)

	for name, test := range map[string]struct {
		key      string
		replaced map[string]string
	}{
		"another archive":   {public, map[string]string{"archive.zip": "PK"}},
		"another checksum":  {public, map[string]string{"SUMS": strings.Repeat("0", 64) + "  terraform.zip\n"}},
		"another key":       {another, nil},
		"HashiCorp's key":   {"", nil},
		"no signature":      {public, map[string]string{"_SHA256SUMS.sig": ""}},
		"an unknown format": {public, map[string]string{"index.json": "{}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			path := filepath.Join(t.TempDir(), "tools", "terraform")

			site := releases{url: serveReleases(t, entity, test.replaced).URL, key: test.key, connect: time.Minute}
			if err := site.download(t.Context(), path); err == nil || exists(path) {
				t.Errorf("got %v, and a program: %t", err, exists(path))
			}
		})
	}
}

// Some networks silently drop what they do not allow.
func TestDownloadGivesUpOnASiteThatDoesNotAnswer(t *testing.T) {
	t.Parallel()

	listener := httptest.NewUnstartedServer(nil).Listener // accepts connections and never answers
	t.Cleanup(func() { _ = listener.Close() })

	folder := tools{
		root:     checkout(t),
		releases: releases{url: "http://" + listener.Addr().String(), connect: 10 * time.Millisecond},
		progress: t.Output(),
	}
	if _, err := folder.get(t.Context(), Terraform); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want %v", err, ErrNotFound)
	}
}
