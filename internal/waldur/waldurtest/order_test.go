package waldurtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// tenThousand returns a Waldur with 10,000 records of one project, 168 a
// month, and the project's scope.
func tenThousand() (*waldurtest.Waldur, string) {
	scope := waldurtest.ProjectScope(1)
	w := waldurtest.New()
	w.Add(waldurtest.History(scope, 60, 168)[:10_000]...)
	return w, scope
}

// A client that follows page numbers and trusts the total gets the right
// number of records, but not the right ones: some come twice, some never. A
// budget that is checked against their sum is then wrong without any sign.
func TestFollowingPagesLosesRecordsAlthoughEveryCountIsRight(t *testing.T) {
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
				t.Error("no record was lost")
			}
			if again := lost(); again != first {
				t.Errorf("%d records were lost, then %d: reading again must not help", first, again)
			}
			t.Logf("%d of 10,000 records lost", first)
		})
	}
}

func TestOneWindowForEachMonthLosesNoRecord(t *testing.T) {
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

func TestTiesComeInAnOrderThatDependsOnThePageAlone(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	for n := range 40 {
		w.Add(waldurtest.Record{Scope: waldurtest.ProjectScope(1), Date: "2024-10-01", Type: "cpu", CategoryUUID: fmt.Sprintf("%032x", n)})
	}
	page := func(query string) []string { return ask(t, w, list+"?"+query).records(t) }
	whole := page("page_size=40")
	if !slices.Equal(whole, page("page_size=40&field=bogus")) {
		t.Error("the same page came in two orders")
	}
	other := page("page_size=41&page=1")
	if len(other) != 40 {
		t.Fatalf("%d records, want 40", len(other))
	}
	first, second := page("page_size=20"), page("page_size=20&page=2")
	if slices.Equal(whole[:20], first) && slices.Equal(whole[20:], second) {
		t.Error("pages of 20 come in the order of a page of 40")
	}
	early := slices.ContainsFunc(second, func(record string) bool {
		return strings.Contains(record, `"category_uuid":"0000000000000000000000000000000`)
	})
	if !early {
		t.Error("the second page holds none of the first 16 records: only its own half of the tie was shuffled")
	}
	both := slices.Compact(slices.Sorted(slices.Values(slices.Concat(first, second))))
	if len(both) == 40 {
		t.Error("two pages that meet within a tie agree on who is on which side")
	}
}

func TestRecordsComeByDateAndType(t *testing.T) {
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
