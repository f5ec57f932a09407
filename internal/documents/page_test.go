package documents

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extensionast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// repository is the way from this package to the top of the repository.
const repository = "../.."

// page is a Markdown document of the repository.
type page struct {
	path     string // from the top of the repository, with slashes
	text     string
	blocks   []block
	headings []heading
	links    []string
	rows     []row
}

// block is a fenced block of code.
type block struct{ language, text string }

// heading is one with its anchor, as GitHub and the registries make it.
type heading struct {
	level        int
	text, anchor string
}

// row is a row of a table, below the heading that it stands under.
type row struct {
	under string
	cells []string
}

// pages reads the documents at the top, in docs and of the examples. Those in
// docs are made from the templates.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md"} {
		paths, err := fs.Glob(os.DirFS(repository), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			found = append(found, readPage(t, path))
		}
	}
	if len(found) < 10 {
		t.Fatalf("only %d pages found", len(found))
	}
	return found
}

func readPage(t *testing.T, path string) page {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	p := page{path: path, text: string(source)}
	if rest, found := bytes.CutPrefix(source, []byte("---\n")); found { // what the registry wants to know of a page
		_, source, _ = bytes.Cut(rest, []byte("\n---\n"))
	}
	document := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	taken := map[string]int{}
	err = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.FencedCodeBlock:
			p.blocks = append(p.blocks, block{language: string(node.Language(source)), text: string(node.Lines().Value(source))})
		case *ast.Heading:
			words := plain(node, source)
			p.headings = append(p.headings, heading{level: node.Level, text: words, anchor: anchor(words, taken)})
		case *ast.Link:
			p.links = append(p.links, string(node.Destination))
		case *extensionast.TableRow:
			r := row{}
			if len(p.headings) > 0 {
				r.under = p.headings[len(p.headings)-1].text
			}
			for cell := node.FirstChild(); cell != nil; cell = cell.NextSibling() {
				r.cells = append(r.cells, plain(cell, source))
			}
			p.rows = append(p.rows, r)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plain is the text of a node without its marks.
func plain(node ast.Node, source []byte) string {
	var words strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		if leaf, ok := child.(*ast.Text); ok {
			words.Write(leaf.Segment.Value(source))
		} else {
			words.WriteString(plain(child, source))
		}
	}
	return words.String()
}

// anchor makes the name by which a link finds a heading. A second one of the
// same name gets a number.
func anchor(words string, taken map[string]int) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, words)
	taken[name]++
	if n := taken[name] - 1; n > 0 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// hasAnchor tells whether a link can point to that place of the page.
func (p page) hasAnchor(name string) bool {
	for _, heading := range p.headings {
		if heading.anchor == name {
			return true
		}
	}
	return regexp.MustCompile(`<a id="` + regexp.QuoteMeta(name) + `">`).MatchString(p.text)
}
