package waldur_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// problem says what is wrong with a list that was read without an error, or "":
// it has every record that existed throughout the read, once and with its amount,
// and no record that never existed. before and after are the records at both ends of the read.
func problem(usages []waldur.Usage, before, after []waldurtest.Record) string {
	existed := map[string]int{} // by name: at how many ends
	for _, r := range slices.Concat(before, after) {
		existed[r.Name]++
	}
	amounts, unchanged := map[string]int64{}, map[string]bool{}
	for _, r := range before {
		amounts[r.Name] = *r.ReportedUsage
	}
	for _, r := range after {
		unchanged[r.Name] = existed[r.Name] == 2 && amounts[r.Name] == *r.ReportedUsage
	}
	for _, u := range usages {
		switch name := u.Name.Value; {
		case existed[name] < 0:
			return name + " is in the list twice"
		case existed[name] == 0 && !strings.HasPrefix(name, lateName):
			return name + " is in the list, but never existed"
		case unchanged[name] && u.ReportedUsage != waldur.Of(amounts[name]):
			return name + " has another amount"
		default:
			existed[name] = -1
		}
	}
	for name, ends := range existed {
		if ends == 2 {
			return fmt.Sprintf("%s is missing: the list has %d records and no error", name, len(usages))
		}
	}
	return ""
}

// lateName is the start of the names of records that appear during a read.
const lateName = "late "

// modify changes the records as Waldur or an administrator may do during a read:
// it inserts record number n, deletes or updates one.
func modify(records []waldurtest.Record, kind string, at, n int) []waldurtest.Record {
	if len(records) == 0 {
		return records
	}
	at %= len(records)
	if kind == "write" { // the hourly task writes the newest month
		at = slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date == newest(records) })
	}
	late := records[at]
	late.ID, late.Name = 0, lateName+strconv.Itoa(n)
	switch kind {
	case "delete":
		return slices.Delete(records, at, at+1)
	case "update":
		records[at].ReportedUsage = new(int64(-1 - n)) // no other amount is negative, so none comes back
		return records
	case "insert", "write":
		late.CategoryUUID = fmt.Sprintf("%032x", 1000+n)
	}
	return append(records, late) // a duplicate, unless its category is new
}

func newest(records []waldurtest.Record) string {
	return slices.MaxFunc(records, func(a, b waldurtest.Record) int { return strings.Compare(a.Date, b.Date) }).Date
}

// longest returns the largest number of records of a date.
func longest(records []waldurtest.Record) (most int) {
	lengths := map[string]int{}
	for _, r := range records {
		lengths[r.Date]++
		most = max(most, lengths[r.Date])
	}
	return most
}

// The property holds for generated histories: of few or many months, even or
// uneven, with ties, some longer than a page, on servers with different page caps,
// read by one to four requests at once. `make proof` checks 10,000 cases of each
// row. Waldur itself inserts and updates. An administrator may delete, but not in
// the milliseconds between a count and a select.
func TestPropertyListIsExactOrFails(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ changes, defects []string }{
		"while nothing changes":                                    {},
		"while records are added, deleted and changed":             {changes: []string{"insert", "duplicate", "delete", "update"}},
		"while records are added between the count and the select": {changes: []string{"insert", "duplicate", "update"}},
		"while records are written into the newest month":          {changes: []string{"write", "update"}},
		"when responses are wrong":                                 {defects: []string{"count", "missing count", "lost record", "empty page", "repeated record"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				server := newServer()
				server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
				server.Add(drawHistory(t, server.PageCap)...)
				longestEver := scheduleChanges(t, server, row.changes)
				mayGoUnnoticed := scheduleDefects(t, server, row.defects)
				client := connect(t, server.Start(t), waldur.Config{MaxConcurrentRequests: rapid.IntRange(1, 4).Draw(t, "requests at once")})

				before := server.Records()
				usages, err := client.Usages(t.Context(), everything())
				aboveCap := int(longestEver.Load()) >= server.PageCap
				switch {
				case err == nil && mayGoUnnoticed():
				case err == nil:
					if wrong := problem(usages, before, server.Records()); wrong != "" {
						t.Fatal(wrong)
					}
					if n, bound := len(server.Requests()), 5+3*len(before); row.changes == nil && row.defects == nil && n > bound {
						t.Fatalf("%d requests for %d records, want at most %d", n, len(before), bound)
					}
				case row.defects != nil:
				case isType[*waldur.IncompleteError](err) && (row.changes != nil || aboveCap): // many ties, few pages
				case isType[*waldur.UnverifiableError](err) && row.changes != nil && aboveCap: // duplicates
				default:
					t.Fatal(err)
				}
			})
		})
	}
}

