package waldurtest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestWhatTheScopeParameterIsTakenFor(t *testing.T) {
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
		"a scope that the user may not see":  {host + hidden, unknown},
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

func TestAListURLIsNoScopeForAUserWhoSeesSeveral(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.AddScope(waldurtest.CustomerScope(1))
	w.AddScope(waldurtest.CustomerScope(2))
	if got := ask(t, w, list+"?scope=/api/customers/"); got.status != 400 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestTheLastOfTwoScopesCounts(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 1, 2)...)
	w.Add(waldurtest.History(waldurtest.ProjectScope(2), 1, 3)...)
	got := ask(t, w, list+"?scope="+waldurtest.ProjectScope(1)+"&scope="+waldurtest.ProjectScope(2))
	if got.count(t) != 3 {
		t.Errorf("got %d records, want the 3 of the last one", got.count(t))
	}
}

func TestAServerMayIgnoreTheScope(t *testing.T) {
	t.Parallel()
	w := waldurtest.New()
	w.IgnoreScope = true
	w.Add(waldurtest.History(waldurtest.ProjectScope(1), 1, 2)...)
	if got := ask(t, w, list+"?scope="+waldurtest.ProjectScope(2)); got.count(t) != 2 {
		t.Errorf("got %d records, want all", got.count(t))
	}
}
