package waldurtest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultPageCap is the largest number of records in a page.
const DefaultPageCap = 300

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

// AddToken adds a token that w accepts. A token that starts with "w_" is a
// personal access token, which is accepted as "Bearer"; others are accepted as "Token".
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
	// A server without personal access tokens does not recognize Bearer.
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

// filters select records by scope, a path, and by date, both bounds inclusive
// and in the form "2024-10-01". An empty string does not filter.
type filters struct {
	scope, after, before string
}

// filters reads the filters of a query. Like Waldur, it checks the dates first.
func (w *Waldur) filters(r *http.Request, user User) (f filters, refusal *Response) {
	query := r.URL.Query()
	var invalid struct {
		Before []string `json:"date_before,omitzero"`
		After  []string `json:"date_after,omitzero"`
	}
	f.after, invalid.After = date(last(query, "date_after"), language(r))
	f.before, invalid.Before = date(last(query, "date_before"), language(r))
	if invalid.Before != nil || invalid.After != nil {
		return filters{}, refuse(http.StatusBadRequest, invalid)
	}
	if scope := last(query, "scope"); scope != "" && !w.IgnoreScope {
		f.scope, refusal = w.scopePath(scope, user)
	}
	return f, refusal
}

// last returns the last value of a parameter, as Waldur does, or "" without one.
func last(query url.Values, name string) string {
	values := append([]string{""}, query[name]...)
	return values[len(values)-1]
}

// date returns a date in the form "2024-10-01", or why it is refused. A real
// Waldur also accepts the formats of the United States.
func date(text, language string) (iso string, problems []string) {
	day, err := time.Parse("2006-1-2", text)
	switch {
	case text == "":
		return "", nil
	case err == nil:
		return day.Format(time.DateOnly), nil
	case language == "et":
		return "", []string{"Sisestage korrektne kuupäev."}
	default:
		return "", []string{"Enter a valid date."}
	}
}

// scopePath returns the path of the scope to which Waldur resolves the
// parameter scope, or Waldur's refusal.
//
// Waldur looks up the API view of that path, and takes the only object that the
// view shows. So the URL of a list resolves to the only customer that the user
// sees, and the URL of a sub-resource to the object above it: traps from which a
// client must protect its user.
func (w *Waldur) scopePath(value string, user User) (string, *Response) {
	path := value
	if strings.HasPrefix(value, "http") {
		parts := strings.SplitN(value, "/", 4)
		path = "/" + parts[len(parts)-1]
	}
	// "/api/<kind>/", "/api/<kind>/<uuid>/" or "/api/<kind>/<uuid>/<sub-resource>/".
	below, isAPI := strings.CutPrefix(path, "/api/")
	segments := strings.Split(below, "/")
	isView := isAPI && len(segments) >= 2 && len(segments) <= 4 && slices.Index(segments, "") == len(segments)-1
	kind, prefix := segments[0], "/api/"+segments[0]+"/"
	if len(segments) > 2 {
		prefix += strings.ToLower(strings.ReplaceAll(segments[1], "-", "")) + "/"
	}
	visible := w.visible(prefix, user)
	reason := "Can't restore object from url: " + value
	switch {
	case !isView:
	case kind == "marketplace-plan-components" && len(segments) > 2:
		return "", htmlPage(http.StatusInternalServerError, "Server Error (500)", "")
	case len(visible) != 1:
	case kind == "projects", kind == "customers":
		return visible[0], nil
	case kind == "users":
		reason = "<class 'waldur_core.core.models.User'> is not valid. Valid models are: " +
			"<class 'waldur_core.structure.models.Project'>, <class 'waldur_core.structure.models.Customer'>"
	}
	return "", refuse(http.StatusBadRequest, []string{reason}) // unlike every other refusal, a bare array
}

// page is a page of a list. Its limit is the number of records that the count
// promises for it.
type page struct {
	number, pages int
	offset, limit int
}

// page reads page and page_size; ok is false if a list of count records does not
// have that page.
func (w *Waldur) page(query url.Values, count int) (p page, ok bool) {
	size, err := strconv.Atoi(last(query, "page_size"))
	if errors.Is(err, strconv.ErrSyntax) || size < 1 {
		size = 10 // without an error
	}
	size = min(size, w.PageCap)
	pages := max(1, (count+size-1)/size)
	number, err := strconv.Atoi(cmp.Or(last(query, "page"), "1"))
	if err != nil || number < 1 || number > pages {
		return page{}, false
	}
	offset := (number - 1) * size
	// Django asks the database for no more than the count has promised: a
	// record inserted after the count pushes another one out of the last page.
	return page{number, pages, offset, min(size, count-offset)}, true
}

// links returns the Link header. The parameters of its URLs are sorted by name,
// and the first page has no number.
func (p page) links(address string, query url.Values) string {
	var links []string
	for _, link := range []struct {
		relation string
		number   int
	}{{"first", 1}, {"prev", p.number - 1}, {"next", p.number + 1}, {"last", p.pages}} {
		if link.number < 1 || link.number > p.pages {
			continue
		}
		query.Del("page")
		if link.number > 1 {
			query.Set("page", strconv.Itoa(link.number))
		}
		target := url.URL{RawQuery: query.Encode()}
		links = append(links, fmt.Sprintf(`<%s%s>; rel=%q`, address, &target, link.relation))
	}
	return strings.Join(links, ", ")
}
