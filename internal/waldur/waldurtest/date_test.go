package waldurtest_test

import (
	"net/url"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestDatesThatAreTakenAndRefused(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 4, 1)...) // July to October 2024
	for name, test := range map[string]struct {
		after, before string
		records       int // -1: refused
	}{
		"no dates":                          {"", "", 4},
		"after is inclusive":                {"2024-09-01", "", 2},
		"after the first of a month":        {"2024-09-02", "", 1},
		"before is inclusive":               {"", "2024-08-01", 2},
		"before the first of a month":       {"", "2024-07-31", 1},
		"one month":                         {"2024-08-01", "2024-08-01", 1},
		"later than everything":             {"2025-01-01", "", 0},
		"earlier than everything":           {"", "2024-01-01", 0},
		"reversed":                          {"2024-10-01", "2024-08-01", 0},
		"numbers without leading zeros":     {"2024-9-1", "", 2},
		"month, day and year":               {"09/01/2024", "", 2},
		"month, day and short year":         {"9/1/24", "", 2},
		"the short name of a month":         {"Sep 1 2024", "", 2},
		"the name of a month with a comma":  {"September 1, 2024", "", 2},
		"a day before the name of a month":  {"1 Sep 2024", "", 2},
		"a year":                            {"2024", "", -1},
		"a month":                           {"2024-09", "", -1},
		"a date with a time":                {"2024-09-01T00:00:00Z", "", -1},
		"a date that does not exist":        {"", "2024-02-30", -1},
		"a word":                            {"yesterday", "", -1},
		"a blank":                           {" ", "", -1},
		"a date with spaces around it":      {" 2024-09-01 ", "", 2},
		"a wrong date is told before scope": {"x", "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query := url.Values{"date_after": {test.after}, "date_before": {test.before}}
			if test.after == "x" {
				query.Set("scope", "garbage")
			}
			got := ask(t, w, list+"?"+query.Encode())
			if test.records >= 0 {
				if got.count(t) != test.records || len(got.records(t)) != test.records {
					t.Errorf("got %d records, want %d", got.count(t), test.records)
				}
				return
			}
			wrong := "date_after"
			if test.after == "" {
				wrong = "date_before"
			}
			if want := `{"` + wrong + `":["Enter a valid date."]}`; got.status != 400 || got.body != want {
				t.Errorf("got %d %s, want %s", got.status, got.body, want)
			}
		})
	}
}
