package documents

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A test of the benchmark compares DESIGN.md with what is computed.
func TestFiguresOfTheGuideOnLargeListsAreInTheDesign(t *testing.T) {
	t.Parallel()
	design, err := os.ReadFile(filepath.Join(repository, "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	figures := 0
	for _, row := range regexp.MustCompile(`(?m)^\| [0-9,]+ records.*`).FindAllString(readPage(t, "docs/guides/large-lists.md").prose, -1) {
		for _, figure := range regexp.MustCompile(`\| ([0-9.]+) (m?s) `).FindAllStringSubmatch(row, -1) {
			figures++
			cell := `[|/] ` + regexp.QuoteMeta(figure[1]) + `(?: / [0-9.]+)* ` + figure[2] + ` \|`
			if !regexp.MustCompile(cell).Match(design) {
				t.Errorf("%s %s is not in DESIGN.md: %s", figure[1], figure[2], row)
			}
		}
	}
	if figures < 20 {
		t.Errorf("only %d figures were found", figures)
	}
}
