package provider

import (
	"fmt"
	"math"
	"math/big"
	"path"
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

// timeout returns a value of timeouts.
func timeout(read string) map[string]tftypes.Value {
	return map[string]tftypes.Value{"read": tftypes.NewValue(tftypes.String, read)}
}

func TestArgumentsAreValidated(t *testing.T) {
	t.Parallel()
	const (
		url    = "https://waldur.example.com/api/projects/" + someUUID + "/"
		second = "error at customer_uuid: Invalid Attribute Combination"
		digits = "32 hexadecimal digits"
	)
	for name, row := range map[string]struct {
		block   attributes
		heading string
		detail  string
	}{
		"possibly two scopes":     {attributes{"scope": url, "project_uuid": unknown}, "", ""},
		"an unknown later date":   {attributes{"scope": url, "date_after": "2024-09-01", "date_before": unknown}, "", ""},
		"an unknown earlier date": {attributes{"scope": url, "date_after": unknown, "date_before": "2024-09-01"}, "", ""},
		"everything unknown": {attributes{"scope": unknown, "project_uuid": unknown, "customer_uuid": unknown,
			"date_after": unknown, "date_before": unknown, "fields": unknown, "timeouts": unknown}, "", ""},
		"an unknown id": {attributes{"id": unknown, "fields": unknown, "timeouts": unknown}, "", ""},

		"no scope":                       {attributes{}, "error at scope: Invalid Attribute Combination", "one attribute out of [project_uuid,customer_uuid,scope]"},
		"scope and uuid":                 {attributes{"scope": url, "customer_uuid": someUUID}, second, `when "customer_uuid" is`},
		"two uuids":                      {attributes{"project_uuid": someUUID, "customer_uuid": someUUID}, second, `"project_uuid" cannot be`},
		"an empty scope":                 {attributes{"scope": ""}, "error at scope: Invalid scope", "/projects/<uuid>/, or set project_uuid or customer_uuid instead."},
		"a short uuid":                   {attributes{"project_uuid": someUUID[1:]}, "error at project_uuid: Invalid project_uuid", digits},
		"a uuid that is not hexadecimal": {attributes{"customer_uuid": strings.Replace(someUUID, "2", "g", 1)}, "error at customer_uuid: Invalid customer_uuid", digits},
		"a year":                         {attributes{"scope": url, "date_after": "2024"}, "error at date_after: Invalid date_after", "YYYY-MM-DD"},
		"no such day":                    {attributes{"scope": url, "date_before": "2023-02-29"}, "error at date_before: Invalid date_before", "exists"},
		"reversed dates": {attributes{"scope": url, "date_after": "2024-10-01", "date_before": "2024-09-30"},
			"error at date_after: Invalid date_after", "later than date_before"},
		"a timeout in words":                  {attributes{"scope": url, "timeouts": timeout("ten minutes")}, "error at timeouts: Invalid Attribute Value Time Duration", "ten"},
		"a timeout of zero":                   {attributes{"scope": url, "timeouts": timeout("0s")}, "error at timeouts: Invalid timeouts.read", "longer than 0"},
		"a negative timeout":                  {attributes{"id": 1, "timeouts": timeout("-5m")}, "error at timeouts: Invalid timeouts.read", "longer than 0"},
		"no field":                            {attributes{"scope": url, "fields": set[any]()}, "error at fields: Invalid Attribute Value", "at least 1"},
		"a null field":                        {attributes{"scope": url, "fields": set[any]("date", nil)}, "error at fields: Null Set Value", "null"},
		"an unknown field":                    {attributes{"scope": url, "fields": set("uuid")}, "error at fields: Invalid Attribute Value Match", `"reported_usage"`},
		"an unknown field of a single record": {attributes{"id": 1, "fields": set("id")}, "error at fields: Invalid Attribute Value Match", `"reported_usage"`},
		"an id of 0":                          {attributes{"id": 0}, "error at id: Invalid id", "an integer of at least 1"},
		"a large id":                          {attributes{"id": new(big.Float).SetMantExp(big.NewFloat(1), 63)}, "error at id: Invalid id", "an integer of at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newSession(t, nil).validate(row.block).require(t, row.heading, row.detail)
		})
	}
}

// date_after = "2024-09-02" excludes September, which is rarely intended.
func TestWarnsWhenDateAfterExcludesAMonth(t *testing.T) {
	t.Parallel()
	newSession(t, nil).validate(attributes{"project_uuid": someUUID, "date_after": "2024-09-02"}).
		require(t, "warning at date_after: Month excluded by date_after", "excludes September 2024", `"2024-09-01"`)
}

