package provider

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func someProject(scope string) string { return regexp.MustCompile("[0-9a-f]{32}").FindString(scope) }

// timeout returns a value of the argument timeouts.
func timeout(read string) map[string]tftypes.Value {
	return map[string]tftypes.Value{"read": tftypes.NewValue(tftypes.String, read)}
}

func TestArgumentsAreValidated(t *testing.T) {
	t.Parallel()
	const (
		url         = "https://waldur.example.com/api/projects/" + someUUID + "/"
		combination = "Invalid Attribute Combination"
		digits      = "32 hexadecimal digits"
	)
	for name, row := range map[string]struct {
		block    attributes // with an id: of one record
		argument string     // of the only error; "": none
		summary  string
		detail   string
	}{
		"a project's URL":         {attributes{"scope": url}, "", "", ""},
		"a customer's URL":        {attributes{"scope": "http://localhost:8000/api/customers/2B571968-6DB8-4F24-BF64-C3DFEC58FBEB/"}, "", "", ""},
		"a project's uuid":        {attributes{"project_uuid": "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"}, "", "", ""},
		"a customer's uuid":       {attributes{"customer_uuid": someUUID}, "", "", ""},
		"months":                  {attributes{"customer_uuid": someUUID, "date_after": "2024-02-01", "date_before": "2024-02-29"}, "", "", ""},
		"every field":             {attributes{"customer_uuid": someUUID, "fields": set(fieldNames()...)}, "", "", ""},
		"possibly two scopes":     {attributes{"scope": url, "project_uuid": unknown}, "", "", ""},
		"an unknown later date":   {attributes{"scope": url, "date_after": "2024-09-01", "date_before": unknown}, "", "", ""},
		"an unknown earlier date": {attributes{"scope": url, "date_after": unknown, "date_before": "2024-09-01"}, "", "", ""},
		"all is unknown": {attributes{"scope": unknown, "project_uuid": unknown, "customer_uuid": unknown,
			"date_after": unknown, "date_before": unknown, "fields": unknown, "timeouts": unknown}, "", "", ""},
		"an id":         {attributes{"id": 1}, "", "", ""},
		"an unknown id": {attributes{"id": unknown, "fields": unknown, "timeouts": unknown}, "", "", ""},

		"no scope":            {attributes{}, "scope", combination, "At least one attribute out of [project_uuid,customer_uuid,scope] must be specified"},
		"scope and uuid":      {attributes{"scope": url, "customer_uuid": someUUID}, "customer_uuid", combination, `when "customer_uuid" is`},
		"two uuids":           {attributes{"project_uuid": someUUID, "customer_uuid": someUUID}, "customer_uuid", combination, `"project_uuid" cannot be`},
		"an empty scope":      {attributes{"scope": ""}, "scope", "Invalid scope", "https://waldur.example.com/api/projects/<uuid>/"},
		"a uuid as scope":     {attributes{"scope": someUUID}, "scope", "Invalid scope", "project_uuid"},
		"no last slash":       {attributes{"scope": strings.TrimSuffix(url, "/")}, "scope", "Invalid scope", "trailing slash"},
		"a short uuid":        {attributes{"project_uuid": someUUID[1:]}, "project_uuid", "Invalid project_uuid", digits},
		"a uuid with letters": {attributes{"customer_uuid": strings.Replace(someUUID, "2", "g", 1)}, "customer_uuid", "Invalid customer_uuid", digits},
		"a year":              {attributes{"scope": url, "date_after": "2024"}, "date_after", "Invalid date_after", "YYYY-MM-DD"},
		"an empty date":       {attributes{"scope": url, "date_after": ""}, "date_after", "Invalid date_after", "YYYY-MM-DD"},
		"no such day":         {attributes{"scope": url, "date_before": "2023-02-29"}, "date_before", "Invalid date_before", "exists"},
		"reversed dates": {attributes{"scope": url, "date_after": "2024-10-01", "date_before": "2024-09-30"},
			"date_after", "Invalid date_after", "later than date_before"},
		"a timeout in words":  {attributes{"scope": url, "timeouts": timeout("ten minutes")}, "timeouts", "Invalid Attribute Value Time Duration", "ten"},
		"a timeout of zero":   {attributes{"scope": url, "timeouts": timeout("0s")}, "timeouts", "Invalid timeouts.read", "longer than 0"},
		"a negative timeout":  {attributes{"id": 1, "timeouts": timeout("-5m")}, "timeouts", "Invalid timeouts.read", "longer than 0"},
		"no field":            {attributes{"scope": url, "fields": set[any]()}, "fields", "Invalid Attribute Value", "at least 1"},
		"a null field":        {attributes{"scope": url, "fields": set[any]("date", nil)}, "fields", "Null Set Value", "null"},
		"an unknown field":    {attributes{"scope": url, "fields": set("uuid")}, "fields", "Invalid Attribute Value Match", `"reported_usage"`},
		"a field of a record": {attributes{"id": 1, "fields": set("id")}, "fields", "Invalid Attribute Value Match", `"reported_usage"`},
		"an id of 0":          {attributes{"id": 0}, "id", "Invalid id", "an integer of at least 1"},
		"a fraction":          {attributes{"id": 1.5}, "id", "Invalid id", "an integer of at least 1"},
		"a large id":          {attributes{"id": new(big.Float).SetMantExp(big.NewFloat(1), 63)}, "id", "Invalid id", "an integer of at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typeName, heading := listType, ""
			if row.block["id"] != nil {
				typeName = oneType
			}
			if row.argument != "" {
				heading = "error at " + row.argument + ": " + row.summary
			}
			newSession(t, nil).validate(typeName, row.block).require(t, heading, row.detail)
		})
	}
}

