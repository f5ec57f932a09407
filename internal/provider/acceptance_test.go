package provider

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// accept runs steps on the CLI with the fake Waldur in the provider's environment.
// After each step that applies, a second plan must be empty.
func accept(t *testing.T, server *waldurtest.Waldur, steps ...resource.TestStep) {
	t.Helper()
	acceptSince(t, nil, server, steps...)
}

func acceptSince(t *testing.T, versions []tfversion.TerraformVersionCheck, server *waldurtest.Waldur, steps ...resource.TestStep) {
	t.Helper()
	environment := map[string]string{"WALDUR_API_URL": server.Start(t), "WALDUR_ACCESS_TOKEN": waldurtest.Token}
	fake := dependencies{
		lookupEnv: lookupIn(environment),
		random:    func() float64 { return 0 },
	}
	resource.ParallelTest(t, resource.TestCase{
		TerraformVersionChecks: versions,
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"waldur": func() (tfprotov6.ProviderServer, error) {
				return providerserver.NewProtocol6(newWith("1.2.3", fake)())(), nil
			},
		},
		Steps: steps,
	})
}

// rejected is a step that must fail with the words in the error. The CLI wraps
// lines, so any space may be a line break.
func rejected(config string, words ...string) resource.TestStep {
	for i := range words {
		words[i] = strings.ReplaceAll(regexp.QuoteMeta(words[i]), " ", `\s+`)
	}
	return resource.TestStep{Config: config, PlanOnly: true, ExpectError: regexp.MustCompile("(?s)" + strings.Join(words, ".*"))}
}

func TestAccListOfAProjectAndOfACustomer(t *testing.T) {
	server := waldurtest.New()
	project, customer, empty := waldurtest.ProjectScope(1), waldurtest.CustomerScope(1), waldurtest.ProjectScope(2)
	largest, smallest := int64(math.MaxInt64), int64(math.MinInt64)
	server.Add(
		waldurtest.Record{Name: "Größe 🚀 \"x\" ${y}", Type: "ram", MeasuredUnit: "GB\u2028h", CategoryTitle: "Virtual machines", CategoryUUID: someUUID,
			Date: "2024-09-01", ReportedUsage: &largest, FixedUsage: &smallest, Scope: project},
		waldurtest.Record{Name: "CPU", Type: "cpu", CategoryTitle: "Virtual machines", CategoryUUID: someUUID, Date: "2024-09-01", Scope: project},
		waldurtest.Record{Name: "CPU", Type: "cpu", CategoryTitle: "Virtual machines", CategoryUUID: someUUID, Date: "2024-10-01", Scope: project},
		waldurtest.Record{Name: "CPU", Type: "cpu", CategoryTitle: "Virtual machines", CategoryUUID: someUUID, Date: "2024-10-01", Scope: customer},
	)
	server.AddScope(empty)
	list := func(name string) string { return "data." + listType + "." + name }
	usage := func(date, kind string) knownvalue.Check {
		return knownvalue.ObjectPartial(map[string]knownvalue.Check{"date": knownvalue.StringExact(date), "type": knownvalue.StringExact(kind)})
	}
	accept(t, server, resource.TestStep{
		Config: fmt.Sprintf(`
			data %[1]q "scope"    { scope = "https://another.example.com%[2]s" }
			data %[1]q "project"  { project_uuid = %[3]q }
			data %[1]q "customer" { customer_uuid = upper(%[4]q) }
			data %[1]q "empty"    { project_uuid = %[5]q }
			data %[1]q "october" {
			  project_uuid = %[3]q
			  date_after   = "2024-10-01"
			}
			data %[1]q "until_september" {
			  project_uuid = %[3]q
			  date_before  = "2024-09-30"
			}
			data %[1]q "fields" {
			  project_uuid = %[3]q
			  date_after   = "2024-10-01"
			  fields       = ["type", "scope"]
			}`,
			listType, project, someProject(project), someProject(customer), someProject(empty)),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(list("scope"), tfjsonpath.New("scope"), knownvalue.StringExact("https://another.example.com"+project)),
			statecheck.ExpectKnownValue(list("scope"), tfjsonpath.New("usages"), knownvalue.ListExact([]knownvalue.Check{
				usage("2024-10-01", "cpu"), usage("2024-09-01", "cpu"), usage("2024-09-01", "ram"),
			})),
			statecheck.ExpectKnownValue(list("scope"), tfjsonpath.New("usages").AtSliceIndex(2), knownvalue.ObjectExact(map[string]knownvalue.Check{
				"name": knownvalue.StringExact("Größe 🚀 \"x\" ${y}"), "type": knownvalue.StringExact("ram"), "measured_unit": knownvalue.StringExact("GB\u2028h"),
				"category_title": knownvalue.StringExact("Virtual machines"), "category_uuid": knownvalue.StringExact(someUUID),
				"date": knownvalue.StringExact("2024-09-01"), "reported_usage": knownvalue.Int64Exact(largest), "fixed_usage": knownvalue.Int64Exact(smallest),
				"scope": knownvalue.StringRegexp(regexp.MustCompile("^http://127.0.0.1:[0-9]+" + project + "$")),
			})),
			statecheck.ExpectKnownValue(list("scope"), tfjsonpath.New("usages").AtSliceIndex(0).AtMapKey("reported_usage"), knownvalue.Null()),
			statecheck.ExpectKnownValue(list("project"), tfjsonpath.New("usages"), knownvalue.ListSizeExact(3)),
			statecheck.ExpectKnownValue(list("project"), tfjsonpath.New("scope"), knownvalue.StringRegexp(regexp.MustCompile("^http://127.0.0.1:[0-9]+"+project+"$"))),
			statecheck.ExpectKnownValue(list("customer"), tfjsonpath.New("usages"), knownvalue.ListSizeExact(1)),
			statecheck.ExpectKnownValue(list("customer"), tfjsonpath.New("scope"), knownvalue.StringRegexp(regexp.MustCompile("^http://127.0.0.1:[0-9]+"+customer+"$"))),
			statecheck.ExpectKnownValue(list("empty"), tfjsonpath.New("usages"), knownvalue.ListExact(nil)),
			statecheck.ExpectKnownValue(list("october"), tfjsonpath.New("usages"), knownvalue.ListExact([]knownvalue.Check{usage("2024-10-01", "cpu")})),
			statecheck.ExpectKnownValue(list("until_september"), tfjsonpath.New("usages"), knownvalue.ListExact([]knownvalue.Check{usage("2024-09-01", "cpu"), usage("2024-09-01", "ram")})),
			statecheck.ExpectKnownValue(list("fields"), tfjsonpath.New("usages").AtSliceIndex(0), knownvalue.ObjectExact(map[string]knownvalue.Check{
				"name": knownvalue.Null(), "type": knownvalue.StringExact("cpu"), "measured_unit": knownvalue.Null(),
				"category_title": knownvalue.Null(), "category_uuid": knownvalue.Null(), "date": knownvalue.StringExact("2024-10-01"),
				"reported_usage": knownvalue.Null(), "fixed_usage": knownvalue.Null(), "scope": knownvalue.NotNull(),
			})),
		},
	})
}

