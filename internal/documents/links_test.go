package documents

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// home is where the repository is published: what a page in a registry links to
// there is in this tree.
const home = "https://github.com/waldur/terraform-provider-waldur-usage/"

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	byPath := map[string]page{}
	for _, p := range all {
		byPath[p.path] = p
	}
	links := 0
	for _, p := range all {
		for _, link := range p.links {
			target, place, _ := strings.Cut(link, "#")
			switch {
			case strings.HasPrefix(target, home):
				target = regexp.MustCompile(`^(tree|blob)/main/`).ReplaceAllString(strings.TrimPrefix(target, home), "")
			case strings.Contains(target, "://"):
				continue
			case target == "":
				target = p.path
			default:
				target = path.Join(path.Dir(p.path), target)
			}
			links++
			if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which does not exist", p.path, link)
			} else if place != "" && !byPath[target].hasAnchor(place) {
				t.Errorf("%s links to %s, a place that does not exist", p.path, link)
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were looked at", links)
	}
}

func TestDocumentsNameNoMachine(t *testing.T) {
	t.Parallel()
	machine := regexp.MustCompile(`(?m)(^|[\s"'(=\x60])(/(home|root|tmp|work|usr|var|Users)/|~/|[A-Z]:\\)\S*`)
	for _, p := range pages(t) {
		if found := machine.FindString(p.text); found != "" {
			t.Errorf("%s names a path of a machine: %s", p.path, found)
		}
	}
}

// The pages of the registries are made by "make generate". A guide that is
// changed in one place only would be lost, or never seen.
func TestGuidesAreThoseOfTheTemplates(t *testing.T) {
	t.Parallel()
	templates, err := filepath.Glob(filepath.Join(repository, "templates", "guides", "*.md"))
	if err != nil || len(templates) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, template := range templates {
		written, err := os.ReadFile(template)
		if err != nil {
			t.Fatal(err)
		}
		if made := readPage(t, "docs/guides/"+filepath.Base(template)); made.text != string(written) {
			t.Errorf("%s is not what its template says: run make generate", made.path)
		}
	}
}
