// Package documents tests what the documents show: links lead somewhere,
// configurations and examples run, and outputs are what is printed.
package documents

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
)

const (
	// repository is the path from this package to the top of the repository.
	repository = "../.."
	// home is the address of the repository. Pages in a registry link to its files.
	home = "https://github.com/waldur/terraform-provider-waldur-usage/"
)

func TestMain(m *testing.M) { os.Exit(clitest.Main(m)) }

// page is a Markdown document.
type page struct {
	path    string // from the top of the repository, with slashes
	blocks  []block
	links   []string
	anchors map[string]bool // of headings, as GitHub derives them from ASCII text without _, and of <a id="…">
}

// block is a fenced code block.
type block struct{ language, text string }

// pages returns all documents by their paths. Those in docs are generated from
// templates and examples.
func pages(t *testing.T) map[string]page {
	t.Helper()
	found := map[string]page{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md"} {
		paths, err := fs.Glob(os.DirFS(repository), pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			found[path] = readPage(t, path)
		}
	}
	return found
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readPage(t *testing.T, path string) page {
	t.Helper()
	source := readFile(t, path)
	p := page{path: path, anchors: map[string]bool{}}
	for _, id := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllSubmatch(source, -1) {
		p.anchors[string(id[1])] = true
	}
	markdown := goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID())).Parser().Parse(text.NewReader(source))
	err := ast.Walk(markdown, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Link:
			p.links = append(p.links, string(node.Destination))
		case *ast.Image:
			p.links = append(p.links, string(node.Destination))
		case *ast.Heading:
			if id, found := node.AttributeString("id"); found {
				p.anchors[string(id.([]byte))] = true
			}
		case *ast.FencedCodeBlock:
			b := block{language: string(node.Language(source))}
			for i := range node.Lines().Len() {
				line := node.Lines().At(i)
				b.text += string(line.Value(source))
			}
			p.blocks = append(p.blocks, b)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// block returns the text of the only block in a language that contains a text.
func (p page) block(t *testing.T, language, contains string) string {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(p.blocks), func(b block) bool {
		return b.language != language || !strings.Contains(b.text, contains)
	})
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks with %q", p.path, len(found), contains)
	}
	return found[0].text
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all, links := pages(t), 0
	for _, p := range all {
		for _, link := range p.links {
			target, anchor, _ := strings.Cut(link, "#")
			switch {
			case strings.HasPrefix(target, home):
				target = regexp.MustCompile(`^(tree|blob)/main/`).ReplaceAllString(strings.TrimPrefix(target, home), "")
			case strings.Contains(target, ":"):
				continue // another site
			case target == "":
				target = p.path
			default:
				target = path.Join(path.Dir(p.path), target)
			}
			links++
			if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which does not exist", p.path, link)
			} else if anchor != "" && !all[target].anchors[anchor] {
				t.Errorf("%s links to %s, which has no such heading", p.path, link)
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were found", links)
	}
}