func TestAccRecordByID(t *testing.T) {
	server := waldurtest.New()
	largest := int64(math.MaxInt64)
	server.Add(
		waldurtest.Record{ID: 7, Name: "CPU", Type: "cpu", MeasuredUnit: "", CategoryTitle: "Virtual machines", CategoryUUID: someUUID,
			Date: "2024-09-01", ReportedUsage: &largest},
	)
	accept(t, server, resource.TestStep{
		Config: fmt.Sprintf(`
			data %[1]q "record" { id = 7 }
			data %[1]q "fields" {
			  id     = 7
			  fields = ["reported_usage"]
			}`, oneType),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("id"), knownvalue.Int64Exact(7)),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("name"), knownvalue.StringExact("CPU")),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("type"), knownvalue.StringExact("cpu")),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("measured_unit"), knownvalue.StringExact("")),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("category_title"), knownvalue.StringExact("Virtual machines")),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("category_uuid"), knownvalue.StringExact(someUUID)),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("date"), knownvalue.StringExact("2024-09-01")),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("reported_usage"), knownvalue.Int64Exact(largest)),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("fixed_usage"), knownvalue.Null()),
			statecheck.ExpectKnownValue("data."+oneType+".record", tfjsonpath.New("scope"), knownvalue.Null()),
			statecheck.ExpectKnownValue("data."+oneType+".fields", tfjsonpath.New("name"), knownvalue.Null()),
			statecheck.ExpectKnownValue("data."+oneType+".fields", tfjsonpath.New("date"), knownvalue.StringExact("2024-09-01")),
			statecheck.ExpectKnownValue("data."+oneType+".fields", tfjsonpath.New("reported_usage"), knownvalue.Int64Exact(largest)),
		},
	})
}

