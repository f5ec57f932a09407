package waldur

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Query says which usage records are wanted.
type Query struct {
	Scope  Scope
	After  string   // first date, inclusive, YYYY-MM-DD; empty: no bound
	Before string   // last date, inclusive, YYYY-MM-DD; empty: no bound
	Fields FieldSet // attributes to ask for; the date always comes
}

// recordFields is what every record is asked for: all but the scope, unless
// the records lack what distinguishes those of two scopes.
func (q Query) recordFields() FieldSet {
	if !q.Fields.identifies() {
		return q.Fields
	}
	return q.Fields &^ Fields(FieldScope)
}

// ParseDate checks a date of the form YYYY-MM-DD. Waldur itself takes other
// forms too, some of them month first: 09/01/2024 would be September.
func ParseDate(raw string) (time.Time, error) {
	date, err := time.Parse(time.DateOnly, raw)
	if err != nil || date.Year() < 1 {
		return time.Time{}, errors.New("the value must be a date that exists, in the form YYYY-MM-DD, such as 2024-09-01")
	}
	return date, nil
}

// window is one request for records: dates within bounds, one page of them.
type window struct {
	after, before string // inclusive; empty: no bound
	size          int    // page_size
	page          int    // from 1
	fields        FieldSet
}

// parameters returns the query of the request. It always has a scope: without
// one, the server returns the records of the complete installation.
func (w window) parameters(scopeURL string) url.Values {
	values := url.Values{"scope": {scopeURL}, "page_size": {strconv.Itoa(w.size)}}
	if w.page > 1 {
		values.Set("page", strconv.Itoa(w.page))
	}
	if w.after != "" {
		values.Set("date_after", w.after)
	}
	if w.before != "" {
		values.Set("date_before", w.before)
	}
	addFields(values, w.fields)
	return values
}

func addFields(values url.Values, fields FieldSet) {
	if fields == AllFields() {
		return
	}
	for f := range fields.Each {
		values.Add("field", f.String())
	}
}

// checkDates checks the invariant that the pager relies on: every record has a
// date, within the window, and none is newer than the one before it.
func (w window) checkDates(request Request, usages []Usage) error {
	for i := range usages {
		date := usages[i].Date
		if err := checkDate(request, i+1, date.Value); err != nil {
			return err
		}
		if (w.before != "" && date.Value > w.before) || date.Value < w.after {
			asked := fmt.Sprintf("dates from %s to %s", cmp.Or(w.after, "any"), cmp.Or(w.before, "any"))
			return &FilterError{Request: request, Asked: asked, Got: date.Value}
		}
		if i > 0 && date.Value > usages[i-1].Date.Value {
			return &FormatError{Request: request, Record: i + 1, Attribute: FieldDate.String(), Problem: "is newer than the one before it"}
		}
	}
	return nil
}
