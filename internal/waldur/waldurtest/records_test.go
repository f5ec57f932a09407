package waldurtest_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// tenThousand returns a Waldur with 10,000 records of one project, 168 a month,
// and the scope of the project.
func tenThousand() (*waldurtest.Waldur, string) {
	scope := waldurtest.ProjectScope(1)
	w := newWaldur(waldurtest.History(scope, 60, 168)[:10_000]...)
	return w, scope
}

// A client that follows page numbers and trusts the total gets the right number of
// records, but some are repeated and some missing. Nothing shows that a budget
// that is checked against their sum is wrong.
func TestFollowingPagesLosesRecordsThoughEveryCountIsRight(t *testing.T) {
	t.Parallel()
	w, scope := tenThousand()
	for _, size := range []int{300, 100, 10} {
		t.Run(fmt.Sprintf("pages of %d", size), func(t *testing.T) {
			t.Parallel()
			lost := func() int {
				got, different := 0, map[string]bool{}
				for page := 1; got < 10_000; page++ {
					answer := ask(t, w, fmt.Sprintf("%s?scope=%s&page_size=%d&page=%d", list, scope, size, page))
					if answer.count(t) != 10_000 {
						t.Fatalf("page %d counts %d records", page, answer.count(t))
					}
					for _, record := range answer.records(t) {
						got++
						different[record] = true
					}
				}
				return got - len(different)
			}
			first := lost()
			if first == 0 {
				t.Error("no record is lost")
			}
			if again := lost(); again != first {
				t.Errorf("%d records are lost, then %d, want the same number in every pass", first, again)
			}
			t.Logf("%d of 10,000 records lost", first)
		})
	}
}

func TestReadingMonthByMonthLosesNoRecord(t *testing.T) {
	t.Parallel()
	w, scope := tenThousand()
	months, different := map[string]bool{}, map[string]bool{}
	for _, record := range w.Records() {
		months[record.Date] = true
	}
	for month := range months {
		answer := ask(t, w, fmt.Sprintf("%s?scope=%s&page_size=300&date_after=%s&date_before=%s", list, scope, month, month))
		records := answer.records(t)
		if len(records) != answer.count(t) {
			t.Errorf("%s: %d records of %d", month, len(records), answer.count(t))
		}
		for _, record := range records {
			different[record] = true
		}
	}
	if len(different) != 10_000 {
		t.Errorf("%d different records, want 10,000", len(different))
	}
}

func TestOrderOfTiesDependsOnThePageAlone(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	for n := range 40 {
		w.Add(waldurtest.Record{Scope: waldurtest.ProjectScope(1), Date: "2024-10-01", Type: "cpu", CategoryUUID: fmt.Sprintf("%032x", n)})
	}
	page := func(query string) []string { return ask(t, w, list+"?"+query).records(t) }
	all := page("page_size=40")
	if !slices.Equal(all, page("page_size=40&field=bogus")) {
		t.Error("the same page has two orders")
	}
	other := page("page_size=41&page=1")
	if len(other) != 40 {
		t.Fatalf("%d records, want 40", len(other))
	}
	first, second := page("page_size=20"), page("page_size=20&page=2")
	if slices.Equal(all[:20], first) && slices.Equal(all[20:], second) {
		t.Error("pages of 20 have the order of a page of 40")
	}
	early := slices.ContainsFunc(second, func(record string) bool {
		return strings.Contains(record, `"category_uuid":"0000000000000000000000000000000`)
	})
	if !early {
		t.Error("the second page has none of the first 16 records: only its own half of the tie is shuffled")
	}
	both := slices.Compact(slices.Sorted(slices.Values(slices.Concat(first, second))))
	if len(both) == 40 {
		t.Error("two pages that meet within a tie agree about which records are on which page")
	}
}

func TestRecordsAreSortedByDateAndType(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	for _, record := range [][2]string{{"2023-01-01", "b"}, {"2024-01-01", "b"}, {"2023-01-01", "a"}, {"2024-01-01", "a"}} {
		w.Add(waldurtest.Record{Date: record[0], Type: record[1]})
	}
	const want = `[{"type":"a","date":"2024-01-01"},{"type":"b","date":"2024-01-01"},{"type":"a","date":"2023-01-01"},{"type":"b","date":"2023-01-01"}]`
	if got := ask(t, w, list+"?field=type&field=date"); got.body != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
}

func oneRecord() (*waldurtest.Waldur, string) {
	scope := waldurtest.ProjectScope(1)
	w := waldurtest.New()
	w.Add(waldurtest.Record{
		ID: 7, Name: "CPU \"x\" \\ <b>&</b> \u2028\n\x01 ä🚀", Type: "cpu", CategoryTitle: "C", CategoryUUID: "u",
		Date: "2024-10-01", ReportedUsage: new(int64(math.MinInt64)), Scope: scope,
	})
	return w, scope
}

func TestAnswerHasTheRequestedFields(t *testing.T) {
	t.Parallel()
	w, scope := oneRecord()
	const name = `"name":"CPU \"x\" \\ <b>&</b> \u2028\n\u0001 ä🚀"`
	all := `{` + name + `,"type":"cpu","measured_unit":"","category_title":"C","category_uuid":"u",` +
		`"date":"2024-10-01","reported_usage":-9223372036854775808,"fixed_usage":null,"scope":"http://waldur.test` + scope + `"}`
	for name, test := range map[string]struct{ query, want string }{
		"all by default":                 {"", all},
		"one":                            {"?field=date", `{"date":"2024-10-01"}`},
		"several, in Waldur's order":     {"?field=date&field=name", `{` + name + `,"date":"2024-10-01"}`},
		"unknown ones are ignored":       {"?field=id&field=date", `{"date":"2024-10-01"}`},
		"only unknown ones mean all":     {"?field=id", all},
		"two in one value are unknown":   {"?field=name,date", all},
		"an empty one is unknown":        {"?field=", all},
		"names are case-sensitive":       {"?field=Date", all},
		"a repeated one is written once": {"?field=date&field=date", `{"date":"2024-10-01"}`},
		"other parameters are ignored":   {"?fields=date", all},
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

func TestRecordIsReadByItsID(t *testing.T) {
	t.Parallel()
	const noMatch = `{"detail":"No CategoryComponentUsage matches the given query."}`
	for name, test := range map[string]struct {
		path   string
		status int
		body   string // "" for any
	}{
		"found":                      {"7/", 200, ""},
		"found, matches the filters": {"7/?date_after=2024-10-01&date_before=2024-10-01&scope=" + waldurtest.ProjectScope(1), 200, ""},
		"the next free ID":           {"8/", 200, ""},
		"an unknown ID":              {"9/", 404, noMatch},
		"a negative ID":              {"-1/", 404, noMatch},
		"an ID beyond int64":         {"99999999999999999999/", 404, noMatch},
		"a word":                     {"abc/", 404, `{"detail":"Not found."}`},
		"without the slash":          {"7", 301, ""},
		"of another scope":           {"7/?scope=" + waldurtest.ProjectScope(2), 404, noMatch},
		"outside the dates":          {"7/?date_before=2024-09-30", 404, noMatch},
		"a wrong date":               {"7/?date_after=x", 400, `{"date_after":["Enter a valid date."]}`},
		"an unknown scope":           {"7/?scope=x", 400, `["Can't restore object from url: x"]`},
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
				t.Error("the answer has a count")
			}
		})
	}
}