// date_after = "2024-09-02" leaves out September, which few people intend.
func TestWarnsWhenDateAfterLeavesOutAMonth(t *testing.T) {
	t.Parallel()
	newSession(t, nil).validate(listType, attributes{"project_uuid": someUUID, "date_after": "2024-09-02"}).
		require(t, "warning at date_after: Month excluded by date_after", "excludes September 2024", `"2024-09-01"`)
}

func TestListHasTheRecordsOfTheScopeAndTheDates(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	written := "https://another.example.com" + scope // its host can be another name
	reported := int64(-5)
	for _, month := range []string{"2024-10-01", "2024-09-01", "2024-08-01"} {
		server.Add(waldurtest.Record{
			Name: "Größe 🚀", Type: "cpu", MeasuredUnit: "", CategoryTitle: `"VM"`, CategoryUUID: someUUID,
			Date: month, ReportedUsage: &reported, Scope: scope,
		})
	}
	url := server.Start(t)
	s := newSession(t, nil)
	s.configure(attributes{"endpoint": url, "token": waldurtest.Token}).require(t, "")
	for name, row := range map[string]struct {
		after, before any
		want          []string
	}{
		"no dates":        {nil, nil, []string{"2024-10-01", "2024-09-01", "2024-08-01"}},
		"an earliest one": {"2024-09-01", nil, []string{"2024-10-01", "2024-09-01"}},
		"a latest one":    {nil, "2024-09-30", []string{"2024-09-01", "2024-08-01"}},
		"both":            {"2024-09-01", "2024-09-01", []string{"2024-09-01"}},
		"none between":    {"2024-09-02", "2024-09-30", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, found := s.read(listType, attributes{"scope": written, "date_after": row.after, "date_before": row.before})
			found.require(t, "")
			usages := []any{}
			for _, date := range row.want {
				usages = append(usages, map[string]any{
					"name": "Größe 🚀", "type": "cpu", "measured_unit": "", "category_title": `"VM"`, "category_uuid": someUUID,
					"date": date, "reported_usage": int64(-5), "fixed_usage": nil, "scope": url + scope,
				})
			}
			want := map[string]any{
				"scope": written, "project_uuid": nil, "customer_uuid": nil, "date_after": row.after, "date_before": row.before,
				"fields": nil, "timeouts": nil, "usages": usages,
			}
			if !reflect.DeepEqual(state, want) {
				t.Errorf("\n got %v\nwant %v", state, want)
			}
		})
	}
}

// Waldur refuses a scope with a path prefix.
func TestUUIDBecomesAScopeThatWaldurAccepts(t *testing.T) {
	t.Parallel()
	for argument, kind := range map[string]string{"project_uuid": "projects", "customer_uuid": "customers"} {
		server := waldurtest.New()
		server.PathPrefix = "/waldur"
		server.AddScope("/api/" + kind + "/" + someUUID + "/")
		url := server.Start(t)
		s := newSession(t, nil)
		s.configure(attributes{"endpoint": url + "/api/", "token": waldurtest.Token}).require(t, "")
		state, found := s.read(listType, attributes{argument: "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"})
		found.require(t, "")
		want := strings.TrimSuffix(url, "/waldur") + "/api/" + kind + "/" + someUUID + "/"
		if state["scope"] != want || state[argument] != "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB" {
			t.Errorf("got %v, want scope %s and the uuid as written", state, want)
		}
		request := server.Requests()[0]
		if request.Path != "/waldur/api/marketplace-category-component-usages/" || request.Query.Get("scope") != want {
			t.Errorf("requested %s with scope %s", request.Path, request.Query.Get("scope"))
		}
	}
}

