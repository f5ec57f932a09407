package waldur_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// The properties below hold for generated histories: of few or many months, even
// or uneven, with ties, some longer than a page, on servers with different page
// caps, read by one to four requests at once. `make proof` checks 10,000 cases of
// each.

// history draws records of the project with unique names.
func history(t *rapid.T, pageCap int) []waldurtest.Record {
	count := rapid.IntRange(0, 8).Draw(t, "months")
	var lengths []int
	if rapid.Bool().Draw(t, "even") {
		length := rapid.IntRange(1, pageCap).Draw(t, "length")
		for range count {
			lengths = append(lengths, length)
		}
	} else {
		lengths = rapid.SliceOfN(rapid.IntRange(0, pageCap+pageCap/2), count, count).Draw(t, "lengths")
	}
	ties := rapid.IntRange(1, 6).Draw(t, "ties")
	var records []waldurtest.Record
	for i, length := range lengths {
		for n := range length {
			records = append(records, drawn(t, i, n/ties, n%ties, len(records)))
		}
	}
	return records
}

func drawn(t *rapid.T, month, componentType, category, number int) waldurtest.Record {
	usage := rapid.Int64().Draw(t, "usage")
	return waldurtest.Record{
		Name: fmt.Sprintf("record %d", number), Type: fmt.Sprintf("type-%03d", componentType),
		CategoryUUID: fmt.Sprintf("%032x", category), CategoryTitle: fmt.Sprintf("category %d", category),
		Date: fmt.Sprintf("2024-%02d-01", 12-month), ReportedUsage: &usage, Scope: projectPath,
	}
}

// serveHistory draws a server with records, and its client, which makes one to four
// requests at once.
func serveHistory(t *rapid.T, longest func(pageCap int) int) (*waldurtest.Waldur, *waldur.Client, []waldurtest.Record) {
	server := waldurtest.New()
	server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
	records := history(t, longest(server.PageCap))
	server.AddScope(projectPath)
	server.Add(records...)
	atOnce := rapid.IntRange(1, 4).Draw(t, "requests at once")
	client := connect(t, server.Start(t), func(config *waldur.Config) { config.MaxConcurrentRequests = atOnce })
	return server, client, records
}

func belowCap(pageCap int) int { return pageCap - 1 }

func atCap(pageCap int) int { return pageCap }

// change is a change to the records during a request.
type change struct {
	request int
	between bool // between its count and its select; otherwise before it
	kind    string
	at      int
}

// changes draws the changes during a read. Waldur itself inserts and updates. An
// administrator may delete, but not in the milliseconds between a count and a
// select.
func changes(t *rapid.T, kinds ...string) []change {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
		drawn := change{
			request: rapid.IntRange(1, 16).Draw(t, "request"),
			kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			at:      rapid.IntRange(0, 1000).Draw(t, "at"),
		}
		drawn.between = drawn.kind != "delete" && !slices.Contains(kinds, "delete") && rapid.Bool().Draw(t, "between")
		return drawn
	}), 0, 8).Draw(t, "changes")
}

// timeline is what existed during a read.
type timeline struct {
	throughout map[string]bool // names of records, from the first request to the last
	ever       map[string]bool // names of records, at any time
	longest    int             // records of a date, at any time
}

func newTimeline(records []waldurtest.Record) *timeline {
	l := &timeline{map[string]bool{}, map[string]bool{}, longest(records)}
	for _, r := range records {
		l.throughout[r.Name], l.ever[r.Name] = true, true
	}
	return l
}

func (l *timeline) apply(c change, number int, records []waldurtest.Record) []waldurtest.Record {
	if len(records) == 0 {
		return records
	}
	at := c.at % len(records)
	if c.kind == "write" { // the hourly task writes the newest month
		at = slices.IndexFunc(records, func(r waldurtest.Record) bool { return r.Date == newest(records) })
	}
	switch c.kind {
	case "delete":
		delete(l.throughout, records[at].Name)
		return append(records[:at:at], records[at+1:]...)
	case "insert", "write", "duplicate":
		late := records[at]
		late.ID = 0
		late.Name = fmt.Sprintf("late %d", number)
		if c.kind != "duplicate" {
			late.CategoryUUID = fmt.Sprintf("%032x", 1000+number)
		}
		l.ever[late.Name] = true
		records = append(records, late)
		l.longest = max(l.longest, longest(records))
		return records
	default:
		more := int64(c.at)
		records[at].ReportedUsage = &more
		return records
	}
}

func newest(records []waldurtest.Record) string {
	return slices.MaxFunc(records, func(a, b waldurtest.Record) int { return strings.Compare(a.Date, b.Date) }).Date
}

