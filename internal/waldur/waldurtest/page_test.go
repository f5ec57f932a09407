package waldurtest_test

import (
	"strconv"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestPageSizesAndPages(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 7, 100)...)
	capped := waldurtest.New()
	capped.PageCap = 5
	capped.Add(w.Records()...)
	for _, test := range []struct {
		server  *waldurtest.Waldur
		query   string
		records int // -1: no such page
	}{
		{w, "", 10},
		{w, "page_size=", 10},
		{w, "page_size=0", 10},
		{w, "page_size=abc", 10},
		{w, "page_size=-5", 10},
		{w, "page_size=-99999999999999999999", 10},
		{w, "page_size=299", 299},
		{w, "page_size=301", 300},
		{w, "page_size=99999999999999999999", 300},
		{w, "page_size=5&page_size=6", 6},
		{w, "page=", 10},
		{w, "page=70", 10},
		{w, "page=last&page_size=300", 100},
		{w, "page=71", -1},
		{w, "page=0", -1},
		{w, "page=-1", -1},
		{w, "page=abc", -1},
		{w, "page=1.5", -1},
		{w, "page=3&page_size=300", 100},
		{w, "page=4&page_size=300", -1},
		{capped, "", 5},
		{capped, "page_size=300", 5},
		{capped, "page_size=4", 4},
	} {
		t.Run(strconv.Itoa(test.server.PageCap)+" "+test.query, func(t *testing.T) {
			t.Parallel()
			got := ask(t, test.server, list+"?"+test.query)
			if test.records < 0 {
				if got.status != 404 || got.body != `{"detail":"Invalid page."}` || got.header.Get("X-Result-Count") != "" {
					t.Errorf("got %d %.100s", got.status, got.body)
				}
				return
			}
			if len(got.records(t)) != test.records || got.count(t) != 700 {
				t.Errorf("%d of %d records, want %d of 700", len(got.records(t)), got.count(t), test.records)
			}
		})
	}
}

func TestLinksAreSortedAndNameTheHostOfTheRequest(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 1, 25)...)
	got := ask(t, w, list+"?page_size=10&page=2&field=name&field=date", "X-Forwarded-Proto", "https")
	const base = "<https://waldur.test" + list + "?field=name&field=date"
	want := base + `&page_size=10>; rel="first", ` + base + `&page_size=10>; rel="prev", ` +
		base + `&page=3&page_size=10>; rel="next", ` + base + `&page=3&page_size=10>; rel="last"`
	if link := got.header.Get("Link"); link != want {
		t.Errorf("\n got %s\nwant %s", link, want)
	}
}
