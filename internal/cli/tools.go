package cli

import (
	"context"
	"crypto/sha256"
	"errors"
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
	// terraformVersion is the version that is downloaded. The figures in
	// DESIGN.md were measured with it.
	terraformVersion = "1.11.4"
	hashiCorp        = "https://releases.hashicorp.com"
	// firstResponse is the time within which the site must respond, so that a
	// machine without a network does not wait long.
	firstResponse = 5 * time.Second
)

// tools is the folder build/tools of a checkout, which holds a CLI for machines
// without one.
type tools struct {
	root     string        // of the checkout
	url      string        // of the site with the releases of Terraform
	key      string        // ASCII-armored public key of the signatures; HashiCorp's if ""
	connect  time.Duration // time limit for the first response of the site
	progress io.Writer
}

// get returns the path of a CLI in the folder. It downloads or builds one if
// there is none of the wanted kind.
func (t tools) get(ctx context.Context, want Kind) (string, error) {
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

// download downloads Terraform to path. Package hc-install verifies the archive
// against the signed checksums of the release.
func (t tools) download(ctx context.Context, path string) error {
	fmt.Fprintf(t.progress, "downloading Terraform %s from %s, once\n", terraformVersion, t.url)
	if err := t.probe(ctx); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// The program gets its final name last, so that an interrupted or concurrent
	// download never leaves a partial program there.
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

// probe returns an error if the site does not respond or lacks the release. By
// itself, hc-install would retry for half a minute.
func (t tools) probe(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, t.url+"/terraform/"+terraformVersion+"/index.json", http.NoBody)
	if err != nil {
		return err
	}
	site := http.Client{Timeout: t.connect}
	response, err := site.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	return nil
}

// openTofuSource is the folder in the checkout whose go.mod and go.sum fix the
// versions of OpenTofu and its dependencies.
const openTofuSource = "tools/tofu"

// openTofuPath returns the path of an OpenTofu built by [tools.buildOpenTofu]. The
// path depends on the versions of Go, OpenTofu and all dependencies.
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
	fmt.Fprintf(t.progress, "building OpenTofu into %s, once; this takes a few minutes\n", filepath.Dir(path))
	unfinished := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(unfinished)
	// Otherwise, OpenTofu reports a development version, which the version checks
	// of tests reject.
	const flags = "-s -w -X github.com/opentofu/opentofu/version.dev=no"
	if err := goBuild(ctx, filepath.Join(t.root, openTofuSource), unfinished, flags, "github.com/opentofu/opentofu/cmd/tofu"); err != nil {
		return fmt.Errorf("build OpenTofu: %w", err)
	}
	return os.Rename(unfinished, path)
}

func goBuild(ctx context.Context, dir, output, ldflags, target string) error {
	// Without this flag, the build fails in a repository that another user owns,
	// because git refuses to report its state.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", ldflags, "-o", output, target)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	_, err := stdout(cmd)
	return err
}

// checkout returns the top folder of the checkout that contains the working
// directory.
func checkout(ctx context.Context) (string, error) {
	file, err := stdout(exec.CommandContext(ctx, "go", "env", "GOMOD")) // os.DevNull outside a module
	root := filepath.Dir(file)
	if err == nil && !exists(filepath.Join(root, openTofuSource)) {
		err = errors.New("the working directory is not in a checkout of the provider")
	}
	return root, err
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
