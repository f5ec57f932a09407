package waldurtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// User is whom a token belongs to.
type User struct {
	// UUID is 32 hex digits, by which staff may impersonate the user; "" for none.
	UUID string
	// Staff may impersonate others, and sees every scope.
	Staff bool
	// Sees lists the scopes that the user may see, as paths such as
	// "/api/projects/<32 hex>/"; nil means every scope. Waldur checks it for
	// the value of the parameter scope only: it filters no records.
	Sees []string
	// Inactive and Expired make Waldur refuse the token.
	Inactive, Expired bool
}

// sees tells whether the user may see an existing scope.
func (u User) sees(path string) bool {
	return u.Staff || u.Sees == nil || slices.Contains(u.Sees, path)
}

// holder is a token's user, and the right to be answered, which only one
// request with that token has at a time.
type holder struct {
	user User
	turn chan struct{}
}

// tokens are those that Waldur accepts.
type tokens struct {
	mu      sync.Mutex
	holders map[string]*holder
}

// AddToken makes w accept another token. A token that starts with "w_" is a
// personal access token: it is accepted as "Bearer", any other as "Token".
func (w *Waldur) AddToken(token string, user User) {
	w.tokens.mu.Lock()
	defer w.tokens.mu.Unlock()
	if w.tokens.holders == nil {
		w.tokens.holders = map[string]*holder{}
	}
	w.tokens.holders[token] = &holder{user: user, turn: make(chan struct{}, 1)}
}

func (t *tokens) holder(token string) *holder {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.holders[token]
}

func (t *tokens) withUUID(uuid string) *holder {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, holder := range t.holders {
		if uuid != "" && holder.user.UUID == uuid {
			return holder
		}
	}
	return nil
}

// authenticate returns whose token came with the request, or why it is refused.
func (w *Waldur) authenticate(r *http.Request, language string) (*holder, *Answer) {
	refuse := func(text string) (*holder, *Answer) {
		refusal := detail(http.StatusUnauthorized, text, language)
		refusal.Header.Set("WWW-Authenticate", "Token")
		return nil, refusal
	}
	const notProvided = "Authentication credentials were not provided."
	words := strings.Fields(r.Header.Get("Authorization"))
	if len(words) == 0 {
		return refuse(notProvided)
	}
	switch strings.ToLower(words[0]) {
	case "bearer":
		// A server that does not know personal access tokens knows no Bearer at all.
		if len(words) != 2 || !isPersonal(words[1]) || w.tokens.holder(words[1]) == nil {
			return refuse(notProvided)
		}
	case "token":
		switch {
		case len(words) == 1:
			return refuse("Invalid token. No credentials provided.")
		case len(words) > 2:
			return refuse("Invalid token. Token string should not contain spaces.")
		case isPersonal(words[1]) || w.tokens.holder(words[1]) == nil:
			return refuse("Invalid token.")
		}
	default:
		return refuse(notProvided)
	}
	holder := w.tokens.holder(words[1])
	switch {
	case holder.user.Inactive:
		return refuse("User inactive or deleted.")
	case holder.user.Expired:
		return refuse("Token has expired.")
	}
	return w.impersonated(holder, r, language)
}

// impersonated returns the user whom staff asked to act as. One without a
// token is refused, an unknown one is ignored silently.
func (w *Waldur) impersonated(asking *holder, r *http.Request, language string) (*holder, *Answer) {
	uuid := r.Header.Get("X-Impersonated-User-Uuid")
	if !asking.user.Staff || uuid == "" {
		return asking, nil
	}
	if other := w.tokens.withUUID(uuid); other != nil {
		return &holder{user: other.user, turn: asking.turn}, nil
	}
	if w.installation.exists("/api/users/" + uuid + "/") {
		return nil, detail(http.StatusForbidden, "Unable to impersonate user which does not have an active session.", language)
	}
	return asking, nil
}

func isPersonal(token string) bool { return strings.HasPrefix(token, "w_") }
