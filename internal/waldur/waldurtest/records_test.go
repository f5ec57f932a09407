package waldurtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// A client that follows page numbers and trusts the total gets the right number of
// records, but some are repeated and some missing. Nothing shows that a budget
// that is checked against their sum is wrong.
func TestFollowingPagesLosesRecordsThoughEveryCountIsRight(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 60, 168)[:10_000]...)
	for _, size := range []int{300, 100, 10} {
		t.Run(fmt.Sprintf("pages of %d", size), func(t *testing.T) {
			t.Parallel()
			lost := func() int {
				got, different := 0, map[string]bool{}
				for page := 1; got < 10_000; page++ {
					response := ask(t, w, fmt.Sprintf("%s?field=date&field=type&field=category_uuid&page_size=%d&page=%d", list, size, page))
					if response.count != 10_000 {
						t.Fatalf("page %d counts %d records", page, response.count)
					}
					for _, record := range objects(t, response.body) {
						got++
						different[record] = true
					}
				}
				return got - len(different)
			}
			first := lost()
			if again := lost(); first == 0 || again != first {
				t.Errorf("%d records are lost, then %d, want the same number in every pass", first, again)
			}
			t.Logf("%d of 10,000 records lost", first)
		})
	}
}

func TestOrderOfTiesDependsOnThePageAlone(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	for n := range 40 {
		w.Add(waldurtest.Record{Date: "2024-10-01", Type: "cpu", CategoryUUID: fmt.Sprintf("%032x", n)})
	}
	page := func(query string) []string { return objects(t, ask(t, w, list+"?"+query).body) }
	all, first, second := page("page_size=40"), page("page_size=20"), page("page_size=20&page=2")
	if !slices.Equal(all, page("page_size=40&field=bogus")) {
		t.Error("the same page has two orders")
	}
	if slices.Equal(all, slices.Concat(first, second)) {
		t.Error("pages of 20 have the order of a page of 40")
	}
	early := func(record string) bool { return strings.Contains(record, strings.Repeat("0", 31)) }
	if !slices.ContainsFunc(second, early) {
		t.Error("the second page has none of the first 16 records: only its own half of the tie is shuffled")
	}
	if different := slices.Compact(slices.Sorted(slices.Values(slices.Concat(first, second)))); len(different) == 40 {
		t.Error("two pages that meet within a tie agree about which records are on which page")
	}
}

func TestUpdateReplacesTheRecords(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 3)...)
	before := w.Records()
	w.Update(func(records []waldurtest.Record) []waldurtest.Record {
		records[0].Name = "changed"
		return records[:2]
	})
	if after := w.Records(); len(after) != 2 || after[0].Name != "changed" || before[0].Name == "changed" || ask(t, w, list).count != 2 {
		t.Errorf("%v became %v", before, after)
	}
}

func TestResponsesCostAsMeasured(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 2, 150)...)
	for name, test := range map[string]struct {
		path    string
		records int
		micros  int // for each record
	}{
		"all attributes":           {"?page_size=300", 300, 2750},
		"a smaller page":           {"?page_size=2", 2, 2750},
		"no records":               {"?date_after=2030-01-01", 0, 0},
		"date and the usages":      {"?page_size=300&field=date&field=reported_usage&field=fixed_usage", 300, 90},
		"component attributes":     {"?page_size=300&field=name&field=measured_unit", 300, 90 + 520},
		"category needs component": {"?page_size=300&field=category_uuid", 300, 90 + 520 + 1070},
		"scope":                    {"?page_size=300&field=scope", 300, 90 + 1070},
		"one record":               {"1/?field=date", 1, 90},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWaldur(w.Records()...)
			ask(t, w, list+"?page=1000")
			ask(t, w, list+test.path)
			want := 22*time.Millisecond + time.Duration(test.records*test.micros)*time.Microsecond
			request := w.Requests()[1]
			if w.Cost() != want || request.Cost != want || request.Records != test.records {
				t.Errorf("%d records cost %v, want %d at %v", request.Records, w.Cost(), test.records, want)
			}
		})
	}
}
