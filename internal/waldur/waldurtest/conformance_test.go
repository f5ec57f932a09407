package waldurtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// notReproduced returns the recordings that the fake does not reproduce, each
// with the reason.
func notReproduced() map[string]string {
	return map[string]string{
		"db_down_500":               "gunicorn's page when the database is down: a fault, for which tests use Intercept",
		"nginx_query_too_long_9000": "nginx's own page in front of Waldur: the fake answers gunicorn's 400 for a long request line",
		"nginx_upstream_down_502":   "nginx's own page when Waldur is down: a fault, for which tests use Intercept",
	}
}

// comparedHeaders returns the headers that matter to a client. It leaves out
// Server and Vary, which no client reads, Connection and Transfer-Encoding, which
// depend on the connection, Content-Length, which Go's client checks except for
// HEAD, and the headers that nginx adds for browsers.
func comparedHeaders() []string {
	return []string{
		"X-Result-Count", "Link", "WWW-Authenticate", "Location",
		"Content-Type", "Content-Language", "Allow",
	}
}

func TestAnswersMatchTheRecordings(t *testing.T) {
	t.Parallel()
	exchanges := readExchanges(t)
	base := recordedInstallation(t, exchanges).Start(t)
	for name, recorded := range exchanges {
		if _, left := notReproduced()[name]; left {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, header, body := replay(t, base, recorded)
			if status != recorded.Response.Status {
				t.Fatalf("status %d, recorded %d; body %.300s", status, recorded.Response.Status, body)
			}
			compared := comparedHeaders()
			if recorded.Request.Method == http.MethodHead {
				compared = append(compared, "Content-Length")
			}
			for _, name := range compared {
				if got, want := header.Get(name), recorded.header(name); got != want {
					t.Errorf("header %s\n     got %q\nrecorded %q", name, got, want)
				}
			}
			want := recorded.Response.Body
			if strings.HasPrefix(want, `[{"`) {
				// In a list, the order within a tie is the fake's own.
				body, want = withTiesSorted(t, body), withTiesSorted(t, want)
			}
			if body != want {
				t.Errorf("body\n     got %s\nrecorded %s", body, want)
			}
		})
	}
}

func TestRecordingsThatAreNotReproducedExistAndHaveAReason(t *testing.T) {
	t.Parallel()
	exchanges := readExchanges(t)
	if len(exchanges) < 60 {
		t.Errorf("%d recordings, want at least 60: testdata is incomplete", len(exchanges))
	}
	for name, reason := range notReproduced() {
		if _, ok := exchanges[name]; !ok {
			t.Errorf("%s is listed, but there is no such recording", name)
		}
		if reason == "" {
			t.Errorf("%s is listed without a reason", name)
		}
	}
}

// exchange is a recorded request and its answer. The name of the owner replaces
// the token of a request.
type exchange struct {
	Name    string
	Request struct {
		Method, Path, Query string
		Headers             map[string]string
	}
	Response struct {
		Status  int
		Headers [][2]string
		Body    string
	}
}

func (e exchange) header(name string) string {
	for _, header := range e.Response.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

func readExchanges(t *testing.T) map[string]exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "exchanges", "*"))
	if err != nil {
		t.Fatal(err)
	}
	exchanges := map[string]exchange{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var recorded exchange
		if err := json.Unmarshal(text, &recorded); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if filepath.Base(file) != recorded.Name+".json" {
			t.Fatalf("%s has the name %q", file, recorded.Name)
		}
		exchanges[recorded.Name] = recorded
	}
	return exchanges
}

// recordedHost is the host of the recorded Waldur.
const recordedHost = "127.0.0.1:8800"

