// Command terraform-provider-waldur-usage serves a Terraform and OpenTofu
// provider that reads Waldur's usage records.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/waldur/terraform-provider-waldur-usage/internal/provider"
)

// address names the provider in a registry. The address waldur/waldur belongs
// to another provider, which lacks these data sources.
const address = "registry.terraform.io/waldur/waldur-usage"

// version is set by the linker in a release build.
var version string

func main() {
	managed := flag.Bool("debug", false, "serve for a debugger: print how to attach a Terraform or OpenTofu to this process")
	flag.Parse()
	// net/http logs what follows the end of a response, which may contain the
	// token, and the CLI copies that to its own log.
	log.SetOutput(io.Discard)
	info, _ := debug.ReadBuildInfo()
	newProvider := provider.New(reportedVersion(version, info))
	err := providerserver.Serve(context.Background(), newProvider, providerserver.ServeOpts{Address: address, Debug: *managed})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reportedVersion returns the version that the linker has set in a release build,
// or else that of the module without the "v", as resolved by "go install
// …@latest". It returns "dev" if neither is known.
func reportedVersion(linked string, info *debug.BuildInfo) string {
	if linked != "" {
		return linked
	}
	if info != nil {
		if module, found := strings.CutPrefix(info.Main.Version, "v"); found {
			return module
		}
	}
	return "dev"
}
