package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	goversion "github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	hcreleases "github.com/hashicorp/hc-install/releases"
)

// terraformVersion is downloaded for a machine without a CLI. The figures in
// DESIGN.md are measured with it.
const terraformVersion = "1.11.4"

// releases is a site with signed Terraform releases.
type releases struct {
	url     string
	key     string        // armored public key of the signatures; "" is HashiCorp's
	connect time.Duration // limit for the first answer: without a network, nobody waits for long
}

func hashiCorp() releases {
	return releases{url: "https://releases.hashicorp.com", connect: 5 * time.Second}
}

// download installs Terraform as path. The archive must have the checksum of
// the release, and the checksums its signature.
func (r releases) download(ctx context.Context, path string) error {
	if err := r.probe(ctx); err != nil {
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

	exact := hcreleases.ExactVersion{
		Product:          product.Terraform,
		Version:          goversion.Must(goversion.NewVersion(terraformVersion)),
		InstallDir:       unfinished,
		LicenseDir:       dir,
		ApiBaseURL:       r.url,
		ArmoredPublicKey: r.key,
		Timeout:          3 * time.Minute,
	}

	program, err := exact.Install(ctx)
	if err != nil {
		return err
	}

	return os.Rename(program, path)
}

// probe makes one request. Package hc-install repeats a failed one for half a
// minute.
func (r releases) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.connect)
	defer cancel()

	request, err := http.NewRequestWithContext(ctx, http.MethodHead, r.url+"/terraform/"+terraformVersion+"/index.json", http.NoBody)
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

func exists(path string) bool {
	_, err := os.Stat(path)

	return !errors.Is(err, fs.ErrNotExist)
}
