package waldur_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestScopeIsParsedFromTheEndOfAURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://waldur.example.com" + projectPath:                                      "project " + projectUUID,
		"https://waldur.example.com/api/customers/" + projectUUID + "/":                 "customer " + projectUUID,
		"HTTP://localhost:8000" + projectPath:                                           "project " + projectUUID,
		"https://waldur.example.com/waldur" + projectPath:                               "project " + projectUUID,
		"https://waldur.example.com/projects/" + projectUUID + "/":                      "project " + projectUUID,
		"https://waldur.example.com/api/projects/2B571968-6db8-4f24-bf64-c3dfec58fbeb/": "project " + projectUUID,
	} {
		if got, err := waldur.ParseScopeURL(raw); err != nil || got.String() != want {
			t.Errorf("%s: got %v, error %v, want %v", raw, got, err, want)
		}
	}
}

// For some of these, Waldur returns the records of another project or customer,
// and for the empty one, all records.
func TestScopeThatIsNotOneProjectOrCustomerIsRejected(t *testing.T) {
	t.Parallel()
	const (
		projects, uuid = "https://waldur.example.com/api/projects/", projectUUID + "/"
		noURL          = "is not the http or https URL"
		excess         = "contains a user, a query, a fragment or a space"
		noScope        = "must end in /projects/<uuid>/ or /customers/<uuid>/"
	)
	wantRejected(t, waldur.ParseScopeURL, map[string]struct{ value, message string }{
		"empty":                  {"", noURL},
		"bare uuid":              {projectUUID, noURL},
		"bare path":              {projectPath, noURL},
		"no scheme":              {"waldur.example.com" + projectPath, noURL},
		"no host":                {"https://" + projectPath, noURL},
		"another scheme":         {"ftp://waldur.example.com" + projectPath, noURL},
		"line break at the end":  {projects + uuid + "\n", noURL},
		"empty query":            {projects + uuid + "?", excess},
		"empty fragment":         {projects + uuid + "#", excess},
		"user and password":      {"https://user:" + secret + "@waldur.example.com" + projectPath, excess},
		"space at the end":       {projects + uuid + " ", excess},
		"two URLs":               {projects + uuid + " " + projects + uuid, excess},
		"list of customers":      {"https://waldur.example.com/api/customers/", noScope},
		"financial reports":      {"https://waldur.example.com/api/financial-reports/", noScope},
		"sub-resource":           {"https://waldur.example.com/api/customers/" + uuid + "users/", noScope},
		"sub-resource, no slash": {projects + uuid + "users", noScope},
		"upper-case kind":        {"https://waldur.example.com/api/PROJECTS/" + uuid, noScope},
		"no last slash":          {projects + projectUUID, noScope},
		"two last slashes":       {projects + uuid + "/", noScope},
		"invalid uuid":           {projects + uuid[1:], noScope},
		"uuid percent-encoded":   {projects + "%32" + uuid[1:], noScope},
		"slash percent-encoded":  {"https://waldur.example.com/api/projects%2F" + uuid, noScope},
		"dots after the uuid":    {projects + uuid + "../", noScope},
	})
}

func TestUUIDIsParsedInAnyCaseWithOrWithoutHyphens(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{ // empty: an error
		strings.ToUpper(projectUUID):               projectUUID,
		"2B571968-6DB8-4F24-BF64-C3DFEC58FBEB":     projectUUID,
		"":                                         "",
		projectUUID + "\n":                         "",
		projectUUID[:31]:                           "",
		projectUUID[:30]:                           "",
		projectUUID + "0a":                         "",
		"g" + projectUUID[1:]:                      "",
		"2b571968-6db8-4f24-bf64c3dfec58fbeb":      "",
		"2b57-19686db84f24bf64-c3dfec58-fb-eb":     "",
		"{2b571968-6db8-4f24-bf64-c3dfec58fbeb}":   "",
		"urn:uuid:2b571968-6db8-4f24-bf64-c3dfec5": "",
		"2b571968‐6db8‐4f24‐bf64‐c3dfec58fbeb":     "", // typographic hyphens
	} {
		if got, err := waldur.ParseUUID(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, error %v, want %q", raw, got, err, want)
		}
	}
}