// Waldur returns at most 300 records in an answer, and loses some between pages.
func TestAccListLongerThanAPage(t *testing.T) {
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	records := waldurtest.History(scope, 6, 60)
	server.Add(records...)
	var reported int64
	for _, record := range records {
		if record.ReportedUsage != nil {
			reported += *record.ReportedUsage
		}
	}
	accept(t, server, resource.TestStep{
		Config: fmt.Sprintf(`
			data %[1]q "all" { project_uuid = %[2]q }
			output "records"  { value = length(distinct([for u in data.%[1]s.all.usages : "${u.date} ${u.category_uuid} ${u.type}"])) }
			output "reported" { value = sum([for u in data.%[1]s.all.usages : u.reported_usage if u.reported_usage != null]) }`,
			listType, someProject(scope)),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("records", knownvalue.Int64Exact(int64(len(records)))),
			statecheck.ExpectKnownOutputValue("reported", knownvalue.Int64Exact(reported)),
		},
	})
}

func TestAccInvalidConfigurationIsRejected(t *testing.T) {
	server := waldurtest.New()
	list := func(arguments string) string { return fmt.Sprintf("data %q \"x\" {\n%s\n}", listType, arguments) }
	provider := func(arguments string) string {
		return "provider \"waldur\" {\n" + arguments + "\n}\n" + list(fmt.Sprintf("project_uuid = %q", someUUID))
	}
	accept(t, server,
		rejected(list(""), "Invalid Attribute Combination", "out of [project_uuid,customer_uuid,scope] must be specified"),
		rejected(list(fmt.Sprintf("project_uuid = %q\ndate_after = \"2024-10-01\"\ndate_before = \"2024-09-01\"", someUUID)), "Invalid date_after", "later than date_before"),
		rejected(list(fmt.Sprintf("customer_uuid = %q", someUUID)), "scope not found or not visible", "customer_uuid =", "Can't restore object from url"),
		rejected(fmt.Sprintf("data %q \"x\" { id = 12345 }", oneType), "Unable to read usage record: record not found", "no usage record with the id 12345"),
		rejected(provider(`endpoint = ""`), "Invalid endpoint", `endpoint = ""`, "The value is empty"),
		rejected(provider(`token = "wrong"`), "Unable to read usages: token refused", "401 Unauthorized"),
		rejected(provider("request_timeout = 1.5"), "request_timeout", "1.5"),
	)
}

// An argument that depends on a resource is unknown during the plan. The CLI reads
// the data source during the apply.
func TestAccUnknownArgumentIsReadDuringApply(t *testing.T) {
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	server.Add(waldurtest.History(scope, 1, 3)...)
	config := func(more string) string {
		return fmt.Sprintf(`
			resource "terraform_data" "uuid" { input = %[2]q }
			data %[1]q "later" { project_uuid = terraform_data.uuid.output }
			%[3]s`, listType, someProject(scope), more)
	}
	accept(t, server,
		resource.TestStep{
			Config:            config(""),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue("data."+listType+".later", tfjsonpath.New("usages"), knownvalue.ListSizeExact(3))},
		},
		rejected(config(`
			resource "terraform_data" "token" { input = "secret" }
			provider "waldur" { token = terraform_data.token.output }
			data "waldur_category_component_usage" "record" { id = 1 }`),
			"provider configuration not known yet", "The value of token in the provider block", "No request was made"),
	)
}

// A read that fails after some answers must not leave a part of the list in the
// state.
func TestAccFailedReadLeavesNoState(t *testing.T) {
	server := waldurtest.New()
	scope := waldurtest.ProjectScope(1)
	server.Add(waldurtest.History(scope, 12, 60)...)
	server.Intercept = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n < 3 {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":"No more."}`)
		return true
	}
	accept(t, server, rejected(fmt.Sprintf("data %q \"x\" { project_uuid = %q }", listType, someProject(scope)), "not allowed", "No more."))
}

