package waldur_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// The properties below hold for generated histories: few or many months, even
// or not, with ties, some longer than a page, on servers with several caps.
// `make proof` checks 10,000 cases of each. A walk that follows pages fails
// them within 100 cases; one that takes the last date of a page on trust, when
// it is as long as the one before, loses a record within 2,000.

// history draws the records of the project, each with a name of its own.
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

// replace gives the server other records and an empty account.
func replace(server *waldurtest.Waldur, records []waldurtest.Record) {
	server.Update(func([]waldurtest.Record) []waldurtest.Record { return records })
	server.AddScope(projectPath)
	server.Reset()
}

// change says what happens to the records between two requests.
type change struct {
	request int // happens before this one
	kind    string
	at      int
}

func changes(t *rapid.T) []change {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
		return change{
			request: rapid.IntRange(1, 12).Draw(t, "request"),
			kind:    rapid.SampledFrom([]string{"insert", "delete", "update"}).Draw(t, "kind"),
			at:      rapid.IntRange(0, 1000).Draw(t, "at"),
		}
	}), 0, 6).Draw(t, "changes")
}

// fate keeps account of which records there were.
type fate struct {
	throughout map[string]bool // there from the first request to the last
	ever       map[string]bool // there at some time
}

func newFate(records []waldurtest.Record) fate {
	f := fate{map[string]bool{}, map[string]bool{}}
	for _, r := range records {
		f.throughout[r.Name], f.ever[r.Name] = true, true
	}
	return f
}

func (f fate) apply(c change, number int, records []waldurtest.Record) []waldurtest.Record {
	if len(records) == 0 {
		return records
	}
	at := c.at % len(records)
	switch c.kind {
	case "delete":
		delete(f.throughout, records[at].Name)
		return append(records[:at:at], records[at+1:]...)
	case "insert":
		late := records[at]
		late.ID = 0
		late.Name = fmt.Sprintf("late %d", number)
		late.CategoryUUID = fmt.Sprintf("%032x", 1000+number)
		f.ever[late.Name] = true
		return append(records, late)
	default:
		more := int64(c.at)
		records[at].ReportedUsage = &more
		return records
	}
}

// changeAt lets those changes happen that are due at a request.
func (f fate) changeAt(request int, due []change, server *waldurtest.Waldur) {
	for number, c := range due {
		if c.request == request {
			server.Update(func(records []waldurtest.Record) []waldurtest.Record { return f.apply(c, number, records) })
		}
	}
}

// check is the property: an error, or every record that was there throughout,
// once, and none that never was.
func (f fate) check(t *rapid.T, usages []waldur.Usage) {
	seen := map[string]bool{}
	for _, u := range usages {
		if seen[u.Name.Value] {
			t.Fatalf("%s came twice", u.Name.Value)
		}
		if !f.ever[u.Name.Value] {
			t.Fatalf("%s came, which never was", u.Name.Value)
		}
		seen[u.Name.Value] = true
	}
	for name := range f.throughout {
		if !seen[name] {
			t.Fatalf("%s was lost: the list has %d records and no error", name, len(usages))
		}
	}
}

