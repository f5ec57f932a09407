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
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
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

// projectOfTheDocuments is the path of the project whose UUID the documents show.
const projectOfTheDocuments = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"

// open returns a folder in which the provider finds the Waldur at the endpoint.
func open(t *testing.T, endpoint string) cli.WorkingDir {
	t.Helper()
	environment := []string{"WALDUR_API_URL=" + endpoint, "WALDUR_ACCESS_TOKEN=" + waldurtest.Token, "WALDUR_MAX_RETRIES=0"}
	return clitest.Sandbox(t).WorkingDir(t.TempDir(), environment...)
}

// copyExamples copies a folder of the examples.
func copyExamples(t *testing.T, folder, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(filepath.Join(repository, "examples", folder))); err != nil {
		t.Fatal(err)
	}
}

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

// Each configuration is a module of the same plan. The Waldur has the projects
// and the customer of the documents. The plan may fail only because budgets are
// exceeded.
func TestAccEveryConfigurationShownCanBePlanned(t *testing.T) {
	t.Parallel()
	server, now := waldurtest.New(), time.Now().UTC()
	server.Add(waldurtest.History(projectOfTheDocuments, 24, 8, waldurtest.Newest(now.Year(), now.Month()))...)
	for _, scope := range []string{"/api/projects/9c1d4e5f60718293a4b5c6d7e8f90a1b/", "/api/customers/7e0d3c1a9b284f6d8a5c1f2e3d4b5a69/"} {
		server.Add(waldurtest.History(scope, 2, 3)...)
	}
	w := open(t, server.Start(t))
	var modules []string
	for _, p := range pages(t) {
		for i, blocks := range p.configurations(t) {
			name := fmt.Sprintf("%s_%d", regexp.MustCompile(`\W`).ReplaceAllString(p.path, "_"), i+1)
			for n, text := range blocks {
				clitest.Write(t, w, fmt.Sprintf("%s/block-%d.tf", name, n), text)
			}
			all := strings.Join(blocks, "")
			if strings.Contains(all, `"waldur/waldur"`) || strings.Contains(all, "provider::") && !w.Sandbox.CLI.Since(8, 7) {
				continue // in a registry only, or not on this CLI
			}
			copyExamples(t, "budget-check", filepath.Join(w.Dir, name, "budget-check"))
			modules = append(modules, fmt.Sprintf("module %q {\n  source = \"./%s\"\n}\n", name, name))
		}
	}
	clitest.Write(t, w, "main.tf", strings.Join(modules, ""))
	certificate := httptest.NewTLSServer(nil)
	certificate.Close()
	clitest.Write(t, w, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate().Raw})))
	clitest.MustRun(t, w, "fmt", "-check", "-diff", "-recursive", ".")
	clitest.MustRun(t, w, "init", "-no-color")
	r := clitest.Run(t, w, "plan", "-no-color")
	exceeded := regexp.MustCompile(`Error: (Resource postcondition|Module output value precondition) failed`)
	if errors := strings.Count(r.Output, "Error: "); r.ExitCode != 0 && (errors == 0 || errors != len(exceeded.FindAllString(r.Output, -1))) {
		t.Errorf("the plan ended with %d:\n%s", r.ExitCode, r.Output)
	}
	if len(modules) < 5 {
		t.Errorf("only %d configurations were found", len(modules))
	}
}

// The guide warns of timestamp() and of data sources in check blocks: the plan
// passes. If a CLI changes this, the guide has to change. Which commands check is
// tested with the module.
func TestAccBudgetGuideWarnsOfPlansThatPass(t *testing.T) {
	t.Parallel()
	gate := readPage(t, "docs/guides/budget-checks.md").block(t, "terraform", "100 GPU hours were used")
	server := waldurtest.New()
	server.Add(usage("gpu", "hours", "Virtual machines", 101, 0))
	w := open(t, server.Start(t))
	clitest.Write(t, w, "main.tf", required+strings.Replace(gate, "plantimestamp()", "timestamp()", 1)+`
		provider "waldur" {
		  alias = "refused"
		  token = "wrong"
		}
		check "gpu" {
		  data "waldur_category_component_usages" "refused" {
		    provider     = waldur.refused
		    project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
		  }
		  assert {
		    condition     = length(data.waldur_category_component_usages.refused.usages) > 0
		    error_message = "None."
		  }
		}`)
	clitest.MustRun(t, w, "init", "-no-color")
	if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != 0 || !r.Contains("known after apply") || !r.Contains("Warning: Unable to read usages") {
		t.Errorf("the plan ended with %d:\n%s", r.ExitCode, r.Output)
	}
	if r := clitest.Run(t, w, "apply", "-auto-approve", "-no-color"); r.ExitCode != 1 || !r.Contains("More than 100 GPU hours") {
		t.Errorf("the apply ended with %d:\n%s", r.ExitCode, r.Output)
	}
}
