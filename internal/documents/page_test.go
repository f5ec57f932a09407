// Package documents tests what the documents show: links and names resolve,
// configurations and examples run, and outputs and figures are real.
package documents

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
)

const (
	// repository is the path from this package to the root of the repository.
	repository = "../.."
	// home is the URL of the repository. Pages in a registry link to its files.
	home = "https://github.com/waldur/terraform-provider-waldur-usage/"
)

// page is a Markdown document.
type page struct {
	prose  string              // everything but the code blocks
	blocks map[string][]string // code blocks by language
}

// readFiles returns the files of the repository that match the patterns, by their
// paths from the root.
func readFiles(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	files, root := map[string]string{}, os.DirFS(repository)
	for _, pattern := range patterns {
		names, err := fs.Glob(root, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no file matches %s: %v", pattern, err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(root, name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(content)
		}
	}
	return files
}

// readPages returns all documents by their paths. Those in docs are generated
// from the templates, the schema and the examples.
func readPages(t *testing.T) map[string]page {
	t.Helper()
	fenced := regexp.MustCompile("(?ms)^```(terraform|shell|text|mermaid)\n(.*?)^```$")
	pages := map[string]page{}
	for name, source := range readFiles(t, "*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md") {
		p := page{prose: fenced.ReplaceAllString(source, ""), blocks: map[string][]string{}}
		for _, block := range fenced.FindAllStringSubmatch(source, -1) {
			p.blocks[block[1]] = append(p.blocks[block[1]], block[2])
		}
		if strings.Contains(p.prose, "```") {
			t.Errorf("%s has a code block that is indented or in another language", name)
		}
		pages[name] = p
	}
	return pages
}

// block returns the first code block in the language that contains the text.
func (p page) block(t *testing.T, language, text string) string {
	t.Helper()
	i := slices.IndexFunc(p.blocks[language], func(block string) bool { return strings.Contains(block, text) })
	if i < 0 {
		t.Fatalf("no %s block contains %q", language, text)
	}
	return p.blocks[language][i]
}

// configurations returns the configurations of the page. A block with
// required_providers starts one; the blocks up to the next belong to it.
func (p page) configurations() (found []string) {
	for _, block := range p.blocks["terraform"] {
		switch {
		case strings.Contains(block, "required_providers"):
			found = append(found, block)
		case len(found) == 0:
			found = append(found, cli.Required+block) // the page shows a part of a configuration
		default:
			found[len(found)-1] += block
		}
	}
	return found
}

// anchors returns what links can point to within the page: its headings, as
// GitHub turns them into anchors, and <a id="…">.
func (p page) anchors() (found []string) {
	for _, target := range regexp.MustCompile(`(?m)^#+ (.+)$|<a id="(.+?)">`).FindAllStringSubmatch(p.prose, -1) {
		text := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(target[1]+target[2]), "")
		found = append(found, strings.ReplaceAll(text, " ", "-"))
	}
	return found
}

func TestLinksResolve(t *testing.T) {
	t.Parallel()
	pages, links := readPages(t), 0
	for name, p := range pages {
		// [text](link), ![image](link) and [reference]: link
		for _, found := range regexp.MustCompile(`(?m)(?:\]\(|^\[.+\]: )([^)\s]+)`).FindAllStringSubmatch(p.prose, -1) {
			link := found[1]
			target, anchor, _ := strings.Cut(link, "#")
			switch {
			case strings.HasPrefix(target, home):
				target = regexp.MustCompile(`^(tree|blob)/main/`).ReplaceAllString(strings.TrimPrefix(target, home), "")
			case strings.Contains(target, ":"):
				continue // another site
			case target == "":
				target = name
			default:
				target = path.Join(path.Dir(name), target)
			}
			links++
			if _, err := fs.Stat(os.DirFS(repository), target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, link)
			} else if anchor != "" && !slices.Contains(pages[target].anchors(), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, link)
			}
		}
	}
	if links < 30 {
		t.Errorf("got %d links, want at least 30", links)
	}
}

// A guarantee in a document names the tests that fail when it is broken.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	for _, source := range readFiles(t, "*_test.go", "internal/*/*_test.go", "internal/*/*/*_test.go") {
		tests.WriteString("\n" + source)
	}
	for document, text := range readFiles(t, "SECURITY.md", "DESIGN.md") {
		names := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`).FindAllString(text, -1)
		if len(names) == 0 {
			t.Errorf("%s names no test", document)
		}
		for _, name := range names {
			if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
				t.Errorf("%s names %s, which does not exist", document, name)
			}
		}
	}
}

// TestListCosts compares the figures in DESIGN.md with those that are computed.
func TestFiguresOfTheDocumentsAreInTheDesign(t *testing.T) {
	t.Parallel()
	design, figures := readFiles(t, "DESIGN.md")["DESIGN.md"], 0
	for name, text := range readFiles(t, "README.md", "docs/guides/large-lists.md") {
		for _, row := range regexp.MustCompile(`(?m)^\| (?:Time|Server time|[0-9,]+ records).*`).FindAllString(text, -1) {
			for _, figure := range regexp.MustCompile(`\| ([0-9.]+) (m?s) `).FindAllStringSubmatch(row, -1) {
				figures++
				cell := fmt.Sprintf(`[|/] %s(?: / [0-9.]+)* %s [|/]`, regexp.QuoteMeta(figure[1]), figure[2])
				if !regexp.MustCompile(cell).MatchString(design) {
					t.Errorf("%s %s in %s is not in DESIGN.md: %s", figure[1], figure[2], name, row)
				}
			}
		}
	}
	if figures < 20 {
		t.Errorf("got %d figures, want at least 20", figures)
	}
}
