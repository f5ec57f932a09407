package waldur

import (
	"errors"
	"strings"
	"testing"
)

const someUUID = "2b5719686db84f24bf64c3dfec58fbeb"

func TestScopeIsParsedFromTheEndOfAURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://waldur.example.com/api/projects/" + someUUID + "/":                     "project " + someUUID,
		"https://waldur.example.com/api/customers/" + someUUID + "/":                    "customer " + someUUID,
		"HTTP://localhost:8000/api/projects/" + someUUID + "/":                          "project " + someUUID,
		"https://waldur.example.com/waldur/api/projects/" + someUUID + "/":              "project " + someUUID,
		"https://waldur.example.com/projects/" + someUUID + "/":                         "project " + someUUID,
		"https://waldur.example.com/api/projects/2B571968-6db8-4f24-bf64-c3dfec58fbeb/": "project " + someUUID,
	} {
		if got, err := ParseScopeURL(raw); err != nil || got.String() != want {
			t.Errorf("%s is %v, error %v, want %v", raw, got, err, want)
		}
	}
}

// For some of these, Waldur returns the records of another project or customer,
// and for the empty one, all records.
func TestScopeThatIsNotOneProjectOrCustomerIsRejected(t *testing.T) {
	t.Parallel()
	const start, end = "https://waldur.example.com/api/projects/", someUUID + "/"
	for name, raw := range map[string]string{
		"empty":                  "",
		"bare uuid":              someUUID,
		"bare path":              "/api/projects/" + end,
		"no scheme":              "waldur.example.com/api/projects/" + end,
		"no host":                "https:///api/projects/" + end,
		"another scheme":         "ftp://waldur.example.com/api/projects/" + end,
		"list of customers":      "https://waldur.example.com/api/customers/",
		"financial reports":      "https://waldur.example.com/api/financial-reports/",
		"sub-resource":           "https://waldur.example.com/api/customers/" + end + "users/",
		"sub-resource, no slash": start + end + "users",
		"upper-case kind":        "https://waldur.example.com/api/PROJECTS/" + end,
		"no last slash":          start + someUUID,
		"two last slashes":       start + end + "/",
		"empty query":            start + end + "?",
		"empty fragment":         start + end + "#",
		"user and password":      "https://user:password@waldur.example.com/api/projects/" + end,
		"invalid uuid":           start + someUUID[1:] + "/",
		"uuid percent-encoded":   start + "%32" + someUUID[1:] + "/",
		"slash percent-encoded":  "https://waldur.example.com/api/projects%2F" + end,
		"dots after the uuid":    start + end + "../",
		"space at the end":       start + end + " ",
		"line break at the end":  start + end + "\n",
		"two URLs":               start + end + " " + start + end,
	} {
		if got, err := ParseScopeURL(raw); err == nil || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: the scope is %v, error %v, want an error without the URL", name, got, err)
		}
	}
}

func TestUUIDIsParsedInAnyCaseWithOrWithoutHyphens(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		strings.ToUpper(someUUID):                  someUUID,
		"2B571968-6DB8-4F24-BF64-C3DFEC58FBEB":     someUUID,
		"":                                         "",
		someUUID + "\n":                            "",
		someUUID[:31]:                              "",
		someUUID[:30]:                              "",
		someUUID + "0a":                            "",
		"g" + someUUID[1:]:                         "",
		"2b571968-6db8-4f24-bf64c3dfec58fbeb":      "",
		"2b57-19686db84f24bf64-c3dfec58-fb-eb":     "",
		"{2b571968-6db8-4f24-bf64-c3dfec58fbeb}":   "",
		"urn:uuid:2b571968-6db8-4f24-bf64-c3dfec5": "",
		"2b571968‐6db8‐4f24‐bf64‐c3dfec58fbeb":     "", // typographic hyphens
	} {
		if got, err := ParseUUID(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is parsed as %q, error %v", raw, got, err)
		}
	}
}

func TestRecordOfAnotherScopeIsNamed(t *testing.T) {
	t.Parallel()
	asked := Scope{Project, someUUID}
	for got, scope := range map[string]Nullable[string]{
		"":                        Of("http://another.example.com/prefix/projects/" + someUUID + "/"),
		"customer " + someUUID:    Of("https://waldur.example.com/api/customers/" + someUUID + "/"),
		"no scope":                {},
		`the scope "not a scope"`: Of("not a\tscope"),
	} {
		err := NewClient(Config{}).checkScopes(Request{}, asked, []Usage{{Scope: scope}})
		if wrong, ok := errors.AsType[*FilterError](err); ok != (got != "") || ok && (wrong.Got != got || wrong.Asked != asked.String()) {
			t.Errorf("%v: error %v, want one that names %q", scope, err, got)
		}
	}
}

// FuzzParseScopeURL checks that a parsed scope is in the URL, and that it is the
// scope of the URL that is sent to Waldur.
func FuzzParseScopeURL(f *testing.F) {
	for _, raw := range []string{
		"https://waldur.example.com/api/projects/" + someUUID + "/", "http://h/customers/2B571968-6db8-4f24-bf64-c3dfec58fbeb/",
		"https://h/api/customers/", "https://h/api/customers/" + someUUID + "/users/", "https://h/api/projects/" + someUUID + "/?#", "", someUUID,
		"https://h/api/projects%2f" + someUUID + "/", "https://u:p@h/projects/" + someUUID + "/", "https://h/projects/" + someUUID + "//",
	} {
		f.Add(raw)
	}
	endpoint, err := ParseEndpoint("https://waldur.example.com/prefix")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		scope, err := ParseScopeURL(raw)
		if err != nil {
			return
		}
		lower := strings.ReplaceAll(strings.ToLower(raw), "-", "")
		if !strings.HasSuffix(raw, "/") || !strings.HasSuffix(lower, scope.UUID+"/") || !strings.Contains(raw, "/"+string(scope.Kind)+"/") {
			t.Errorf("%q is parsed as %v", raw, scope)
		}
		if uuid, err := ParseUUID(scope.UUID); err != nil || uuid != scope.UUID {
			t.Errorf("uuid %q", scope.UUID)
		}
		if again, err := ParseScopeURL(endpoint.ScopeURL(scope)); err != nil || again != scope {
			t.Errorf("%v is sent as %v, error %v", scope, again, err)
		}
	})
}
