package waldurtest

import (
	"net/http"
	"slices"
	"strings"
)

// User is the user of a token.
type User struct {
	// Staff can see every scope and impersonate other users.
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

// AddToken makes w accept another token. A token that starts with "w_" is a
// personal access token, which is accepted as "Bearer"; others are as "Token".
func (w *Waldur) AddToken(token string, user User) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users[token] = user
}

// authenticate returns the request's token and its user, or a refusal.
func (w *Waldur) authenticate(r *http.Request) (token string, user User, refusal *Response) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	bearer := strings.EqualFold(scheme, "Bearer")
	w.mu.Lock()
	user, known := w.users[token]
	impersonatesTokenless := user.Staff && w.scopes["/api/users/"+r.Header.Get("X-Impersonated-User-Uuid")+"/"]
	w.mu.Unlock()
	known = known && bearer == strings.HasPrefix(token, "w_")
	// A server that does not know personal access tokens knows no Bearer at all.
	provided := strings.EqualFold(scheme, "Token") || bearer && known

	var reason string
	switch {
	case !provided:
		reason = "Authentication credentials were not provided."
	case token == "":
		reason = "Invalid token. No credentials provided."
	case strings.Contains(token, " "):
		reason = "Invalid token. Token string should not contain spaces."
	case !known:
		reason = "Invalid token."
	case user.Inactive:
		reason = "User inactive or deleted."
	case user.Expired:
		reason = "Token has expired."
	case impersonatesTokenless: // an unknown user is ignored
		return "", User{}, detail(http.StatusForbidden, "Unable to impersonate user which does not have an active session.")
	default:
		return token, user, nil
	}
	refusal = detail(http.StatusUnauthorized, reason)
	refusal.Header.Set("WWW-Authenticate", "Token")
	return "", User{}, refusal
}
