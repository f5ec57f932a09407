package waldurtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// A client that follows page numbers and trusts the count receives the right number
// of records, but some are repeated and some are missing. A budget that is checked
// against their sum is silently wrong.
func TestFollowingPagesLosesRecordsThoughEveryCountIsRight(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 60, 168)[:10_000]...)
	for _, size := range []int{300, 100, 10} {
		t.Run(fmt.Sprintf("pages of %d", size), func(t *testing.T) {
			t.Parallel()
			lost := func() int {
				got, different := 0, map[string]bool{}
				for page := 1; got < 10_000; page++ {
					query := fmt.Sprintf("field=date&field=type&field=category_uuid&page_size=%d&page=%d", size, page)
					count, body := ask(t, w, authorized, query)
					if count != "10000" {
						t.Fatalf("page %d: got a count of %s, want 10000", page, count)
					}
					for _, record := range objects(t, body) {
						got++
						different[record] = true
					}
				}
				return got - len(different)
			}
			first := lost()
			if again := lost(); first == 0 || again != first {
				t.Errorf("got %d lost records, then %d, want the same number above 0 in every pass", first, again)
			}
			t.Logf("%d of 10,000 records lost", first)
		})
	}
}

func TestAnyRecordOfATieCanBeOnAnyPage(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	for n := range 40 {
		w.Add(waldurtest.Record{Date: "2024-10-01", Type: "cpu", CategoryUUID: fmt.Sprintf("%032x", n)})
	}
	page := func(query string) string {
		_, body := ask(t, w, authorized, "field=category_uuid&"+query)
		return strings.Trim(body, "[]")
	}
	first, second := page("page_size=20"), page("page_size=20&page=2")
	zeros := strings.Repeat("0", 31) // the beginning of the first 16 records
	if strings.Count(first, zeros) == 16 || strings.Count(second, zeros) == 0 {
		t.Errorf("got %s and %s, want records of the first half on both pages", first, second)
	}
	if shorter := page("page_size=19"); strings.HasPrefix(first, shorter) {
		t.Errorf("got %s, want another order than in %s", shorter, first)
	}
}

func TestResponsesCostAsMeasured(t *testing.T) {
	t.Parallel()
	records := waldurtest.History(waldurtest.ProjectScope(1), 2, 150)
	for fields, microsPerRecord := range map[string]int{
		"unknown":                         2750, // all attributes
		"date&reported_usage&fixed_usage": 90,
		"name&measured_unit":              90 + 520,
		"category_uuid":                   90 + 520 + 1070,
		"scope":                           90 + 1070,
	} {
		t.Run(fields, func(t *testing.T) {
			t.Parallel()
			w := newWaldur(records...)
			ask(t, w, authorized, "page=1000") // a refusal, which costs nothing
			ask(t, w, authorized, "page_size=300&field="+strings.ReplaceAll(fields, "&", "&field="))
			want := 22*time.Millisecond + 300*time.Duration(microsPerRecord)*time.Microsecond
			if n := w.Requests()[1].Records; n != 300 || w.Cost() != want {
				t.Errorf("got %d records at %v, want 300 at %v", n, w.Cost(), want)
			}
		})
	}
}
