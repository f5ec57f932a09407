package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"
	"go.uber.org/goleak"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) {
	// The acceptance test serves the provider in this process, and the plugin
	// library does not end the goroutine that copies a plugin's output.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"))
}

const (
	listType = "waldur_category_component_usages"
	oneType  = "waldur_category_component_usage"
	someUUID = "2b5719686db84f24bf64c3dfec58fbeb"
	unknown  = tftypes.UnknownValue
)

// session is a provider that is called over the protocol, as a CLI does.
type session struct {
	tb        testing.TB
	server    tfprotov6.ProviderServer
	schemas   *tfprotov6.GetProviderSchemaResponse
	terraform string // version of the CLI
	deferral  bool   // the CLI allows deferrals
	url       string // of the fake Waldur
}

func newSession(tb testing.TB, environment map[string]string) *session {
	tb.Helper()
	server := providerserver.NewProtocol6(newWith("1.2.3", dependencies{lookupEnv: lookupIn(environment), clock: stoppedClock{}})())()
	schemas, err := server.GetProviderSchema(tb.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		tb.Fatal(err)
	}
	return &session{tb: tb, server: server, schemas: schemas, terraform: "1.11.4"}
}

// lookupIn returns a function like os.LookupEnv.
func lookupIn(environment map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, found := environment[name]; return value, found }
}

// stoppedClock always shows 1 October 2024, 12:00, and does not wait.
type stoppedClock struct{}

func (stoppedClock) Now() time.Time { return time.Date(2024, 10, 1, 12, 0, 0, 0, time.UTC) }

func (stoppedClock) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// connect starts the fake Waldur and configures the provider for it, which must
// not make a request.
func (s *session) connect(server *waldurtest.Waldur) *session {
	s.tb.Helper()
	s.url = server.Start(s.tb)
	s.configure(attributes{"endpoint": s.url, "token": waldurtest.Token}).require(s.tb, "")
	requireNoConnection(s.tb, server)
	return s
}

func requireNoConnection(tb testing.TB, server *waldurtest.Waldur) {
	tb.Helper()
	if n := server.Connections(); n != 0 {
		tb.Errorf("got %d connections, want none", n)
	}
}

func (s *session) validateProvider(block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ValidateProviderConfig(s.tb.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: s.value(s.schemas.Provider, block)})
	return newDiagnostics(s.tb, resp.Diagnostics, err)
}

func (s *session) configure(block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ConfigureProvider(s.tb.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion:   s.terraform,
		Config:             s.value(s.schemas.Provider, block),
		ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: s.deferral},
	})
	return newDiagnostics(s.tb, resp.Diagnostics, err)
}

func (s *session) validate(block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ValidateDataResourceConfig(s.tb.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: block.typeName(), Config: s.value(s.schemas.DataSourceSchemas[block.typeName()], block),
	})
	return newDiagnostics(s.tb, resp.Diagnostics, err)
}

// read validates a data source and reads it, as a CLI does. It returns the state
// as plain Go values, or nil if the read was deferred or failed, which must leave
// no record in the state.
func (s *session) read(ctx context.Context, block attributes) (object, diagnostics) {
	s.tb.Helper()
	if invalid := s.validate(block); invalid.failed() {
		s.tb.Errorf("got invalid arguments:\n%s", invalid)
	}
	schema := s.schemas.DataSourceSchemas[block.typeName()]
	resp, err := s.server.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{
		TypeName: block.typeName(), Config: s.value(schema, block),
		ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: s.deferral},
	})
	found := newDiagnostics(s.tb, resp.Diagnostics, err)
	if resp.Deferred != nil {
		if got, want := resp.Deferred.Reason, tfprotov6.DeferredReasonProviderConfigUnknown; got != want {
			s.tb.Errorf("got a read deferred for the reason %v, want %v", got, want)
		}
		return nil, found
	}
	value, err := resp.State.Unmarshal(schema.ValueType())
	if err != nil {
		s.tb.Fatal(err)
	}
	state := plain(s.tb, value).(object)
	if !found.failed() {
		return state, found
	}
	if state["usages"] != nil || state["date"] != nil {
		s.tb.Errorf("got state %v of a failed read, want no records", state)
	}
	return nil, found
}

// attributes are the attributes of a block. Others are null.
type attributes map[string]any

// typeName returns the data source of the block. Only a single record has an id.
func (a attributes) typeName() string {
	if _, ok := a["id"]; ok {
		return oneType
	}
	return listType
}