// A usage above 2^53 must not become a float64 on the way, and no text may change.
// With a null list, length() and for would fail for a project without records.
func TestListReturnsTheRecordsOfTheScopeAndDates(t *testing.T) {
	t.Parallel()
	scope, server := waldurtest.ProjectScope(1), waldurtest.New()
	written := "https://another.example.com" + scope // its host may have another name
	s := newSession(t, nil).connect(server)
	usages := []any{}
	for _, r := range []waldurtest.Record{
		{Date: "2024-10-01", Name: "Größe 🚀 ñ e\u0301", Type: "größe", MeasuredUnit: "a\u2028b\u2029c\td\ne", CategoryTitle: `"VM" \ ${not} %{a}`,
			ReportedUsage: new(int64(math.MaxInt64)), FixedUsage: new(int64(math.MinInt64))},
		{Date: "2024-09-01", Name: "CPU", Type: "cpu", CategoryTitle: "VM", ReportedUsage: new(int64(1<<53 + 1)), FixedUsage: new(int64(-(1<<53 + 1)))},
		{Date: "2024-08-01", Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "VM", ReportedUsage: new(int64(0))},
	} {
		r.Scope, r.CategoryUUID = scope, someUUID
		server.Add(r)
		usage := object{
			"name": r.Name, "type": r.Type, "measured_unit": r.MeasuredUnit, "category_title": r.CategoryTitle, "category_uuid": r.CategoryUUID,
			"date": r.Date, "reported_usage": *r.ReportedUsage, "fixed_usage": nil, "scope": s.url + scope,
		}
		if r.FixedUsage != nil {
			usage["fixed_usage"] = *r.FixedUsage
		}
		usages = append(usages, usage)
	}
	for name, row := range map[string]struct {
		after, before any
		want          []any
	}{
		"no dates":        {nil, nil, usages},
		"an earliest one": {"2024-09-01", nil, usages[:2]},
		"a latest one":    {nil, "2024-09-30", usages[1:]},
		"both":            {"2024-09-01", "2024-09-01", usages[1:2]},
		"none between":    {"2024-09-02", "2024-09-30", usages[:0]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found := s.read(t.Context(), attributes{"scope": written, "date_after": row.after, "date_before": row.before})
			found.require(t, "")
			want := object{
				"scope": written, "project_uuid": nil, "customer_uuid": nil, "date_after": row.after, "date_before": row.before,
				"fields": nil, "timeouts": nil, "usages": row.want,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %v\nwant %v", got, want)
			}
		})
	}
}

// Waldur refuses a scope with a path prefix.
func TestUUIDBecomesAScopeThatWaldurAccepts(t *testing.T) {
	t.Parallel()
	const uuid = "2B571968-6DB8-4F24-BF64-C3DFEC58FBEB"
	for argument, scope := range map[string]string{
		"project_uuid":  "/api/projects/" + someUUID + "/",
		"customer_uuid": "/api/customers/" + someUUID + "/",
	} {
		server := waldurtest.New()
		server.PathPrefix = "/waldur"
		server.AddScope(scope)
		s := newSession(t, nil).connect(server)
		state, found := s.read(t.Context(), attributes{argument: uuid})
		found.require(t, "")
		want := strings.TrimSuffix(s.url, "/waldur") + scope
		if got := server.Requests()[0].Query.Get("scope"); got != want || state["scope"] != want || state[argument] != uuid {
			t.Errorf("got a request for scope %q and state %v, want scope %q and the uuid as written", got, state, want)
		}
	}
}

func TestRecordAndListHaveTheRequestedFields(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	scope, id := waldurtest.CustomerScope(1), int64(1<<53+1)
	server.Add(waldurtest.Record{
		ID: id, Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "VM", CategoryUUID: someUUID,
		Date: "2024-09-01", ReportedUsage: new(int64(2)), FixedUsage: new(int64(3)), Scope: scope,
	})
	s := newSession(t, nil).connect(server)
	for _, fields := range [][]string{nil, {"type", "reported_usage"}, {"scope"}, {"date"}, fieldNames()} {
		var argument any
		if fields != nil {
			argument = set(fields...)
		}
		list, found := s.read(t.Context(), attributes{"scope": "http://localhost" + scope, "fields": argument})
		found.require(t, "")
		record, found := s.read(t.Context(), attributes{"id": id, "fields": argument})
		found.require(t, "")
		inList := list["usages"].([]any)[0].(object)
		for _, name := range fieldNames() {
			requested := name == "date" || fields == nil || slices.Contains(fields, name)
			if (inList[name] != nil) != requested || inList[name] != record[name] {
				t.Errorf("fields %q: got %s %v in the list and %v alone, requested: %t", fields, name, inList[name], record[name], requested)
			}
		}
	}
}

