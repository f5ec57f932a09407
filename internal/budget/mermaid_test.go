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

// picture is the chart that the guide shows, as Mermaid draws it.
const picture = "../../examples/functions/usage_chart/chart.svg"

// Run by "make chart", which installs Mermaid: it needs a browser too.
func TestMermaidDrawsCharts(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs(os.Getenv("MERMAID"))
	if os.Getenv("MERMAID") == "" || err != nil {
		t.Skip("MERMAID does not name mermaid.min.js: make chart")
	}
	component := anyCPU(0).Component
	months := records{
		cpu(3815, in("2024-05")), cpu(4630, in("2024-06")), cpu(0, noAmount, in("2024-07")), cpu(5248, in("2024-08")), cpu(6373, in("2024-09")), cpu(4124),
	}
	charts := []string{
		NewUsageChart(months, component, big.NewInt(5000), ""),
		NewUsageChart(months[:1], component, big.NewInt(5000), "One month"),
		NewUsageChart(records{cpu(0, noUnit)}, component, nil, ""),
		NewUsageChart(records{cpu(-5), cpu(1<<63-1, in("2024-09"))}, component, big.NewInt(0), ""),
	}
	usages := nastyUsage(rapid.Just(cpu(7)), waldur.FieldType, waldur.FieldDate)
	for i := range 40 {
		charts = append(charts, NewUsageChart(records{usages.Example(i)}, component, big.NewInt(1), nasty().Example(i)))
	}
	drawn := drawCharts(t, script, charts)
	for i, svg := range drawn {
		if bars := strings.Count(svg, "<rect"); !strings.HasPrefix(svg, "<svg") || bars < 2 {
			t.Errorf("%d bars in %s of\n%s", bars, svg, charts[i])
		}
	}
	// Of the guide's chart: the background and six bars.
	if bars := strings.Count(drawn[0], "<rect"); bars != 7 {
		t.Errorf("%d rectangles in %s", bars, drawn[0])
	}
	if err := os.WriteFile(picture, []byte(drawn[0]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drawCharts returns the pictures, or what Mermaid says is wrong with them.
func drawCharts(t *testing.T, script string, charts []string) []string {
	t.Helper()
	var page strings.Builder
	page.WriteString("<!DOCTYPE html><meta charset=utf-8>")
	for _, chart := range charts {
		source := strings.TrimSuffix(strings.TrimPrefix(chart, "```mermaid\n"), "```\n")
		fmt.Fprintf(&page, "<pre class=chart>%s</pre>\n", html.EscapeString(source))
	}
	fmt.Fprintf(&page, `<script src="file://%s"></script><script>
		mermaid.initialize({startOnLoad: false, theme: "default"});
		(async () => {
			for (const [i, pre] of document.querySelectorAll("pre").entries()) {
				try { pre.innerHTML = (await mermaid.render("svgc" + i, pre.textContent)).svg } catch (problem) { pre.textContent = problem }
			}
			document.title = "drawn";
		})();
	</script>`, script)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	dom, err := exec.CommandContext(t.Context(), "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
		"--virtual-time-budget=60000", "--dump-dom", "file://"+file).Output()
	if err != nil || !strings.Contains(string(dom), "<title>drawn</title>") {
		t.Fatalf("chromium: %v\n%s", err, dom)
	}
	var drawn []string
	for _, found := range regexp.MustCompile(`(?s)<pre class="chart"[^>]*>(.*?)</pre>`).FindAllStringSubmatch(string(dom), -1) {
		drawn = append(drawn, found[1])
	}
	if len(drawn) != len(charts) {
		t.Fatalf("%d of %d charts", len(drawn), len(charts))
	}
	return drawn
}
