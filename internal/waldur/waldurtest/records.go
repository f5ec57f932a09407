package waldurtest

import (
	"cmp"
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Record is a usage record as Waldur stores it.
type Record struct {
	// ID is the number by which the record can be read alone; 0 means the next free one.
	ID int64
	// Name and Type are those of the component, such as "CPU" and "cpu".
	Name, Type string
	// MeasuredUnit is the component's unit, such as "GB"; it may be "".
	MeasuredUnit string
	// CategoryTitle and CategoryUUID (32 hex digits) are those of the
	// marketplace category. A UUID of "" is replaced by one derived from the
	// title.
	CategoryTitle, CategoryUUID string
	// Date is the first of a month, in the form "2024-10-01".
	Date string
	// ReportedUsage and FixedUsage are integers in the component's unit; nil is null.
	ReportedUsage, FixedUsage *int64
	// Scope is a path such as "/api/projects/<32 hex>/"; "" is null.
	Scope string
}

// AddScope adds a scope that may have no records, by a path such as
// "/api/projects/<32 hex>/". "/api/users/<32 hex>/" adds a user without a token.
func (w *Waldur) AddScope(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scopes[path] = true
}

// Add stores records and adds their scopes.
func (w *Waldur) Add(records ...Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(records)
}

// Write adds records one by one, as the hourly task of October 2024 does, with
// an interval before each. It returns when all are written or ctx ends. Newer
// servers add records in bulk: see [Waldur.Add].
func (w *Waldur) Write(ctx context.Context, interval time.Duration, records ...Record) {
	for _, record := range records {
		sleep(ctx, interval)
		if ctx.Err() != nil {
			return
		}
		w.Add(record)
	}
}

// Update replaces the stored records by those that change returns. change gets
// a copy; it sets a usage by a new pointer, not through the old one. It holds
// the lock of w, so it must not call methods of w.
func (w *Waldur) Update(change func([]Record) []Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	records := change(slices.Clone(w.records))
	w.records = nil
	w.add(records)
}

// Records returns a copy of the stored records, in the order in which they were added.
func (w *Waldur) Records() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.records)
}

func (w *Waldur) add(records []Record) {
	w.records = slices.Grow(w.records, len(records))
	for _, record := range records {
		w.lastID = max(w.lastID, record.ID)
	}
	for _, record := range records {
		if record.ID == 0 {
			w.lastID++
			record.ID = w.lastID
		}
		if record.CategoryUUID == "" {
			record.CategoryUUID = uuidOf("category " + record.CategoryTitle)
		}
		if record.Scope != "" {
			w.scopes[record.Scope] = true
		}
		w.records = append(w.records, record)
	}
	clear(w.sorted)
}

