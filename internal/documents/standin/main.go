// Command standin serves what the guide about the official provider needs of
// it: the data source waldur_structure_project, with the attributes that the
// guide names. The tests install it as waldur/waldur.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

func main() {
	serve := func() provider.Provider { return standIn{} }
	err := providerserver.Serve(context.Background(), serve, providerserver.ServeOpts{
		Address: "registry.terraform.io/waldur/waldur", ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}

type standIn struct{}

// Metadata implements provider.Provider.
func (standIn) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "waldur"
}

// Schema implements provider.Provider.
func (standIn) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"endpoint": schema.StringAttribute{Optional: true},
		"token":    schema.StringAttribute{Optional: true, Sensitive: true},
	}}
}

// Configure implements provider.Provider.
func (standIn) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

// DataSources implements provider.Provider.
func (standIn) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return project{} }}
}

// Resources implements provider.Provider.
func (standIn) Resources(context.Context) []func() resource.Resource { return nil }

type project struct{}

// Metadata implements datasource.DataSource.
func (project) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_structure_project"
}

// Schema implements datasource.DataSource.
func (project) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = dataschema.Schema{Attributes: map[string]dataschema.Attribute{
		"id": dataschema.StringAttribute{Optional: true, Computed: true},
		"filters": dataschema.SingleNestedAttribute{Optional: true, Attributes: map[string]dataschema.Attribute{
			"name_exact": dataschema.StringAttribute{Optional: true},
		}},
	}}
}

// Read implements datasource.DataSource: whatever is looked for, it is the
// project of the documents.
func (project) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	resp.State.Raw = req.Config.Raw
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), "2b5719686db84f24bf64c3dfec58fbeb")...)
}