func TestRecordAndListHaveTheRequestedFields(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.PathPrefix = "/waldur"
	scope, amount, id := waldurtest.CustomerScope(1), int64(2), int64(1<<53+1)
	server.Add(waldurtest.Record{
		ID: id, Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "VM", CategoryUUID: someUUID,
		Date: "2024-09-01", ReportedUsage: &amount, FixedUsage: &amount, Scope: scope,
	})
	s := connect(t, server, nil)
	for _, fields := range [][]string{nil, {"type", "reported_usage"}, {"scope"}, {}, {"date"}, fieldNames()} {
		var argument any
		if fields != nil {
			argument = set(fields...)
		}
		list, found := s.read(listType, attributes{"scope": "http://localhost" + scope, "fields": argument})
		found.require(t, "")
		server.Reset()
		record, found := s.read(oneType, attributes{"id": id, "fields": argument})
		found.require(t, "")
		inList := list["usages"].([]any)[0].(map[string]any)
		for _, name := range fieldNames() {
			requested := name == "date" || fields == nil || slices.Contains(fields, name)
			if (inList[name] != nil) != requested || inList[name] != record[name] {
				t.Errorf("%s: %v in the list, %v alone; requested: %t", name, inList[name], record[name], requested)
			}
		}
		requests := server.Requests()
		if len(requests) != 1 || requests[0].Path != "/waldur/api/marketplace-category-component-usages/9007199254740993/" || record["id"] != id {
			t.Errorf("got %v by the requests %v", record, requests)
		}
		if got, _ := list["fields"].([]any); len(got) != len(fields) {
			t.Errorf("fields are %v, want %q", got, fields)
		}
	}
}

// Two genuine records of a component in a month count twice in a sum.
func TestWarnsOfSeveralRecordsOfAComponentAndMonth(t *testing.T) {
	t.Parallel()
	const warning = "warning at usages: Several usage records of the same component and month"
	several := map[string]int{
		"2024-02 cpu": 3, "2024-02 ram": 2, "2024-01 cpu": 2, "2024-01 disk": 1, "2024-01 cpu\x1b[31m " + waldurtest.Token + "\n- 9 records": 2,
	}
	year := map[string]int{}
	for month := 1; month <= 12; month++ {
		year[fmt.Sprintf("2024-%02d cpu", month)] = 2
	}
	for name, row := range map[string]struct {
		records map[string]int // by month and type
		fields  any
		heading string
		want    string // the end of the detail
	}{
		"none":                   {map[string]int{"2024-01 cpu": 1, "2024-02 cpu": 1, "2024-01 ram": 1}, nil, "", ""},
		"only type and category": {map[string]int{"2024-01 cpu": 2}, set("type", "category_uuid"), warning, " of cpu of category " + someUUID + " in 2024-01"},
		"without the category":   {map[string]int{"2024-01 cpu": 2}, set("type"), "", ""},
		"twelve":                 {year, nil, warning, "\n- 2 records of cpu of category " + someUUID + " in 2024-03\n- and 2 more"},
		"each once, and safe to show": {several, nil, warning, "counts each of them:" +
			"\n- 3 records of cpu of category " + someUUID + " in 2024-02" +
			"\n- 2 records of ram of category " + someUUID + " in 2024-02" +
			"\n- 2 records of cpu of category " + someUUID + " in 2024-01" +
			"\n- 2 records of cpu [token] - 9 records of category " + someUUID + " in 2024-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			scope, total := waldurtest.ProjectScope(1), 0
			for of, number := range row.records {
				month, componentType, _ := strings.Cut(of, " ")
				for total += number; number > 0; number-- {
					server.Add(waldurtest.Record{Type: componentType, CategoryUUID: someUUID, Date: month + "-01", Scope: scope})
				}
			}
			state, found := connect(t, server, nil).read(listType, attributes{"scope": "http://localhost" + scope, "fields": row.fields})
			found.require(t, row.heading)
			if n := len(state["usages"].([]any)); n != total || len(found) > 0 && !strings.HasSuffix(found[0].detail, row.want) {
				t.Errorf("%d records, want %d; got:\n%q\nwant: %q", n, total, found, row.want)
			}
		})
	}
}

