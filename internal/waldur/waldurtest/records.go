package waldurtest

import (
	"cmp"
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
	// ID identifies the record when it is read by itself; 0 means the next free ID.
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
	w.Update(func(stored []Record) []Record { return append(stored, records...) })
}

// Update replaces the stored records with those that change returns. change receives
// a copy, in which it replaces the pointer to a usage, but not what it points to. w
// is locked meanwhile, so change must not call its methods.
func (w *Waldur) Update(change func([]Record) []Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = slices.Clone(change(slices.Clone(w.records)))
	for i := range w.records {
		w.lastID = max(w.lastID, w.records[i].ID)
	}
	for i := range w.records {
		record := &w.records[i]
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
	}
	clear(w.sorted)
}

// Records returns a copy of the stored records, in the order in which they were added.
func (w *Waldur) Records() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.records)
}

// visible returns the scopes that a user can see whose paths have a prefix, such
// as "/api/customers/".
func (w *Waldur) visible(prefix string, user User) (paths []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for path := range w.scopes {
		if strings.HasPrefix(path, prefix) && (user.Staff || user.Sees == nil || slices.Contains(user.Sees, path)) {
			paths = append(paths, path)
		}
	}
	return paths
}

// matching returns the records that match, sorted by date, newest first, and then
// by type.
func (w *Waldur) matching(f filters) []*Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	records, ok := w.sorted[f.scope]
	if !ok {
		for n := range w.records {
			if record := &w.records[n]; f.scope == "" || record.Scope == f.scope {
				records = append(records, record)
			}
		}
		slices.SortFunc(records, func(a, b *Record) int {
			return cmp.Or(
				strings.Compare(b.Date, a.Date),
				strings.Compare(a.Type, b.Type),
				cmp.Compare(a.ID, b.ID), // a unique order, so that the shuffle of ties is reproducible
			)
		})
		w.sorted[f.scope] = records
	}
	from := sort.Search(len(records), func(at int) bool { return f.before == "" || records[at].Date <= f.before })
	to := sort.Search(len(records), func(at int) bool { return f.after != "" && records[at].Date < f.after })
	return records[from:max(from, to)]
}

// of returns the page of a list that is sorted by date and type. Ties (records
// of the same date and type) are shuffled, including those that are only partly
// on the page.
//
// A real Waldur leaves the order of ties to the database. It depends on LIMIT
// and OFFSET, but not on chance: the same request gets the same response again,
// while two pages that meet within a tie disagree about which records are on
// which page. So the shuffle is seeded by limit, offset, date and type.
func (p page) of(records []*Record) []*Record {
	records = slices.Clone(records)
	from := min(p.offset, len(records))
	to := min(p.offset+p.limit, len(records))
	tied := func(a, b int) bool { return records[a].Date == records[b].Date && records[a].Type == records[b].Type }
	start := from
	for 0 < start && start < to && tied(start-1, start) {
		start--
	}
	for end := start; start < to; start = end {
		for end < len(records) && tied(start, end) {
			end++
		}
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(records[start].Date + " " + records[start].Type))
		random := rand.New(rand.NewPCG(hash.Sum64(), uint64(p.limit)<<32+uint64(p.offset)))
		random.Shuffle(end-start, func(i, j int) {
			records[start+i], records[start+j] = records[start+j], records[start+i]
		})
	}
	return records[from:to]
}

// attribute is an attribute of a record: a text, a number, or null if both are nil.
type attribute struct {
	name   string
	text   *string
	number *int64
}

// attributes returns the attributes of the record in Waldur's order, with the
// scope as a URL below origin.
func (r *Record) attributes(origin string) [9]attribute {
	var scope *string
	if r.Scope != "" {
		scope = new(origin + r.Scope)
	}
	return [...]attribute{
		{"name", &r.Name, nil}, {"type", &r.Type, nil}, {"measured_unit", &r.MeasuredUnit, nil},
		{"category_title", &r.CategoryTitle, nil}, {"category_uuid", &r.CategoryUUID, nil},
		{"date", &r.Date, nil}, {"reported_usage", nil, r.ReportedUsage}, {"fixed_usage", nil, r.FixedUsage},
		{"scope", scope, nil},
	}
}

// requested returns the attributes among the values of the parameter field.
// Unknown names are ignored; without a known one, all attributes are requested.
func requested(fields []string) (names []string) {
	all := make([]string, 0, 9)
	for _, a := range new(Record).attributes("") {
		all = append(all, a.name)
		if slices.Contains(fields, a.name) {
			names = append(names, a.name)
		}
	}
	if names == nil {
		return all
	}
	return names
}

// appendJSON appends the record as a compact JSON object. It does not use an
// encoder, which would take several times as long: most of the time of a fake
// response is spent here.
func (r *Record) appendJSON(body []byte, names []string, origin string) []byte {
	separator := byte('{')
	for _, a := range r.attributes(origin) {
		if !slices.Contains(names, a.name) {
			continue
		}
		body = append(append(append(body, separator, '"'), a.name...), '"', ':')
		separator = ','
		switch {
		case a.text != nil:
			body, _ = jsontext.AppendQuote(body, *a.text) // an error is invalid UTF-8, which is replaced
		case a.number != nil:
			body = strconv.AppendInt(body, *a.number, 10)
		default:
			body = append(body, "null"...)
		}
	}
	return append(body, '}')
}

// ResponseCost returns the time that a real Waldur takes for a response, by the
// measured formula
//
//	22 ms + records × (0.09 + 0.52 if any of type, name, measured_unit
//	                        + 1.07 if any of category_title, category_uuid, which need the 0.52 too
//	                        + 1.07 if scope) ms
//
// names are the requested attributes; none means all nine. A read by id is a
// response with one record. Refusals cost nothing here.
func ResponseCost(records int, names ...string) time.Duration {
	names = requested(names)
	needs := func(some ...string) bool {
		return slices.ContainsFunc(some, func(name string) bool { return slices.Contains(names, name) })
	}
	micros := 90
	if needs("name", "type", "measured_unit", "category_title", "category_uuid") {
		micros += 520
	}
	if needs("category_title", "category_uuid") {
		micros += 1070
	}
	if needs("scope") {
		micros += 1070
	}
	return 22*time.Millisecond + time.Duration(records*micros)*time.Microsecond
}
