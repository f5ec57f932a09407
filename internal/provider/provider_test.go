package provider

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	// The acceptance tests serve the provider in this process, and the plugin
	// library does not end the goroutine that copies a plugin's output.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"))
}

const (
	listType = "waldur_category_component_usages"
	oneType  = "waldur_category_component_usage"
	someUUID = "2b5719686db84f24bf64c3dfec58fbeb"
	unknown  = tftypes.UnknownValue
)

// session is a provider that is called over the protocol, as a CLI does, with its
// own dependencies and a clock that does not wait.
type session struct {
	tb        testing.TB
	server    tfprotov6.ProviderServer
	schemas   *tfprotov6.GetProviderSchemaResponse
	terraform string // version of the CLI
	deferral  bool   // the CLI allows deferrals

	mu     sync.Mutex
	logged []string
}

// attributes are the attributes of a block. Others are null.
type attributes map[string]any

func newSession(tb testing.TB, environment map[string]string) *session {
	tb.Helper()
	s := &session{tb: tb, terraform: "1.11.4"}
	s.server = providerserver.NewProtocol6(newWith("1.2.3", dependencies{
		lookupEnv: lookupIn(environment),
		clock:     &jumpingClock{now: sessionStart()},
		random:    func() float64 { return 0.5 },
		log: func(ctx context.Context, message string, fields map[string]any) {
			debug(ctx, message, fields)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logged = append(s.logged, fmt.Sprint(message, " ", fields))
		},
	})())()
	var err error
	if s.schemas, err = s.server.GetProviderSchema(tb.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		tb.Fatal(err)
	}
	return s
}

// lookupIn returns a function like os.LookupEnv.
func lookupIn(environment map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, found := environment[name]; return value, found }
}

// connect starts the fake Waldur and returns a provider that is configured for
// it. arguments override the defaults.
func connect(tb testing.TB, server *waldurtest.Waldur, arguments attributes) *session {
	tb.Helper()
	s := newSession(tb, nil)
	provider := attributes{"endpoint": server.Start(tb), "token": waldurtest.Token}
	maps.Copy(provider, arguments)
	s.configure(provider).require(tb, "")
	return s
}

func (s *session) validateProvider(block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ValidateProviderConfig(s.tb.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: s.value(s.schemas.Provider, block)})
	return s.diagnostics(resp.Diagnostics, err)
}

func (s *session) configure(block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ConfigureProvider(s.tb.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion:   s.terraform,
		Config:             s.value(s.schemas.Provider, block),
		ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: s.deferral},
	})
	return s.diagnostics(resp.Diagnostics, err)
}

func (s *session) validate(typeName string, block attributes) diagnostics {
	s.tb.Helper()
	resp, err := s.server.ValidateDataResourceConfig(s.tb.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: typeName, Config: s.value(s.schemas.DataSourceSchemas[typeName], block),
	})
	return s.diagnostics(resp.Diagnostics, err)
}

// read returns the state as plain Go values, or nil if the read was deferred or
// failed, which must leave no record in the state.
func (s *session) read(typeName string, block attributes) (map[string]any, diagnostics) {
	s.tb.Helper()
	return s.readUntil(s.tb.Context(), typeName, block)
}

func (s *session) readUntil(ctx context.Context, typeName string, block attributes) (map[string]any, diagnostics) {
	s.tb.Helper()
	schema := s.schemas.DataSourceSchemas[typeName]
	resp, err := s.server.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{
		TypeName: typeName, Config: s.value(schema, block),
		ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: s.deferral},
	})
	found := s.diagnostics(resp.Diagnostics, err)
	if resp.Deferred != nil {
		if resp.Deferred.Reason != tfprotov6.DeferredReasonProviderConfigUnknown {
			s.tb.Errorf("the read is deferred: %v", resp.Deferred)
		}
		return nil, found
	}
	value, err := resp.State.Unmarshal(schema.ValueType())
	if err != nil {
		s.tb.Fatal(err)
	}
	state := plain(s.tb, value).(map[string]any)
	if !found.failed() {
		return state, found
	}
	if state["usages"] != nil || state["date"] != nil {
		s.tb.Errorf("the read failed, and the state is %v", state)
	}
	return nil, found
}

func (s *session) value(schema *tfprotov6.Schema, block attributes) *tfprotov6.DynamicValue {
	s.tb.Helper()
	object := schema.ValueType().(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, of := range object.AttributeTypes {
		values[name] = tftypes.NewValue(of, block[name])
	}
	for name := range block {
		if _, known := values[name]; !known {
			s.tb.Fatalf("the schema has no attribute %q", name)
		}
	}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, values))
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

// plain turns a Terraform value into nil, string, int64, []any or map[string]any.
func plain(tb testing.TB, value tftypes.Value) any {
	tb.Helper()
	var (
		text     string
		number   big.Float
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
	case value.As(&number) == nil:
		integer, accuracy := number.Int64()
		if accuracy != big.Exact {
			tb.Errorf("%s is not an int64", number.Text('g', 30))
		}
		return integer
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
	object := map[string]any{}
	for name, member := range members {
		object[name] = plain(tb, member)
	}
	return object
}

// diagnostic is a diagnostic of the provider. Its heading has the severity, the
// argument and the summary: "error at token: Invalid token".
type diagnostic struct{ heading, detail string }

type diagnostics []diagnostic

// diagnostics also requires that the guide on troubleshooting has a heading or
// a row of a table for each of them.
func (s *session) diagnostics(found []*tfprotov6.Diagnostic, err error) (all diagnostics) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, d := range found {
		argument := "" // the outermost, as elements of a set have no name
		if steps := d.Attribute.Steps(); len(steps) > 0 {
			argument = string(steps[0].(tftypes.AttributeName))
		}
		all = append(all, newDiagnostic(s.tb, d.Severity, argument, d.Summary, d.Detail))
	}
	return all
}