func TestPropertyListIsExactWhileNothingChanges(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	client := connect(t, server.Start(t))
	rapid.Check(t, func(t *rapid.T) {
		server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
		records := history(t, server.PageCap-1)
		replace(server, records)
		usages, err := client.Usages(t.Context(), everything())
		if longest(records) >= server.PageCap {
			if _, ok := errors.AsType[*waldur.IncompleteError](err); ok {
				return // pages could not be merged: many ties, few pages
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		newFate(records).check(t, usages)
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

func TestPropertyListIsExactOrAnErrorWhileRecordsChange(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	client := connect(t, server.Start(t))
	rapid.Check(t, func(t *rapid.T) {
		server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
		records := history(t, server.PageCap)
		replace(server, records)
		fate := newFate(records)
		due := changes(t)
		server.Before = func(n int, _ *http.Request) { fate.changeAt(n, due, server) }
		usages, err := client.Usages(t.Context(), everything())
		server.Before = nil
		if err != nil {
			if _, ok := errors.AsType[*waldur.IncompleteError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		fate.check(t, usages)
	})
}

// Waldur counts, then selects as many. What is inserted in between pushes as
// many records out of the end of an answer that is taken as the whole rest,
// unseen. Everything before the end is proved by an older record.
func TestPropertyOnlyTheEndOfAListCanLoseToTheCount(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	client := connect(t, server.Start(t))
	rapid.Check(t, func(t *rapid.T) {
		server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
		records := history(t, server.PageCap-1)
		replace(server, records)
		fate := newFate(records)
		due := changes(t)
		server.BetweenCountAndSelect = func(n int) { fate.changeAt(n, due, server) }
		usages, err := client.Usages(t.Context(), everything())
		server.BetweenCountAndSelect = nil
		if err != nil {
			if _, ok := errors.AsType[*waldur.IncompleteError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		lost := 0
		for _, r := range records {
			end := len(usages) == 0 || r.Date <= usages[len(usages)-1].Date.Value
			if end || readAlone(server, r.Date) {
				if fate.throughout[r.Name] && !slices.Contains(names(usages), r.Name) {
					lost++
				}
				delete(fate.throughout, r.Name)
			}
		}
		if inserted := len(fate.ever) - len(records); lost > inserted {
			t.Fatalf("%d records were lost to %d that were inserted", lost, inserted)
		}
		fate.check(t, usages)
	})
}

// readAlone tells whether a date was asked for by itself: it then has an end
// of its own.
func readAlone(server *waldurtest.Waldur, date string) bool {
	return slices.ContainsFunc(server.Requests(), func(r waldurtest.Request) bool {
		return r.Query.Get("date_after") == date && r.Query.Get("date_before") == date
	})
}

// A server that answers nonsense now and then: the result is exact or an error.
func TestPropertyListIsExactOrAnErrorWhenAnswersLie(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	client := connect(t, server.Start(t))
	rapid.Check(t, func(t *rapid.T) {
		server.PageCap = rapid.SampledFrom([]int{10, 20, 60}).Draw(t, "cap")
		records := history(t, server.PageCap)
		replace(server, records)
		lies := rapid.SampledFrom([]string{"count", "missing count", "lost record", "empty page", "repeated record"}).Draw(t, "lie")
		every := rapid.IntRange(1, 5).Draw(t, "every")
		by := rapid.SampledFrom([]int{-3, -1, 1, 2, 10}).Draw(t, "by")
		server.Rewrite = func(n int, _ *http.Request, answer *waldurtest.Answer) {
			if n%every == 0 {
				tellLie(lies, by, answer)
			}
		}
		usages, err := client.Usages(t.Context(), everything())
		server.Rewrite = nil
		if undetectable := (lies == "count" || lies == "repeated record") && filled(server); err == nil && !undetectable {
			newFate(records).check(t, usages)
		}
	})
}

// filled tells whether some answer was as long as any can be. Had Waldur
// counted just as many, or repeated a record in it, nobody could see what is
// missing.
func filled(server *waldurtest.Waldur) bool {
	return slices.ContainsFunc(server.Requests(), func(r waldurtest.Request) bool { return r.Records == server.PageCap })
}

func tellLie(lie string, by int, answer *waldurtest.Answer) {
	count, err := strconv.Atoi(answer.Header.Get("X-Result-Count"))
	var records []json.RawMessage
	if err != nil || json.Unmarshal(answer.Body, &records) != nil {
		return
	}
	switch {
	case lie == "count":
		answer.Header.Set("X-Result-Count", strconv.Itoa(max(0, count+by)))
	case lie == "missing count":
		answer.Header.Del("X-Result-Count")
	case lie == "empty page":
		records = records[:0]
	case len(records) < 2:
	case lie == "lost record":
		records = records[1:]
	case lie == "repeated record":
		records = append(records, records[len(records)-1])
	}
	answer.Body, _ = json.Marshal(records)
	answer.Header.Set("Content-Length", strconv.Itoa(len(answer.Body)))
}