// visible returns the scopes of a kind, such as "/api/customers/", that a user can see.
func (w *Waldur) visible(prefix string, user User) (paths []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for path := range w.scopes {
		if strings.HasPrefix(path, prefix) && user.sees(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// matching returns the records that match, by date, newest first, then by type.
func (w *Waldur) matching(f filter) []*Record {
	records := w.ofScope(f.scope)
	from := sort.Search(len(records), func(at int) bool { return f.before == "" || records[at].Date <= f.before })
	to := sort.Search(len(records), func(at int) bool { return f.after != "" && records[at].Date < f.after })
	return records[from:max(from, to)]
}

// ofScope returns the records of a scope, or all records for "".
func (w *Waldur) ofScope(scope string) []*Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	if list, done := w.sorted[scope]; done {
		return list
	}
	var list []*Record
	for n := range w.records {
		if record := &w.records[n]; scope == "" || record.Scope == scope {
			list = append(list, record)
		}
	}
	slices.SortFunc(list, func(a, b *Record) int {
		return cmp.Or(
			strings.Compare(b.Date, a.Date),
			strings.Compare(a.Type, b.Type),
			cmp.Compare(a.ID, b.ID), // a defined order, from which ties are shuffled
		)
	})
	w.sorted[scope] = list
	return list
}

// of returns the page of a list that is sorted by date and type. Ties (records
// of the same date and type) are shuffled, also those that are only partly on
// the page.
//
// A real Waldur leaves the order of ties to the database. It depends on LIMIT
// and OFFSET, but not on chance: the same request gets the same response again,
// while two pages that meet within a tie disagree about which records are on
// which page. So the shuffle is seeded by limit, offset, date and type.
func (p page) of(records []*Record) []*Record {
	from := min(p.offset, len(records))
	to := min(p.offset+p.limit, len(records))
	inTie := func(at int) bool { return 0 < at && at < len(records) && tied(records[at-1], records[at]) }
	start, end := from, to
	for inTie(start) {
		start--
	}
	for inTie(end) {
		end++
	}
	complete := slices.Clone(records[start:end])
	for rest := complete; len(rest) > 0; {
		length := 1
		for length < len(rest) && tied(rest[0], rest[length]) {
			length++
		}
		p.shuffle(rest[:length])
		rest = rest[length:]
	}
	return complete[from-start : to-start]
}

func tied(a, b *Record) bool { return a.Date == b.Date && a.Type == b.Type }

func (p page) shuffle(tie []*Record) {
	if len(tie) == 1 {
		return
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(tie[0].Date + " " + tie[0].Type))
	random := rand.New(rand.NewPCG(hash.Sum64(), uint64(p.limit)<<32+uint64(p.offset)))
	random.Shuffle(len(tie), func(i, j int) { tie[i], tie[j] = tie[j], tie[i] })
}

// attributeNames returns the names of a record's attributes, in Waldur's order.
func attributeNames() []string {
	return []string{
		"name", "type", "measured_unit", "category_title", "category_uuid",
		"date", "reported_usage", "fixed_usage", "scope",
	}
}

// requested reads the values of the parameter field. Unknown names are ignored;
// without a known one, all attributes are requested.
func requested(names []string) (attributes []string) {
	attributes = slices.DeleteFunc(attributeNames(), func(name string) bool { return !slices.Contains(names, name) })
	if len(attributes) == 0 {
		return attributeNames()
	}
	return attributes
}

// appendJSON appends the record as a compact JSON object, with the scope as a
// URL below origin. It does without an encoder, which would take several times
// as long: this is where most of a fake response's time goes.
func (r *Record) appendJSON(body []byte, attributes []string, origin string) []byte {
	var scope *string // null
	if r.Scope != "" {
		scope = new(origin + r.Scope)
	}
	separator := byte('{')
	for _, member := range [...]struct {
		name   string
		text   *string
		number *int64
	}{
		{"name", &r.Name, nil}, {"type", &r.Type, nil}, {"measured_unit", &r.MeasuredUnit, nil},
		{"category_title", &r.CategoryTitle, nil}, {"category_uuid", &r.CategoryUUID, nil},
		{"date", &r.Date, nil}, {"reported_usage", nil, r.ReportedUsage}, {"fixed_usage", nil, r.FixedUsage},
		{"scope", scope, nil},
	} {
		if len(attributes) == 0 || attributes[0] != member.name { // both are in Waldur's order
			continue
		}
		attributes = attributes[1:]
		body = append(append(append(body, separator, '"'), member.name...), '"', ':')
		separator = ','
		switch {
		case member.text != nil:
			body = appendText(body, *member.text)
		case member.number != nil:
			body = strconv.AppendInt(body, *member.number, 10)
		default:
			body = append(body, "null"...)
		}
	}
	return append(body, '}')
}

func appendText(body []byte, text string) []byte {
	body, _ = jsontext.AppendQuote(body, text) // an error is invalid UTF-8, which is replaced
	return body
}

// ResponseCost returns the time that a real Waldur takes for a response, by the
// measured formula
//
//	22 ms + records × (0.09 + 0.52 if any of type, name, measured_unit
//	                        + 1.07 if any of category_title, category_uuid, which need the 0.52 too
//	                        + 1.07 if scope) ms
//
// names are the requested attributes; none means all nine. A read by id is an
// response with one record. Refusals cost nothing here.
func ResponseCost(records int, names ...string) time.Duration {
	attributes := requested(names)
	needs := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(attributes, name) })
	}
	record := 90 * time.Microsecond
	if needs("name", "type", "measured_unit", "category_title", "category_uuid") {
		record += 520 * time.Microsecond
	}
	if needs("category_title", "category_uuid") {
		record += 1070 * time.Microsecond
	}
	if needs("scope") {
		record += 1070 * time.Microsecond
	}
	return 22*time.Millisecond + time.Duration(records)*record
}
