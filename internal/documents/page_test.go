// Package documents tests what the documents show: links lead somewhere,
// configurations and examples run, and outputs are what is printed.
package documents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// repository is the path from this package to the top of the repository.
const repository = "../.."

// projectOfTheDocuments is the path of the project whose UUID the documents show.
const projectOfTheDocuments = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// page is a Markdown document.
type page struct {
	path   string // from the top of the repository, with slashes
	prose  string // everything but the blocks
	blocks []block
}

// block is a fenced code block.
type block struct{ language, text string }

// pages returns all documents. Those in docs are generated from templates and
// examples.
func pages(t *testing.T) (found []page) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md"} {
		paths, err := fs.Glob(os.DirFS(repository), pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			found = append(found, readPage(t, path))
		}
	}
	return found
}

func readPage(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	p := page{path: path, prose: fence.ReplaceAllString(string(text), "")}
	if strings.Contains(p.prose, "```") {
		t.Fatalf("%s has a code block that this test cannot read", path)
	}
	for _, match := range fence.FindAllStringSubmatch(string(text), -1) {
		p.blocks = append(p.blocks, block{language: match[1], text: match[2]})
	}
	return p
}

// block returns the text of the only block in a language that contains a text.
func (p page) block(t *testing.T, language, contains string) (text string) {
	t.Helper()
	for _, b := range p.blocks {
		if b.language == language && strings.Contains(b.text, contains) {
			if text != "" {
				t.Fatalf("%s has several blocks with %q", p.path, contains)
			}
			text = b.text
		}
	}
	if text == "" {
		t.Fatalf("%s has no block with %q", p.path, contains)
	}
	return text
}

// anchors returns the names by which a link finds a place of the page, as
// GitHub and the registries derive them from headings.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	for _, match := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(p.prose, -1) {
		found[match[1]] = true
	}
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(p.prose, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, match[1])
		unique := name
		for n := 1; found[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		found[unique] = true
	}
	return found
}

// open returns a folder in which the provider finds the Waldur at the endpoint.
func open(t *testing.T, dir, endpoint, token string) cli.WorkingDir {
	t.Helper()
	return clitest.Sandbox(t).WorkingDir(dir, "WALDUR_API_URL="+endpoint, "WALDUR_ACCESS_TOKEN="+token, "WALDUR_MAX_RETRIES=0")
}

// thisMonth returns a Waldur with two years of records of the project, up to
// this month.
func thisMonth() *waldurtest.Waldur {
	now := time.Now().UTC()
	server := waldurtest.New()
	server.Add(waldurtest.History(projectOfTheDocuments, 24, 8, waldurtest.Newest(now.Year(), now.Month()))...)
	return server
}

// initialize runs "init" on a configuration.
func initialize(t *testing.T, configuration, endpoint, token string) cli.WorkingDir {
	t.Helper()
	w := open(t, t.TempDir(), endpoint, token)
	clitest.Write(t, w, "main.tf", configuration)
	clitest.MustRun(t, w, "init", "-no-color")
	return w
}
