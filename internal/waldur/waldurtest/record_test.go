package waldurtest_test

import (
	"math"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func oneRecord() (*waldurtest.Waldur, string) {
	scope := waldurtest.ProjectScope(1)
	w := waldurtest.New()
	w.Add(waldurtest.Record{
		ID: 7, Name: "CPU \"x\" \\ <b>&</b> \u2028\n\x01 ä🚀", Type: "cpu", CategoryTitle: "C", CategoryUUID: "u",
		Date: "2024-10-01", ReportedUsage: new(int64(math.MinInt64)), Scope: scope,
	})
	return w, scope
}

func TestTheAnswerHoldsTheFieldsAskedFor(t *testing.T) {
	t.Parallel()
	w, scope := oneRecord()
	const name = `"name":"CPU \"x\" \\ <b>&</b> \u2028\n\u0001 ä🚀"`
	all := `{` + name + `,"type":"cpu","measured_unit":"","category_title":"C","category_uuid":"u",` +
		`"date":"2024-10-01","reported_usage":-9223372036854775808,"fixed_usage":null,"scope":"http://waldur.test` + scope + `"}`
	for name, test := range map[string]struct{ query, want string }{
		"all without the parameter":             {"", all},
		"one":                                   {"?field=date", `{"date":"2024-10-01"}`},
		"several, in Waldur's order":            {"?field=date&field=name", `{` + name + `,"date":"2024-10-01"}`},
		"unknown ones are ignored":              {"?field=id&field=date", `{"date":"2024-10-01"}`},
		"only unknown ones are all":             {"?field=id", all},
		"two in one value are an unknown one":   {"?field=name,date", all},
		"an empty one is an unknown one":        {"?field=", all},
		"names are written with small letters":  {"?field=Date", all},
		"a repeated one comes once":             {"?field=date&field=date", `{"date":"2024-10-01"}`},
		"other parameters do not matter at all": {"?fields=date", all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, w, list+test.query).body; got != "["+test.want+"]" {
				t.Errorf("the list\n got %s\nwant [%s]", got, test.want)
			}
			if got := ask(t, w, list+"7/"+test.query).body; got != test.want {
				t.Errorf("the record\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestARecordIsReadByItsNumber(t *testing.T) {
	t.Parallel()
	const noMatch = `{"detail":"No CategoryComponentUsage matches the given query."}`
	for name, test := range map[string]struct {
		path   string
		status int
		body   string // "" for any
	}{
		"found":                            {"7/", 200, ""},
		"found within the filters":         {"7/?date_after=2024-10-01&date_before=2024-10-01&scope=" + waldurtest.ProjectScope(1), 200, ""},
		"the next free number":             {"8/", 200, ""},
		"an unknown number":                {"9/", 404, noMatch},
		"a negative number":                {"-1/", 404, noMatch},
		"a number beyond int64":            {"99999999999999999999/", 404, noMatch},
		"a word":                           {"abc/", 404, `{"detail":"Not found."}`},
		"without the slash":                {"7", 301, ""},
		"another scope filters here too":   {"7/?scope=" + waldurtest.ProjectScope(2), 404, noMatch},
		"dates filter here too":            {"7/?date_before=2024-09-30", 404, noMatch},
		"a wrong date is told here too":    {"7/?date_after=x", 400, `{"date_after":["Enter a valid date."]}`},
		"an unknown scope is told as well": {"7/?scope=x", 400, `["Can't restore object from url: x"]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := oneRecord()
			w.Add(waldurtest.Record{Scope: waldurtest.ProjectScope(2), Date: "2024-10-01"})
			got := ask(t, w, list+test.path)
			if got.status != test.status || test.body != "" && got.body != test.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, test.status, test.body)
			}
			if got.header.Get("X-Result-Count") != "" {
				t.Error("a record carries a count")
			}
		})
	}
}
