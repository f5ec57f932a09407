package provider

import (
	"context"
	"maps"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*usageDataSource)(nil)

// usageDataSource reads one usage record by its id.
type usageDataSource struct{ connected }

func newUsageDataSource() datasource.DataSource { return &usageDataSource{} }

// Metadata implements datasource.DataSource.
func (d *usageDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_category_component_usage"
}

// Schema implements datasource.DataSource.
func (d *usageDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"id": schema.NumberAttribute{
			Required: true,
			MarkdownDescription: "Id of the record, 1 or more. Waldur's API never shows it, in lists neither: " +
				"you know it from an administrator or from the database.",
			Validators: []validator.Number{wholeNumberValidator{"Invalid id", 1}},
		},
		"fields": fieldsAttribute(),
	}
	maps.Copy(attributes, usageAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one usage record by its id: how much of a component a project or a customer used in a month. " +
			"To read the records of a project or a customer, use `waldur_category_component_usages`, which needs no id. " +
			"Waldur lets any user read any record by its id.",
		Attributes: attributes,
	}
}

// Read implements datasource.DataSource.
func (d *usageDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var written types.Number
	var fields types.Set
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("id"), &written)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("fields"), &fields)...)
	resp.Diagnostics.Append(d.connection.check("usage record", req.Config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id, err := parseWhole(digits(written.ValueBigFloat()), 1)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("id"), "Invalid id", err.Error())
		return
	}
	usage, err := d.connection.client.Usage(ctx, id, fieldSet(fields))
	if err != nil {
		resp.Diagnostics.Append(readError(err, subject{what: "usage record", name: strconv.FormatInt(id, 10), argument: path.Root("id"), byID: true}))
		return
	}
	for name, value := range usageValues(&usage) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}
