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

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/waldur/terraform-provider-waldur-usage/internal/provider"
)

// address names the provider in a registry. The address waldur/waldur belongs
// to another provider, which lacks these data sources.
const address = "registry.terraform.io/waldur/waldur-usage"

// version is set by the linker in a release.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger: print how to attach a Terraform or OpenTofu to this process")
	flag.Parse()
	// net/http prints what follows an answer beyond its length, which may echo
	// the token, and the CLI copies that into its log.
	log.SetOutput(io.Discard)
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{Address: address, Debug: *debug})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