// schedule makes the server apply the changes during the requests.
func (l *timeline) schedule(due []change, server *waldurtest.Waldur) {
	apply := func(request int, between bool) {
		for number, c := range due {
			if c.request == request && c.between == between {
				server.Update(func(records []waldurtest.Record) []waldurtest.Record { return l.apply(c, number, records) })
			}
		}
	}
	server.Before = func(n int, _ *http.Request) { apply(n, false) }
	server.BetweenCountAndSelect = func(n int) { apply(n, true) }
}

// longestDate returns the largest number of records that a date ever had. When a
// read has failed, the server may still be changing records.
func (l *timeline) longestDate(server *waldurtest.Waldur) (longest int) {
	server.Update(func(records []waldurtest.Record) []waldurtest.Record {
		longest = l.longest
		return records
	})
	return longest
}

// check is the property of a list that was read without an error: it has every
// record that existed throughout, once, and no record that never existed.
func (l *timeline) check(t *rapid.T, usages []waldur.Usage) {
	seen := map[string]bool{}
	for _, u := range usages {
		if seen[u.Name.Value] {
			t.Fatalf("%s is in the list twice", u.Name.Value)
		}
		if !l.ever[u.Name.Value] {
			t.Fatalf("%s is in the list, but never existed", u.Name.Value)
		}
		seen[u.Name.Value] = true
	}
	for name := range l.throughout {
		if !seen[name] {
			t.Fatalf("%s is missing: the list has %d records and no error", name, len(usages))
		}
	}
}

func TestPropertyListIsExactWhileNothingChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		server, client, records := serveHistory(t, belowCap)
		usages, err := client.Usages(t.Context(), everything())
		if longest(records) >= server.PageCap {
			if isType[*waldur.IncompleteError](err) {
				return // the pages could not be merged: many ties, few pages
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		newTimeline(records).check(t, usages)
		if n, bound := len(server.Requests()), 5+3*len(records); n > bound {
			t.Fatalf("%d requests for %d records, want at most %d", n, len(records), bound)
		}
	})
}

func longest(records []waldurtest.Record) int {
	lengths := map[string]int{}
	most := 0
	for _, r := range records {
		lengths[r.Date]++
		most = max(most, lengths[r.Date])
	}
	return most
}

func TestPropertyNothingIsLostWhileRecordsChange(t *testing.T) {
	t.Parallel()
	for name, kinds := range map[string][]string{
		"are added, deleted and changed":             {"insert", "duplicate", "delete", "update"},
		"are added between the count and the select": {"insert", "duplicate", "update"},
		"are written into the newest month":          {"write", "update"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				server, client, records := serveHistory(t, atCap)
				existed := newTimeline(records)
				existed.schedule(changes(t, kinds...), server)
				usages, err := client.Usages(t.Context(), everything())
				switch {
				case err == nil:
					existed.check(t, usages)
				case isType[*waldur.IncompleteError](err):
				case isType[*waldur.UnverifiableError](err) && existed.longestDate(server) >= server.PageCap: // duplicates
				default:
					t.Fatal(err)
				}
			})
		})
	}
}

func TestPropertyListIsExactOrFailsWhenAnswersAreWrong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		server, client, records := serveHistory(t, atCap)
		defect := rapid.SampledFrom([]string{"count", "missing count", "lost record", "empty page", "repeated record"}).Draw(t, "defect")
		every := rapid.IntRange(1, 5).Draw(t, "every")
		by := rapid.SampledFrom([]int{-3, -1, 1, 2, 10}).Draw(t, "by")
		server.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) {
			if n%every == 0 {
				spoil(answer, defect, by)
			}
		}
		usages, err := client.Usages(t.Context(), everything())
		if undetectable := (defect == "count" || defect == "repeated record") && filled(server); err == nil && !undetectable {
			newTimeline(records).check(t, usages)
		}
	})
}

// filled reports whether an answer was a full page. If its count is wrong by just
// the number of missing records, or a record in it is repeated, no client can
// notice.
func filled(server *waldurtest.Waldur) bool {
	return slices.ContainsFunc(server.Requests(), func(r waldurtest.Request) bool { return r.Records == server.PageCap })
}

// spoil adds a defect to the answer of a list.
func spoil(answer *waldurtest.Answer, defect string, by int) {
	count, err := strconv.Atoi(answer.Header.Get("X-Result-Count"))
	var records []json.RawMessage
	if err != nil || json.Unmarshal(answer.Body, &records) != nil {
		return
	}
	switch {
	case defect == "count":
		answer.Header.Set("X-Result-Count", strconv.Itoa(max(0, count+by)))
	case defect == "missing count":
		answer.Header.Del("X-Result-Count")
	case defect == "empty page":
		records = records[:0]
	case len(records) < 2:
	case defect == "lost record":
		records = records[1:]
	case defect == "repeated record":
		records = append(records, records[len(records)-1])
	}
	answer.Body, _ = json.Marshal(records)
	answer.Header.Set("Content-Length", strconv.Itoa(len(answer.Body)))
}
