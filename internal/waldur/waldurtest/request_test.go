package waldurtest_test

import (
	"fmt"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestHandlesUnrecordedRequestsAsWaldurDoes(t *testing.T) {
	t.Parallel()
	const project = "/api/projects/0123456789abcdef0123456789abcdef/"
	customer := waldurtest.CustomerScope(1)
	w := newWaldur(waldurtest.History(project, 1, 2)...)
	w.Add(waldurtest.History(customer, 1, 3)...)
	w.AddScope(waldurtest.ProjectScope(1))
	w.AddToken("w_personal", waldurtest.User{})
	w.PageCap = 4
	for name, test := range map[string]struct {
		authorization, query string
		want                 string // the records on the page and in the list, or the refusal
	}{
		"a scheme in lower case":                  {"token " + waldurtest.Token, "", "4 of 5"},
		"a scheme without a token":                {"Token", "", `{"detail":"Invalid token. No credentials provided."}`},
		"a personal access token as Bearer":       {"Bearer w_personal", "", "4 of 5"},
		"a personal access token as Token":        {"Token w_personal", "", `{"detail":"Invalid token."}`},
		"a UUID with hyphens":                     {authorized, "scope=/api/projects/01234567-89ab-cdef-0123-456789abcdef/", "2 of 2"},
		"the URL of a list of several projects":   {authorized, "scope=/api/projects/", `["Can't restore object from url: /api/projects/"]`},
		"the URL of a sub-resource of a customer": {authorized, "scope=" + customer + "users/", "3 of 3"},
		"two scopes, of which the last counts":    {authorized, "scope=" + project + "&scope=" + customer, "3 of 3"},
		"a page size below the server's cap":      {authorized, "page_size=3", "3 of 5"},
		"a page size beyond every integer":        {authorized, "page_size=99999999999999999999", "4 of 5"},
		"a date without leading zeros":            {authorized, "date_after=2024-10-2", "0 of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count, body := ask(t, w, test.authorization, test.query)
			got := body
			if count != "" {
				got = fmt.Sprintf("%d of %s", len(objects(t, body)), count)
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
