package waldur_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// months returns records of the project: lengths[i] of them i months before
// October 2024. Each type is in five categories, so there are ties.
func months(lengths ...int) []waldurtest.Record {
	var records []waldurtest.Record
	for i, length := range lengths {
		date := fmt.Sprintf("%04d-%02d-01", 2024-(i+2)/12, 12-(i+2)%12)
		for n := range length {
			usage := int64(1000*i + n)
			records = append(records, waldurtest.Record{
				Name: fmt.Sprintf("%s #%d", date, n), Type: fmt.Sprintf("type-%02d", n/5), MeasuredUnit: "h",
				CategoryTitle: fmt.Sprintf("Category %d", n%5), CategoryUUID: fmt.Sprintf("%032x", n%5),
				Date: date, ReportedUsage: &usage, Scope: projectPath,
			})
		}
	}
	return records
}

// even returns the lengths of months with n records in total, perMonth in each.
func even(n, perMonth int) []int {
	var lengths []int
	for ; n > 0; n -= perMonth {
		lengths = append(lengths, min(n, perMonth))
	}
	return lengths
}

// names returns the names of records, which are unique in these tests.
func names(usages []waldur.Usage) []string {
	var all []string
	for _, u := range usages {
		all = append(all, u.Name.Value)
	}
	slices.Sort(all)
	return all
}

func namesOf(records []waldurtest.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Name)
	}
	slices.Sort(all)
	return all
}

func wantAll(t *testing.T, usages []waldur.Usage, err error, records []waldurtest.Record) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(usages), namesOf(records); !slices.Equal(got, want) {
		t.Fatalf("got %d records, want %d: they differ", len(got), len(want))
	}
	if !slices.IsSortedFunc(usages, func(a, b waldur.Usage) int { return strings.Compare(b.Date.Value, a.Date.Value) }) {
		t.Error("the records are not sorted by date, newest first")
	}
}

func TestListReturnsEveryRecordOnceWithinItsRequests(t *testing.T) {
	t.Parallel()
	for name, history := range map[string]struct {
		lengths  []int
		requests int
	}{
		"none":                          {nil, 1},
		"one":                           {[]int{1}, 2},
		"a few":                         {even(5, 5), 2},
		"two years of twelve":           {even(24*12, 12), 2},
		"exactly a page":                {even(300, 60), 2},
		"one more than a page":          {even(301, 60), 4},
		"3,000 at 168 a month":          {even(3000, 168), 22},
		"10,000 at 168 a month":         {even(10000, 168), 64},
		"10,000 at 12 a month":          {even(10000, 12), 38},
		"months that differ":            {[]int{31, 168, 170, 169, 0, 0, 12, 299, 12, 12, 7, 168, 168, 200, 168}, 20},
		"a month as long as a page":     {[]int{12, 300, 12}, 12},
		"a month longer than a page":    {[]int{12, 12, 420, 12}, 16},
		"one month, longer than a page": {[]int{650}, 20},
		"a month longer than two pages": {[]int{700, 700}, 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := months(history.lengths...)
			server := newServer(records...)
			usages, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
			wantAll(t, usages, err, records)
			if got := len(server.Requests()); got > history.requests {
				t.Errorf("%d requests, want at most %d", got, history.requests)
			}
			for _, request := range server.Requests() {
				onlyDates := slices.Equal(request.Query["field"], []string{"date"})
				if page := request.Query.Get("page"); page != "" && !onlyDates && len(history.lengths) > 0 && slices.Max(history.lengths) < 300 {
					t.Errorf("page %s is requested, though no month needs it", page)
				}
			}
		})
	}
}

func TestListRequestsOnlyItsFields(t *testing.T) {
	t.Parallel()
	server := newServer(months(even(1000, 100)...)...)
	client := connect(t, server.Start(t))
	usages, err := client.Usages(t.Context(), waldur.Query{Scope: project(), Fields: waldur.Fields(waldur.FieldReportedUsage)})
	if err != nil || len(usages) != 1000 {
		t.Fatalf("%d records, error %v", len(usages), err)
	}
	for i, request := range server.Requests() {
		switch got := strings.Join(request.Query["field"], " "); got {
		case "date reported_usage", "date":
		case "date scope":
			if request.Records > 25 {
				t.Errorf("request %d is for the scope of %d records", i+1, request.Records)
			}
		default:
			t.Errorf("request %d is for %q", i+1, got)
		}
	}
	for _, u := range usages {
		if u.Scope.Valid || u.Type.Valid || !u.Date.Valid || !u.ReportedUsage.Valid {
			t.Fatal("a record has other attributes than the requested ones")
		}
	}
}

