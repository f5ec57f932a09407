package waldurtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// installation is what is stored: scopes and their records. Records are never
// changed in place, so that an answer can be written from them without a lock.
type installation struct {
	mu      sync.Mutex
	scopes  map[string]bool
	records []Record
	lastID  int64
	sorted  *index // nil when records changed since
}

// index holds the records by scope, each list in Waldur's order once it was asked for.
type index struct {
	byScope map[string]*sortedRecords
	all     *sortedRecords
}

type sortedRecords struct {
	records []*Record
	done    bool
}

// AddScope makes a scope exist that may have no records, given as a path such
// as "/api/projects/<32 hex>/". "/api/users/<32 hex>/" makes a user without a token.
func (w *Waldur) AddScope(path string) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	w.installation.addScope(path)
}

// Add stores records, and makes their scopes exist.
func (w *Waldur) Add(records ...Record) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	w.installation.add(records)
}

// Update replaces the stored records by those that change returns; it gets a
// copy. A usage is changed by another pointer, not by writing through the one
// that is there. Nobody else sees or changes records before change returns,
// so it must not call methods of w.
func (w *Waldur) Update(change func([]Record) []Record) {
	w.installation.mu.Lock()
	defer w.installation.mu.Unlock()
	records := change(slices.Clone(w.installation.records))
	w.installation.records = nil
	w.installation.add(records)
}

// Records returns a copy of the stored records, in the order of their storage.
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
	from := len(i.records)
	i.records = append(i.records, records...)
	for n := from; n < len(i.records); n++ {
		i.lastID = max(i.lastID, i.records[n].ID)
	}
	for n := from; n < len(i.records); n++ {
		record := &i.records[n]
		if record.ID == 0 {
			i.lastID++
			record.ID = i.lastID
		}
		if record.Scope != "" && !i.scopes[record.Scope] {
			i.addScope(record.Scope)
		}
	}
	i.sorted = nil
}

// exists tells whether there is a scope with that path.
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

// record returns the record with that number, or nil. It is asked for too
// rarely to keep an index of numbers.
func (i *installation) record(id int64) *Record {
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.IndexFunc(i.records, func(record Record) bool { return record.ID == id })
	if at < 0 {
		return nil
	}
	return &i.records[at]
}

// list returns the records of a scope, of the whole installation for "", by
// date, newest first, then by type.
func (i *installation) list(scope string) []*Record {
	i.mu.Lock()
	defer i.mu.Unlock()
	index := i.index()
	list := index.all
	if scope != "" {
		list = index.byScope[scope]
	}
	if list == nil {
		return nil
	}
	if !list.done {
		slices.SortFunc(list.records, func(a, b *Record) int {
			return cmp.Or(
				strings.Compare(b.Date, a.Date),
				strings.Compare(a.Type, b.Type),
				cmp.Compare(a.ID, b.ID), // so that the tie order starts from the same
			)
		})
		list.done = true
	}
	return list.records
}

func (i *installation) index() *index {
	if i.sorted != nil {
		return i.sorted
	}
	index := &index{
		byScope: map[string]*sortedRecords{},
		all:     &sortedRecords{records: make([]*Record, 0, len(i.records))},
	}
	var list *sortedRecords
	for n := range i.records {
		record := &i.records[n]
		index.all.records = append(index.all.records, record)
		// Records of one scope usually stand together: spare the look-up.
		if n == 0 || record.Scope != i.records[n-1].Scope {
			list = index.byScope[record.Scope]
			if list == nil {
				list = &sortedRecords{}
				index.byScope[record.Scope] = list
			}
		}
		list.records = append(list.records, record)
	}
	i.sorted = index
	return index
}

// Write adds records while others read, one after another, as the hourly task
// of October 2024 does. Newer servers add them in bulk: see [Waldur.Add]. It
// returns when all are written, or the context ends.
func (w *Waldur) Write(ctx context.Context, interval time.Duration, records ...Record) {
	for _, record := range records {
		sleep(ctx, interval)
		if ctx.Err() != nil {
			return
		}
		w.Add(record)
	}
}
