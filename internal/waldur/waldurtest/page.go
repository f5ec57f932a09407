package waldurtest

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The sizes of a page: without page_size, and at most.
const (
	DefaultPageSize = 10
	DefaultPageCap  = 300
)

// window is the page of a list that was asked for, among count records.
type window struct {
	page, pages   int
	offset, limit int
}

// window reads page and page_size; ok is false when there is no such page.
func (w *Waldur) window(query url.Values, count int) (window, bool) {
	size := w.pageSize(last(query, "page_size"))
	pages := max(1, (count+size-1)/size)
	page := 1
	switch text := last(query, "page"); text {
	case "":
	case "last":
		page = pages
	default:
		number, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || number < 1 || number > pages {
			return window{}, false
		}
		page = number
	}
	offset := (page - 1) * size
	// Django asks the database for no more than the count has promised: a
	// record inserted after the count pushes another one out of the last page.
	return window{page, pages, offset, min(size, count-offset)}, true
}

// pageSize is silent about whatever it does not like.
func (w *Waldur) pageSize(text string) int {
	size, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil && isOutOfRange(err) && size > 0 {
		return w.PageCap
	}
	if err != nil || size < 1 {
		return min(DefaultPageSize, w.PageCap)
	}
	return min(size, w.PageCap)
}

// take returns the records of the page.
func (p window) take(records []*Record) []*Record {
	from := min(p.offset, len(records))
	to := min(p.offset+p.limit, len(records))
	return inTieOrder(records, from, to, p.limit, p.offset)
}

// links are the value of the header Link. Their queries are sorted by name,
// and the first page goes without its number.
func (p window) links(address string, query url.Values) string {
	var links strings.Builder
	link := func(relation string, page int) {
		if links.Len() > 0 {
			links.WriteString(", ")
		}
		query.Del("page")
		if page > 1 {
			query.Set("page", strconv.Itoa(page))
		}
		links.WriteString("<" + address)
		if len(query) > 0 {
			links.WriteString("?" + query.Encode())
		}
		links.WriteString(`>; rel="` + relation + `"`)
	}
	link("first", 1)
	if p.page > 1 {
		link("prev", p.page-1)
	}
	if p.page < p.pages {
		link("next", p.page+1)
	}
	link("last", p.pages)
	return links.String()
}

// origin is how Waldur believes to be reached: by the request's Host, and by
// the scheme that a proxy names.
func origin(r *http.Request) string {
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func isOutOfRange(err error) bool { return errors.Is(err, strconv.ErrRange) }
