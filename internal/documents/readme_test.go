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
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// A user copies the budget gate into an empty folder and sets two variables.
func TestAccBudgetGateOfTheReadme(t *testing.T) {
	t.Parallel()
	readme := readPage(t, "README.md")
	gate := readme.block(t, "terraform", "postcondition")
	_, shown, _ := strings.Cut(readme.block(t, "text", "Budget: 1 over, 1 near."), "\n\n")
	if program := clitest.Sandbox(t).CLI; !program.Since(8, 7) {
		t.Skipf("provider-defined functions need Terraform 1.8 or OpenTofu 1.7; this is %s %s", program.Kind, program.Version)
	}
	for name, test := range map[string]struct {
		change   func(*waldurtest.Record) // of the CPU record; nil: none
		token    string
		cpu      string // the limit
		exitCode int
		contains string
	}{
		"over":                 {exitCode: 1, contains: "\n" + shown},
		"at the limit":         {cpu: `type = "cpu", limit = 16250`, exitCode: 0},
		"one over":             {cpu: `type = "cpu", limit = 16249`, exitCode: 1, contains: "over by 1 "},
		"unknown type":         {cpu: `type = "cpus", limit = 999999`, exitCode: 1, contains: "missing, no record"},
		"unknown attribute":    {cpu: `type = "cpu", limt = 999999`, exitCode: 1, contains: `"limt"`},
		"null":                 {cpu: `type = "cpu", limit = 999999`, change: func(r *waldurtest.Record) { r.ReportedUsage = nil }, exitCode: 1, contains: "missing, null in "},
		"no record this month": {cpu: `type = "cpu", limit = 999999`, change: func(r *waldurtest.Record) { r.Date = "2024-09-01" }, exitCode: 1, contains: "missing, no record"},
		"token refused":        {cpu: `type = "cpu", limit = 999999`, token: "wrong", exitCode: 1, contains: "token refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			month := time.Now().UTC().Format("2006-01-") + "01"
			cpu, ram := int64(16250), int64(71500)
			record := waldurtest.Record{Type: "cpu", MeasuredUnit: "hours", ReportedUsage: &cpu, CategoryTitle: "Virtual machines",
				CategoryUUID: strings.Repeat("a", 32), Date: month, Scope: projectOfTheDocuments}
			other := record
			other.Type, other.MeasuredUnit, other.ReportedUsage = "ram", "GB-hours", &ram
			if test.change != nil {
				test.change(&record)
			}
			server.Add(record, other)
			const limit = `type = "cpu", limit = 15000`
			if !strings.Contains(gate, limit) {
				t.Fatalf("the README has no %q", limit)
			}
			w := initialize(t, strings.Replace(gate, limit, cmp.Or(test.cpu, limit), 1), server.Start(t), cmp.Or(test.token, waldurtest.Token))
			if r := clitest.Run(t, w, "plan", "-no-color"); r.ExitCode != test.exitCode || !strings.Contains(r.Output, test.contains) {
				t.Errorf("the plan ended with %d instead of %d, or lacks %q:\n%s", r.ExitCode, test.exitCode, test.contains, r.Output)
			}
		})
	}
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
	if program := clitest.Sandbox(t).CLI; !program.Since(8, 7) {
		t.Skipf("the demo shows a budget only with Terraform 1.8 or OpenTofu 1.7; this is %s %s", program.Kind, program.Version)
	}
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
	for _, row := range regexp.MustCompile(`(?m)^\| (?:Server's time|Time for|.*all attributes).*`).FindAllString(rows, -1) {
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
