package waldurtest_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestDatesAreParsedAsDjangoDoes(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 4, 1)...) // July to October 2024
	for name, test := range map[string]struct {
		after, before string
		records       int // -1: refused
	}{
		"no dates":                              {"", "", 4},
		"after is inclusive":                    {"2024-09-01", "", 2},
		"after the first of a month":            {"2024-09-02", "", 1},
		"before is inclusive":                   {"", "2024-08-01", 2},
		"before the first of a month":           {"", "2024-07-31", 1},
		"one month":                             {"2024-08-01", "2024-08-01", 1},
		"after all records":                     {"2025-01-01", "", 0},
		"before all records":                    {"", "2024-01-01", 0},
		"reversed":                              {"2024-10-01", "2024-08-01", 0},
		"numbers without leading zeros":         {"2024-9-1", "", 2},
		"month, day and year":                   {"09/01/2024", "", 2},
		"month, day and short year":             {"9/1/24", "", 2},
		"the short name of a month":             {"Sep 1 2024", "", 2},
		"the name of a month with a comma":      {"September 1, 2024", "", 2},
		"a day before the name of a month":      {"1 Sep 2024", "", 2},
		"a year":                                {"2024", "", -1},
		"a month":                               {"2024-09", "", -1},
		"a date with a time":                    {"2024-09-01T00:00:00Z", "", -1},
		"a date that does not exist":            {"", "2024-02-30", -1},
		"a word":                                {"yesterday", "", -1},
		"a blank":                               {" ", "", -1},
		"a date with spaces around it":          {" 2024-09-01 ", "", 2},
		"a wrong date is reported before scope": {"x", "", -1},
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

func TestScopeParameterIsResolvedAsWaldurDoes(t *testing.T) {
	t.Parallel()
	const (
		uuid    = "0123456789abcdef0123456789abcdef"
		project = "/api/projects/" + uuid + "/"
		hidden  = "/api/projects/f123456789abcdef0123456789abcdef/"
		user    = "/api/users/" + uuid + "/"
		offer   = "/api/marketplace-provider-offerings/" + uuid + "/"
		host    = "https://waldur.test"
		classes = "Valid models are: <class 'waldur_core.structure.models.Project'>, <class 'waldur_core.structure.models.Customer'>"
	)
	customer := waldurtest.CustomerScope(1)
	const ofProject, ofCustomer, unknown = "2 of the project", "3 of the customer", "unknown"
	for name, test := range map[string]struct {
		value, want string
	}{
		"a URL":                              {host + project, ofProject},
		"a customer's URL":                   {host + customer, ofCustomer},
		"another scheme and host":            {"http://example.com:8000" + project, ofProject},
		"a bare path":                        {project, ofProject},
		"a UUID in capitals":                 {host + strings.Replace(project, uuid, strings.ToUpper(uuid), 1), ofProject},
		"a UUID with hyphens":                {host + "/api/projects/01234567-89ab-cdef-0123-456789abcdef/", ofProject},
		"no slash at the end":                {host + strings.TrimSuffix(project, "/"), unknown},
		"a query":                            {host + project + "?a=1", unknown},
		"a fragment":                         {host + project + "#a", unknown},
		"a path prefix":                      {host + "/waldur" + project, unknown},
		"a bare UUID":                        {uuid, unknown},
		"a scope that the user cannot see":   {host + hidden, unknown},
		"a UUID that does not exist":         {host + "/api/projects/" + strings.Repeat("0", 32) + "/", unknown},
		"a kind that does not exist":         {host + "/api/nothing/" + uuid + "/", unknown},
		"an empty kind":                      {host + "/api//", unknown},
		"garbage":                            {"garbage", unknown},
		"a blank":                            {" ", unknown},
		"the list of customers":              {host + "/api/customers/", ofCustomer},
		"the list of financial reports":      {host + "/api/financial-reports/", ofCustomer},
		"a sub-resource":                     {host + customer + "users/", ofCustomer},
		"a user":                             {host + user, `["<class 'waldur_core.core.models.User'> is not valid. ` + classes + `"]`},
		"an offering":                        {host + offer, `["<class 'waldur_mastermind.marketplace.models.Offering'> is not valid. ` + classes + `"]`},
		"a plan component breaks the server": {host + "/api/marketplace-plan-components/" + uuid + "/", "<h1>Server Error (500)</h1>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := waldurtest.New()
			w.AddToken("owner", waldurtest.User{Sees: []string{project, customer, user, offer}})
			w.Add(waldurtest.History(project, 1, 2)...)
			w.Add(waldurtest.History(customer, 1, 3)...)
			for _, other := range []string{hidden, user, offer, waldurtest.CustomerScope(2)} {
				w.AddScope(other)
			}
			got := ask(t, w, list+"?scope="+url.QueryEscape(test.value), "Authorization", "Token owner")
			switch test.want {
			case ofProject:
				if got.count(t) != 2 || strings.Count(got.body, `"scope":"http://waldur.test`+project+`"`) != 2 {
					t.Errorf("got %s", got.body)
				}
			case ofCustomer:
				if got.count(t) != 3 || strings.Count(got.body, `"scope":"http://waldur.test`+customer+`"`) != 3 {
					t.Errorf("got %s", got.body)
				}
			case unknown:
				if got.status != 400 || got.body != `["Can't restore object from url: `+test.value+`"]` {
					t.Errorf("got %d %s", got.status, got.body)
				}
			default:
				if got.status < 400 || !strings.Contains(got.body, test.want) {
					t.Errorf("got %d %s, want %s", got.status, got.body, test.want)
				}
			}
		})
	}
}

func TestListURLIsRefusedIfTheUserSeesSeveralObjects(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.AddScope(waldurtest.CustomerScope(1))
	w.AddScope(waldurtest.CustomerScope(2))
	if got := ask(t, w, list+"?scope=/api/customers/"); got.status != 400 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestLastOfTwoScopesCounts(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 2)...)
	w.Add(waldurtest.History(waldurtest.ProjectScope(2), 1, 3)...)
	got := ask(t, w, list+"?scope="+waldurtest.ProjectScope(1)+"&scope="+waldurtest.ProjectScope(2))
	if got.count(t) != 3 {
		t.Errorf("got %d records, want the 3 of the last one", got.count(t))
	}
}

func TestServerCanIgnoreTheScope(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.IgnoreScope = true
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 1, 2)...)
	if got := ask(t, w, list+"?scope="+waldurtest.ProjectScope(2)); got.count(t) != 2 {
		t.Errorf("got %d records, want all", got.count(t))
	}
}

func TestPageSizesAndPageNumbers(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 7, 100)...)
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

func TestLinksHaveTheHostOfTheRequestAndSortedParameters(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 25)...)
	got := ask(t, w, list+"?page_size=10&page=2&field=name&field=date", "X-Forwarded-Proto", "https")
	const base = "<https://waldur.test" + list + "?field=name&field=date"
	want := base + `&page_size=10>; rel="first", ` + base + `&page_size=10>; rel="prev", ` +
		base + `&page=3&page_size=10>; rel="next", ` + base + `&page=3&page_size=10>; rel="last"`
	if link := got.header.Get("Link"); link != want {
		t.Errorf("\n got %s\nwant %s", link, want)
	}
}
