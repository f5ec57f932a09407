package waldurtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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

// installation holds the scopes and their records. Records are never changed in
// place, so an answer can be written from them without a lock.
type installation struct {
	mu      sync.Mutex
	scopes  map[string]bool
	records []Record
	lastID  int64
	sorted  map[string][]*Record // by scope, "" for all; nil after a change
}

// AddScope adds a scope that may have no records, by a path such as
// "/api/projects/<32 hex>/". "/api/users/<32 hex>/" adds a user without a token.
func (w *Waldur) AddScope(path string) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	w.installation.addScope(path)
}

// Add stores records and adds their scopes.
func (w *Waldur) Add(records ...Record) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	w.installation.add(records)
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
// the lock of the records, so it must not call methods of w.
func (w *Waldur) Update(change func([]Record) []Record) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	records := change(slices.Clone(w.installation.records))
	w.installation.records = nil
	w.installation.add(records)
}

// Records returns a copy of the stored records, in the order in which they were added.
func (w *Waldur) Records() []Record {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	return slices.Clone(w.installation.records)
}

func (i *installation) addScope(path string) {
	if i.scopes == nil {
		i.scopes = map[string]bool{}
	}
	i.scopes[path] = true
}

func (i *installation) add(records []Record) {
	added := len(i.records)
	i.records = append(i.records, records...)
	for n := added; n < len(i.records); n++ {
		i.lastID = max(i.lastID, i.records[n].ID)
	}
	for n := added; n < len(i.records); n++ {
		record := &i.records[n]
		if record.ID == 0 {
			i.lastID++
			record.ID = i.lastID
		}
		if record.CategoryUUID == "" {
			record.CategoryUUID = uuidOf("category " + record.CategoryTitle)
		}
		if record.Scope != "" && !i.scopes[record.Scope] {
			i.addScope(record.Scope)
		}
	}
	i.sorted = nil
}

// exists reports whether there is a scope with that path.
func (i *installation) exists(path string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.scopes[path]
}

// scopesBelow returns the paths of all scopes of a kind, such as "/api/customers/".
func (i *installation) scopesBelow(prefix string) []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Keys(i.scopes)), func(path string) bool {
		return !strings.HasPrefix(path, prefix)
	})
}

// record returns the record with that ID, or nil.
func (i *installation) record(id int64) *Record {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.IndexFunc(i.records, func(record Record) bool { return record.ID == id })
	if at < 0 {
		return nil
	}
	return &i.records[at]
}

// list returns the records of a scope, or all records for "", by date, newest
// first, then by type.
func (i *installation) list(scope string) []*Record {
	i.mu.Lock()
	defer i.mu.Unlock()
	if list, done := i.sorted[scope]; done {
		return list
	}
	var list []*Record
	for n := range i.records {
		if record := &i.records[n]; scope == "" || record.Scope == scope {
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
	if i.sorted == nil {
		i.sorted = map[string][]*Record{}
	}
	i.sorted[scope] = list
	return list
}

// inTieOrder returns records[from:to] of a list that is sorted by date and
// type. Ties (records of the same date and type) are shuffled, also those that
// are only partly in the range.
//
// A real Waldur leaves the order of ties to the database. It depends on LIMIT
// and OFFSET, but not on chance: the same request gets the same answer again,
// while two pages that meet within a tie disagree about which records are on
// which page. So the shuffle is seeded by limit, offset, date and type.
func inTieOrder(records []*Record, from, to, limit, offset int) []*Record {
	page := make([]*Record, 0, to-from)
	start := from
	for start > 0 && start < to && tied(records[start-1], records[start]) {
		start--
	}
	for start < to {
		end := start + 1
		for end < len(records) && tied(records[start], records[end]) {
			end++
		}
		tie := records[start:end]
		if len(tie) > 1 {
			tie = shuffled(tie, limit, offset)
		}
		page = append(page, tie[max(from, start)-start:min(to, end)-start]...)
		start = end
	}
	return page
}

func tied(a, b *Record) bool { return a.Date == b.Date && a.Type == b.Type }

func shuffled(tie []*Record, limit, offset int) []*Record {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(tie[0].Date + " " + tie[0].Type))
	random := rand.New(rand.NewPCG(hash.Sum64(), uint64(limit)<<32+uint64(offset)))
	order := make([]*Record, len(tie))
	for i, from := range random.Perm(len(tie)) {
		order[i] = tie[from]
	}
	return order
}

// fields is a set of a record's nine attributes, by their positions in fieldNames.
type fields uint

// fieldNames returns the attributes in Waldur's order.
func fieldNames() [9]string {
	return [...]string{
		"name", "type", "measured_unit", "category_title", "category_uuid",
		"date", "reported_usage", "fixed_usage", "scope",
	}
}

const (
	fieldName fields = 1 << iota
	fieldType
	fieldMeasuredUnit
	fieldCategoryTitle
	fieldCategoryUUID
	fieldDate
	fieldReportedUsage
	fieldFixedUsage
	fieldScope
	allFields fields = 1<<iota - 1
)

// fieldsOf reads the values of the parameter field. Unknown names are ignored;
// without a known one, the set is complete.
func fieldsOf(names []string) fields {
	var requested fields
	known := fieldNames()
	for _, name := range names {
		if at := slices.Index(known[:], name); at >= 0 {
			requested |= 1 << at
		}
	}
	if requested == 0 {
		return allFields
	}
	return requested
}

func (f fields) has(some fields) bool { return f&some != 0 }

// appendJSON appends the record as a compact JSON object with the attributes in
// Waldur's order and the scope as a URL below origin.
func (r *Record) appendJSON(body []byte, requested fields, origin string) []byte {
	body = append(body, '{')
	for at, name := range fieldNames() {
		field := fields(1 << at)
		if !requested.has(field) {
			continue
		}
		if body[len(body)-1] != '{' {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, name...)
		body = append(body, '"', ':')
		switch field {
		case fieldName:
			body = appendJSONString(body, r.Name)
		case fieldType:
			body = appendJSONString(body, r.Type)
		case fieldMeasuredUnit:
			body = appendJSONString(body, r.MeasuredUnit)
		case fieldCategoryTitle:
			body = appendJSONString(body, r.CategoryTitle)
		case fieldCategoryUUID:
			body = appendJSONString(body, r.CategoryUUID)
		case fieldDate:
			body = appendJSONString(body, r.Date)
		case fieldReportedUsage:
			body = appendJSONNumber(body, r.ReportedUsage)
		case fieldFixedUsage:
			body = appendJSONNumber(body, r.FixedUsage)
		case fieldScope:
			if r.Scope == "" {
				body = append(body, "null"...)
			} else {
				body = appendJSONString(body, origin+r.Scope)
			}
		}
	}
	return append(body, '}')
}

func appendJSONNumber(body []byte, number *int64) []byte {
	if number == nil {
		return append(body, "null"...)
	}
	return strconv.AppendInt(body, *number, 10)
}

// appendJSONString escapes what Waldur escapes: quotes, backslashes, control
// characters, and the two line separators of JavaScript.
func appendJSONString(body []byte, text string) []byte {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		body = append(body, '"')
		body = append(body, text...)
		return append(body, '"')
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // a string can always be encoded
	}
	return append(body, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}
