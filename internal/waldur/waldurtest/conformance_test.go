package waldurtest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestResponsesMatchTheRecordings(t *testing.T) {
	t.Parallel()
	exchanges := readExchanges(t)
	for _, name := range []string{
		"nginx_query_too_long_9000",              // nginx's own page in front of Waldur
		"nginx_upstream_down_502", "db_down_500", // faults, for which tests use Intercept
	} {
		delete(exchanges, name)
	}
	if len(exchanges) != 68 {
		t.Errorf("got %d recordings, want 68", len(exchanges))
	}
	base := recordedInstallation(t, exchanges).Start(t)
	for name, recorded := range exchanges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, header, body := replay(t, base, recorded)
			if status != recorded.Response.Status {
				t.Fatalf("got status %d, want %d; body %.300s", status, recorded.Response.Status, body)
			}
			want := http.Header{}
			for _, header := range recorded.Response.Headers {
				want.Set(header[0], header[1])
			}
			// Clients do not read the other headers, or these depend on the connection.
			compared := []string{"X-Result-Count", "Link", "WWW-Authenticate", "Location", "Content-Type", "Content-Language", "Allow"}
			if recorded.Request.Method == http.MethodHead { // otherwise Go's client checks it
				compared = append(compared, "Content-Length")
			}
			for _, name := range compared {
				if got := header.Get(name); got != want.Get(name) {
					t.Errorf("header %s\n got %q\nwant %q", name, got, want.Get(name))
				}
			}
			if want := recorded.Response.Body; body != want && !sameButTies(t, body, want) {
				t.Errorf("body\n got %s\nwant %s", body, want)
			}
		})
	}
}

// exchange is a recorded request and its response. In the request, the name of the
// token's owner replaces the token.
type exchange struct {
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

func readExchanges(t *testing.T) map[string]exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/exchanges/*.json")
	if err != nil {
		t.Fatal(err)
	}
	exchanges := map[string]exchange{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		exchanges[strings.TrimSuffix(filepath.Base(file), ".json")] = parse[exchange](t, string(text))
	}
	return exchanges
}

const recordedHost = "127.0.0.1:8800"

func replay(t *testing.T, base string, recorded exchange) (status int, header http.Header, body string) {
	t.Helper()
	address := base + recorded.Request.Path + "?" + recorded.Request.Query
	request, err := http.NewRequestWithContext(t.Context(), recorded.Request.Method, strings.TrimSuffix(address, "?"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = recordedHost
	for name, value := range recorded.Request.Headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

// recordedInstallation returns a Waldur with every record in the recordings, and
// with fillers for the others, of which only the number is known.
func recordedInstallation(t *testing.T, exchanges map[string]exchange) *waldurtest.Waldur {
	t.Helper()
	const (
		scopeS = "/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"
		scopeM = "/api/projects/bab54dd03f9b4b9eac9fe93c1e337e68/"
		scopeL = "/api/projects/7eac87c62c414636a74588feb5b4956c/"
		scopeE = "/api/projects/5b2b2c36497145ed97ab07b2635aad6b/"
		scopeA = "/api/customers/ff9acf801b2f4d1bbf5ecc2ff6c86c58/"
		userU  = "/api/users/37642fea127b4c5cbcbcffd58be07352/"
	)
	ids := map[string]int64{} // of the records that were read by id, by their text
	for _, recorded := range exchanges {
		var id int64
		_, err := fmt.Sscanf(recorded.Request.Path, list+"%d/", &id)
		if err == nil && recorded.Response.Status == http.StatusOK && recorded.Request.Query == "" {
			ids[recorded.Response.Body] = id
		}
	}
	var stored []waldurtest.Record
	store := func(text string) {
		record := parse[waldurtest.Record](t, text)
		record.ID, record.Scope = ids[text], strings.TrimPrefix(record.Scope, "http://"+recordedHost)
		stored = append(stored, record)
		delete(ids, text)
	}
	for _, name := range []string{"list_S_ps300", "list_A_customer_ps300", "list_M_ps300_p1", "list_M_ps300_p3", "list_noscope_noroles"} {
		for _, text := range objects(t, exchanges[name].Response.Body) {
			store(text)
		}
	}
	for text := range ids { // those in no list
		store(text)
	}
	for n := range 11087 - len(stored) {
		filler := waldurtest.Record{Type: "filler", CategoryUUID: fmt.Sprintf("%032x", n), Date: "2020-01-01", Scope: scopeL}
		if n < 300 { // page 2 of M, between the recorded ones
			filler.Date, filler.Scope = "2023-09-01", scopeM
		}
		stored = append(stored, filler)
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

// sameButTies reports whether two lists differ at most in the order of records of
// the same date and type, which only the database knows. Every recorded page ends
// where such a tie ends, so it has the same records in any order.
func sameButTies(t *testing.T, got, want string) bool {
	t.Helper()
	type tie struct{ Date, Type string }
	sorted := func(list string) []string { return slices.Sorted(slices.Values(objects(t, list))) }
	return strings.HasPrefix(want, `[{"`) && len(got) == len(want) && // both are compact JSON
		slices.Equal(parse[[]tie](t, got), parse[[]tie](t, want)) && slices.Equal(sorted(got), sorted(want))
}

// objects returns the objects of a list as they are written.
func objects(t *testing.T, list string) (texts []string) {
	t.Helper()
	for _, object := range parse[[]jsontext.Value](t, list) {
		texts = append(texts, string(object))
	}
	return texts
}

// parse decodes JSON. A name such as measured_unit matches the field MeasuredUnit.
func parse[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
	return value
}
