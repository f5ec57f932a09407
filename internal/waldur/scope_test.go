package waldur

import (
	"strings"
	"testing"
)

const someUUID = "2b5719686db84f24bf64c3dfec58fbeb"

func TestScopeIsParsedFromTheEndOfAURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Scope{
		"https://waldur.example.com/api/projects/" + someUUID + "/":                     {Project, someUUID},
		"https://waldur.example.com/api/customers/" + someUUID + "/":                    {Customer, someUUID},
		"http://localhost:8000/api/projects/" + someUUID + "/":                          {Project, someUUID},
		"HTTPS://waldur.example.com/api/projects/" + someUUID + "/":                     {Project, someUUID},
		"https://waldur.example.com/waldur/api/projects/" + someUUID + "/":              {Project, someUUID},
		"https://waldur.example.com/projects/" + someUUID + "/":                         {Project, someUUID},
		"https://waldur.example.com/api/projects/" + strings.ToUpper(someUUID) + "/":    {Project, someUUID},
		"https://waldur.example.com/api/projects/2b571968-6db8-4f24-bf64-c3dfec58fbeb/": {Project, someUUID},
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			if got, err := ParseScopeURL(raw); err != nil || got != want {
				t.Errorf("%v, error %v, want %v", got, err, want)
			}
		})
	}
}

// Waldur answers some of these with the records of another project or customer,
// and the empty one with all records.
func TestScopeThatIsNotOneProjectOrCustomerIsRejected(t *testing.T) {
	t.Parallel()
	const start, end = "https://waldur.example.com/api/projects/", someUUID + "/"
	for name, raw := range map[string]string{
		"empty":                  "",
		"blank":                  " ",
		"bare uuid":              someUUID,
		"bare path":              "/api/projects/" + end,
		"no scheme":              "waldur.example.com/api/projects/" + end,
		"no host":                "https:///api/projects/" + end,
		"another scheme":         "ftp://waldur.example.com/api/projects/" + end,
		"list of customers":      "https://waldur.example.com/api/customers/",
		"list of projects":       start,
		"financial reports":      "https://waldur.example.com/api/financial-reports/",
		"sub-resource":           "https://waldur.example.com/api/customers/" + end + "users/",
		"sub-resource, no slash": start + end + "users",
		"plan component":         "https://waldur.example.com/api/marketplace-plan-components/" + end,
		"user":                   "https://waldur.example.com/api/users/" + end,
		"offering":               "https://waldur.example.com/api/marketplace-public-offerings/" + end,
		"upper-case kind":        "https://waldur.example.com/api/PROJECTS/" + end,
		"no last slash":          start + someUUID,
		"two last slashes":       start + end + "/",
		"query":                  start + end + "?x=1",
		"empty query":            start + end + "?",
		"fragment":               start + end + "#x",
		"empty fragment":         start + end + "#",
		"user and password":      "https://user:password@waldur.example.com/api/projects/" + end,
		"uuid too short":         start + someUUID[1:] + "/",
		"uuid too long":          start + "0" + end,
		"uuid that is not hex":   start + "g" + someUUID[1:] + "/",
		"uuid percent-encoded":   start + "%32" + someUUID[1:] + "/",
		"slash percent-encoded":  "https://waldur.example.com/api/projects%2F" + end,
		"dots after the uuid":    start + end + "../",
		"space at the end":       start + end + " ",
		"line break at the end":  start + end + "\n",
		"two URLs":               start + end + " " + start + end,
		"malformed port":         "https://waldur.example.com:port/api/projects/" + end,
		"only slashes":           "//waldur.example.com/api/projects/" + end,
		"backslashes":            `https:\\waldur.example.com\api\projects\` + someUUID + `\`,
		"misplaced hyphens":      start + "2b57-19686db84f24bf64-c3dfec58-fb-eb/",
		"uuid in braces":         start + "{" + someUUID + "}/",
		"only the kind and uuid": "projects/" + end,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseScopeURL(raw)
			if err == nil {
				t.Fatalf("the scope is %v, want an error", got)
			}
			if strings.Contains(err.Error(), "password") {
				t.Errorf("the error has the password: %q", err)
			}
		})
	}
}

func TestUUIDIsParsedInAnyCaseWithOrWithoutHyphens(t *testing.T) {
	t.Parallel()
	for raw, valid := range map[string]bool{
		someUUID:                                   true,
		strings.ToUpper(someUUID):                  true,
		"2b571968-6db8-4f24-bf64-c3dfec58fbeb":     true,
		"2B571968-6DB8-4F24-BF64-C3DFEC58FBEB":     true,
		"":                                         false,
		" " + someUUID:                             false,
		someUUID + "\n":                            false,
		someUUID[:31]:                              false,
		someUUID + "0":                             false,
		"2b571968-6db8-4f24-bf64c3dfec58fbeb":      false,
		"2b571968-6db8-4f24-bf64-c3dfec58fbe-":     false,
		"--------------------------------":         false,
		"{2b571968-6db8-4f24-bf64-c3dfec58fbeb}":   false,
		"urn:uuid:2b571968-6db8-4f24-bf64-c3dfec5": false,
		"２b5719686db84f24bf64c3dfec58fbeb":         false,
		"2b571968‐6db8‐4f24‐bf64‐c3dfec58fbeb":     false, // typographic hyphens
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			got, err := ParseUUID(raw)
			if (err == nil) != valid || (valid && got != someUUID) {
				t.Errorf("%q, error %v", got, err)
			}
		})
	}
}

func TestScopeString(t *testing.T) {
	t.Parallel()
	if got := (Scope{Customer, someUUID}).String(); got != "customer "+someUUID {
		t.Error(got)
	}
}

// FuzzParseScopeURL checks that a parsed scope is in the URL, that it is the scope
// of the URL that is sent to Waldur, and that the URL in a record is parsed alike.
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
		if seen, ok := scopeOfURL(raw); !ok || seen != scope {
			t.Errorf("in a record, it is parsed as %v", seen)
		}
	})
}
