package documents

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// example copies all examples, since some use others, and initializes one.
func example(t *testing.T, folder, endpoint string) cli.WorkingDir {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(repository, "examples"))); err != nil {
		t.Fatal(err)
	}
	w := open(t, filepath.Join(copied, folder), endpoint, waldurtest.Token)
	clitest.MustRun(t, w, "init", "-no-color")
	return w
}

// The expected reports have a month without records, null amounts, a component
// with two records in one month, and a project without records.
func TestAccReportsOfTheExamples(t *testing.T) {
	t.Parallel()
	if program := clitest.Sandbox(t).CLI; !program.Since(8, 7) {
		t.Skipf("provider-defined functions need Terraform 1.8 or OpenTofu 1.7; this is %s %s", program.Kind, program.Version)
	}
	project, empty := waldurtest.ProjectScope(1), waldurtest.ProjectScope(9)
	server := waldurtest.New()
	server.AddScope(empty)
	server.Add(waldurtest.History(project, 8, 4)...) // up to October 2024
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		records = slices.DeleteFunc(records, func(r waldurtest.Record) bool { return r.Date == "2024-05-01" })
		for i := range records {
			if records[i].Date == "2024-06-01" && i%2 == 0 {
				records[i].ReportedUsage = nil
			}
			if records[i].Type == "ram" {
				records[i].Name, records[i].MeasuredUnit = "RAM | ECC", ""
			}
		}
		return append(records, duplicate(records))
	})
	server.Add(waldurtest.History(waldurtest.ProjectScope(2), 3, 3)...)
	endpoint := server.Start(t)
	for name, test := range map[string]struct {
		folder    string
		variables []string
	}{
		"usage-report":       {"usage-report", []string{"project_uuid=" + path.Base(project), "year=2024"}},
		"usage-report-empty": {"usage-report", []string{"project_uuid=" + path.Base(empty), "year=2024"}},
		"many-projects": {"many-projects", []string{"year=2024",
			fmt.Sprintf("projects={a=%q,b=%q,empty=%q}", path.Base(project), path.Base(waldurtest.ProjectScope(2)), path.Base(empty))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join("testdata", name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			w := example(t, test.folder, endpoint)
			arguments := []string{"-no-color"}
			for _, variable := range test.variables {
				arguments = append(arguments, "-var="+variable)
			}
			clitest.MustRun(t, w, append([]string{"apply", "-auto-approve"}, arguments...)...)
			if got := clitest.MustRun(t, w, "output", "-no-color", "-raw", "report"); got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if again := clitest.Run(t, w, append([]string{"plan", "-detailed-exitcode"}, arguments...)...); again.ExitCode != 0 {
				t.Errorf("a second plan shows changes:\n%s", again.Output)
			}
		})
	}
}

// duplicate returns a second genuine record of a component and the newest month.
func duplicate(records []waldurtest.Record) waldurtest.Record {
	of := slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date == "2024-10-01" && r.ReportedUsage != nil })
	second := records[of]
	second.ID = 0
	return second
}
