package waldurtest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The number of records in a page: by default, and at most.
const (
	DefaultPageSize = 10
	DefaultPageCap  = 300
)

// filter selects records by scope, a path, and by date, both bounds inclusive
// and in the form "2024-10-01". An empty string does not filter.
type filter struct {
	scope, after, before string
}

// filter reads the filters of a query; Waldur checks the dates first. The last
// value of a repeated parameter counts.
func (w *Waldur) filter(query url.Values, user User, language string) (filter, *Answer) {
	after, before, refusal := dates(query, language)
	if refusal != nil {
		return filter{}, refusal
	}
	scope := last(query, "scope")
	if scope == "" || w.IgnoreScope {
		return filter{"", after, before}, nil
	}
	path, refusal := w.scopePath(scope, user, language)
	return filter{path, after, before}, refusal
}

// apply returns the records that match, in Waldur's order except for ties.
func (f filter) apply(i *installation) []*Record {
	records := i.list(f.scope) // newest first
	from := sort.Search(len(records), func(at int) bool { return f.before == "" || records[at].Date <= f.before })
	to := sort.Search(len(records), func(at int) bool { return f.after != "" && records[at].Date < f.after })
	return records[from:max(from, to)]
}

// matches reports whether the record passes the filter.
func (f filter) matches(record *Record) bool {
	return (f.scope == "" || f.scope == record.Scope) &&
		(f.after == "" || f.after <= record.Date) &&
		(f.before == "" || record.Date <= f.before)
}

// last returns the last value of a parameter, or "".
func last(query url.Values, name string) string {
	values := query[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// dates returns date_after and date_before in the form "2024-10-01", or "" if
// they are missing or empty.
func dates(query url.Values, language string) (after, before string, refusal *Answer) {
	after, afterOK := date(last(query, "date_after"))
	before, beforeOK := date(last(query, "date_before"))
	if afterOK && beforeOK {
		return after, before, nil
	}
	message := "Enter a valid date."
	if language == "et" {
		message = "Sisestage korrektne kuupäev."
	}
	var invalid []string
	if !beforeOK {
		invalid = append(invalid, `"date_before":["`+message+`"]`)
	}
	if !afterOK {
		invalid = append(invalid, `"date_after":["`+message+`"]`)
	}
	return "", "", jsonAnswer(http.StatusBadRequest, []byte("{"+strings.Join(invalid, ",")+"}"), language)
}

// date parses a date as Waldur does: in ISO form, or in one of the forms of the
// United States.
func date(text string) (iso string, ok bool) {
	if text == "" {
		return "", true
	}
	text = strings.Join(strings.Fields(text), " ")
	for _, layout := range [...]string{
		"2006-1-2", "1/2/2006", "1/2/06",
		"Jan 2 2006", "Jan 2, 2006", "2 Jan 2006", "2 Jan, 2006",
		"January 2 2006", "January 2, 2006", "2 January 2006", "2 January, 2006",
	} {
		if day, err := time.Parse(layout, text); err == nil {
			return day.Format(time.DateOnly), true
		}
	}
	return "", false
}

// scopePath returns the path of the scope to which Waldur resolves the
// parameter scope, or Waldur's refusal.
//
// Waldur looks for the API view of that path, and takes the only object that
// the view shows. That is why the URL of a list resolves to the only customer
// that the user sees, and the URL of a sub-resource to the object above it:
// traps from which a client must protect its user.
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
	switch kind {
	case "projects", "customers":
		return visible[0], nil
	case "users":
		return "", wrongModel("waldur_core.core.models.User", language)
	case "marketplace-provider-offerings":
		return "", wrongModel("waldur_mastermind.marketplace.models.Offering", language)
	}
	return "", unknown
}

// wrongModel refuses an object that exists but cannot be the scope of a record.
func wrongModel(class, language string) *Answer {
	return refusedScope("<class '"+class+"'> is not valid. Valid models are: "+
		"<class 'waldur_core.structure.models.Project'>, <class 'waldur_core.structure.models.Customer'>", language)
}

// refusedScope is a bare JSON array, unlike every other refusal.
func refusedScope(text, language string) *Answer {
	return jsonAnswer(http.StatusBadRequest, append(appendJSONString([]byte{'['}, text), ']'), language)
}

// page is a page of a list. Its limit is the number of records that the count
// promises for it.
type page struct {
	number, pages int
	offset, limit int
}

// page reads page and page_size; ok is false if a list of count records has no
// such page.
func (w *Waldur) page(query url.Values, count int) (p page, ok bool) {
	size := w.pageSize(last(query, "page_size"))
	pages := max(1, (count+size-1)/size)
	number := 1
	switch text := last(query, "page"); text {
	case "":
	case "last":
		number = pages
	default:
		var err error
		number, err = strconv.Atoi(strings.TrimSpace(text))
		if err != nil || number < 1 || number > pages {
			return page{}, false
		}
	}
	offset := (number - 1) * size
	// Django asks the database for no more than the count has promised: a
	// record inserted after the count pushes another one out of the last page.
	return page{number, pages, offset, min(size, count-offset)}, true
}

// pageSize replaces an invalid size without an error.
func (w *Waldur) pageSize(text string) int {
	size, err := strconv.Atoi(strings.TrimSpace(text))
	if errors.Is(err, strconv.ErrRange) && size > 0 {
		return w.PageCap
	}
	if err != nil || size < 1 {
		return min(DefaultPageSize, w.PageCap)
	}
	return min(size, w.PageCap)
}

// of returns the page of a list.
func (p page) of(records []*Record) []*Record {
	from := min(p.offset, len(records))
	to := min(p.offset+p.limit, len(records))
	return inTieOrder(records, from, to, p.limit, p.offset)
}

// links returns the header Link. The parameters of its URLs are sorted by name,
// and the first page has no number.
func (p page) links(address string, query url.Values) string {
	var links []string
	link := func(relation string, number int) {
		query.Del("page")
		if number > 1 {
			query.Set("page", strconv.Itoa(number))
		}
		target := address
		if len(query) > 0 {
			target += "?" + query.Encode()
		}
		links = append(links, "<"+target+`>; rel="`+relation+`"`)
	}
	link("first", 1)
	if p.number > 1 {
		link("prev", p.number-1)
	}
	if p.number < p.pages {
		link("next", p.number+1)
	}
	link("last", p.pages)
	return strings.Join(links, ", ")
}
