package waldurtest_test

import (
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
		"a token with a lower-case scheme":     {"token " + waldurtest.Token, ""},
		"a token with spaces around it":        {"Token   " + waldurtest.Token + " ", ""},
		"a scheme without a token":             {"Token", "Invalid token. No credentials provided."},
		"another scheme":                       {"Basic YTpi", notProvided},
		"a personal access token as Bearer":    {"Bearer w_known", ""},
		"a personal access token as Token":     {"Token w_known", "Invalid token."},
		"a personal access token with a space": {"Bearer w_known x", notProvided},
		"an unknown personal access token":     {"Bearer w_unknown", notProvided},
		"an expired personal access token":     {"Bearer w_expired", "Token has expired."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := waldurtest.New()
			w.AddToken("w_known", waldurtest.User{})
			w.AddToken("w_expired", waldurtest.User{Expired: true})
			got := ask(t, w, list, "Authorization", test.authorization)
			status, body, authenticate := 401, `{"detail":"`+test.refusal+`"}`, "Token"
			if test.refusal == "" {
				status, body, authenticate = 200, "[]", ""
			}
			if got.status != status || got.body != body || got.header.Get("WWW-Authenticate") != authenticate {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, status, body)
			}
		})
	}
}