// drawHistory draws the records of the project.
func drawHistory(t *rapid.T, pageCap int) []waldurtest.Record {
	lengths := make([]int, rapid.IntRange(0, 8).Draw(t, "months"))
	even := rapid.Bool().Draw(t, "even")
	for i := range lengths {
		switch {
		case !even:
			lengths[i] = rapid.IntRange(0, pageCap+pageCap/2).Draw(t, "length")
		case i == 0:
			lengths[0] = rapid.IntRange(1, pageCap).Draw(t, "length")
		default:
			lengths[i] = lengths[0]
		}
	}
	return monthsWithTies(rapid.IntRange(1, 6).Draw(t, "ties"), lengths...)
}

// scheduleChanges draws changes that the server makes during requests, before them
// or between their count and their select. It returns the largest number of records
// that a date has had so far.
func scheduleChanges(t *rapid.T, server *waldurtest.Waldur, kinds []string) *atomic.Int32 {
	var longestEver atomic.Int32
	longestEver.Store(int32(longest(server.Records())))
	if kinds == nil {
		return &longestEver
	}
	type change struct {
		request int
		between bool
		kind    string
		at      int
	}
	due := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
		return change{
			request: rapid.IntRange(1, 16).Draw(t, "request"),
			between: !slices.Contains(kinds, "delete") && rapid.Bool().Draw(t, "between"),
			kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			at:      rapid.IntRange(0, 1000).Draw(t, "at"),
		}
	}), 0, 8).Draw(t, "changes")
	apply := func(request int, between bool) {
		for n, c := range due {
			if c.request == request && c.between == between {
				server.Update(func(records []waldurtest.Record) []waldurtest.Record {
					records = modify(records, c.kind, c.at, n)
					longestEver.Store(max(longestEver.Load(), int32(longest(records))))
					return records
				})
			}
		}
	}
	server.Before = func(n int, _ *http.Request) { apply(n, false) }
	server.BetweenCountAndSelect = func(n int) { apply(n, true) }
	return &longestEver
}

// scheduleDefects draws a defect that the responses to some requests have. It returns
// whether no client can notice it: a response was a full page, and its count is wrong
// by just the number of missing records, or a record in it is repeated.
func scheduleDefects(t *rapid.T, server *waldurtest.Waldur, defects []string) (mayGoUnnoticed func() bool) {
	if defects == nil {
		return func() bool { return false }
	}
	defect := rapid.SampledFrom(defects).Draw(t, "defect")
	every := rapid.IntRange(1, 5).Draw(t, "every")
	by := rapid.SampledFrom([]int{-3, -1, 1, 2, 10}).Draw(t, "by")
	server.Rewrite = func(n int, _ *http.Request, response *waldurtest.Response) {
		count, err := strconv.Atoi(response.Header.Get("X-Result-Count"))
		var records []json.RawMessage
		if n%every != 0 || err != nil || json.Unmarshal(response.Body, &records) != nil {
			return
		}
		switch {
		case defect == "count":
			response.Header.Set("X-Result-Count", strconv.Itoa(max(0, count+by)))
		case defect == "missing count":
			response.Header.Del("X-Result-Count")
		case defect == "empty page":
			records = records[:0]
		case len(records) < 2:
		case defect == "lost record":
			records = records[1:]
		case defect == "repeated record":
			records = append(records, records[len(records)-1])
		}
		response.Body, _ = json.Marshal(records)
	}
	return func() bool {
		return (defect == "count" || defect == "repeated record") &&
			slices.ContainsFunc(server.Requests(), func(r waldurtest.Request) bool { return r.Records == server.PageCap })
	}
}
