package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	goversion "github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

const (
	// terraformVersion is downloaded for a machine without a CLI. The figures
	// in DESIGN.md are measured with it.
	terraformVersion = "1.11.4"
	hashiCorp        = "https://releases.hashicorp.com"
	// firstResponse is the time in which a site must respond at all: on a machine
	// without a network, nobody waits for long.
	firstResponse = 5 * time.Second
)

// tools is the folder build/tools of a checkout, for a machine without a CLI.
type tools struct {
	root     string        // of the checkout
	url      string        // of signed Terraform releases
	key      string        // armored public key of the signatures; "" is HashiCorp's
	connect  time.Duration // see firstResponse
	progress io.Writer
}

// get returns the path of a CLI in the folder, which it downloads or builds if
// there is none.
func (t tools) get(ctx context.Context, want Kind) (path string, err error) {
	terraform := filepath.Join(t.root, "build", "tools", "terraform-"+terraformVersion, executable(string(Terraform)))
	tofu, err := t.openTofuPath()
	switch {
	case err != nil:
		return "", err
	case want != OpenTofu && exists(terraform):
		return terraform, nil
	case want != Terraform && exists(tofu):
		return tofu, nil
	case want == OpenTofu:
		return tofu, t.buildOpenTofu(ctx, tofu)
	}
	fmt.Fprintf(t.progress, "downloading Terraform %s from %s, once\n", terraformVersion, t.url)
	err = t.download(ctx, terraform)
	if err == nil {
		return terraform, nil
	}
	if want == Terraform {
		return "", fmt.Errorf("%s: not found, and cannot be downloaded: %w", want, err)
	}
	fmt.Fprintf(t.progress, "Terraform cannot be downloaded: %v\n", err)
	return tofu, t.buildOpenTofu(ctx, tofu)
}

// download installs Terraform as path. The archive must have the checksum of
// the release, and the checksums its signature.
func (t tools) download(ctx context.Context, path string) error {
	if err := t.probe(ctx); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// An interrupted download, or one that runs at the same time, must not
	// leave half a program under the final name.
	unfinished, err := os.MkdirTemp(dir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	release := releases.ExactVersion{
		Product:          product.Terraform,
		Version:          goversion.Must(goversion.NewVersion(terraformVersion)),
		InstallDir:       unfinished,
		LicenseDir:       dir,
		ApiBaseURL:       t.url,
		ArmoredPublicKey: t.key,
		Timeout:          3 * time.Minute,
	}
	program, err := release.Install(ctx)
	if err != nil {
		return err
	}
	return os.Rename(program, path)
}

// probe makes one request. Package hc-install repeats a failed one for half a
// minute.
func (t tools) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.connect)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, t.url+"/terraform/"+terraformVersion+"/index.json", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	return nil
}

// openTofuSource is the folder, below the checkout, of the module that names
// OpenTofu and its dependencies.
const openTofuSource = "tools/tofu"

// openTofuPath returns the path of the OpenTofu that [tools.buildOpenTofu]
// builds. It changes with the versions of everything that it is built with.
func (t tools) openTofuPath() (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(t.root, openTofuSource, name))
		if err != nil {
			return "", err
		}
		hash.Write(content)
	}
	return filepath.Join(t.root, "build", "tools", fmt.Sprintf("tofu-%x", hash.Sum(nil)[:6]), executable(string(OpenTofu))), nil
}

func (t tools) buildOpenTofu(ctx context.Context, path string) error {
	fmt.Fprintf(t.progress, "building OpenTofu into %s, once; this takes some minutes\n", filepath.Dir(path))
	// See download.
	unfinished := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(unfinished)
	// Without this variable OpenTofu calls itself a development version, which
	// version checks in tests refuse.
	const flags = "-s -w -X github.com/opentofu/opentofu/version.dev=no"
	if err := goBuild(ctx, filepath.Join(t.root, openTofuSource), unfinished, flags, "github.com/opentofu/opentofu/cmd/tofu"); err != nil {
		return fmt.Errorf("build OpenTofu: %w", err)
	}
	return os.Rename(unfinished, path)
}

func goBuild(ctx context.Context, dir, output, ldflags, target string) error {
	// git refuses to report the state of a repository to another user, and a
	// local build does not need it.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", ldflags, "-o", output, target)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	_, err := stdout(cmd)
	return err
}

// moduleRoot returns the folder of the Go module around the working directory.
func moduleRoot(ctx context.Context) (string, error) {
	file, err := stdout(exec.CommandContext(ctx, "go", "env", "GOMOD"))
	return filepath.Dir(file), err
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
