package documents

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// home is the address of the repository. Pages in a registry link to its files.
const home = "https://github.com/waldur/terraform-provider-waldur-usage/"

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := map[string]page{}
	for _, p := range pages(t) {
		all[p.path] = p
	}
	links := 0
	for _, p := range all {
		for _, match := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(p.prose, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
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
				t.Errorf("%s links to %s, which does not exist", p.path, match[1])
			} else if anchor != "" && !all[target].anchors()[anchor] {
				t.Errorf("%s links to %s, which has no such heading", p.path, match[1])
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were found", links)
	}
}
