package documents

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// What the guide about budgets warns of. If one of the programs learns better,
// the guide has to be changed.
func (w workshop) whatTheBudgetGuideWarnsOf(t *testing.T) {
	t.Parallel()
	own := ""
	for _, b := range readPage(t, "docs/guides/budget-checks.md").blocks {
		if strings.Contains(b.text, `"own"`) && strings.Contains(b.text, "postcondition") {
			own = required + b.text
		}
	}
	const nested = required + `
		check "gpu" {
		  data "waldur_category_component_usages" "own" {
		    project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
		  }
		  assert {
		    condition     = try(sum([for u in data.waldur_category_component_usages.own.usages : u.reported_usage]) <= 1, false)
		    error_message = "Over."
		  }
		}`
	tests := map[string]struct {
		configuration, token string
		arguments            []string
		exit                 int
		says                 string
	}{
		"a failed read fails":                              {own, "wrong", []string{"plan"}, 1, "token refused"},
		"an amount over the limit fails":                   {own, waldurtest.Token, []string{"plan"}, 1, "More than 100 GPU hours"},
		"a failed read in a check passes":                  {nested, "wrong", []string{"plan"}, 0, "Warning: Unable to read usages: token refused"},
		"with timestamp() the plan passes":                 {strings.Replace(own, "plantimestamp()", "timestamp()", 1), waldurtest.Token, []string{"plan"}, 0, "known after apply"},
		"with timestamp() the apply fails":                 {strings.Replace(own, "plantimestamp()", "timestamp()", 1), waldurtest.Token, []string{"apply", "-auto-approve"}, 1, "More than 100 GPU hours"},
		"a plan with -refresh-only passes":                 {own, waldurtest.Token, []string{"plan", "-refresh-only"}, 0, "More than 100 GPU hours"},
		"a plan with -target of what depends on it fails":  {own + targeted, waldurtest.Token, []string{"plan", "-target=terraform_data.dependent"}, 1, "More than 100 GPU hours"},
		"a plan with -destroy passes":                      {own, waldurtest.Token, []string{"plan", "-destroy"}, 0, ""},
		"a plan with -target of something else is unaware": {own + targeted, waldurtest.Token, []string{"plan", "-target=terraform_data.other"}, 0, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.connected(thisMonth().Start(t), test.token)
			dir := w.configuration(t, test.configuration)
			output, exit := w.run(t, dir, append(test.arguments, "-no-color")...)
			if exit != test.exit || !strings.Contains(strings.Join(strings.Fields(output), " "), test.says) {
				t.Errorf("it ended with %d instead of %d, or lacks %q:\n%s", exit, test.exit, test.says, output)
			}
		})
	}
}

const targeted = `
	resource "terraform_data" "dependent" { input = length(data.waldur_category_component_usages.own.usages) }
	resource "terraform_data" "other" {}`

// On the first of a month, the budget of the month that has just ended is
// judged, and that month alone.
func (w workshop) theMonthOfYesterday(t *testing.T) {
	t.Parallel()
	guide := readPage(t, "docs/guides/budget-checks.md").text
	var outputs strings.Builder
	for _, argument := range []string{"date_after", "date_before"} {
		found := regexp.MustCompile(argument + ` +=( formatdate\(.*local\.yesterday\))`).FindStringSubmatch(guide)
		if found == nil {
			t.Fatalf("the guide sets no %s", argument)
		}
		fmt.Fprintf(&outputs, "output %q { value = %s }\n", argument, found[1])
	}
	yesterday := regexp.MustCompile(`yesterday = timeadd\(.*`).FindString(guide)
	for now, want := range map[string][2]string{
		"2024-10-01T00:00:00Z": {"2024-09-01", "2024-09-30"},
		"2024-10-15T12:00:00Z": {"2024-10-01", "2024-10-14"},
		"2024-01-01T23:59:59Z": {"2023-12-01", "2023-12-31"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "main.tf"), "locals {\n"+strings.Replace(yesterday, "plantimestamp()", strconv.Quote(now), 1)+"\n}\n"+outputs.String())
		output := w.mustRun(t, dir, "plan", "-no-color")
		for _, date := range want {
			if !strings.Contains(output, strconv.Quote(date)) {
				t.Errorf("on %s, the dates are not %v:\n%s", now, want, output)
			}
		}
	}
}

// The figures of requests in the guide about large lists.
func (w workshop) largeListsTakeTheRequestsThatTheGuideSays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		months, perMonth int
		fields           string
		requests         int
	}{
		"24 records, all attributes":     {2, 12, "", 2},
		"24 records, without scope":      {2, 12, `fields = ["name", "type", "reported_usage"]`, 1},
		"10,000 records, all attributes": {60, 168, "", 62},
		"its newest month alone":         {60, 168, `date_after = "2024-10-01"`, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			records := waldurtest.History(projectOfTheDocuments, test.months, test.perMonth)
			server.Add(records[:min(len(records), 10_000)]...)
			dir := w.configuration(t, required+`
				data "waldur_category_component_usages" "all" {
				  project_uuid = "2b5719686db84f24bf64c3dfec58fbeb"
				  `+test.fields+`
				}`)
			w.connected(server.Start(t), waldurtest.Token).mustRun(t, dir, "plan", "-no-color")
			if requests := len(server.Requests()); requests != test.requests {
				t.Errorf("it took %d requests instead of %d", requests, test.requests)
			}
		})
	}
}