func TestEveryRecordHasTheScopeThatWaldurSent(t *testing.T) {
	t.Parallel()
	server := newServer(months(12, 12)...)
	url := server.Start(t)
	usages, err := connect(t, url).Usages(t.Context(), everything())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range usages {
		if u.Scope != waldur.Of(url+projectPath) {
			t.Fatalf("scope %q, want %q", u.Scope.Value, url+projectPath)
		}
	}
}

func TestListDoesNotDependOnTheOrderOfTheServer(t *testing.T) {
	t.Parallel()
	records := months(20, 20)
	var lists [2][]waldur.Usage
	for i := range lists {
		server := newServer(records...)
		slices.Reverse(records) // other ids, another order of ties
		var err error
		lists[i], err = connect(t, server.Start(t)).Usages(t.Context(), everything())
		if err != nil {
			t.Fatal(err)
		}
		for j := range lists[i] {
			lists[i][j].Scope = waldur.Nullable[string]{} // has the server's port
		}
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Error("the same records are two lists")
	}
}

// The CLI turns strings into Unicode NFC, so "ü" and "u" with a diaeresis are the
// same in the state. Nothing may depend on the difference.
func TestListDoesNotDependOnTheCompositionOfTitles(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "H\u00fclle", "Hu\u0308lle"
	var lists [][]int64
	for _, titles := range [][2]string{{composed, decomposed}, {decomposed, composed}} {
		records := months(2)
		records[1].Type, records[1].CategoryUUID, records[1].Name = records[0].Type, records[0].CategoryUUID, records[0].Name
		records[0].CategoryTitle, records[1].CategoryTitle = titles[0], titles[1]
		server := newServer(records...)
		usages, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
		if err != nil || len(usages) != 2 {
			t.Fatalf("%d records, error %v", len(usages), err)
		}
		if n := len(slices.Collect(waldur.Duplicates(usages))); n != 1 {
			t.Errorf("%d duplicates, want 1: the category is the same", n)
		}
		lists = append(lists, []int64{usages[0].ReportedUsage.Value, usages[1].ReportedUsage.Value})
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Errorf("the order of %v and %v depends on the titles", lists[0], lists[1])
	}
}

// Otherwise, it is read seven times, and the error advises to try again later.
func TestListThatCanNeverBeVerifiedFailsAtOnce(t *testing.T) {
	t.Parallel()
	duplicates := months(12, 400)
	duplicates = append(duplicates, duplicates[50])
	for name, row := range map[string]struct {
		records []waldurtest.Record
		before  func(n int, r *http.Request)
	}{
		"a month longer than a page with duplicates": {duplicates, nil},
		"a server that ignores page_size": {months(even(700, 100)...), func(_ int, r *http.Request) {
			query := r.URL.Query()
			query.Set("page_size", "300")
			r.URL.RawQuery = query.Encode()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(row.records...)
			server.Before = row.before
			clock := newClock()
			_, err := connect(t, server.Start(t), func(config *waldur.Config) { config.Clock = clock }).Usages(t.Context(), everything())
			if n := len(server.Requests()); !isType[*waldur.UnverifiableError](err) || n > 12 || len(clock.waits()) > 0 {
				t.Errorf("error %v after %d requests", err, n)
			}
		})
	}
}

func TestListFailsWhenOlderDatesNeverEnd(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.Intercept = func(n int, w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Result-Count", "1000")
		if query.Get("date_after") != "" {
			w.Header().Set("X-Result-Count", "0")
			_, _ = w.Write([]byte("[]"))
			return true
		}
		size, _ := strconv.Atoi(query.Get("page_size"))
		record := fmt.Sprintf(`{"name":"","type":"cpu","measured_unit":"","category_title":"","category_uuid":"%032x","date":%q,"reported_usage":1,"fixed_usage":null,"scope":"http://%s%s"}`,
			0, time.Date(2024, 1, -n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), r.Host, projectPath)
		_, _ = w.Write([]byte("[" + strings.Repeat(record+",", size-1) + record + "]"))
		return true
	}
	_, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
	if n := len(server.Requests()); !isType[*waldur.IncompleteError](err) || n > 50 {
		t.Errorf("error %v after %d requests", err, n)
	}
}

