package provider

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const someUUID = "2b5719686db84f24bf64c3dfec58fbeb"

func TestListArgumentsAreValidated(t *testing.T) {
	t.Parallel()
	const url = "https://waldur.example.com/api/projects/" + someUUID + "/"
	for name, row := range map[string]struct {
		block     attributes
		attribute string // of the only diagnostic; "": none
		summary   string
		detail    string
	}{
		"a project's URL":         {block: attributes{"scope": url}},
		"a customer's URL":        {block: attributes{"scope": "http://localhost:8000/api/customers/2B571968-6DB8-4F24-BF64-C3DFEC58FBEB/"}},
		"a URL below a prefix":    {block: attributes{"scope": "https://waldur.example.com/waldur/api/projects/" + someUUID + "/"}},
		"a project's uuid":        {block: attributes{"project_uuid": "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"}},
		"a customer's uuid":       {block: attributes{"customer_uuid": someUUID}},
		"months":                  {block: attributes{"customer_uuid": someUUID, "date_after": "2024-02-01", "date_before": "2024-02-29"}},
		"one day":                 {block: attributes{"customer_uuid": someUUID, "date_after": "2024-02-01", "date_before": "2024-02-01"}},
		"every field":             {block: attributes{"customer_uuid": someUUID, "fields": fieldNames()}},
		"everything is unknown":   {block: attributes{"scope": unknown, "project_uuid": unknown, "customer_uuid": unknown, "date_after": unknown, "date_before": unknown, "fields": unknown}},
		"possibly two scopes":     {block: attributes{"scope": url, "project_uuid": unknown}},
		"an unknown later date":   {block: attributes{"scope": url, "date_after": "2024-09-01", "date_before": unknown}},
		"an unknown earlier date": {block: attributes{"scope": url, "date_after": unknown, "date_before": "2024-09-01"}},

		"no scope":            {attributes{}, "scope", "Invalid Attribute Combination", "At least one attribute out of [project_uuid,customer_uuid,scope] must be specified"},
		"scope and uuid":      {attributes{"scope": url, "customer_uuid": someUUID}, "customer_uuid", "Invalid Attribute Combination", `"scope" cannot be specified when "customer_uuid" is`},
		"two uuids":           {attributes{"project_uuid": someUUID, "customer_uuid": someUUID}, "customer_uuid", "Invalid Attribute Combination", `"project_uuid" cannot be specified when "customer_uuid" is`},
		"no field":            {attributes{"customer_uuid": someUUID, "fields": []string{}}, "fields", "Invalid Attribute Value", "at least 1"},
		"an empty scope":      {attributes{"scope": ""}, "scope", "Invalid scope", "https://waldur.example.com/api/projects/<uuid>/"},
		"a blank scope":       {attributes{"scope": "  "}, "scope", "Invalid scope", "https://waldur.example.com/api/projects/<uuid>/"},
		"a uuid as scope":     {attributes{"scope": someUUID}, "scope", "Invalid scope", "project_uuid"},
		"a path as scope":     {attributes{"scope": "/api/projects/" + someUUID + "/"}, "scope", "Invalid scope", "http"},
		"a list as scope":     {attributes{"scope": "https://waldur.example.com/api/customers/"}, "scope", "Invalid scope", "/customers/<uuid>/"},
		"a sub-resource":      {attributes{"scope": strings.Replace(url, "projects", "customers", 1) + "users/"}, "scope", "Invalid scope", "/customers/<uuid>/"},
		"a user":              {attributes{"scope": strings.Replace(url, "projects", "users", 1)}, "scope", "Invalid scope", "/projects/<uuid>/"},
		"no last slash":       {attributes{"scope": strings.TrimSuffix(url, "/")}, "scope", "Invalid scope", "trailing slash"},
		"a scope with query":  {attributes{"scope": url + "?a=b"}, "scope", "Invalid scope", "query"},
		"a short uuid":        {attributes{"project_uuid": someUUID[1:]}, "project_uuid", "Invalid project_uuid", "32 hexadecimal digits"},
		"an empty uuid":       {attributes{"project_uuid": ""}, "project_uuid", "Invalid project_uuid", "32 hexadecimal digits"},
		"a uuid with letters": {attributes{"customer_uuid": strings.Replace(someUUID, "2", "g", 1)}, "customer_uuid", "Invalid customer_uuid", "32 hexadecimal digits"},
		"a year":              {attributes{"scope": url, "date_after": "2024"}, "date_after", "Invalid date_after", "YYYY-MM-DD"},
		"an American date":    {attributes{"scope": url, "date_before": "09/01/2024"}, "date_before", "Invalid date_before", "YYYY-MM-DD"},
		"a short date":        {attributes{"scope": url, "date_before": "2024-9-1"}, "date_before", "Invalid date_before", "YYYY-MM-DD"},
		"an empty date":       {attributes{"scope": url, "date_after": ""}, "date_after", "Invalid date_after", "YYYY-MM-DD"},
		"no such day":         {attributes{"scope": url, "date_before": "2023-02-29"}, "date_before", "Invalid date_before", "exists"},
		"reversed dates":      {attributes{"scope": url, "date_after": "2024-10-01", "date_before": "2024-09-30"}, "date_after", "Invalid date_after", "later than date_before"},
		"a timeout in words":  {attributes{"scope": url, "timeouts": timeout("ten minutes")}, "timeouts", "Invalid Attribute Value Time Duration", "ten minutes"},
		"a timeout of zero":   {attributes{"scope": url, "timeouts": timeout("0s")}, "timeouts", "Invalid timeouts.read", "longer than 0"},
		"a negative timeout":  {attributes{"scope": url, "timeouts": timeout("-5m")}, "timeouts", "Invalid timeouts.read", "longer than 0"},
		"a null field":        {attributes{"scope": url, "fields": []any{"date", nil}}, "fields", "Null Set Value", "null"},
		"an unknown field":    {attributes{"scope": url, "fields": []string{"uuid"}}, "fields", "Invalid Attribute Value Match", `"reported_usage"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := newSession(t, nil).validate(listType, row.block)
			if row.attribute == "" && len(found) == 0 {
				return
			}
			if len(found) != 1 || found[0].severity != "error" || found[0].attribute != row.attribute || found[0].summary != row.summary ||
				!strings.Contains(found[0].detail, row.detail) {
				t.Errorf("got:\n%swant at %q: %s … %s", found, row.attribute, row.summary, row.detail)
			}
		})
	}
}

// date_after = "2024-09-02" leaves out September, which few people intend.
func TestWarnsWhenDateAfterLeavesOutAMonth(t *testing.T) {
	t.Parallel()
	found := newSession(t, nil).validate(listType, attributes{"project_uuid": someUUID, "date_after": "2024-09-02"})
	if len(found) != 1 || found[0].severity != "warning" || found[0].attribute != "date_after" ||
		!strings.Contains(found[0].detail, "leaves out September 2024") || !strings.Contains(found[0].detail, `"2024-09-01"`) {
		t.Errorf("got:\n%s", found)
	}
}

// timeout returns a value of the argument timeouts.
func timeout(read string) map[string]tftypes.Value {
	return map[string]tftypes.Value{"read": tftypes.NewValue(tftypes.String, read)}
}

func TestListHasEveryAttribute(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	reported := int64(-5)
	server.Add(waldurtest.Record{
		Name: "Größe 🚀", Type: "cpu", MeasuredUnit: "", CategoryTitle: `"VM"`, CategoryUUID: someUUID,
		Date: "2024-09-01", ReportedUsage: &reported, Scope: scope,
	})
	url := server.Start(t)
	s := newSession(t, nil)
	s.requireNone(s.configure(attributes{"endpoint": url, "token": waldurtest.Token}))
	arguments := attributes{"scope": url + scope, "date_before": "2024-09-30"}
	state, found := s.read(listType, arguments)
	s.requireNone(found)
	want := map[string]any{
		"scope": url + scope, "project_uuid": nil, "customer_uuid": nil, "date_after": nil, "date_before": "2024-09-30", "fields": nil, "timeouts": nil,
		"usages": []any{map[string]any{
			"name": "Größe 🚀", "type": "cpu", "measured_unit": "", "category_title": `"VM"`, "category_uuid": someUUID,
			"date": "2024-09-01", "reported_usage": int64(-5), "fixed_usage": nil, "scope": url + scope,
		}},
	}
	if !reflect.DeepEqual(state, want) {
		t.Errorf("\n got %v\nwant %v", state, want)
	}
}

// Waldur refuses a scope with a path prefix.
func TestUUIDBecomesAScopeThatWaldurAccepts(t *testing.T) {
	t.Parallel()
	for argument, kind := range map[string]string{"project_uuid": "projects", "customer_uuid": "customers"} {
		t.Run(argument, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.PathPrefix = "/waldur"
			server.AddScope("/api/" + kind + "/" + someUUID + "/")
			url := server.Start(t)
			s := newSession(t, nil)
			s.requireNone(s.configure(attributes{"endpoint": url + "/api/", "token": waldurtest.Token}))
			state, found := s.read(listType, attributes{argument: "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"})
			s.requireNone(found)
			want := strings.TrimSuffix(url, "/waldur") + "/api/" + kind + "/" + someUUID + "/"
			if state["scope"] != want || state[argument] != "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB" {
				t.Errorf("got %v, want scope %s and the uuid as written", state, want)
			}
			request := server.Requests()[0]
			if request.Path != "/waldur/api/marketplace-category-component-usages/" || request.Query.Get("scope") != want {
				t.Errorf("requested %s with scope %s", request.Path, request.Query.Get("scope"))
			}
		})
	}
}

func TestOtherFieldsAreNull(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string][]string{
		"two":      {"type", "reported_usage"},
		"only one": {"scope"},
		"none":     {},
		"the date": {"date"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			scope := waldurtest.ProjectScope(1)
			fixed := int64(2)
			server.Add(waldurtest.Record{
				ID: 7, Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "VM", CategoryUUID: someUUID,
				Date: "2024-09-01", ReportedUsage: &fixed, FixedUsage: &fixed, Scope: scope,
			})
			s := connect(t, server, nil)
			list, found := s.read(listType, attributes{"scope": "http://localhost" + scope, "fields": fields})
			s.requireNone(found)
			record, found := s.read(oneType, attributes{"id": 7, "fields": fields})
			s.requireNone(found)
			inList := list["usages"].([]any)[0].(map[string]any)
			for _, name := range fieldNames() {
				requested := name == "date" || slices.Contains(fields, name)
				if (inList[name] != nil) != requested || (record[name] != nil) != requested {
					t.Errorf("%s: %v in the list, %v alone; requested: %t", name, inList[name], record[name], requested)
				}
			}
			if !reflect.DeepEqual(sorted(list["fields"]), slices.Sorted(slices.Values(fields))) {
				t.Errorf("fields are %v, want %v", list["fields"], fields)
			}
		})
	}
}

func TestDatesLimitTheList(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	for _, month := range []string{"2024-10-01", "2024-09-01", "2024-08-01"} {
		server.Add(waldurtest.Record{Type: "cpu", CategoryUUID: someUUID, Date: month, Scope: scope})
	}
	for name, row := range map[string]struct {
		block attributes
		want  []string
	}{
		"no bound":       {attributes{}, []string{"2024-10-01", "2024-09-01", "2024-08-01"}},
		"the first date": {attributes{"date_after": "2024-09-01"}, []string{"2024-10-01", "2024-09-01"}},
		"the last date":  {attributes{"date_before": "2024-09-01"}, []string{"2024-09-01", "2024-08-01"}},
		"both":           {attributes{"date_after": "2024-09-01", "date_before": "2024-09-30"}, []string{"2024-09-01"}},
		"between months": {attributes{"date_after": "2024-09-02", "date_before": "2024-09-30"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := connect(t, server, nil)
			row.block["project_uuid"] = someProject(scope)
			state, found := s.read(listType, row.block)
			s.requireNone(found)
			var got []string
			for _, usage := range state["usages"].([]any) {
				got = append(got, usage.(map[string]any)["date"].(string))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func sorted(set any) []string {
	var names []string
	for _, name := range set.([]any) {
		names = append(names, name.(string))
	}
	slices.Sort(names)
	return names
}

// Two genuine records of a component in a month count twice in a sum.
func TestWarnsOfSeveralRecordsOfAComponentAndMonth(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		months int
		fields []string
		want   []string // in the detail; nil: no warning
	}{
		"one":                     {1, nil, []string{"\n- 2 records of cpu of category " + someUUID + " in 2024-01"}},
		"twelve":                  {12, nil, []string{"in 2024-12", "in 2024-03", "and 2 more"}},
		"cannot be distinguished": {1, []string{"reported_usage"}, nil},
		"none":                    {0, nil, nil},
		"only type and category":  {1, []string{"type", "category_uuid"}, []string{"cpu of category"}},
		"without the category":    {1, []string{"type"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			scope := waldurtest.ProjectScope(1)
			for month := 1; month <= 12; month++ {
				record := waldurtest.Record{Type: "cpu", CategoryUUID: someUUID, Date: fmt.Sprintf("2024-%02d-01", month), Scope: scope}
				server.Add(record)
				if month <= row.months {
					server.Add(record)
				}
			}
			s := connect(t, server, nil)
			block := attributes{"scope": "http://localhost" + scope}
			if row.fields != nil {
				block["fields"] = row.fields
			}
			state, found := s.read(listType, block)
			if n := len(state["usages"].([]any)); n != 12+row.months {
				t.Errorf("%d records, want %d", n, 12+row.months)
			}
			if row.want == nil {
				s.requireNone(found)
				return
			}
			if len(found) != 1 || found[0].severity != "warning" || found[0].attribute != "usages" {
				t.Fatalf("got:\n%s", found)
			}
			for _, want := range row.want {
				if !strings.Contains(found[0].detail, want) {
					t.Errorf("got:\n%swant %q", found, want)
				}
			}
			if lines := strings.Count(found[0].detail, "\n"); lines > 11 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

func TestWarningHasEachComponentAndMonthOnce(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	const hostile = "cpu\x1b[31m " + waldurtest.Token + "\n- 9 records"
	for _, records := range []struct {
		componentType, date string
		number              int
	}{{"cpu", "2024-02-01", 3}, {"ram", "2024-02-01", 2}, {"cpu", "2024-01-01", 2}, {"disk", "2024-01-01", 1}, {hostile, "2024-01-01", 2}} {
		for range records.number {
			server.Add(waldurtest.Record{Type: records.componentType, CategoryUUID: someUUID, Date: records.date, Scope: scope})
		}
	}
	state, found := connect(t, server, nil).read(listType, attributes{"scope": "http://localhost" + scope})
	if n := len(state["usages"].([]any)); n != 10 || len(found) != 1 || found[0].severity != "warning" {
		t.Fatalf("%d records, got:\n%s", n, found)
	}
	const want = "counts each of them:" +
		"\n- 3 records of cpu of category " + someUUID + " in 2024-02" +
		"\n- 2 records of ram of category " + someUUID + " in 2024-02" +
		"\n- 2 records of cpu of category " + someUUID + " in 2024-01" +
		"\n- 2 records of cpu [token] - 9 records of category " + someUUID + " in 2024-01"
	if !strings.HasSuffix(found[0].detail, want) {
		t.Errorf("got:\n%q\nwant: %q", found[0].detail, want)
	}
}

func TestSecondReadReturnsTheSameState(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	server.Add(waldurtest.History(scope, 3, 5)...)
	s := connect(t, server, nil)
	first, found := s.read(listType, attributes{"project_uuid": someProject(scope)})
	s.requireNone(found)
	second, found := s.read(listType, attributes{"project_uuid": someProject(scope)})
	s.requireNone(found)
	if !reflect.DeepEqual(first, second) || len(first["usages"].([]any)) != 15 {
		t.Errorf("first %v, then %v", first, second)
	}
}

// The attributes of an object have no descriptions in a schema, so the page of
// the data source explains them in a table.
func TestPageOfTheListExplainsEveryAttributeOfARecord(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../templates/data-sources/category_component_usages.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for field := range waldur.AllFields().Each {
		kind := "String"
		if usageType().AttributeTypes[field.String()].Is(tftypes.Number) {
			kind = "Number"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", field, kind, meanings()[field])
	}
	if _, table, _ := strings.Cut(string(page), "| Attribute | Type | Meaning |\n|---|---|---|\n"); table != want.String() {
		t.Errorf("got:\n%s\nwant:\n%s", table, want.String())
	}
}

func someProject(scope string) string { return regexp.MustCompile("[0-9a-f]{32}").FindString(scope) }