func (s *session) value(schema *tfprotov6.Schema, block attributes) *tfprotov6.DynamicValue {
	s.tb.Helper()
	blockType := schema.ValueType().(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, of := range blockType.AttributeTypes {
		values[name] = tftypes.NewValue(of, nil)
	}
	for name, value := range block {
		values[name] = tftypes.NewValue(blockType.AttributeTypes[name], value) // panics if the schema has no such attribute
	}
	value, err := tfprotov6.NewDynamicValue(blockType, tftypes.NewValue(blockType, values))
	if err != nil {
		s.tb.Fatal(err)
	}
	return &value
}

func set[T any](elements ...T) []tftypes.Value {
	values := []tftypes.Value{}
	for _, element := range elements {
		values = append(values, tftypes.NewValue(tftypes.String, element))
	}
	return values
}

type object = map[string]any

// decimal is a number as it is written in a configuration.
type decimal string

// plain converts a Terraform value to nil, unknown, string, bool, int64, decimal,
// []any or object.
func plain(tb testing.TB, value tftypes.Value) any {
	tb.Helper()
	var (
		text     string
		truth    bool
		number   *big.Float
		elements []tftypes.Value
		members  map[string]tftypes.Value
	)
	switch {
	case !value.IsKnown():
		return unknown
	case value.IsNull():
		return nil
	case value.As(&text) == nil:
		return text
	case value.As(&truth) == nil:
		return truth
	case value.As(&number) == nil:
		if integer, accuracy := number.Int64(); accuracy == big.Exact {
			return integer
		}
		return decimal(number.Text('f', -1))
	case value.As(&elements) == nil:
		list := []any{}
		for _, element := range elements {
			list = append(list, plain(tb, element))
		}
		return list
	}
	if err := value.As(&members); err != nil {
		tb.Fatal(err)
	}
	result := object{}
	for name, member := range members {
		result[name] = plain(tb, member)
	}
	return result
}

// diagnostic is a diagnostic of the provider. Its heading has the severity, the
// argument and the summary: "error at token: Invalid token".
type diagnostic struct{ heading, detail string }

type diagnostics []diagnostic

// newDiagnostics converts diagnostics. The guide on troubleshooting must have a
// heading or a table row for each of them.
func newDiagnostics(tb testing.TB, found []*tfprotov6.Diagnostic, err error) (all diagnostics) {
	tb.Helper()
	guide, unreadable := os.ReadFile("../../templates/guides/troubleshooting.md")
	if err := errors.Join(err, unreadable); err != nil {
		tb.Fatal(err)
	}
	for _, d := range found {
		heading := strings.ToLower(d.Severity.String())
		if steps := d.Attribute.Steps(); len(steps) > 0 {
			heading += " at " + string(steps[0].(tftypes.AttributeName)) // the outermost, as elements of a set have no name
		}
		all = append(all, diagnostic{heading + ": " + d.Summary, d.Detail})
		name := regexp.MustCompile("^.*: ").ReplaceAllString(d.Summary, "") // without "Unable to read usages: "
		if !bytes.Contains(guide, []byte("\n### "+name+"\n")) && !bytes.Contains(guide, []byte("\n| "+name+" |")) {
			tb.Errorf("the guide on troubleshooting does not have %q", name)
		}
	}
	return all
}

func (d diagnostics) failed() bool {
	return slices.ContainsFunc(d, func(one diagnostic) bool { return strings.HasPrefix(one.heading, "error") })
}

// String returns all text that a user sees.
func (d diagnostics) String() string {
	var text strings.Builder
	for _, one := range d {
		fmt.Fprintf(&text, "%s\n%s\n", one.heading, one.detail)
	}
	return text.String()
}

// require fails the test unless there is exactly one diagnostic, with that heading
// and these parts of its detail, or none if the heading is empty.
func (d diagnostics) require(tb testing.TB, heading string, details ...string) {
	tb.Helper()
	if heading == "" && len(d) == 0 {
		return
	}
	if len(d) != 1 || d[0].heading != heading {
		tb.Fatalf("got:\n%swant: %q", d, heading)
	}
	for _, detail := range details {
		if !strings.Contains(d[0].detail, detail) {
			tb.Errorf("got:\n%swant: %s", d, detail)
		}
	}
	for _, unwanted := range []string{waldurtest.Token, "<html", "page_size", "&{", "%!", "..", " .", "\n\n\n"} {
		if strings.Contains(d.String(), unwanted) {
			tb.Errorf("got:\n%sunwanted: %q", d, unwanted)
		}
	}
	if strings.Contains(heading, "Unable to read") && regexp.MustCompile(`[^."\n](\n|$)`).MatchString(d[0].detail) {
		tb.Errorf("got a line that is not a sentence:\n%s", d)
	}
}

// The provider has no resources: it must not change anything.
func TestSchemasAreValidAndHaveDescriptions(t *testing.T) {
	t.Parallel()
	schemas := newSession(t, nil).schemas
	newDiagnostics(t, schemas.Diagnostics, nil).require(t, "")
	got := slices.Concat(slices.Collect(maps.Keys(schemas.DataSourceSchemas)), slices.Collect(maps.Keys(schemas.ResourceSchemas)),
		slices.Collect(maps.Keys(schemas.Functions)))
	slices.Sort(got)
	if want := []string{"budget_check", "usage_chart", "usage_report", oneType, listType}; !slices.Equal(got, want) {
		t.Errorf("got data sources, resources and functions %q, want %q", got, want)
	}
	describe := func(name, description string, kind tfprotov6.StringKind) {
		if description == "" || kind != tfprotov6.StringKindMarkdown {
			t.Errorf("%s has no description in Markdown", name)
		}
	}
	blocks := maps.Clone(schemas.DataSourceSchemas)
	blocks["provider"] = schemas.Provider
	for name, schema := range blocks {
		describe(name, schema.Block.Description, schema.Block.DescriptionKind)
		for _, attribute := range schema.Block.Attributes {
			describe(name+"."+attribute.Name, attribute.Description, attribute.DescriptionKind)
			if attribute.NestedType != nil {
				for _, nested := range attribute.NestedType.Attributes {
					describe(name+"."+attribute.Name+"."+nested.Name, nested.Description, nested.DescriptionKind)
				}
			}
			if got, want := attribute.Sensitive, attribute.Name == "token"; got != want {
				t.Errorf("%s.%s is sensitive: got %t, want %t", name, attribute.Name, got, want)
			}
		}
	}
	for name, function := range schemas.Functions {
		describe(name, function.Description, function.DescriptionKind)
		if function.Summary == "" {
			t.Errorf("%s has no summary", name)
		}
		for _, parameter := range append(function.Parameters, function.VariadicParameter) {
			describe(name+"."+parameter.Name, parameter.Description, parameter.DescriptionKind)
			if parameter.AllowNullValue || parameter.AllowUnknownValues {
				t.Errorf("%s.%s may be null or unknown", name, parameter.Name)
			}
		}
	}
}

func TestUserAgentNamesTheProviderTheCLIAndAnAddition(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ terraform, added, want string }{
		"a CLI":             {"1.11.4", "", "terraform-provider-waldur-usage/1.2.3 Terraform/1.11.4"},
		"no version":        {"", "", "terraform-provider-waldur-usage/1.2.3"},
		"an addition":       {"1.13.0", "pipeline/7 (nightly)", "terraform-provider-waldur-usage/1.2.3 Terraform/1.13.0 pipeline/7 (nightly)"},
		"a broken addition": {"1.11.4", " a\r\nX-Injected: b\x00\x7f ", "terraform-provider-waldur-usage/1.2.3 Terraform/1.11.4 a X-Injected: b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := waldurtest.New()
			server.Add(waldurtest.Record{ID: 7, Date: "2024-09-01"})
			s := newSession(t, map[string]string{"TF_APPEND_USER_AGENT": row.added})
			s.terraform = row.terraform
			_, found := s.connect(server).read(t.Context(), attributes{"id": 7})
			found.require(t, "")
			if got := server.Requests()[0].Header; got.Get("User-Agent") != row.want || got.Get("X-Injected") != "" {
				t.Errorf("got headers %q, want the User-Agent %q", got, row.want)
			}
		})
	}
}

// Package waldur logs no token, except one that is also in the path of the
// endpoint. Anything that a later version logs must be masked.
func TestTokenIsMaskedInLogs(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.PathPrefix = "/" + waldurtest.Token
	server.AddScope(waldurtest.ProjectScope(1))
	var log bytes.Buffer
	_, found := newSession(t, nil).connect(server).
		read(tflogtest.RootLogger(t.Context(), &log), attributes{"scope": "http://localhost" + waldurtest.ProjectScope(1)})
	found.require(t, "")
	shown := log.String()
	if strings.Contains(shown, waldurtest.Token) || !strings.Contains(shown, `"path":"/***/api/`) ||
		!strings.Contains(shown, `"records":0`) || !strings.Contains(shown, `"@level":"debug"`) {
		t.Errorf("got log:\n%s\nwant paths with ***, the number of records and the level debug", shown)
	}
}
