package waldurtest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestScopeIsResolvedAsWaldurDoes(t *testing.T) {
	t.Parallel()
	const (
		project = "/api/projects/0123456789abcdef0123456789abcdef/"
		hyphens = "/api/projects/01234567-89ab-cdef-0123-456789abcdef/"
		host    = "https://waldur.test"
	)
	customer := waldurtest.CustomerScope(1)
	for name, test := range map[string]struct {
		scopes []string
		count  int // -1: refused
	}{
		"a project":                          {[]string{host + project}, 2},
		"a UUID with hyphens":                {[]string{host + hyphens}, 2},
		"a fragment":                         {[]string{host + project + "#a"}, -1},
		"a project that the user cannot see": {[]string{host + waldurtest.ProjectScope(1)}, -1},
		"an empty kind":                      {[]string{host + "/api//"}, -1},
		"a kind that does not exist":         {[]string{host + "/api/nothing/"}, -1},
		"the list of one customer":           {[]string{host + "/api/customers/"}, 3},
		"the list of several projects":       {[]string{host + "/api/projects/"}, -1},
		"a sub-resource":                     {[]string{host + customer + "users/"}, 3},
		"the last of two":                    {[]string{host + project, host + customer}, 3},
		"none":                               {nil, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWaldur(waldurtest.History(project, 1, 2)...)
			w.Add(waldurtest.History(customer, 1, 3)...)
			w.Add(waldurtest.History(waldurtest.CustomerScope(2), 1, 4)...)
			w.AddScope(waldurtest.ProjectScope(1))
			w.AddScope(waldurtest.ProjectScope(2))
			w.AddToken("owner", waldurtest.User{Sees: []string{project, customer, waldurtest.ProjectScope(2)}})
			query := url.Values{"scope": test.scopes}
			got := ask(t, w, list+"?"+query.Encode(), "Authorization", "Token owner")
			refused := got.status == 400 && strings.HasPrefix(got.body, `["Can't restore object from url: `)
			if got.count != test.count || refused != (test.count < 0) {
				t.Errorf("got %d, %d records, %s, want %d", got.status, got.count, got.body, test.count)
			}
		})
	}
}

func TestPagesAndDatesAreReadAsWaldurDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pageCap int
		query   string
		records int // -1: refused
	}{
		{300, "page_size=-5", 10},
		{300, "page_size=299", 299},
		{300, "page_size=99999999999999999999", 300},
		{300, "page_size=5&page_size=6", 6},
		{300, "page=", 10},
		{300, "page=70", 10},
		{300, "page=71", -1},
		{300, "page=1.5", -1},
		{300, "page=3&page_size=300", 100},
		{5, "", 5},
		{5, "page_size=300", 5},
		{5, "page_size=4", 4},
		{300, "page_size=300&date_after=2024-09-01", 200},
		{300, "page_size=300&date_after=2024-9-2", 100},
		{300, "page_size=300&date_before=2024-05-01", 200},
		{300, "page_size=300&date_before=2024-04-30", 100},
		{300, "page_size=300&date_after=2025-01-01", 0},
		{300, "date_before=2024-02-30", -1},
	} {
		t.Run(fmt.Sprintf("at most %d, %s", test.pageCap, test.query), func(t *testing.T) {
			t.Parallel()
			w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 7, 100)...) // April to October 2024
			w.PageCap = test.pageCap
			got := ask(t, w, list+"?"+test.query)
			records := -1
			if got.status == 200 {
				records = len(objects(t, got.body))
			}
			if records != test.records {
				t.Errorf("got %d, %d records, want %d", got.status, records, test.records)
			}
		})
	}
}
