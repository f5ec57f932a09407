package budget

import (
	"fmt"
	"html"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Run by "make chart", which installs Mermaid and needs Chromium. The first
// chart is the picture in the guide.
func TestMermaidDrawsCharts(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs(os.Getenv("MERMAID"))
	if os.Getenv("MERMAID") == "" || err != nil {
		t.Skip("MERMAID does not name mermaid.min.js: make chart")
	}
	component := Component{Type: "cpu"}
	months := records{
		cpu(3815, in("2024-05")), cpu(4630, in("2024-06")), cpu(0, noAmount, in("2024-07")), cpu(5248, in("2024-08")), cpu(6373, in("2024-09")), cpu(4124),
	}
	charts := []string{
		NewUsageChart(months, component, big.NewInt(5000), ""),
		NewUsageChart(months[:1], component, big.NewInt(5000), "One month"),
		NewUsageChart(records{cpu(0, noUnit)}, component, nil, ""),
		NewUsageChart(records{cpu(-5), cpu(1<<63-1, in("2024-09"))}, component, big.NewInt(0), ""),
	}
	usages := hostileUsage(rapid.Just(cpu(7)), waldur.FieldType, waldur.FieldDate)
	for i := range 40 {
		charts = append(charts, NewUsageChart(records{usages.Example(i)}, component, big.NewInt(1), hostileText().Example(i)))
	}
	pictures := drawCharts(t, script, charts)
	for i, picture := range pictures {
		if bars := strings.Count(picture, "<rect"); !strings.HasPrefix(picture, "<svg") || bars < 2 || i == 0 && bars != 1+len(months) {
			t.Errorf("got %d rectangles, the background included:\n%s\n%s", bars, charts[i], picture)
		}
	}
	if err := os.WriteFile("../../examples/functions/usage_chart/chart.svg", []byte(pictures[0]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drawCharts returns the pictures, or Mermaid's errors.
func drawCharts(t *testing.T, script string, charts []string) []string {
	t.Helper()
	blocks := strings.NewReplacer("```mermaid\n", "<pre>", "```\n", "</pre>\n").Replace(html.EscapeString(strings.Join(charts, "")))
	page := fmt.Sprintf(`<!DOCTYPE html><meta charset=utf-8>%s<script src="file://%s"></script><script>
		mermaid.initialize({startOnLoad: false, theme: "default"});
		(async () => {
			for (const [i, pre] of document.querySelectorAll("pre").entries()) {
				try { pre.innerHTML = (await mermaid.render("svgc" + i, pre.textContent)).svg } catch (error) { pre.textContent = error }
			}
		})();
	</script>`, blocks, script)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	dom, err := exec.CommandContext(t.Context(), "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
		"--virtual-time-budget=60000", "--dump-dom", "file://"+file).Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, dom)
	}
	var pictures []string
	for _, found := range regexp.MustCompile(`(?s)<pre>(.*?)</pre>`).FindAllStringSubmatch(string(dom), -1) {
		pictures = append(pictures, found[1])
	}
	if len(pictures) != len(charts) {
		t.Fatalf("got %d pictures of %d charts:\n%s", len(pictures), len(charts), dom)
	}
	return pictures
}
