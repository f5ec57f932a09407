package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/provider"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

const listDataSource = "waldur_category_component_usages"

// reader is the provider as a CLI sees it, without the CLI: what it is called
// with and what it gives are those of protocol 6.
type reader struct {
	server tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

// connect configures a provider for the site.
func connect(ctx context.Context, s *site) (reader, error) {
	server := providerserver.NewProtocol6(provider.New("bench")())()
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return reader{}, err
	}
	config, err := object(schema.Provider, map[string]tftypes.Value{
		"endpoint": tftypes.NewValue(tftypes.String, s.url),
		"token":    tftypes.NewValue(tftypes.String, waldurtest.Token),
	})
	if err != nil {
		return reader{}, err
	}
	configured, err := server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil {
		return reader{}, err
	}
	return reader{server, schema}, firstError(configured.Diagnostics)
}

// request asks for all records of the first project.
func (r reader) request() (*tfprotov6.ReadDataSourceRequest, error) {
	config, err := object(r.schema.DataSourceSchemas[listDataSource], map[string]tftypes.Value{
		"project_uuid": tftypes.NewValue(tftypes.String, projectUUID(0)),
	})
	return &tfprotov6.ReadDataSourceRequest{TypeName: listDataSource, Config: config}, err
}

func (r reader) read(ctx context.Context, request *tfprotov6.ReadDataSourceRequest) (*tfprotov6.DynamicValue, error) {
	response, err := r.server.ReadDataSource(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.State, firstError(response.Diagnostics)
}

// holds makes sure that a state has so many records.
func (r reader) holds(state *tfprotov6.DynamicValue, want int) error {
	value, err := state.Unmarshal(r.schema.DataSourceSchemas[listDataSource].ValueType())
	if err != nil {
		return err
	}
	attributes, usages := map[string]tftypes.Value{}, []tftypes.Value{}
	if err := value.As(&attributes); err != nil {
		return err
	}
	if err := attributes["usages"].As(&usages); err != nil {
		return err
	}
	if len(usages) != want {
		return fmt.Errorf("%d records came, want %d", len(usages), want)
	}
	return nil
}

// object is a configuration with the given attributes; the others are null.
func object(schema *tfprotov6.Schema, given map[string]tftypes.Value) (*tfprotov6.DynamicValue, error) {
	of, ok := schema.ValueType().(tftypes.Object)
	if !ok {
		return nil, fmt.Errorf("a schema of %s", schema.ValueType())
	}
	values := map[string]tftypes.Value{}
	for name, kind := range of.AttributeTypes {
		values[name] = tftypes.NewValue(kind, nil)
		if value, found := given[name]; found {
			values[name] = value
		}
	}
	config, err := tfprotov6.NewDynamicValue(of, tftypes.NewValue(of, values))
	return &config, err
}

func firstError(diagnostics []*tfprotov6.Diagnostic) error {
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return fmt.Errorf("%s: %s", d.Summary, strings.TrimSpace(d.Detail))
		}
	}
	return nil
}
