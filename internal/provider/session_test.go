package provider

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
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
)

// session is a provider that is called over the protocol, as a CLI does, with its
// own dependencies and a clock that does not wait.
type session struct {
	tb      testing.TB
	server  tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
	clock   *jumpingClock
	logged  *lines
	// terraform is the version of the CLI.
	terraform string
	// deferral reports whether the CLI allows deferrals.
	deferral bool
}

// attributes are the attributes of a block. Others are null.
type attributes map[string]any

const unknown = tftypes.UnknownValue

func newSession(tb testing.TB, environment map[string]string) *session {
	tb.Helper()
	s := &session{tb: tb, clock: &jumpingClock{now: time.Date(2024, 10, 1, 12, 0, 0, 0, time.UTC)}, logged: &lines{}, terraform: "1.11.4"}
	s.server = providerserver.NewProtocol6(newWith("1.2.3", dependencies{
		lookupEnv: lookupIn(environment),
		clock:     s.clock,
		random:    func() float64 { return 0.5 },
		log:       s.logged.add,
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
	s.requireNone(s.configure(provider))
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

// read returns the state as plain Go values, or nil.
func (s *session) read(typeName string, block attributes) (map[string]any, diagnostics) {
	s.tb.Helper()
	return s.readUntil(s.tb.Context(), typeName, block)
}

func (s *session) readUntil(ctx context.Context, typeName string, block attributes) (map[string]any, diagnostics) {
	s.tb.Helper()
	resp, err := s.server.ReadDataSource(ctx, s.readRequest(typeName, block))
	found := s.diagnostics(resp.Diagnostics, err)
	if found.failed() || resp.Deferred != nil {
		return nil, found
	}
	state, err := resp.State.Unmarshal(s.schemas.DataSourceSchemas[typeName].ValueType())
	if err != nil {
		s.tb.Fatal(err)
	}
	return plain(s.tb, state).(map[string]any), found
}

func (s *session) readRequest(typeName string, block attributes) *tfprotov6.ReadDataSourceRequest {
	s.tb.Helper()
	return &tfprotov6.ReadDataSourceRequest{
		TypeName: typeName, Config: s.value(s.schemas.DataSourceSchemas[typeName], block),
		ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: s.deferral},
	}
}

// requireNone fails the test if there are diagnostics.
func (s *session) requireNone(found diagnostics) {
	s.tb.Helper()
	if len(found) > 0 {
		s.tb.Fatalf("unexpected diagnostics:\n%s", found)
	}
}

func (s *session) value(schema *tfprotov6.Schema, block attributes) *tfprotov6.DynamicValue {
	s.tb.Helper()
	object := schema.ValueType().(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, of := range object.AttributeTypes {
		value := block[name]
		switch elements := value.(type) {
		case []string:
			value = set(elements...)
		case []any:
			value = set(elements...)
		}
		values[name] = tftypes.NewValue(of, value)
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
	if value.IsNull() {
		return nil
	}
	var err error
	switch value.Type().(type) {
	case tftypes.List, tftypes.Set:
		var elements []tftypes.Value
		err = value.As(&elements)
		list := []any{}
		for _, element := range elements {
			list = append(list, plain(tb, element))
		}
		if err == nil {
			return list
		}
	case tftypes.Object:
		var members map[string]tftypes.Value
		err = value.As(&members)
		object := map[string]any{}
		for name, member := range members {
			object[name] = plain(tb, member)
		}
		if err == nil {
			return object
		}
	default:
		var text string
		if value.Type().Is(tftypes.Number) {
			return int64Of(tb, value)
		}
		if err = value.As(&text); err == nil {
			return text
		}
	}
	tb.Fatal(err)
	return nil
}

// diagnostic is a diagnostic of the provider in a form that tests can compare.
type diagnostic struct {
	severity, attribute, summary, detail string
}

type diagnostics []diagnostic

func (s *session) diagnostics(found []*tfprotov6.Diagnostic, err error) (all diagnostics) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
	for _, d := range found {
		attribute := "" // the outermost, as elements of a set have no name
		if steps := d.Attribute.Steps(); len(steps) > 0 {
			attribute = string(steps[0].(tftypes.AttributeName))
		}
		severity := map[tfprotov6.DiagnosticSeverity]string{
			tfprotov6.DiagnosticSeverityError: "error", tfprotov6.DiagnosticSeverityWarning: "warning",
		}[d.Severity]
		all = append(all, diagnostic{severity, attribute, d.Summary, d.Detail})
		requireDocumented(s.tb, d.Summary)
	}
	return all
}

// requireDocumented fails the test if the guide on troubleshooting has no
// heading and no row of a table for the summary of a diagnostic.
func requireDocumented(tb testing.TB, summary string) {
	tb.Helper()
	guide, err := os.ReadFile("../../templates/guides/troubleshooting.md")
	if err != nil {
		tb.Fatal(err)
	}
	_, reason, failedRead := strings.Cut(summary, ": ")
	if !failedRead {
		reason = summary
	}
	if !strings.Contains(string(guide), "\n### "+reason+"\n") && !strings.Contains(string(guide), "\n| "+reason+" |") {
		tb.Errorf("the guide on troubleshooting does not have %q", reason)
	}
}

func (d diagnostics) failed() bool {
	for _, one := range d {
		if one.severity == "error" {
			return true
		}
	}
	return false
}

// String returns everything that a user sees.
func (d diagnostics) String() string {
	var text strings.Builder
	for _, one := range d {
		fmt.Fprintf(&text, "%s at %q: %s\n%s\n", one.severity, one.attribute, one.summary, one.detail)
	}
	return text.String()
}

// jumpingClock does not wait: a sleep moves its time forward.
type jumpingClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *jumpingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *jumpingClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// lines collects the lines of a log.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(_ context.Context, message string, fields map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, fmt.Sprint(message, " ", fields))
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.text...)
}
