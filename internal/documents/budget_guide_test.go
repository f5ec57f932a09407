package documents

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// Each expression of the guide is evaluated at several points in time, such as
// the ends of months and years, in leap years and others.
func TestAccBudgetGuideComputesPeriods(t *testing.T) {
	t.Parallel()
	guide := readPage(t, "docs/guides/budget-checks.md")
	periods := strings.Replace(guide.block(t, "terraform", "quarter_start ="), "plantimestamp()", "var.now", 1)
	yesterday := strings.Replace(guide.block(t, "terraform", "yesterday ="), "plantimestamp()", "var.now", 1)
	yesterday, of, _ := strings.Cut(yesterday, "\ndata ")
	dates := regexp.MustCompile(`date_(?:after|before) += (.*)\n`).FindAllStringSubmatch(of, -1)
	if len(dates) != 2 {
		t.Fatalf("the guide has %d dates of the month of yesterday", len(dates))
	}
	w := open(t, t.TempDir(), "", "")
	clitest.Write(t, w, "at/periods.tf", "variable \"now\" {}\n"+periods+yesterday+`output "dates" { value = join(" ", [
		local.month_start, local.month_end, local.quarter_start, local.quarter_end, local.year_start, local.year_end,
		local.project_start, local.project_end, `+dates[0][1]+", "+dates[1][1]+"]) }")
	const project = " 2024-03-01 2027-02-28 "
	want := map[string]string{
		"2024-10-15T12:00:00Z": "2024-10-01 2024-10-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31" + project + "2024-10-01 2024-10-14",
		"2024-10-01T00:00:00Z": "2024-10-01 2024-10-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31" + project + "2024-09-01 2024-09-30",
		"2024-09-30T23:59:59Z": "2024-09-01 2024-09-30 2024-07-01 2024-09-30 2024-01-01 2024-12-31" + project + "2024-09-01 2024-09-29",
		"2024-02-29T23:59:59Z": "2024-02-01 2024-02-29 2024-01-01 2024-03-31 2024-01-01 2024-12-31" + project + "2024-02-01 2024-02-28",
		"2024-03-01T00:00:00Z": "2024-03-01 2024-03-31 2024-01-01 2024-03-31 2024-01-01 2024-12-31" + project + "2024-02-01 2024-02-29",
		"2023-02-28T23:59:59Z": "2023-02-01 2023-02-28 2023-01-01 2023-03-31 2023-01-01 2023-12-31" + project + "2023-02-01 2023-02-27",
		"2100-02-28T00:00:00Z": "2100-02-01 2100-02-28 2100-01-01 2100-03-31 2100-01-01 2100-12-31" + project + "2100-02-01 2100-02-27",
		"2024-01-01T00:00:00Z": "2024-01-01 2024-01-31 2024-01-01 2024-03-31 2024-01-01 2024-12-31" + project + "2023-12-01 2023-12-31",
		"2024-12-31T23:59:59Z": "2024-12-01 2024-12-31 2024-10-01 2024-12-31 2024-01-01 2024-12-31" + project + "2024-12-01 2024-12-30",
		"2024-06-08T09:00:00Z": "2024-06-01 2024-06-30 2024-04-01 2024-06-30 2024-01-01 2024-12-31" + project + "2024-06-01 2024-06-07",
		"2024-08-09T09:00:00Z": "2024-08-01 2024-08-31 2024-07-01 2024-09-30 2024-01-01 2024-12-31" + project + "2024-08-01 2024-08-08",
	}
	var main strings.Builder
	for now := range want {
		name := nameOf(now)
		fmt.Fprintf(&main, "module %q {\n  source = \"./at\"\n  now = %q\n}\noutput %q { value = module.%s.dates }\n", name, now, name, name)
	}
	clitest.Write(t, w, "main.tf", main.String())
	clitest.MustRun(t, w, "init", "-no-color")
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	var outputs map[string]struct{ Value string }
	if err := json.Unmarshal([]byte(clitest.MustRun(t, w, "output", "-json")), &outputs); err != nil {
		t.Fatal(err)
	}
	for now, dates := range want {
		if got := outputs[nameOf(now)].Value; got != dates {
			t.Errorf("at %s:\ngot  %s\nwant %s", now, got, dates)
		}
	}
}

// nameOf returns an identifier for a point in time.
func nameOf(now string) string { return "at_" + regexp.MustCompile(`\W`).ReplaceAllString(now, "_") }

