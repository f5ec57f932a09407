package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// NewServer gives a constructor of the provider's server, for tf6server.Serve.
func NewServer(version string) func() tfprotov6.ProviderServer { return serverOf(New(version)) }

func serverOf(newProvider func() provider.Provider) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer { return server{providerserver.NewProtocol6(newProvider())()} }
}

// server is the framework's server, but that the records of a list pass it by.
// After a read, the framework copies the whole state, compares it with itself
// and looks at each null in it, for the sake of custom types and blocks, of
// which this provider has none. An apply with 10,000 records took a third
// longer through it, and the provider half as much memory again.
type server struct{ tfprotov6.ProviderServer }

// aside is where a read leaves its records for the server.
type aside struct{ usages tftypes.Value }

type asideKey struct{}

// ReadDataSource implements tfprotov6.DataSourceServer.
func (s server) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	var left aside
	resp, err := s.ProviderServer.ReadDataSource(context.WithValue(ctx, asideKey{}, &left), req)
	if err != nil || left.usages.IsNull() {
		return resp, err
	}
	resp.State, err = withUsages(ctx, resp.State, left.usages)
	return resp, err
}

// setUsages puts the records into the state, or aside if the server waits for
// them there.
func setUsages(ctx context.Context, state *tfsdk.State, usages tftypes.Value) diag.Diagnostics {
	if left, waits := ctx.Value(asideKey{}).(*aside); waits {
		left.usages = usages
		return nil
	}
	return state.SetAttribute(ctx, path.Root("usages"), usages)
}

// withUsages completes a state that lacks its records.
func withUsages(ctx context.Context, state *tfprotov6.DynamicValue, usages tftypes.Value) (*tfprotov6.DynamicValue, error) {
	stateType := usagesSchema().Type().TerraformType(ctx)
	lacking, err := state.Unmarshal(stateType)
	if err != nil {
		return nil, err
	}
	var attributes map[string]tftypes.Value
	if err := lacking.As(&attributes); err != nil {
		return nil, err
	}
	attributes = maps.Clone(attributes) // As gives the value's own map
	attributes["usages"] = usages
	complete, err := tfprotov6.NewDynamicValue(stateType, tftypes.NewValue(stateType, attributes))
	return &complete, err
}
