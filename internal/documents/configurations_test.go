package documents

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// On the first of a month, the budget of the month that has just ended is
// checked, and of that month only.
func TestAccBudgetGuideComputesTheMonthOfYesterday(t *testing.T) {
	t.Parallel()
	guide := readPage(t, "docs/guides/budget-checks.md").block(t, "terraform", "yesterday")
	var outputs strings.Builder
	for _, argument := range []string{"date_after", "date_before"} {
		found := regexp.MustCompile(argument + ` +=( formatdate\(.*local\.yesterday\))`).FindStringSubmatch(guide)
		if found == nil {
			t.Fatalf("the guide sets no %s", argument)
		}
		fmt.Fprintf(&outputs, "output %q { value = %s }\n", argument, found[1])
	}
	yesterday := regexp.MustCompile(`yesterday = timeadd\(.*`).FindString(guide)
	for now, want := range map[string][2]string{
		"2024-10-01T00:00:00Z": {"2024-09-01", "2024-09-30"},
		"2024-10-15T12:00:00Z": {"2024-10-01", "2024-10-14"},
		"2024-01-01T23:59:59Z": {"2023-12-01", "2023-12-31"},
	} {
		w := open(t, t.TempDir(), "", "")
		clitest.Write(t, w, "main.tf", "locals {\n"+strings.Replace(yesterday, "plantimestamp()", strconv.Quote(now), 1)+"\n}\n"+outputs.String())
		output := clitest.MustRun(t, w, "plan", "-no-color")
		for _, date := range want {
			if !strings.Contains(output, strconv.Quote(date)) {
				t.Errorf("on %s, the dates are not %v:\n%s", now, want, output)
			}
		}
	}
}
