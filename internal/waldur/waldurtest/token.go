package waldurtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// User is the user of a token.
type User struct {
	// UUID is 32 hex digits, by which staff can impersonate the user. It may be "".
	UUID string
	// Staff can impersonate other users and see every scope.
	Staff bool
	// Sees lists the scopes that the user can see, as paths such as
	// "/api/projects/<32 hex>/"; nil means every scope. Waldur checks only the
	// value of the parameter scope. It does not filter records.
	Sees []string
	// Inactive and Expired make Waldur refuse the token.
	Inactive, Expired bool
}

// sees reports whether the user can see an existing scope.
func (u User) sees(path string) bool {
	return u.Staff || u.Sees == nil || slices.Contains(u.Sees, path)
}

// holder is the user of a token, with the token's lock (see [Waldur.TokenLock]).
type holder struct {
	user User
	lock chan struct{}
}

// tokens holds the tokens that Waldur accepts.
type tokens struct {
	mu      sync.Mutex
	holders map[string]*holder
}

// AddToken makes w accept another token. A token that starts with "w_" is a
// personal access token, which is accepted as "Bearer"; others are as "Token".
func (w *Waldur) AddToken(token string, user User) {
	w.tokens.mu.Lock()
	defer w.tokens.mu.Unlock()
	if w.tokens.holders == nil {
		w.tokens.holders = map[string]*holder{}
	}
	w.tokens.holders[token] = &holder{user: user, lock: make(chan struct{}, 1)}
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

// authenticate returns the holder of the request's token, or a refusal.
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

// impersonated returns the user as whom staff asks to act. A user without a
// token is refused; an unknown user is ignored.
func (w *Waldur) impersonated(asking *holder, r *http.Request, language string) (*holder, *Answer) {
	uuid := r.Header.Get("X-Impersonated-User-Uuid")
	if !asking.user.Staff || uuid == "" {
		return asking, nil
	}
	if other := w.tokens.withUUID(uuid); other != nil {
		return &holder{user: other.user, lock: asking.lock}, nil
	}
	if w.installation.exists("/api/users/" + uuid + "/") {
		return nil, detail(http.StatusForbidden, "Unable to impersonate user which does not have an active session.", language)
	}
	return asking, nil
}

func isPersonal(token string) bool { return strings.HasPrefix(token, "w_") }
