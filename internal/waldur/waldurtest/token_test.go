package waldurtest_test

import (
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestAuthorizationIsCheckedAsWaldurDoes(t *testing.T) {
	t.Parallel()
	const notProvided = "Authentication credentials were not provided."
	for name, test := range map[string]struct {
		authorization string
		refusal       string // "" when accepted
	}{
		"a token":                              {"Token " + waldurtest.Token, ""},
		"a token with a lower-case scheme":     {"token " + waldurtest.Token, ""},
		"no header":                            {"", notProvided},
		"a scheme without a token":             {"Token", "Invalid token. No credentials provided."},
		"another scheme":                       {"Basic YTpi", notProvided},
		"a token as Bearer":                    {"Bearer " + waldurtest.Token, notProvided},
		"a personal access token as Bearer":    {"Bearer w_known", ""},
		"a personal access token as Token":     {"Token w_known", "Invalid token."},
		"an unknown personal access token":     {"Bearer w_unknown", notProvided},
		"an expired personal access token":     {"Bearer w_expired", "Token has expired."},
		"an unknown token":                     {"Token unknown", "Invalid token."},
		"a token of an inactive user":          {"Token inactive", "User inactive or deleted."},
		"a token with a space inside":          {"Token a b", "Invalid token. Token string should not contain spaces."},
		"a personal access token with a space": {"Bearer w_known x", notProvided},
		"a token with spaces around it":        {"Token   " + waldurtest.Token + " ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := waldurtest.New()
			w.AddToken("w_known", waldurtest.User{})
			w.AddToken("w_expired", waldurtest.User{Expired: true})
			w.AddToken("inactive", waldurtest.User{Inactive: true})
			got := ask(t, w, list, "Authorization", test.authorization)
			if test.refusal == "" {
				if got.status != 200 {
					t.Errorf("refused: %d %s", got.status, got.body)
				}
				return
			}
			if got.status != 401 || got.body != `{"detail":"`+test.refusal+`"}` || got.header.Get("WWW-Authenticate") != "Token" {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.refusal)
			}
		})
	}
}

func TestStaffCanImpersonateUsers(t *testing.T) {
	t.Parallel()
	const (
		known     = "11111111111111111111111111111111"
		tokenless = "22222222222222222222222222222222"
		unknown   = "33333333333333333333333333333333"
	)
	scope := waldurtest.ProjectScope(1)
	for name, test := range map[string]struct {
		token, uuid string
		status      int
	}{
		"staff sees the scope":              {"staff", "", 200},
		"staff as a user who cannot see it": {"staff", known, 400},
		"staff as a user without a token":   {"staff", tokenless, 403},
		"staff as an unknown user is staff": {"staff", unknown, 200},
		"for others, the header is ignored": {"known", tokenless, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := waldurtest.New()
			w.AddScope(scope)
			w.AddScope("/api/users/" + tokenless + "/")
			w.AddToken("staff", waldurtest.User{Staff: true})
			w.AddToken("known", waldurtest.User{UUID: known, Sees: []string{}})
			got := ask(t, w, list+"?scope="+scope, "Authorization", "Token "+test.token, "X-IMPERSONATED-USER-UUID", test.uuid)
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
}

func TestWithoutAScopeEveryUserGetsAllRecords(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 2)...)
	w.Add(waldurtest.History(waldurtest.CustomerScope(1), 1, 3)...)
	w.Add(waldurtest.Record{Date: "2024-10-01", Type: "null scope"})
	w.AddToken("nobody", waldurtest.User{Sees: []string{}})
	for _, query := range []string{"", "?scope=", "?Scope=" + waldurtest.ProjectScope(1)} {
		got := ask(t, w, list+query, "Authorization", "Token nobody")
		if got.count(t) != 6 || !strings.Contains(got.body, `"scope":null`) {
			t.Errorf("%q: %d records %s, want all 6", query, got.count(t), got.body)
		}
	}
}
