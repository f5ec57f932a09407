package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// connection is what the provider hands to its data sources.
type connection struct {
	client   *waldur.Client
	endpoint waldur.Endpoint
	// unknown names the provider arguments whose values are not known yet.
	// While there are any, there is no client.
	unknown []string
}

// connected is the part of a data source that takes the connection.
type connected struct{ connection *connection }

// Configure implements datasource.DataSourceWithConfigure. While a
// configuration is only validated, the provider has nothing to hand over.
func (d *connected) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	connection, ok := req.ProviderData.(*connection)
	if !ok {
		resp.Diagnostics.AddError("Invalid provider data", "The provider handed over something that is no connection. This is a bug of the provider.")
		return
	}
	d.connection = connection
}
