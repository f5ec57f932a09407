package waldur_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// wantAll fails unless the list has the records of months, in their order.
func wantAll(t *testing.T, usages []waldur.Usage, err error, server string, records []waldurtest.Record) {
	t.Helper()
	if want := usagesOf(records, server); err != nil || !slices.Equal(usages, want) {
		t.Errorf("got %d records, error %v, want the expected %d", len(usages), err, len(want))
	}
}

// The server stores the records in another order, which must not matter.
func TestListReturnsEveryRecordOnceInOrderWithinItsRequests(t *testing.T) {
	t.Parallel()
	differing := []int{31, 168, 170, 169, 0, 0, 12, 299, 12, 12, 7, 168, 168, 200, 168}
	short := []int{7, 9, 9, 12, 5, 0, 9, 30}
	for name, history := range map[string]struct {
		lengths       []int
		pageCap       int
		after, before string
		requests      int
	}{
		"none":                                 {nil, 300, "", "", 1},
		"one":                                  {[]int{1}, 300, "", "", 2},
		"a few":                                {even(5, 5), 300, "", "", 2},
		"two years of twelve":                  {even(24*12, 12), 300, "", "", 2},
		"exactly a page":                       {even(300, 60), 300, "", "", 2},
		"one more than a page":                 {even(301, 60), 300, "", "", 4},
		"3,000 at 168 a month":                 {even(3000, 168), 300, "", "", 22},
		"10,000 at 168 a month":                {even(10000, 168), 300, "", "", 64},
		"10,000 at 12 a month":                 {even(10000, 12), 300, "", "", 38},
		"months that differ":                   {differing, 300, "", "", 20},
		"a month as long as a page":            {[]int{12, 300, 12}, 300, "", "", 12},
		"a month longer than a page":           {[]int{12, 12, 420, 12}, 300, "", "", 16},
		"one month, longer than a page":        {[]int{650}, 300, "", "", 20},
		"a month longer than two pages":        {[]int{700, 700}, 300, "", "", 32},
		"pages of 100":                         {short, 100, "", "", 3},
		"pages of 10, shorter than two months": {short, 10, "", "", 40},
		"some dates":                           {[]int{12, 12, 400, 12}, 300, "2024-08-01", "2024-09-01", 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := months(history.lengths...)
			reversed := slices.Clone(records)
			slices.Reverse(reversed)
			server := newServer(reversed...)
			server.PageCap = history.pageCap
			base := server.Start(t)
			query := everything()
			query.After, query.Before = history.after, history.before
			usages, err := connect(t, base, waldur.Config{}).Usages(t.Context(), query)
			wantAll(t, usages, err, base, slices.DeleteFunc(records, func(r waldurtest.Record) bool {
				return r.Date < query.After || query.Before != "" && r.Date > query.Before
			}))
			if got := len(server.Requests()); got > history.requests {
				t.Errorf("got %d requests, want at most %d", got, history.requests)
			}
			for _, request := range server.Requests() {
				if got := request.Query["scope"]; !slices.Equal(got, []string{base + projectPath}) {
					t.Errorf("got a request with scope %q, want %q alone", got, base+projectPath)
				}
				records := !slices.Equal(request.Query["field"], []string{"date"})
				if page := request.Query.Get("page"); page != "" && records && slices.Max(history.lengths) < history.pageCap {
					t.Errorf("got a request for page %s, want none, as no month needs it", page)
				}
			}
		})
	}
}

func TestListRequestsOnlyItsFields(t *testing.T) {
	t.Parallel()
	server := newServer(months(even(1000, 100)...)...)
	query := waldur.Query{Scope: project(), Fields: waldur.Fields(waldur.FieldReportedUsage)}
	usages, err := connect(t, server.Start(t), waldur.Config{}).Usages(t.Context(), query)
	if err != nil || len(usages) != 1000 {
		t.Fatalf("got %d records, error %v, want 1000", len(usages), err)
	}
	for i, request := range server.Requests() {
		fields := strings.Join(request.Query["field"], " ")
		ofScope := fields == "date scope" && request.Records <= 25
		if fields != "date reported_usage" && fields != "date" && !ofScope {
			t.Errorf("request %d: got fields %q of %d records", i+1, fields, request.Records)
		}
	}
	for _, u := range usages {
		if u != (waldur.Usage{Date: u.Date, ReportedUsage: u.ReportedUsage}) || !u.Date.Valid || !u.ReportedUsage.Valid {
			t.Fatalf("got %+v, want the date and the usage alone", u)
		}
	}
}

// Waldur deletes no records, but its staff can.
func TestScopeIsReadAfterTheOldestMonthIsDeleted(t *testing.T) {
	t.Parallel()
	records := months(12, 12)
	server := newServer(records...)
	server.Before = func(n int, _ *http.Request) {
		if n == 2 {
			server.Update(func(all []waldurtest.Record) []waldurtest.Record { return all[:12] })
		}
	}
	base := server.Start(t)
	usages, err := readAll(t, base, waldur.Config{})
	wantAll(t, usages, err, base, records[:12])
}