func replay(t *testing.T, base string, recorded exchange) (int, http.Header, string) {
	t.Helper()
	address := base + recorded.Request.Path
	if recorded.Request.Query != "" {
		address += "?" + recorded.Request.Query
	}
	request, err := http.NewRequestWithContext(t.Context(), recorded.Request.Method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = recordedHost
	for name, value := range recorded.Request.Headers {
		request.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// The scopes and the numbers of records of the recorded installation.
const (
	scopeS = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
	scopeM = "/api/projects/bab54dd03f9b4b9eac9fe93c1e337e68/"
	scopeL = "/api/projects/7eac87c62c414636a74588feb5b4956c/"
	scopeE = "/api/projects/5b2b2c36497145ed97ab07b2635aad6b/"
	scopeA = "/api/customers/ff9acf801b2f4d1bbf5ecc2ff6c86c58/"
	userU  = "/api/users/37642fea127b4c5cbcbcffd58be07352/"

	recordsOfM   = 700
	recordsOfAll = 11087
)

// recordedInstallation returns a Waldur with every record that a recording shows,
// and with fillers for the others, of which only the number is known.
func recordedInstallation(t *testing.T, exchanges map[string]exchange) *waldurtest.Waldur {
	t.Helper()
	var stored []waldurtest.Record
	for _, name := range []string{"list_S_ps300", "list_A_customer_ps300", "list_M_ps300_p1", "list_M_ps300_p3", "list_noscope_noroles"} {
		var records []recordJSON
		unmarshal(t, exchanges[name].Response.Body, &records)
		for _, record := range records {
			stored = append(stored, record.record(t))
		}
	}
	for name, recorded := range exchanges {
		id, ok := recordedID(recorded)
		if !ok {
			continue
		}
		var record recordJSON
		unmarshal(t, recorded.Response.Body, &record)
		withID := record.record(t)
		known := slices.IndexFunc(stored, func(other waldurtest.Record) bool { return sameButID(other, withID) })
		if known < 0 {
			known = len(stored)
			stored = append(stored, withID)
		}
		if other := stored[known].ID; other != 0 && other != id {
			t.Fatalf("%s: the same record has the IDs %d and %d", name, id, other)
		}
		stored[known].ID = id
	}
	// The recorded pages of M are before and after this month.
	of := func(scope string) int {
		return len(slices.DeleteFunc(slices.Clone(stored), func(record waldurtest.Record) bool { return record.Scope != scope }))
	}
	for n := range recordsOfM - of(scopeM) {
		stored = append(stored, filler(scopeM, "2023-09-01", n))
	}
	for n := range recordsOfAll - len(stored) {
		stored = append(stored, filler(scopeL, "2020-01-01", n))
	}

	w := newWaldur(stored...)
	w.AddScope(scopeE)
	w.AddScope(userU)
	w.AddScope("/api/users/c463b7e06c2e4b1cbeb92fdf8b08d4b3/")
	w.AddToken("owner_a", waldurtest.User{Sees: []string{scopeS, scopeM, scopeL, scopeE, scopeA, userU}})
	w.AddToken("noroles", waldurtest.User{Sees: []string{}})
	w.AddToken("staff", waldurtest.User{Staff: true})
	w.AddToken("expired", waldurtest.User{Expired: true})
	w.AddToken("inactive", waldurtest.User{Inactive: true})
	return w
}

// recordedID returns the ID of the record that a recording shows with all attributes.
func recordedID(recorded exchange) (int64, bool) {
	segments := strings.Split(strings.Trim(recorded.Request.Path, "/"), "/")
	id, err := strconv.ParseInt(segments[len(segments)-1], 10, 64)
	return id, err == nil && recorded.Response.Status == http.StatusOK && recorded.Request.Query == ""
}

func filler(scope, date string, n int) waldurtest.Record {
	return waldurtest.Record{Name: "Filler", Type: "filler", CategoryTitle: "Filler", CategoryUUID: fmt.Sprintf("%032x", n), Date: date, Scope: scope}
}

// recordJSON is a record as Waldur writes it.
type recordJSON struct {
	Name          string  `json:"name"`
	Type          string  `json:"type"`
	MeasuredUnit  string  `json:"measured_unit"`
	CategoryTitle string  `json:"category_title"`
	CategoryUUID  string  `json:"category_uuid"`
	Date          string  `json:"date"`
	ReportedUsage *int64  `json:"reported_usage"`
	FixedUsage    *int64  `json:"fixed_usage"`
	Scope         *string `json:"scope"`
}

func (r recordJSON) record(t *testing.T) waldurtest.Record {
	t.Helper()
	record := waldurtest.Record{
		Name: r.Name, Type: r.Type, MeasuredUnit: r.MeasuredUnit,
		CategoryTitle: r.CategoryTitle, CategoryUUID: r.CategoryUUID,
		Date: r.Date, ReportedUsage: r.ReportedUsage, FixedUsage: r.FixedUsage,
	}
	if r.Scope != nil {
		scope, err := url.Parse(*r.Scope)
		if err != nil {
			t.Fatal(err)
		}
		record.Scope = scope.Path
	}
	return record
}

func sameButID(a, b waldurtest.Record) bool {
	same := func(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }
	usages := same(a.ReportedUsage, b.ReportedUsage) && same(a.FixedUsage, b.FixedUsage)
	a.ID, a.ReportedUsage, a.FixedUsage = b.ID, b.ReportedUsage, b.FixedUsage
	return usages && a == b
}

// withTiesSorted sorts the objects of a list within each tie (the same date and
// type) by their text, which it does not change. Objects without date and type
// are one tie. Every recorded page ends where a tie ends, so it has the same
// records in any order of ties.
func withTiesSorted(t *testing.T, list string) string {
	t.Helper()
	var objects []json.RawMessage
	unmarshal(t, list, &objects)
	type tie struct{ Date, Type string }
	ties := make([]tie, len(objects))
	texts := make([]string, len(objects))
	for i, object := range objects {
		unmarshal(t, string(object), &ties[i])
		texts[i] = string(object)
	}
	for start := 0; start < len(ties); {
		end := start + 1
		for end < len(ties) && ties[end] == ties[start] {
			end++
		}
		slices.Sort(texts[start:end])
		start = end
	}
	sorted := "[" + strings.Join(texts, ",") + "]"
	if len(sorted) != len(list) {
		t.Error("the list is not compact JSON")
	}
	return sorted
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
}
