package documents

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// A user copies the budget gate into an empty folder and sets two variables.
func TestAccBudgetGateOfTheReadme(t *testing.T) {
	t.Parallel()
	readme := readPage(t, "README.md")
	gate := readme.block(t, "terraform", "postcondition")
	_, shown, _ := strings.Cut(readme.block(t, "text", "Resource postcondition failed"), "\n\n")
	const limits = "cpu = 15000, ram = 80000"
	for name, test := range map[string]struct {
		waldur   func([]waldurtest.Record) []waldurtest.Record
		token    string
		limits   string
		exitCode int
		contains string
	}{
		"over":                 {limits: limits, exitCode: 1, contains: shown},
		"at the limits":        {limits: "cpu = 20186, ram = 69252", exitCode: 0, contains: "used"},
		"one over":             {limits: "cpu = 20186, ram = 69251", exitCode: 1, contains: "69252 of      69251"},
		"unknown type":         {limits: "cpus = 999999", exitCode: 1, contains: "no data of     999999"},
		"null":                 {limits: "cpu = 999999", waldur: withoutAmounts, exitCode: 1, contains: "no data of     999999"},
		"no record this month": {limits: limits, waldur: withoutThisMonth, exitCode: 1, contains: "no data of      15000"},
		"token refused":        {limits: "cpu = 999999", token: "wrong", exitCode: 1, contains: "token refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := thisMonth()
			if test.waldur != nil {
				server.Update(test.waldur)
			}
			if !strings.Contains(gate, limits) {
				t.Fatalf("the README has no %q", limits)
			}
			w := initialize(t, strings.Replace(gate, limits, test.limits, 1), server.Start(t), cmp.Or(test.token, waldurtest.Token))
			if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != test.exitCode || !strings.Contains(r.Output, test.contains) {
				t.Errorf("the plan ended with %d instead of %d, or lacks %q:\n%s", r.ExitCode, test.exitCode, test.contains, r.Output)
			}
		})
	}
}

func withoutAmounts(records []waldurtest.Record) []waldurtest.Record {
	for i := range records {
		records[i].ReportedUsage = nil
	}
	return records
}

func withoutThisMonth(records []waldurtest.Record) []waldurtest.Record {
	newest := records[0].Date
	return slices.DeleteFunc(records, func(r waldurtest.Record) bool { return r.Date == newest })
}

func TestAccQuickStartOfTheReadmeShowsUsage(t *testing.T) {
	t.Parallel()
	w := initialize(t, readPage(t, "README.md").block(t, "terraform", `output "usage"`), thisMonth().Start(t), waldurtest.Token)
	if output := clitest.MustRun(t, w, "plan", "-no-color"); !strings.Contains(output, "Virtual machines, CPU: ") {
		t.Errorf("the plan shows no usage:\n%s", output)
	}
}

func TestAccReadmeShowsWhatTheDemoPrints(t *testing.T) {
	t.Parallel()
	readme := readPage(t, "README.md")
	clitest.Sandbox(t)
	demo := exec.CommandContext(t.Context(), "go", "run", "./internal/demo")
	demo.Dir = repository
	demo.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WALDUR_") })
	printed, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, part := range []string{"CATEGORY", "████ 120 %"} {
		if shown := readme.block(t, "text", part); !strings.Contains(string(printed), strings.TrimSpace(shown)) {
			t.Errorf("the README shows:\n%s\nmake demo prints:\n%s", shown, printed)
		}
	}
}

// A test of the benchmark compares DESIGN.md with what is measured.
func TestFiguresOfTheReadmeAreInTheDesign(t *testing.T) {
	t.Parallel()
	design, err := os.ReadFile(filepath.Join(repository, "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := readPage(t, "README.md").prose + readPage(t, "docs/guides/large-lists.md").prose
	figures := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (?:Server's time|.*all attributes).*`).FindAllString(rows, -1) {
		for _, figure := range regexp.MustCompile(`[0-9.]+ m?s\b`).FindAllString(row, -1) {
			figures++
			if !regexp.MustCompile(`[|/] ` + regexp.QuoteMeta(figure) + ` [|/]`).Match(design) {
				t.Errorf("%s is not in DESIGN.md: %s", figure, row)
			}
		}
	}
	if figures < 8 {
		t.Errorf("only %d figures were found", figures)
	}
}