// Two genuine records of a component in a month count twice in a sum.
func TestWarnsOfSeveralRecordsOfAComponentAndMonth(t *testing.T) {
	t.Parallel()
	const warning = "warning at usages: Several usage records of the same component and month"
	scope := waldurtest.ProjectScope(1)
	several := func(n int, month, kind string) []waldurtest.Record {
		return slices.Repeat([]waldurtest.Record{{Type: kind, CategoryUUID: someUUID, Date: month + "-01", Scope: scope}}, n)
	}
	various := slices.Concat(several(3, "2024-02", "cpu"), several(2, "2024-02", "ram"), several(2, "2024-01", "cpu"), several(1, "2024-01", "disk"),
		several(2, "2024-01", "cpu\x1b[31m\n- 9 records"))
	var year []waldurtest.Record
	for month := 1; month <= 12; month++ {
		year = append(year, several(2, fmt.Sprintf("2024-%02d", month), "cpu")...)
	}
	for name, row := range map[string]struct {
		records []waldurtest.Record
		fields  any
		heading string
		want    string // the end of the detail
	}{
		"only type and category": {several(2, "2024-01", "cpu"), set("type", "category_uuid"), warning, " of cpu of category " + someUUID + " in 2024-01"},
		"without the category":   {several(2, "2024-01", "cpu"), set("type"), "", ""},
		"twelve":                 {year, nil, warning, "\n- 2 records of cpu of category " + someUUID + " in 2024-03\n- and 2 more"},
		"each once, and safe to show": {various, nil, warning, "counts each of them:" +
			"\n- 3 records of cpu of category " + someUUID + " in 2024-02" +
			"\n- 2 records of ram of category " + someUUID + " in 2024-02" +
			"\n- 2 records of cpu of category " + someUUID + " in 2024-01" +
			"\n- 2 records of cpu - 9 records of category " + someUUID + " in 2024-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(row.records...)
			state, found := newSession(t, nil).connect(server).read(t.Context(), attributes{"scope": "http://localhost" + scope, "fields": row.fields})
			found.require(t, row.heading)
			if got := len(state["usages"].([]any)); got != len(row.records) || len(found) > 0 && !strings.HasSuffix(found[0].detail, row.want) {
				t.Errorf("got %d records and %q, want %d and %q", got, found, len(row.records), row.want)
			}
		})
	}
}

// An argument that depends on a resource is unknown during the plan, and so are the
// results of the functions, to which the CLI passes a list, a tuple, a map whose
// optional attributes are null, and every option. It reads the data source during
// the apply. A second plan must be empty.
func TestAccUsageOfAProjectThatIsUnknownDuringThePlan(t *testing.T) {
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	server.Add(
		waldurtest.Record{Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "Virtual machines", CategoryUUID: someUUID,
			Date: "2024-10-01", ReportedUsage: new(int64(1500)), Scope: scope},
		waldurtest.Record{ID: 7, Name: "Größe 🚀 \"x\" ${y}", Type: "ram", MeasuredUnit: "GB\u2028h", CategoryTitle: "VM", CategoryUUID: someUUID,
			Date: "2024-09-01", ReportedUsage: new(int64(math.MaxInt64)), FixedUsage: new(int64(math.MinInt64)), Scope: scope},
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
		  type    = map(object({ type = string, limit = number, category_uuid = optional(string), measure = optional(string) }))
		  default = { CPU = { type = "cpu", limit = 3750 } }
		}
		output "check" {
		  value = provider::waldur::budget_check(
		    [for u in concat(data.%[1]s.month.usages, data.%[1]s.month.usages) : u if u.type == "cpu"],
		    { for name, limit in var.limits : name => limit },
		    { warn_at = 0.8, fail_on = ["over"], title = "Twice", period = { start = "2024-10-01", end = "2024-10-31", now = "2024-12-24T00:00:00Z" } },
		  )
		}
		output "report" { value = provider::waldur::usage_report(data.%[1]s.month.usages, { title = "Climate" }) }`,
		listType, oneType, path.Base(scope))
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
				"reported_usage": integer(math.MaxInt64), "fixed_usage": integer(math.MinInt64), "scope": matches("^http://127.0.0.1:[0-9]+" + scope + "$"),
			})),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("reported_usage"), integer(math.MaxInt64)),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("fixed_usage"), knownvalue.Null()),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("passed"), knownvalue.Bool(true)),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("limits").AtMapKey("CPU"), knownvalue.ObjectExact(checks{
				"used": integer(3000), "limit": integer(3750), "remaining": integer(750), "share": knownvalue.Float64Exact(0.8),
				"forecast": integer(3000), "unit": text("hours"), "state": text("near"),
			})),
			statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("report"), matches(`^Twice: 1 near\.\n\n\| Limit \|`)),
			statecheck.ExpectKnownOutputValue("report", matches(`^# Climate\n(?s:.*)\n\| 2024-10 \| ██████████ 1,500 \|`)),
		}}},
	})
}