func newDiagnostic(tb testing.TB, severity fmt.Stringer, argument, summary, detail string) diagnostic {
	tb.Helper()
	guide, err := os.ReadFile("../../templates/guides/troubleshooting.md")
	if err != nil {
		tb.Fatal(err)
	}
	_, name, failedRead := strings.Cut(summary, ": ")
	if !failedRead {
		name = summary
	}
	if !bytes.Contains(guide, []byte("\n### "+name+"\n")) && !bytes.Contains(guide, []byte("\n| "+name+" |")) {
		tb.Errorf("the guide on troubleshooting does not have %q", name)
	}
	heading := strings.ToLower(severity.String())
	if argument != "" {
		heading += " at " + argument
	}
	return diagnostic{heading + ": " + summary, detail}
}

func (d diagnostics) failed() bool {
	return slices.ContainsFunc(d, func(one diagnostic) bool { return strings.HasPrefix(one.heading, "error") })
}

// String returns everything that a user sees.
func (d diagnostics) String() string {
	var text strings.Builder
	for _, one := range d {
		fmt.Fprintf(&text, "%s\n%s\n", one.heading, one.detail)
	}
	return text.String()
}

// require requires one diagnostic with that heading and these parts of its
// detail, or none if the heading is empty.
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
		tb.Errorf("a line is not a sentence:\n%s", d)
	}
}

// jumpingClock does not wait: a sleep moves its time forward.
type jumpingClock struct {
	mu  sync.Mutex
	now time.Time
}

func sessionStart() time.Time { return time.Date(2024, 10, 1, 12, 0, 0, 0, time.UTC) }

func (c *jumpingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *jumpingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

func TestSchemasAreValidAndHaveDescriptions(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.diagnostics(s.schemas.Diagnostics, nil).require(t, "")
	if names := slices.Sorted(maps.Keys(s.schemas.DataSourceSchemas)); !slices.Equal(names, []string{oneType, listType}) {
		t.Errorf("data sources are %q", names)
	}
	if len(s.schemas.ResourceSchemas) != 0 {
		t.Error("the provider has resources, but it must not change anything")
	}
	for _, attribute := range s.schemas.Provider.Block.Attributes {
		if attribute.Sensitive != (attribute.Name == "token") {
			t.Errorf("%s: sensitive is %v", attribute.Name, attribute.Sensitive)
		}
	}
	for _, schema := range append(slices.Collect(maps.Values(s.schemas.DataSourceSchemas)), s.schemas.Provider) {
		described := schema.Block.Attributes
		for _, attribute := range schema.Block.Attributes {
			if attribute.NestedType != nil {
				described = slices.Concat(described, attribute.NestedType.Attributes)
			}
		}
		for _, attribute := range described {
			if attribute.Description == "" || attribute.DescriptionKind != tfprotov6.StringKindMarkdown || schema.Block.Description == "" {
				t.Errorf("%s, or its block, has no description in Markdown", attribute.Name)
			}
		}
	}
}

func TestUserAgentAndOtherHeaders(t *testing.T) {
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
			server.AddToken("w_personal", waldurtest.User{})
			server.AddScope(waldurtest.CustomerScope(1))
			s := newSession(t, map[string]string{"TF_APPEND_USER_AGENT": row.added})
			s.terraform = row.terraform
			url := server.Start(t)
			s.configure(attributes{"endpoint": url, "token": "w_personal"}).require(t, "")
			if n := server.Connections(); n != 0 {
				t.Errorf("the configuration made %d connections", n)
			}
			_, found := s.read(listType, attributes{"scope": url + waldurtest.CustomerScope(1)})
			found.require(t, "")
			header := server.Requests()[0].Header
			for name, want := range map[string]string{
				"User-Agent": row.want, "Authorization": "Bearer w_personal",
				"Accept": "application/json", "Accept-Language": "en", "X-Injected": "",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// Package waldur logs no token, except one that is also in the path of the
// endpoint. What a later version may log must be masked.
func TestTokenIsMaskedInLogs(t *testing.T) {
	t.Parallel()
	server := waldurtest.New()
	server.PathPrefix = "/" + waldurtest.Token
	server.AddScope(waldurtest.ProjectScope(1))
	var log bytes.Buffer
	s := connect(t, server, nil)
	_, found := s.readUntil(tflogtest.RootLogger(t.Context(), &log), listType, attributes{"scope": "http://localhost" + waldurtest.ProjectScope(1)})
	found.require(t, "")
	shown := log.String()
	if strings.Contains(shown, waldurtest.Token) || !strings.Contains(shown, `"path":"/***/api/`) ||
		!strings.Contains(shown, `"records":0`) || !strings.Contains(shown, `"@level":"debug"`) {
		t.Errorf("logged: %s", shown)
	}
}
