package documents

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// required is what a page leaves out that shows a part of a configuration.
const required = `terraform {
  required_providers {
    waldur = {
      source = "waldur/waldur-usage"
    }
  }
}
`

// configurations returns the configurations that a page shows, each as its
// blocks: one with required_providers begins a configuration.
func (p page) configurations(t *testing.T) (found [][]string) {
	t.Helper()
	begins := regexp.MustCompile(`(?m)^terraform \{`)
	for _, b := range p.blocks {
		if !slices.Contains([]string{"terraform", "shell", "text", "mermaid", "go", "json"}, b.language) {
			t.Errorf("%s has a block of the language %q", p.path, b.language)
		}
		if b.language != "terraform" {
			continue
		}
		if begins.MatchString(b.text) {
			found = append(found, nil)
		} else if len(found) == 0 {
			found = append(found, []string{required})
		}
		found[len(found)-1] = append(found[len(found)-1], b.text)
	}
	return found
}

// The Waldur has the projects and the customer of the documents. A plan may
// fail only because a budget is exceeded.
func TestAccEveryConfigurationShownCanBePlanned(t *testing.T) {
	t.Parallel()
	server := thisMonth()
	for _, scope := range []string{"/api/projects/9c1d4e5f60718293a4b5c6d7e8f90a1b/", "/api/customers/7e0d3c1a9b284f6d8a5c1f2e3d4b5a69/"} {
		server.Add(waldurtest.History(scope, 2, 3)...)
	}
	endpoint := server.Start(t)
	for _, p := range pages(t) {
		for i, blocks := range p.configurations(t) {
			t.Run(fmt.Sprintf("%s, configuration %d", p.path, i+1), func(t *testing.T) {
				t.Parallel()
				w := open(t, t.TempDir(), endpoint, waldurtest.Token)
				for n, text := range blocks {
					clitest.Write(t, w, fmt.Sprintf("block-%d.tf", n), text)
				}
				clitest.MustRun(t, w, "fmt", "-check", "-diff", ".")
				all := strings.Join(blocks, "")
				if strings.Contains(all, `"waldur/waldur"`) {
					t.Skip("the provider waldur/waldur is in a registry only")
				}
				if strings.Contains(all, "provider::") && !w.Sandbox.CLI.Since(8, 7) {
					t.Skip("this CLI has no provider-defined functions")
				}
				if err := os.CopyFS(filepath.Join(w.Dir, "budget-check"), os.DirFS(filepath.Join(repository, "examples/budget-check"))); err != nil {
					t.Fatal(err)
				}
				clitest.Write(t, w, "ca.pem", certificate(t))
				clitest.MustRun(t, w, "init", "-no-color")
				r := clitest.Run(t, w, "plan", "-no-color")
				exceeded := regexp.MustCompile(`Error: (Resource postcondition|Module output value precondition) failed`)
				if errors := strings.Count(r.Output, "Error: "); r.ExitCode != 0 && (errors == 0 || errors != len(exceeded.FindAllString(r.Output, -1))) {
					t.Errorf("the plan ended with %d:\n%s", r.ExitCode, r.Output)
				}
			})
		}
	}
}

// certificate returns that of a server in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}