// The CLI normalizes strings to Unicode NFC, so "ü" and "u" with a diaeresis are the
// same in the state. Nothing may depend on the difference.
func TestDuplicatesAreKeptInAnOrderWithoutTheTitlesAndReported(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "H\u00fclle", "Hu\u0308lle"
	for _, titles := range [][2]string{{composed, decomposed}, {decomposed, composed}, {composed, composed}} {
		records := months(2)
		records[1].Type, records[1].CategoryUUID = records[0].Type, records[0].CategoryUUID
		records[0].CategoryTitle, records[1].CategoryTitle = titles[0], titles[1]
		base := newServer(records[1], records[0]).Start(t)
		usages, err := readAll(t, base, waldur.Config{})
		wantAll(t, usages, err, base, records)
		if duplicates := slices.Collect(waldur.Duplicates(usages)); len(duplicates) != 1 || duplicates[0].Name != usages[1].Name {
			t.Errorf("got duplicates %v, want the second record, as the category is the same", duplicates)
		}
	}
}

// empty makes the response an empty list with the count.
func empty(response *waldurtest.Response, count int) {
	response.Status, response.Body = http.StatusOK, []byte("[]")
	response.Header.Set("X-Result-Count", strconv.Itoa(count))
}

func TestListFailsWhenItsResponsesCannotBeVerified(t *testing.T) {
	t.Parallel()
	isIncomplete, isMalformed := isType[*waldur.IncompleteError], isType[*waldur.FormatError]
	type row struct {
		records  []waldurtest.Record
		lie      func(n int, query url.Values, response *waldurtest.Response)
		wanted   func(error) bool
		requests int // at most
		problem  string
	}
	duplicates := months(12, 400)
	rows := map[string]row{
		"a month longer than a page has duplicates": {
			append(duplicates, duplicates[50]), func(int, url.Values, *waldurtest.Response) {}, isType[*waldur.UnverifiableError], 12, "several records of one component",
		},
		"a month longer than a page is gone when it is read by itself": {months(400), func(_ int, query url.Values, response *waldurtest.Response) {
			if query.Has("date_after") {
				empty(response, 0)
			}
		}, isIncomplete, 50, "records of 2024-10-01 came, then Waldur counted none"},
		// As when a duplicate has replaced a record.
		"a record of a month longer than a page is another one each time": {months(400), func(n int, query url.Values, response *waldurtest.Response) {
			if query.Has("date_after") {
				response.Body = bytes.ReplaceAll(response.Body, []byte(`#7"`), fmt.Appendf(nil, `#7 of request %d"`, n))
			}
		}, isIncomplete, 55, "the records of 2024-10-01 changed while they were read"},
		"the end is of an older date than the last record": {months(12, 12), func(_ int, query url.Values, response *waldurtest.Response) {
			if query.Get("page_size") == "1" {
				response.Body = regexp.MustCompile(`"date":"[^"]*"`).ReplaceAll(response.Body, []byte(`"date":"2001-01-01"`))
			}
		}, isIncomplete, 14, "the oldest records were of 2024-09-01, then of 2001-01-01"},
		"a page has the scopes of only some duplicates": {append(months(12), months(12)...), func(_ int, query url.Values, response *waldurtest.Response) {
			if query.Has("date_after") {
				var records []json.RawMessage
				_ = json.Unmarshal(response.Body, &records)
				response.Body, _ = json.Marshal(records[:min(len(records), 20)])
			}
		}, isIncomplete, 20, "of 24 records of 2024-10-01, a page held 20"},
		"two counts": {months(12), func(_ int, _ url.Values, response *waldurtest.Response) {
			response.Header.Add("X-Result-Count", "13")
		}, isMalformed, 1, "X-Result-Count"},
		"older dates come first": {months(12, 12), func(_ int, _ url.Values, response *waldurtest.Response) {
			var records []json.RawMessage
			_ = json.Unmarshal(response.Body, &records)
			slices.Reverse(records)
			response.Body, _ = json.Marshal(records)
		}, isMalformed, 1, ""},
	}
	for _, count := range []string{"", "many", "-1", "1.5", "12, 13"} {
		rows[fmt.Sprintf("a count of %q", count)] = row{months(12), func(_ int, _ url.Values, response *waldurtest.Response) {
			response.Header.Set("X-Result-Count", count)
		}, isMalformed, 1, "X-Result-Count"}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(row.records...)
			server.Rewrite = func(n int, r *http.Request, response *waldurtest.Response) { row.lie(n, r.URL.Query(), response) }
			clock := new(clock)
			_, err := readAll(t, server.Start(t), waldur.Config{Clock: clock})
			if n := len(server.Requests()); !row.wanted(err) || n > row.requests || !strings.Contains(err.Error(), row.problem) {
				t.Errorf("got error %v after %d requests, want %q after at most %d", err, n, row.problem, row.requests)
			}
			// A list is read again only if that may help.
			incomplete, ok := errors.AsType[*waldur.IncompleteError](err)
			if ok && incomplete.Attempts != 7 || !ok && len(clock.waits()) > 0 {
				t.Errorf("got error %v after waits of %v", err, clock.waits())
			}
		})
	}
}

