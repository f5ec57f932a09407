package cli

import (
	"archive/zip"
	"bytes"
	"context"
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

// signedRelease returns the files of a release of Terraform, and the public key
// of its signature in ASCII armor.
func signedRelease(t *testing.T) (files map[string]string, key string) {
	t.Helper()
	signer, err := openpgp.NewEntity("Releases", "", "releases@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	var public, signature strings.Builder
	zipped := zip.NewWriter(&archive)
	_, createErr := zipped.Create(executable("terraform"))
	armored, armorErr := armor.Encode(&public, openpgp.PublicKeyType, nil)
	err = errors.Join(createErr, zipped.Close(), armorErr, signer.Serialize(armored), armored.Close())
	name := fmt.Sprintf("terraform_1.11.4_%s_%s.zip", runtime.GOOS, runtime.GOARCH)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), name)
	if err := errors.Join(err, openpgp.DetachSign(&signature, signer, strings.NewReader(sums), nil)); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"index.json": fmt.Sprintf(`{"name":"terraform","version":"1.11.4","shasums":"SUMS","shasums_signature":"_SHA256SUMS.sig",
			"builds":[{"os":%q,"arch":%q,"filename":%q,"url":"/terraform/1.11.4/archive.zip"}]}`, runtime.GOOS, runtime.GOARCH, name),
		"SUMS": sums, "_SHA256SUMS.sig": signature.String(), "archive.zip": archive.String(),
	}, public.String()
}

// machine returns the tools of a checkout on a machine that reaches only the
// handler.
func machine(t *testing.T, key string, connect time.Duration, site http.HandlerFunc) tools {
	t.Helper()
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "tools", "tofu"), os.DirFS("../../tools/tofu")); err != nil {
		t.Fatal(err)
	}
	return tools{root: root, url: server.URL, key: key, connect: connect, progress: t.Output()}
}

func TestTerraformIsDownloadedOnceAndOnlyAsSigned(t *testing.T) {
	t.Parallel()
	released, public := signedRelease(t)
	const hashiCorps = ""
	for name, test := range map[string]struct {
		key      string
		replaced map[string]string
		accepted bool
	}{
		"as released":      {public, nil, true},
		"another key":      {hashiCorps, nil, false},
		"another archive":  {public, map[string]string{"archive.zip": "PK"}, false},
		"another checksum": {public, map[string]string{"SUMS": strings.Repeat("0", 64) + "  terraform.zip\n"}, false},
		"no signature":     {public, map[string]string{"_SHA256SUMS.sig": ""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(released)
			maps.Copy(files, test.replaced)
			folder := machine(t, test.key, time.Minute, func(w http.ResponseWriter, r *http.Request) {
				file := strings.TrimPrefix(r.URL.Path, "/terraform/1.11.4/")
				w.Header().Set("Content-Type", map[string]string{".json": "application/json", ".zip": "application/zip"}[filepath.Ext(file)])
				_, _ = io.WriteString(w, files[file])
			})
			path, err := folder.get(t.Context(), Terraform)
			programs, _ := filepath.Glob(filepath.Join(folder.root, "build", "tools", "*", executable("terraform")))
			if !test.accepted {
				if err == nil || len(programs) > 0 {
					t.Errorf("got %v, and the programs %q", err, programs)
				}
				return
			}
			if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o100 == 0 {
				t.Fatalf("%s is not executable: %v", path, err)
			}
			folder.url = "" // there is no other download
			if again, err := folder.get(t.Context(), Any); err != nil || again != path {
				t.Errorf("got %q, %v, want %q", again, err, path)
			}
		})
	}
}

// Some networks silently drop what they do not allow.
func TestDownloadGivesUpOnASiteThatDoesNotRespond(t *testing.T) {
	t.Parallel()
	folder := machine(t, "", 10*time.Millisecond, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, err := folder.get(t.Context(), Terraform); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
