package documents

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// configurations gives the configurations that a page shows, each as its
// blocks. A block that says which providers it requires begins a configuration;
// the blocks behind it are parts of the same one.
func (p page) configurations() (found [][]string) {
	begins := regexp.MustCompile(`(?m)^terraform \{`)
	for _, b := range p.blocks {
		if !slices.Contains([]string{"terraform", "hcl", "tf"}, b.language) {
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

// everyConfigurationShownRuns copies the blocks of each page, in their order,
// and plans them with a Waldur that has the projects and the customer of the
// documents. A plan may fail for one reason: a budget that is exceeded.
func (w workshop) everyConfigurationShownRuns(t *testing.T) {
	t.Parallel()
	server := thisMonth()
	for _, scope := range []string{"/api/projects/9c1d4e5f60718293a4b5c6d7e8f90a1b/", "/api/customers/7e0d3c1a9b284f6d8a5c1f2e3d4b5a69/"} {
		server.Add(waldurtest.History(scope, 2, 3)...)
	}
	w = w.connected(server.Start(t), waldurtest.Token)
	blocks := 0
	for _, p := range pages(t) {
		for i, configuration := range p.configurations() {
			blocks += len(configuration)
			t.Run(fmt.Sprintf("%s, configuration %d", p.path, i+1), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				surroundings(t, dir)
				for n, text := range configuration {
					write(t, filepath.Join(dir, fmt.Sprintf("block-%d.tf", n)), text)
				}
				w.mustRun(t, dir, "init", "-no-color")
				w.mustRun(t, dir, "validate", "-no-color")
				w.mustRun(t, dir, "fmt", "-check", "-diff", ".")
				output, exit := w.run(t, dir, "plan", "-no-color")
				exceeded := regexp.MustCompile(`Error: (Resource postcondition|Module output value precondition) failed`)
				if errors := strings.Count(output, "Error: "); exit != 0 && (errors == 0 || errors != len(exceeded.FindAllString(output, -1))) {
					t.Errorf("the plan ended with %d:\n%s", exit, output)
				}
			})
		}
	}
	if blocks < 20 {
		t.Errorf("only %d blocks were found", blocks)
	}
}

func (w workshop) everyExampleIsValid(t *testing.T) {
	t.Parallel()
	for _, folder := range foldersOf(t, "examples", ".tf") {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			w.mustRun(t, w.example(t, folder), "validate", "-no-color")
		})
	}
}

// Nobody copies a block that does not look as their own files will.
func TestBlocksOfCodeSayTheirLanguage(t *testing.T) {
	t.Parallel()
	known := []string{"terraform", "shell", "text", "go", "json"}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if !slices.Contains(known, b.language) {
				first, _, _ := strings.Cut(b.text, "\n")
				t.Errorf("%s: the block that begins with %q has the language %q; known are %v", p.path, first, b.language, known)
			}
		}
	}
}
