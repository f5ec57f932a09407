package documents

import (
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// foldersOf finds the folders below one of the repository, by their path from
// there, that hold files with an ending.
func foldersOf(t *testing.T, below, ending string) (found []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(filepath.Join(repository, below)), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if dir := path.Dir(name); strings.HasSuffix(name, ending) && (len(found) == 0 || found[len(found)-1] != dir) {
			found = append(found, dir)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s files below %s: %v", ending, below, err)
	}
	return found
}

func uuidOf(scope string) string { return path.Base(scope) }

// withoutBar is what a cell of a report says beside its bar.
func withoutBar(cell string) string { return strings.TrimSpace(strings.TrimLeft(cell, "█░")) }

// sumOf gives the sum of the records that match. It is not known when there is
// none, or one whose amount is null.
func sumOf(records []waldurtest.Record, matches func(waldurtest.Record) bool) *big.Int {
	var sum *big.Int
	for _, r := range records {
		if !matches(r) {
			continue
		}
		if r.ReportedUsage == nil {
			return nil
		}
		if sum == nil {
			sum = new(big.Int)
		}
		sum.Add(sum, big.NewInt(*r.ReportedUsage))
	}
	return sum
}

// total is the sum of the amounts that are known.
func total(amounts []*big.Int) *big.Int {
	var sum *big.Int
	for _, amount := range amounts {
		if amount != nil {
			if sum == nil {
				sum = new(big.Int)
			}
			sum.Add(sum, amount)
		}
	}
	return sum
}

// shown is how a report shows an amount.
func shown(amount *big.Int) string {
	if amount == nil {
		return "no data"
	}
	return amount.String()
}

// barsOf draws the amounts, ten cells for the largest.
func barsOf(amounts []*big.Int) (bars []string) {
	largest := int64(1)
	for _, amount := range amounts {
		if amount != nil {
			largest = max(largest, amount.Int64())
		}
	}
	for _, amount := range amounts {
		if amount == nil {
			bars = append(bars, "")
			continue
		}
		full := int((20*amount.Int64() + largest) / (2 * largest))
		bars = append(bars, strings.Repeat("█", full)+strings.Repeat("░", 10-full))
	}
	return bars
}

// twin is another genuine record of a component and a month whose amount is
// known.
func twin(records []waldurtest.Record, date string) waldurtest.Record {
	of := slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date == date && r.ReportedUsage != nil })
	twin := records[of]
	twin.ID = 0
	return twin
}

// unknownTwin is a twin whose amount is not known, so that the sum is not.
func unknownTwin(records []waldurtest.Record, date string) waldurtest.Record {
	unknown := twin(records, date)
	unknown.ReportedUsage = nil
	return unknown
}

// cellsOf splits the row of a Markdown table.
func cellsOf(line string) []string {
	cells := strings.Split(strings.Trim(line, "| "), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func (w workshop) usageReportShowsEachMonthAndTheTotals(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	server := waldurtest.New()
	server.Add(waldurtest.History(scope, 24, 8)...) // up to October 2024
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		kept := records[:0]
		for i, r := range records {
			if r.Date == "2024-05-01" { // a month without any record
				continue
			}
			if r.Date == "2024-03-01" && i%3 == 0 { // some nulls
				r.ReportedUsage = nil
			}
			if r.Type == "gpu" { // a unit and a name that do not fit into a table
				r.Name, r.MeasuredUnit = "GPU | A100", ""
			}
			kept = append(kept, r)
		}
		return append(kept, twin(kept, "2024-10-01"), unknownTwin(kept, "2024-02-01"))
	})
	w = w.connected(server.Start(t), waldurtest.Token)
	dir := w.example(t, "usage-report")
	variables := []string{"-no-color", "-var", "project_uuid=" + uuidOf(scope), "-var", "year=2024"}
	w.mustRun(t, dir, append([]string{"apply", "-auto-approve"}, variables...)...)
	if output := w.mustRun(t, dir, append([]string{"plan", "-detailed-exitcode"}, variables...)...); !strings.Contains(output, "No changes") {
		t.Errorf("a second plan shows changes:\n%s", output)
	}
	report := w.mustRun(t, dir, "output", "-no-color", "-raw", "report")

	records := server.Records()
	titles := map[string]string{"CPU (hours)": "cpu", "GPU / A100": "gpu", "RAM (GB-hours)": "ram", "Storage (GB-hours)": "storage"}
	var category string
	var columns []string
	var column map[string][]*big.Int // the amounts of each component so far
	var bars map[string][]string     // and their bars
	rows := 0
	for line := range strings.Lines(report) {
		cells := cellsOf(strings.TrimSpace(line))
		switch {
		case strings.HasPrefix(line, "## "):
			category = strings.TrimSpace(strings.TrimPrefix(line, "## "))
			column, bars = map[string][]*big.Int{}, map[string][]string{}
		case cells[0] == "month":
			columns = cells[1:]
		case strings.HasPrefix(cells[0], "2024-"), cells[0] == "total":
			rows++
			for i, cell := range cells[1:] {
				kind, found := titles[columns[i]]
				if !found {
					t.Fatalf("unknown column %q", columns[i])
				}
				want := total(column[kind])
				if cells[0] != "total" {
					want = sumOf(records, func(r waldurtest.Record) bool {
						return r.CategoryTitle == category && r.Type == kind && r.Date == cells[0]+"-01"
					})
					column[kind] = append(column[kind], want)
				}
				if withoutBar(cell) != shown(want) {
					t.Errorf("%s, %s, %s: %q is shown, %s is right", category, columns[i], cells[0], cell, shown(want))
				}
				if cells[0] != "total" {
					bars[kind] = append(bars[kind], strings.TrimRight(cell, " 0123456789nodat"))
				} else if want := barsOf(column[kind]); !slices.Equal(bars[kind], want) {
					t.Errorf("%s, %s: the bars are %q instead of %q", category, columns[i], bars[kind], want)
				}
			}
		}
	}
	if rows != 2*11 {
		t.Errorf("%d rows instead of January to October and the total for each of two categories:\n%s", rows, report)
	}
}