// An argument that depends on a resource is unknown during the plan, and so are
// the results of the functions. The CLI reads the data source during the apply.
// It passes what the configuration holds to a function: a tuple, a map whose
// optional attributes are null, and every option. Then a second plan is empty.
func TestAccUsageOfALaterProject(t *testing.T) {
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	amount, smallest, largest := int64(1500), int64(math.MinInt64), int64(math.MaxInt64)
	server.Add(
		waldurtest.Record{Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "Virtual machines", CategoryUUID: someUUID,
			Date: "2024-10-01", ReportedUsage: &amount, Scope: scope},
		waldurtest.Record{ID: 7, Name: "Größe 🚀 \"x\" ${y}", Type: "ram", MeasuredUnit: "GB\u2028h", CategoryTitle: "VM", CategoryUUID: someUUID,
			Date: "2024-09-01", ReportedUsage: &largest, FixedUsage: &smallest, Scope: scope},
	)
	environment := map[string]string{"WALDUR_API_URL": server.Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token}
	config := fmt.Sprintf(`
		resource "terraform_data" "project" { input = %[3]q }
		data %[1]q "month"  { project_uuid = terraform_data.project.output }
		data %[2]q "record" {
		  id     = 7
		  fields = ["reported_usage"]
		}
		variable "limits" {
		  type = map(object({
		    type           = string
		    limit          = number
		    category_uuid  = optional(string)
		    category_title = optional(string)
		    measure        = optional(string)
		  }))
		  default = { CPU = { type = "cpu", limit = 3750 } }
		}
		output "check" {
		  value = provider::waldur::budget_check(
		    [for u in concat(data.%[1]s.month.usages, data.%[1]s.month.usages) : u if u.type == "cpu"],
		    { for name, limit in var.limits : name => limit },
		    { warn_at = 0.8, fail_on = ["over"], title = "Twice", period = { start = "2024-10-01", end = "2024-10-31", now = "2024-12-24T00:00:00Z" } },
		  )
		}
		output "report" { value = provider::waldur::usage_report(data.%[1]s.month.usages, { title = "Climate" }) }
		output "chart"  { value = provider::waldur::usage_chart(data.%[1]s.month.usages, { type = "cpu", limit = 1875 }) }`,
		listType, oneType, someProject(scope))
	type checks = map[string]knownvalue.Check
	text, integer := knownvalue.StringExact, knownvalue.Int64Exact
	matches := func(pattern string) knownvalue.Check { return knownvalue.StringRegexp(regexp.MustCompile(pattern)) }
	resource.ParallelTest(t, resource.TestCase{
		// OpenTofu reports its own version here, so 1.7, its first version with
		// functions, is skipped too.
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"waldur": func() (tfprotov6.ProviderServer, error) {
				return providerserver.NewProtocol6(newWith("1.2.3", dependencies{lookupEnv: lookupIn(environment)})())(), nil
			},
		},
		Steps: []resource.TestStep{{Config: config, ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data."+listType+".month", tfjsonpath.New("scope"), matches("^http://127.0.0.1:[0-9]+"+scope+"$")),
			statecheck.ExpectKnownValue("data."+listType+".month", tfjsonpath.New("usages").AtSliceIndex(1), knownvalue.ObjectExact(checks{
				"name": text("Größe 🚀 \"x\" ${y}"), "type": text("ram"), "measured_unit": text("GB\u2028h"),
				"category_title": text("VM"), "category_uuid": text(someUUID), "date": text("2024-09-01"),
				"reported_usage": integer(largest), "fixed_usage": integer(smallest), "scope": matches("^http://127.0.0.1:[0-9]+" + scope + "$"),
			})),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("reported_usage"), integer(largest)),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("fixed_usage"), knownvalue.Null()),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("passed"), knownvalue.Bool(true)),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("limits").AtMapKey("CPU"), knownvalue.ObjectExact(checks{
				"used": integer(3000), "limit": integer(3750), "remaining": integer(750), "share": knownvalue.Float64Exact(0.8),
				"forecast": integer(3000), "unit": text("hours"), "state": text("near"),
			})),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("report"), matches(`^Twice: 1 near\.\n\n\| Limit \|`)),
			statecheck.ExpectKnownOutputValue("report", matches(`^# Climate\n(?s:.*)\n\| 2024-10 \| ██████████ 1,500 \|`)),
			statecheck.ExpectKnownOutputValue("chart", matches("(?s)^```mermaid\nxychart-beta\n.*\n    line \\[1875, 1875, 1875\\]\n```\n$")),
		}}},
	})
}