func TestAccBudgetCheckIsAGate(t *testing.T) {
	gate := func(limits string) string {
		return fmt.Sprintf(`
			data %[1]q "month" {
			  project_uuid = %[2]q
			  lifecycle {
			    postcondition {
			      condition     = provider::waldur::budget_check(self.usages, local.limits).passed
			      error_message = provider::waldur::budget_check(self.usages, local.limits).message
			    }
			  }
			}
			locals {
			  limits = %[3]s
			  # A tuple, a map whose optional attributes are null, and every option.
			  check = provider::waldur::budget_check(
			    [for u in concat(data.%[1]s.month.usages, data.%[1]s.month.usages) : u if u.type == "cpu"],
			    { for name, limit in var.limits : name => limit },
			    { warn_at = 0.8, fail_on = ["over"], title = "Twice", period = { start = "2024-10-01", end = "2024-10-31", now = "2024-12-24T00:00:00Z" } },
			  )
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
			output "check" { value = local.check }`, listType, someProject(waldurtest.ProjectScope(1)), limits)
	}
	acceptFunctions(t, 1500,
		resource.TestStep{
			Config: gate(`{ CPU = { type = "cpu", limit = 1875 } }`),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("passed"), knownvalue.Bool(true)),
				statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("limits").AtMapKey("CPU"), knownvalue.ObjectExact(map[string]knownvalue.Check{
					"used": knownvalue.Int64Exact(3000), "limit": knownvalue.Int64Exact(3750), "remaining": knownvalue.Int64Exact(750),
					"share": knownvalue.Float64Exact(0.8), "forecast": knownvalue.Int64Exact(3000),
					"unit": knownvalue.StringExact("hours"), "state": knownvalue.StringExact("near"),
				})),
				statecheck.ExpectKnownOutputValueAtPath("check", tfjsonpath.New("report"), knownvalue.StringRegexp(regexp.MustCompile(`^Twice: 1 near\.\n\n\| Limit \|`))),
			},
		},
		// The error does not wrap the lines of the table.
		resource.TestStep{
			Config: gate(`{ CPU = { type = "cpu", limit = 1499 }, Storage = { type = "storages", limit = 1 } }`), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?m)^Budget: 1 over, 1 missing\.\s+` +
				`^ \| Limit   \|  Used \|    Of \| Unit  \| Share            \| State              \|\n` +
				`^ \|:--------\|------:\|------:\|:------\|:-----------------\|:-------------------\|\n` +
				`^ \| CPU     \| 1,500 \| 1,499 \| hours \| ██████████ 101 % \| over by 1          \|\n` +
				`^ \| Storage \|     \? \|     1 \|       \| \?                \| missing, no record \|\n\n` +
				`^There are records of these components:\s+^ - Virtual machines`),
		},
		rejected(gate(`{ CPU = { type = "cpu", limit = 1, categry = "x" } }`), `Invalid value for "limits" parameter:`, `limits["CPU"]: unknown attribute "categry"`),
		rejected(gate(`null`), `Invalid value for "limits" parameter: argument must not be null`),
		rejected(gate(`{}`), "limits: must not be empty"),
	)
}

func TestAccUsageReportAndUsageChart(t *testing.T) {
	acceptFunctions(t, 1500, resource.TestStep{
		Config: fmt.Sprintf(`
			data %[1]q "month" { project_uuid = %[2]q }
			output "report" { value = provider::waldur::usage_report(data.%[1]s.month.usages, { title = "Climate" }) }
			output "chart"  { value = provider::waldur::usage_chart(data.%[1]s.month.usages, { type = "cpu", limit = 1875 }) }`,
			listType, someProject(waldurtest.ProjectScope(1))),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("report", knownvalue.StringRegexp(regexp.MustCompile(`^# Climate\n(?s:.*)\n\| 2024-10 \| ██████████ 1,500 \|\n`))),
			statecheck.ExpectKnownOutputValue("chart", knownvalue.StringRegexp(regexp.MustCompile("(?s)^```mermaid\nxychart-beta\n.*\n    line \\[1875, 1875, 1875\\]\n```\n$"))),
		},
	})
}

// acceptFunctions runs steps on CLIs that support functions, with a project that
// used that amount of CPU in October 2024.
func acceptFunctions(t *testing.T, cpu int64, steps ...resource.TestStep) {
	t.Helper()
	server := waldurtest.New()
	server.Add(waldurtest.Record{
		Name: "CPU", Type: "cpu", MeasuredUnit: "hours", CategoryTitle: "Virtual machines", CategoryUUID: someUUID,
		Date: "2024-10-01", ReportedUsage: &cpu, Scope: waldurtest.ProjectScope(1),
	})
	// OpenTofu reports its own version here, so 1.7, its first version with
	// functions, is skipped too.
	acceptSince(t, []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)}, server, steps...)
}