func TestListHasOnlyTheRequestedDates(t *testing.T) {
	t.Parallel()
	records := months(12, 12, 400, 12)
	server := newServer(records...)
	client := connect(t, server.Start(t))
	query := everything()
	query.After, query.Before = "2024-08-01", "2024-09-01"
	usages, err := client.Usages(t.Context(), query)
	wantAll(t, usages, err, slices.DeleteFunc(records, func(r waldurtest.Record) bool {
		return r.Date < query.After || r.Date > query.Before
	}))
}

func TestDuplicatesAreKeptAndReported(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	records := months(4)
	records = append(records, records[1])
	server.Add(records...)
	query := everything()
	query.After, query.Before = "2024-10-01", "2024-10-01"
	usages, err := connect(t, server.Start(t)).Usages(t.Context(), query)
	wantAll(t, usages, err, records)
	duplicates := slices.Collect(waldur.Duplicates(usages))
	if len(duplicates) != 1 || duplicates[0].Name.Value != records[1].Name {
		t.Errorf("%d duplicates, want 1", len(duplicates))
	}
}

// A server that ignores the scope returns all records. A budget would be checked
// against the usage of others.
func TestListFailsWhenTheServerIgnoresTheScope(t *testing.T) {
	t.Parallel()
	customer := func(records []waldurtest.Record) []waldurtest.Record {
		for i := range records {
			records[i].Scope = "/api/customers/ff9acf801b2f4d1bbf5ecc2ff6c86c58/"
		}
		return records
	}
	duplicate := months(2)[1]
	for name, records := range map[string][]waldurtest.Record{
		"and the first record is of another scope": customer(months(12)),
		"and the customer has the same record":     slices.Concat(months(12), customer(months(0, 12)), customer(months(12))),
		"and a genuine duplicate hides the others": slices.Concat(months(2, 12), []waldurtest.Record{duplicate}, customer(months(0, 12))),
	} {
		for fieldsName, fields := range map[string]waldur.FieldSet{
			"all":              waldur.AllFields(),
			"all but the type": waldur.AllFields() &^ waldur.Fields(waldur.FieldType),
			"all but the uuid": waldur.AllFields() &^ waldur.Fields(waldur.FieldCategoryUUID),
			"all but scope":    waldur.AllFields() &^ waldur.Fields(waldur.FieldScope),
			"usage and scope":  waldur.Fields(waldur.FieldReportedUsage, waldur.FieldScope),
			"usage":            waldur.Fields(waldur.FieldReportedUsage),
		} {
			t.Run(name+", fields: "+fieldsName, func(t *testing.T) {
				t.Parallel()
				server := newServer(records...)
				server.IgnoreScope = true
				_, err := connect(t, server.Start(t)).Usages(t.Context(), waldur.Query{Scope: project(), Fields: fields})
				if _, ok := errors.AsType[*waldur.FilterError](err); !ok {
					t.Errorf("error %v, want a FilterError", err)
				}
			})
		}
	}
}

func TestListFailsWhenTheServerIgnoresTheDates(t *testing.T) {
	t.Parallel()
	for _, parameter := range []string{"date_after", "date_before"} {
		t.Run(parameter, func(t *testing.T) {
			t.Parallel()
			server := newServer(months(5, 5, 5, 5)...)
			server.Before = func(_ int, r *http.Request) {
				query := r.URL.Query()
				query.Del(parameter)
				r.URL.RawQuery = query.Encode()
			}
			query := everything()
			query.After, query.Before = "2024-08-01", "2024-09-01"
			_, err := connect(t, server.Start(t)).Usages(t.Context(), query)
			if _, ok := errors.AsType[*waldur.FilterError](err); !ok {
				t.Errorf("error %v, want a FilterError", err)
			}
		})
	}
}

// rewriteCount changes the count of every list.
func rewriteCount(change func(n, count int) int) func(int, *http.Request, *waldurtest.Answer) {
	return func(n int, _ *http.Request, answer *waldurtest.Answer) {
		if count, err := strconv.Atoi(answer.Header.Get("X-Result-Count")); err == nil {
			answer.Header.Set("X-Result-Count", strconv.Itoa(change(n, count)))
		}
	}
}

