package documents

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// thisMonth is a Waldur with the project of the documents, up to this month.
func thisMonth() *waldurtest.Waldur {
	now := time.Now().UTC()
	server := waldurtest.New()
	server.Add(waldurtest.History(projectOfTheDocuments, 24, 8, waldurtest.Newest(now.Year(), now.Month()))...)
	return server
}

// A newcomer copies the block into an empty folder and sets two variables.
func (w workshop) readmeBudgetHolds(t *testing.T) {
	t.Parallel()
	readme := readPage(t, "README.md")
	blocks := readme.configurations()[1]
	if len(blocks) != 1 {
		t.Fatalf("the budget of the README is not one block, but %d", len(blocks))
	}
	budget := blocks[0]
	if lines := strings.Count(budget, "\n"); lines > 15 {
		t.Errorf("the budget of the README has %d lines, more than fifteen", lines)
	}
	tests := map[string]struct {
		waldur func(*waldurtest.Waldur)
		token  string
		change [2]string
		exit   int
		says   string
	}{
		"over":                 {exit: 1, says: strings.TrimPrefix(picture(t, readme, "Resource postcondition failed"), "Error: Resource postcondition failed\n\n")},
		"at the limits":        {change: [2]string{"cpu = 15000, ram = 80000", "cpu = 20186, ram = 69252"}, exit: 0, says: "used"},
		"one over":             {change: [2]string{"cpu = 15000, ram = 80000", "cpu = 20186, ram = 69251"}, exit: 1, says: "69252 of      69251"},
		"unknown type":         {change: [2]string{"cpu = 15000", "cpus = 999999"}, exit: 1, says: "no data of     999999"},
		"null":                 {waldur: nullify, change: [2]string{"cpu = 15000", "cpu = 999999"}, exit: 1, says: "no data of     999999"},
		"no record this month": {waldur: forget, exit: 1, says: "no data of      15000"},
		"token refused":        {token: "wrong", change: [2]string{"cpu = 15000", "cpu = 999999"}, exit: 1, says: "token refused"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := thisMonth()
			if test.waldur != nil {
				test.waldur(server)
			}
			token := waldurtest.Token
			if test.token != "" {
				token = test.token
			}
			w := w.connected(server.Start(t), token)
			changed := budget
			if test.change[0] != "" {
				changed = strings.Replace(budget, test.change[0], test.change[1], 1)
				if changed == budget {
					t.Fatalf("the README does not say %q", test.change[0])
				}
			}
			dir := w.configuration(t, changed)
			if output, exit := w.run(t, dir, "plan", "-no-color"); exit != test.exit || !strings.Contains(output, test.says) {
				t.Errorf("the plan ended with %d instead of %d, or lacks %q:\n%s", exit, test.exit, test.says, output)
			}
		})
	}
}

// nullify takes away an amount of this month's CPU.
func nullify(w *waldurtest.Waldur) {
	w.Update(func(records []waldurtest.Record) []waldurtest.Record {
		newest := records[0].Date
		for i := range records {
			if records[i].Date == newest && records[i].Type == "cpu" {
				records[i].ReportedUsage = nil
				return records
			}
		}
		return records
	})
}

// forget takes away this month, as before its first calculation.
func forget(w *waldurtest.Waldur) {
	w.Update(func(records []waldurtest.Record) []waldurtest.Record {
		newest := records[0].Date
		return slices.DeleteFunc(records, func(r waldurtest.Record) bool { return r.Date == newest })
	})
}

// picture is the block of a page that shows what is printed.
func picture(t *testing.T, p page, holds string) string {
	t.Helper()
	for _, b := range p.blocks {
		if b.language == "text" && strings.Contains(b.text, holds) {
			return b.text
		}
	}
	t.Fatalf("%s shows no output with %q", p.path, holds)
	return ""
}

func (w workshop) readmeQuickStartReads(t *testing.T) {
	t.Parallel()
	w = w.connected(thisMonth().Start(t), waldurtest.Token)
	quickStart := readPage(t, "README.md").configurations()[0][0]
	if lines := strings.Count(quickStart, "\n"); lines > 10 {
		t.Errorf("the quick start of the README has %d lines, more than ten", lines)
	}
	dir := w.configuration(t, quickStart)
	if output := w.mustRun(t, dir, "plan", "-no-color", "-out", "saved"); !strings.Contains(output, "Virtual machines, CPU: ") {
		t.Errorf("the plan shows no usage:\n%s", output)
	}

	// The guide about budgets says where a policy finds what was read.
	var plan map[string]json.RawMessage
	if err := json.Unmarshal([]byte(w.mustRun(t, dir, "show", "-json", "saved")), &plan); err != nil {
		t.Fatal(err)
	}
	read := []byte(`"waldur_category_component_usages"`)
	if !bytes.Contains(plan["prior_state"], read) || bytes.Contains(plan["planned_values"], read) {
		t.Error("what was read stands elsewhere in the plan than the guide says")
	}
}

// What the README shows of "make demo" is what it prints.
func (w workshop) readmeShowsTheDemo(t *testing.T) {
	t.Parallel()
	page := readPage(t, "README.md")
	demo := exec.CommandContext(t.Context(), "go", "run", "./internal/demo")
	demo.Dir = repository
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WALDUR_") {
			demo.Env = append(demo.Env, variable)
		}
	}
	printed, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, part := range []string{"CATEGORY", "████ 120 %"} {
		if shown := picture(t, page, part); !strings.Contains(string(printed), strings.TrimSpace(shown)) {
			t.Errorf("the README shows:\n%s\nmake demo prints:\n%s", shown, printed)
		}
	}
}

// The figures of the README stand in the table of the design, which a test of
// the benchmark holds to what is measured.
func TestFiguresOfTheReadmeAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	design, err := os.ReadFile(filepath.Join(repository, "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	figure := regexp.MustCompile(`^[0-9.]+ m?s$`)
	figures := 0
	for _, p := range []page{readPage(t, "README.md"), readPage(t, "docs/guides/large-lists.md")} {
		for _, r := range p.rows {
			if !strings.HasPrefix(r.cells[0], "Server's time") && !strings.Contains(strings.Join(r.cells, " "), "all attributes") {
				continue
			}
			for _, cell := range r.cells {
				if !figure.MatchString(cell) {
					continue
				}
				figures++
				if !regexp.MustCompile(`[|/] ` + regexp.QuoteMeta(cell) + ` [|/]`).Match(design) {
					t.Errorf("%s: %s is no figure of DESIGN.md", p.path, cell)
				}
			}
		}
	}
	if figures < 8 {
		t.Errorf("only %d figures were compared", figures)
	}
}