func TestRecordOfAnotherScopeIsNamed(t *testing.T) {
	t.Parallel()
	const otherUUID = "ff9acf801b2f4d1bbf5ecc2ff6c86c58"
	for want, scope := range map[string]string{ // empty: no error
		"":                        `"http://another.example.com/prefix/projects/` + projectUUID + `/"`,
		"customer " + projectUUID: `"https://waldur.example.com/api/customers/` + projectUUID + `/"`,
		"project " + otherUUID:    `"https://waldur.example.com/api/projects/` + otherUUID + `/"`,
		"no scope":                `null`,
		`the scope "not a scope"`: `"not a\tscope"`,
	} {
		url, _ := serve(t, status(200, `[{"date":"2024-09-01","scope":`+scope+`}]`, "X-Result-Count: 1"))
		query := waldur.Query{Scope: project(), Fields: waldur.Fields(waldur.FieldScope)}
		_, err := connect(t, url, waldur.Config{}).Usages(t.Context(), query)
		filtered, ok := errors.AsType[*waldur.FilterError](err)
		if ok != (want != "") || ok && (filtered.Got != want || filtered.Asked != "project "+projectUUID) {
			t.Errorf("%s: got error %v, want a record of %q", scope, err, want)
		}
	}
}

func TestDateMustExistAndBeInISOForm(t *testing.T) {
	t.Parallel()
	for raw, valid := range map[string]bool{
		"2024-09-01": true, "2024-02-29": true, "2024-12-31": true, "0001-01-01": true, "9999-12-31": true,
		"": false, " ": false, "2024": false, "2024-09": false, "2024-9-1": false, "09/01/2024": false, "Sep 1 2024": false,
		"2023-02-29": false, "2024-02-30": false, "2024-13-01": false, "2024-00-01": false, "2024-01-00": false, "0000-01-01": false,
		"2024-09-01T00:00:00Z": false, "2024-09-01 ": false, " 2024-09-01": false, "2024-09-01\n": false, "+2024-09-01": false,
		"12024-09-01": false, "-024-09-01": false, "２０２４-09-01": false,
	} {
		if date, err := waldur.ParseDate(raw); (err == nil) != valid || valid && date.Format(time.DateOnly) != raw {
			t.Errorf("%q: got %s, error %v, want valid %t", raw, date, err, valid)
		}
	}
}

func TestDateOfARecordByIDIsValidOrNull(t *testing.T) {
	t.Parallel()
	for date, valid := range map[string]bool{`"2024-10-01"`: true, `null`: true, `""`: false, `"01.10.2024"`: false} {
		url, _ := serve(t, status(200, fmt.Sprintf(`{"date":%s}`, date)))
		if _, err := readDate(t, url, waldur.Config{}); (err == nil) != valid {
			t.Errorf("%s: got error %v, want valid %t", date, err, valid)
		}
	}
}

// FuzzParseScopeURL checks that a parsed scope is in the URL, and that it is the
// scope of the URL that is sent to Waldur.
func FuzzParseScopeURL(f *testing.F) {
	for _, raw := range []string{
		"https://waldur.example.com" + projectPath, "http://h/customers/2B571968-6db8-4f24-bf64-c3dfec58fbeb/",
		"https://h/api/customers/", "https://h/api/customers/" + projectUUID + "/users/", "https://h" + projectPath + "?#", "", projectUUID,
		"https://h/api/projects%2f" + projectUUID + "/", "https://u:p@h/projects/" + projectUUID + "/", "https://h/projects/" + projectUUID + "//",
	} {
		f.Add(raw)
	}
	endpoint, err := waldur.ParseEndpoint("https://waldur.example.com/prefix")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		scope, err := waldur.ParseScopeURL(raw)
		if err != nil {
			return
		}
		lower := strings.ReplaceAll(strings.ToLower(raw), "-", "")
		if !strings.HasSuffix(raw, "/") || !strings.HasSuffix(lower, scope.UUID+"/") || !strings.Contains(raw, "/"+string(scope.Kind)+"/") {
			t.Errorf("%q: got %v", raw, scope)
		}
		if uuid, err := waldur.ParseUUID(scope.UUID); err != nil || uuid != scope.UUID {
			t.Errorf("%q: got UUID %q, want it in lower case without hyphens", raw, scope.UUID)
		}
		if again, err := waldur.ParseScopeURL(endpoint.ScopeURL(scope)); err != nil || again != scope {
			t.Errorf("%v: sent as %v, error %v", scope, again, err)
		}
	})
}