// The report and the chart of the guide are those of the functions.
func TestAccBudgetGuideShowsWhatTheFunctionsReturn(t *testing.T) {
	t.Parallel()
	if program := clitest.Sandbox(t).CLI; !program.Since(8, 7) {
		t.Skipf("provider-defined functions need Terraform 1.8 or OpenTofu 1.7; this is %s %s", program.Kind, program.Version)
	}
	guide := readPage(t, "docs/guides/budget-checks.md")
	options := regexp.MustCompile(`(?s)options = (\{.*\n  \})`).FindStringSubmatch(guide.block(t, "terraform", "options ="))
	if options == nil {
		t.Fatal("the guide has no options")
	}
	at := strings.NewReplacer("local.month_start", `"2024-10-01"`, "local.month_end", `"2024-10-31"`, "plantimestamp()", `"2024-10-16T12:00:00Z"`)
	w := initialize(t, required+`
		locals {
		  usages = [for month, amount in { "05" = 3815, "06" = 4630, "07" = null, "08" = 5248, "09" = 6373, "10" = 4124 } : {
		    name = "CPU", type = "cpu", measured_unit = "hours", category_title = "Virtual machines", category_uuid = "a"
		    date = "2024-${month}-01", reported_usage = amount
		  }]
		}
		output "check" {
		  value = provider::waldur::budget_check([merge(local.usages[0], { reported_usage = 4000 })], { CPU = { type = "cpu", limit = 6000 } }, `+at.Replace(options[1])+`)
		}
		output "chart" { value = provider::waldur::usage_chart(local.usages, { type = "cpu", limit = 5000 }) }`, "", "")
	clitest.MustRun(t, w, "apply", "-auto-approve", "-no-color")
	var outputs struct {
		Check struct {
			Value struct {
				Passed bool
				Report string
			}
		}
		Chart struct{ Value string }
	}
	if err := json.Unmarshal([]byte(clitest.MustRun(t, w, "output", "-json")), &outputs); err != nil {
		t.Fatal(err)
	}
	if check, shown := outputs.Check.Value, guide.block(t, "text", "Forecast"); check.Passed || check.Report != shown {
		t.Errorf("passed: %v; the guide shows:\n%s\nthe function returns:\n%s", check.Passed, shown, check.Report)
	}
	if shown := "```mermaid\n" + guide.block(t, "mermaid", "xychart") + "```\n"; outputs.Chart.Value != shown {
		t.Errorf("the guide shows:\n%s\nthe function returns:\n%s", shown, outputs.Chart.Value)
	}
}

// The guide warns of plans that pass without a check. If a CLI changes this, the
// guide has to change. Which commands check is tested with the module.
func TestAccBudgetGuideWarnsOfPlansThatPass(t *testing.T) {
	t.Parallel()
	own := required + readPage(t, "docs/guides/budget-checks.md").block(t, "terraform", "100 GPU hours were used")
	const nested = required + `
		check "gpu" {
		  data "waldur_category_component_usages" "own" {
		    project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
		  }
		  assert {
		    condition     = length(data.waldur_category_component_usages.own.usages) > 0
		    error_message = "None."
		  }
		}`
	later := strings.Replace(own, "plantimestamp()", "timestamp()", 1)
	for name, test := range map[string]struct {
		configuration, token, command string
		exitCode                      int
		contains                      string
	}{
		"a failed read fails":                 {own, "wrong", "plan", 1, "token refused"},
		"an amount over the limit fails":      {own, waldurtest.Token, "plan", 1, "More than 100 GPU hours"},
		"a failed read in a check passes":     {nested, "wrong", "plan", 0, "Warning: Unable to read usages"},
		"with timestamp() the plan passes":    {later, waldurtest.Token, "plan", 0, "known after apply"},
		"with timestamp() the apply fails":    {later, waldurtest.Token, "apply -auto-approve", 1, "More than 100 GPU hours"},
		"a plan with -refresh-only passes":    {own, waldurtest.Token, "plan -refresh-only", 0, "More than 100 GPU hours"},
		"a plan that destroys is no check":    {own, waldurtest.Token, "plan -destroy", 0, ""},
		"a plan without a refresh is a check": {own, waldurtest.Token, "plan -refresh=false", 1, "More than 100 GPU hours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := initialize(t, test.configuration, thisMonth().Start(t), test.token)
			if r := clitest.Run(t, w, append(strings.Fields(test.command), "-no-color")...); r.ExitCode != test.exitCode || !r.Contains(test.contains) {
				t.Errorf("exit code %d, want %d and %q:\n%s", r.ExitCode, test.exitCode, test.contains, r.Output)
			}
		})
	}
}
