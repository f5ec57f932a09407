package waldurtest

import (
	"net/http"
	"slices"
	"strings"
)

// scopePath turns the value of the parameter scope into the path of the scope
// whose records are meant, or says what Waldur answers instead.
//
// Waldur looks for the API view that the path would lead to, and takes the
// object that the view would show. That is why a list URL stands for the only
// customer that the user sees, and why the URL of a sub-resource stands for
// the object above it: traps, from which a client must protect its user.
func (w *Waldur) scopePath(value string, user User, language string) (string, *Answer) {
	path := value
	if strings.HasPrefix(value, "http") {
		parts := strings.SplitN(value, "/", 4)
		path = "/" + parts[len(parts)-1]
	}
	unknown := refusedScope("Can't restore object from url: "+value, language)
	// "/api/<kind>/", "/api/<kind>/<uuid>/" or "/api/<kind>/<uuid>/<sub-resource>/".
	below, ok := strings.CutPrefix(path, "/api/")
	segments := strings.Split(below, "/")
	if !ok || len(segments) < 2 || len(segments) > 4 || slices.Index(segments, "") != len(segments)-1 {
		return "", unknown
	}
	kind, uuid := segments[0], ""
	if len(segments) > 2 {
		uuid = segments[1]
	}
	if kind == "marketplace-plan-components" && uuid != "" {
		return "", htmlAnswer(http.StatusInternalServerError, serverErrorPage, language)
	}
	if kind == "financial-reports" {
		kind = "customers"
	}
	prefix := "/api/" + kind + "/"
	if uuid != "" {
		prefix += strings.ToLower(strings.ReplaceAll(uuid, "-", "")) + "/"
	}
	visible := w.installation.scopesBelow(prefix)
	visible = slices.DeleteFunc(visible, func(path string) bool { return !user.sees(path) })
	if len(visible) != 1 {
		return "", unknown
	}
	class, ok := scopeClass(kind)
	if !ok {
		return "", unknown
	}
	if class != "" {
		return "", refusedScope("<class '"+class+"'> is not valid. Valid models are: "+
			"<class 'waldur_core.structure.models.Project'>, <class 'waldur_core.structure.models.Customer'>", language)
	}
	return visible[0], nil
}

// scopeClass names the Python class behind a kind of URL that has one but is
// no scope of usage records; "" stands for one that is.
func scopeClass(kind string) (class string, ok bool) {
	switch kind {
	case "projects", "customers":
		return "", true
	case "users":
		return "waldur_core.core.models.User", true
	case "marketplace-provider-offerings":
		return "waldur_mastermind.marketplace.models.Offering", true
	}
	return "", false
}

// refusedScope is a bare JSON array, unlike every other refusal.
func refusedScope(text, language string) *Answer {
	body := append([]byte{'['}, appendJSONString(nil, text)...)
	return jsonAnswer(http.StatusBadRequest, append(body, ']'), language)
}
