package provider

import (
	"context"
	"maps"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*usageDataSource)(nil)

// usageDataSource reads one usage record by its id.
type usageDataSource struct{ baseDataSource }

func newUsageDataSource() datasource.DataSource { return &usageDataSource{} }

// Metadata implements datasource.DataSource.
func (d *usageDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_category_component_usage"
}

// Schema implements datasource.DataSource.
func (d *usageDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"id": schema.NumberAttribute{
			Required: true,
			MarkdownDescription: "ID of the record. Must be an integer of at least 1. Waldur's API does not return IDs, but " +
				"the Waldur administrator can look them up in the database.",
			Validators: []validator.Number{parsed(integerFrom(1))},
		},
		"fields":   fieldsAttribute(),
		"timeouts": timeoutsAttribute(ctx),
	}
	maps.Copy(attributes, usageAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one usage record by its ID: how much of a component a project or a customer used in a month. " +
			"To read the records of a project or a customer, use `waldur_category_component_usages`, which does not require an ID. " +
			"Waldur lets every user read every record by its ID.",
		Attributes: attributes,
	}
}

// Read implements datasource.DataSource.
func (d *usageDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	resp.Diagnostics.Append(d.provider.check("usage record", req.Config)...)
	var id types.Number
	var fields types.Set
	var limits timeouts.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("id"), &id)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("fields"), &fields)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("timeouts"), &limits)...)
	timeout, diagnostics := limits.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, err := integerFrom(1)(textOf(id))
	if err != nil {
		resp.Diagnostics.Append(invalidArgument(path.Root("id"), "id", err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	usage, err := d.provider.client.Usage(ctx, number, fieldSet(fields))
	if err != nil {
		resp.Diagnostics.Append(d.provider.readError(err, readTarget{"usage record", strconv.FormatInt(number, 10), path.Root("id"), timeout}))
		return
	}
	for name, value := range make(converter).attributes(&usage) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}