// A server that ignores the scope returns all records. A budget would be checked
// against the usage of others.
func TestListFailsWhenTheServerIgnoresTheScope(t *testing.T) {
	t.Parallel()
	customer := func(lengths ...int) []waldurtest.Record {
		records := months(lengths...)
		for i := range records {
			records[i].Scope = "/api/customers/ff9acf801b2f4d1bbf5ecc2ff6c86c58/"
		}
		return records
	}
	const between, usage = "the customer has records of a month between", "usage"
	for name, records := range map[string][]waldurtest.Record{
		between:                                slices.Concat(months(12, 12, 12), customer(0, 12)),
		"the first record is of another scope": customer(12),
		"the customer has the same record":     slices.Concat(months(12), customer(0, 12), customer(12)),
		"a genuine duplicate hides the others": slices.Concat(months(2, 12), months(2)[1:], customer(0, 12)),
	} {
		for fieldsName, fields := range map[string]waldur.FieldSet{
			"all":              waldur.AllFields(),
			"all but the type": waldur.AllFields() &^ waldur.Fields(waldur.FieldType),
			"all but the uuid": waldur.AllFields() &^ waldur.Fields(waldur.FieldCategoryUUID),
			"all but scope":    waldur.AllFields() &^ waldur.Fields(waldur.FieldScope),
			"usage and scope":  waldur.Fields(waldur.FieldReportedUsage, waldur.FieldScope),
			usage:              waldur.Fields(waldur.FieldReportedUsage),
		} {
			if name == between && fieldsName == usage {
				continue // only the end of this list shows its scope
			}
			server := newServer(records...)
			server.IgnoreScope = true
			_, err := connect(t, server.Start(t), waldur.Config{}).Usages(t.Context(), waldur.Query{Scope: project(), Fields: fields})
			if !isType[*waldur.FilterError](err) {
				t.Errorf("%s, fields: %s: got error %v, want a FilterError", name, fieldsName, err)
			}
		}
	}
}

func TestListFailsWhenTheServerIgnoresAParameter(t *testing.T) {
	t.Parallel()
	for parameter, row := range map[string]struct {
		instead string
		wanted  func(error) bool
	}{
		"date_after":  {"", isType[*waldur.FilterError]},
		"date_before": {"", isType[*waldur.FilterError]},
		"page_size":   {"300", isType[*waldur.UnverifiableError]},
	} {
		server := newServer(months(5, 5, 5, 5)...)
		server.Before = func(_ int, r *http.Request) {
			query := r.URL.Query()
			query.Set(parameter, row.instead)
			r.URL.RawQuery = query.Encode()
		}
		query := everything()
		query.After, query.Before = "2024-08-01", "2024-09-01"
		if _, err := connect(t, server.Start(t), waldur.Config{}).Usages(t.Context(), query); !row.wanted(err) {
			t.Errorf("%s: got error %T: %v", parameter, err, err)
		}
	}
}

// Waldur returns 404 for a page beyond the end; other servers return an empty list.
func TestPageBeyondTheEndDoesNotFailTheRead(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusOK} {
		records := months(even(1200, 60)...)
		server := newServer(records...)
		server.Rewrite = func(_ int, r *http.Request, response *waldurtest.Response) {
			if r.URL.Query().Has("page") {
				empty(response, 60)
				response.Status = status
			}
		}
		base := server.Start(t)
		usages, err := readAll(t, base, waldur.Config{MaxConcurrentRequests: 4})
		wantAll(t, usages, err, base, records)
	}
}

// The worked example in DESIGN.md, request by request.
func TestWorkedExampleMakesTheRequestsInTheDesign(t *testing.T) {
	t.Parallel()
	records := months(168, 168, 168, 168, 28)
	server := newServer(records...)
	base := server.Start(t)
	usages, err := readAll(t, base, waldur.Config{MaxConcurrentRequests: 1})
	wantAll(t, usages, err, base, records)
	var got []string
	for _, request := range server.Requests() {
		got = append(got, fmt.Sprintf("%s up to %s: %d", request.Query.Get("page_size"), request.Query.Get("date_before"), request.Records))
	}
	want := []string{
		"300 up to : 300",
		"1 up to : 1",
		"300 up to 2024-09-01: 300",
		"169 up to 2024-09-01: 169",
		"169 up to 2024-08-01: 169",
		"300 up to 2024-07-01: 196",
		"1 up to 2024-06-01: 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got requests\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