func TestListFailsWhenCountsAreWrong(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(n, count int) int{
		"one too many": func(_, count int) int { return count + 1 },
		"one too few":  func(_, count int) int { return count - 1 },
		"growing":      func(n, count int) int { return count + n },
		"always zero":  func(int, int) int { return 0 },
	} {
		for _, lengths := range [][]int{even(12, 12), even(600, 12), even(700, 168), {400}} {
			t.Run(fmt.Sprintf("%s, %d months", name, len(lengths)), func(t *testing.T) {
				t.Parallel()
				server := newServer(months(lengths...)...)
				server.Rewrite = rewriteCount(change)
				_, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
				incomplete, ok := errors.AsType[*waldur.IncompleteError](err)
				if !isType[*waldur.UnverifiableError](err) && (!ok || incomplete.Reads != 7) {
					t.Errorf("error %v, want an UnverifiableError, or an IncompleteError after seven attempts", err)
				}
				if n := len(server.Requests()); n > 150 {
					t.Errorf("%d requests, want at most 150", n)
				}
			})
		}
	}
}

func TestListFailsWithoutACount(t *testing.T) {
	t.Parallel()
	for _, count := range []string{"", "many", "-1", "1.5"} {
		t.Run(count, func(t *testing.T) {
			t.Parallel()
			server := newServer(months(12)...)
			server.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) { answer.Header.Set("X-Result-Count", count) }
			_, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
			if _, ok := errors.AsType[*waldur.FormatError](err); !ok {
				t.Errorf("error %v, want a FormatError", err)
			}
		})
	}
}

func TestListIsCompleteWhenARecordAppearsDuringTheRead(t *testing.T) {
	t.Parallel()
	records := months(even(700, 100)...)
	server := newServer(records...)
	late := records[650]
	late.Name, late.CategoryUUID = "late", strings.Repeat("e", 32)
	server.Before = func(n int, _ *http.Request) {
		if n == 4 {
			server.Add(late)
		}
	}
	usages, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
	wantAll(t, usages, err, append(records, late))
}

func TestListIsCompleteWhenPagesAreShorter(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{100, 10} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.PageCap = limit
			records := months(7, 9, 9, 12, 5, 0, 9, 30)
			server.Add(records...)
			usages, err := connect(t, server.Start(t)).Usages(t.Context(), everything())
			wantAll(t, usages, err, records)
		})
	}
}

func TestEveryRequestHasTheScope(t *testing.T) {
	t.Parallel()
	server := newServer(months(12, 400, 12, 168, 168)...)
	base := server.Start(t)
	if _, err := connect(t, base).Usages(t.Context(), everything()); err != nil {
		t.Fatal(err)
	}
	for _, request := range server.Requests() {
		if got := request.Query["scope"]; !slices.Equal(got, []string{base + projectPath}) {
			t.Errorf("scope %q, want %q alone", got, base+projectPath)
		}
	}
}

// The reason for the pager: following pages loses records on this server.
func TestFollowingPagesWouldLoseRecords(t *testing.T) {
	t.Parallel()
	records := months(even(2000, 168)...)
	server := newServer(records...)
	base := server.Start(t)
	seen := map[string]bool{}
	for page := 1; page <= 7; page++ {
		for _, name := range pageOfNames(t, base, page) {
			seen[name] = true
		}
	}
	if len(seen) >= len(records) {
		t.Errorf("the pages have all %d records: these tests prove nothing", len(records))
	}
}

func pageOfNames(t *testing.T, base string, page int) []string {
	t.Helper()
	query := url.Values{"scope": {base + projectPath}, "page_size": {"300"}, "page": {strconv.Itoa(page)}, "field": {"name"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/marketplace-category-component-usages/?"+query.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Token "+waldurtest.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var records []struct{ Name string }
	if err := json.NewDecoder(response.Body).Decode(&records); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range records {
		all = append(all, r.Name)
	}
	return all
}

// The worked example in DESIGN.md, request by request.
func TestWorkedExampleMakesTheRequestsInTheDesign(t *testing.T) {
	t.Parallel()
	records := months(168, 168, 168, 168, 28)
	server := newServer(records...)
	client := connect(t, server.Start(t), func(config *waldur.Config) { config.MaxConcurrentRequests = 1 })
	usages, err := client.Usages(t.Context(), everything())
	wantAll(t, usages, err, records)
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
		t.Errorf("requests\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Waldur answers 404 for a page beyond the end, others an empty list.
func TestPageBeyondTheEndMayBeAnEmptyList(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	records := months(even(1200, 60)...)
	server.Add(records...)
	server.Intercept = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		beyond := r.URL.Query().Get("page") != ""
		if beyond {
			w.Header().Set("X-Result-Count", "60")
			_, _ = w.Write([]byte("[]"))
		}
		return beyond
	}
	usages, err := connect(t, server.Start(t), func(config *waldur.Config) { config.MaxConcurrentRequests = 4 }).Usages(t.Context(), everything())
	wantAll(t, usages, err, records)
}