func (w workshop) usageReportOfAYearWithoutRecordsSaysSo(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	server := waldurtest.New()
	server.AddScope(scope)
	w = w.connected(server.Start(t), waldurtest.Token)
	dir := w.example(t, "usage-report")
	w.mustRun(t, dir, "apply", "-auto-approve", "-no-color", "-var", "project_uuid="+uuidOf(scope))
	if report := w.mustRun(t, dir, "output", "-no-color", "-raw", "report"); !strings.Contains(report, "No records.") {
		t.Errorf("It does not say so:\n%s", report)
	}
}

func (w workshop) manyProjectsStandInOneTable(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	names := map[string]string{} // scope => name
	var variable []string
	for n, perMonth := range []int{3, 8, 12} {
		scope := waldurtest.ProjectScope(n + 1)
		server.Add(waldurtest.History(scope, 12, perMonth)...)
		names[scope] = "project " + strconv.Itoa(n+1)
		variable = append(variable, fmt.Sprintf("%q=%q", names[scope], uuidOf(scope)))
	}
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		return append(records, unknownTwin(records, "2024-09-01"))
	})
	empty := waldurtest.ProjectScope(9)
	server.AddScope(empty)
	variable = append(variable, fmt.Sprintf("%q=%q", "without records", uuidOf(empty)))

	w = w.connected(server.Start(t), waldurtest.Token)
	dir := w.example(t, "many-projects")
	w.mustRun(t, dir, "apply", "-auto-approve", "-no-color", "-var", "month=2024-09", "-var", "projects={"+strings.Join(variable, ",")+"}")
	table := w.mustRun(t, dir, "output", "-no-color", "-raw", "table")

	records := server.Records()
	var columns []string
	rows := 0
	for line := range strings.Lines(table) {
		cells := cellsOf(strings.TrimSpace(line))
		if len(cells) < 4 || strings.HasPrefix(cells[0], "--") {
			continue
		}
		if cells[0] == "category" {
			columns = cells
			continue
		}
		rows++
		var amounts []*big.Int
		for i, cell := range cells[3:] {
			want := total(amounts)
			if column := columns[i+3]; column != "total" {
				want = sumOf(records, func(r waldurtest.Record) bool {
					return r.Date == "2024-09-01" && r.CategoryTitle == cells[0] && r.Name == cells[1] && r.MeasuredUnit == cells[2] &&
						names[r.Scope] == column
				})
				amounts = append(amounts, want)
			}
			if cell != shown(want) {
				t.Errorf("%s, %s: %s is shown for %s, %s is right", cells[0], cells[1], cell, columns[i+3], shown(want))
			}
		}
	}
	if rows != 12 || len(columns) != 3+4+1 {
		t.Errorf("%d components and %d columns instead of 12 and 8:\n%s", rows, len(columns), table)
	}
	for _, request := range server.Requests() {
		if request.Query.Get("scope") == "" {
			t.Errorf("a list was asked for without a scope: %v", request.Query)
		}
	}
}
