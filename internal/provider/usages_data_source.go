package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

var (
	_ datasource.DataSourceWithConfigure      = (*usagesDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*usagesDataSource)(nil)
)

// usagesDataSource lists the usage records of a project or a customer.
type usagesDataSource struct{ baseDataSource }

func newUsagesDataSource() datasource.DataSource { return &usagesDataSource{} }

// Metadata implements datasource.DataSource.
func (d *usagesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_category_component_usages"
}

// Schema implements datasource.DataSource.
func (d *usagesDataSource) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads all usage records of a project or a customer: how much of each component was used in each month, " +
			"across all resources of a marketplace category. A read returns the complete, exact list, or it fails. " +
			"Records are sorted by `date` (newest first), then by `type` and `category_uuid`. " +
			"The records of a customer include the usage of its projects. " +
			"Waldur recalculates the current month (in UTC) every hour, and never recalculates an earlier month. " +
			"On the first day of a month, it may not have any records of that month yet.",
		Attributes: map[string]schema.Attribute{
			"scope": schema.StringAttribute{
				Optional: true,
				Computed: true,
				MarkdownDescription: "URL of the project or customer, as returned by Waldur: " +
					"`https://waldur.example.com/api/projects/<uuid>/` or `…/api/customers/<uuid>/`. Its host can be another name of the same Waldur. " +
					"Exactly one of `scope`, `project_uuid` and `customer_uuid` is required. If a UUID is set, `scope` is computed from it and `endpoint`.",
				Validators: []validator.String{
					parsed(waldur.ParseScopeURL),
					// ExactlyOneOf would also report conflicts at scope, even if scope is
					// not set.
					stringvalidator.AtLeastOneOf(path.MatchRoot("project_uuid"), path.MatchRoot("customer_uuid")),
				},
			},
			"project_uuid": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "UUID of the project: 32 hexadecimal digits, with or without hyphens.",
				Validators:          []validator.String{parsed(waldur.ParseUUID), stringvalidator.ConflictsWith(path.MatchRoot("scope"))},
			},
			"customer_uuid": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "UUID of the customer: 32 hexadecimal digits, with or without hyphens.",
				Validators: []validator.String{
					parsed(waldur.ParseUUID),
					stringvalidator.ConflictsWith(path.MatchRoot("scope"), path.MatchRoot("project_uuid")),
				},
			},
			"date_after": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Earliest date, inclusive, in the format `YYYY-MM-DD`. Records are dated the first of their month: " +
					"`2024-09-01` includes September 2024, and `2024-09-02` does not.",
				Validators: []validator.String{parsed(waldur.ParseDate)},
			},
			"date_before": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Latest date, inclusive, in the format `YYYY-MM-DD`. Any day of September 2024 includes September 2024.",
				Validators:          []validator.String{parsed(waldur.ParseDate)},
			},
			"fields":   fieldsAttribute(),
			"timeouts": timeoutsAttribute(ctx),
			"usages": schema.ListAttribute{
				Computed:            true,
				ElementType:         usageObject(),
				MarkdownDescription: "Usage records. The list is empty if there are none.",
			},
		},
	}
}

// usagesModel is the configuration of the data source.
type usagesModel struct {
	Scope        types.String   `tfsdk:"scope"`
	ProjectUUID  types.String   `tfsdk:"project_uuid"`
	CustomerUUID types.String   `tfsdk:"customer_uuid"`
	DateAfter    types.String   `tfsdk:"date_after"`
	DateBefore   types.String   `tfsdk:"date_before"`
	Fields       types.Set      `tfsdk:"fields"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
	Usages       types.List     `tfsdk:"usages"`
}

// ValidateConfig checks that the dates are in order, and warns if date_after is
// not the first of a month.
func (d *usagesDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var config usagesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.DateAfter.IsNull() || config.DateAfter.IsUnknown() {
		return
	}
	after, err := waldur.ParseDate(config.DateAfter.ValueString())
	if err != nil {
		return // reported by its validator
	}
	if after.Day() != 1 {
		resp.Diagnostics.AddAttributeWarning(path.Root("date_after"), "Month excluded by date_after",
			fmt.Sprintf("Usage records are dated the first of a month. date_after = %q therefore excludes %s. To include that month, use %q.",
				after.Format(time.DateOnly), after.Format("January 2006"), after.AddDate(0, 0, 1-after.Day()).Format(time.DateOnly)))
	}
	before, err := waldur.ParseDate(config.DateBefore.ValueString())
	if err == nil && after.After(before) {
		resp.Diagnostics.AddAttributeError(path.Root("date_after"), "Invalid date_after",
			fmt.Sprintf("It is later than date_before: the range from %s to %s is empty.", config.DateAfter.ValueString(), config.DateBefore.ValueString()))
	}
}

// Read implements datasource.DataSource.
func (d *usagesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	resp.Diagnostics.Append(d.provider.check("usages", req.Config)...)
	var config usagesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	timeout, diagnostics := config.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	scope, argument, err := config.chosenScope()
	if err != nil {
		resp.Diagnostics.Append(invalidArgument(path.Root(argument), argument, err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	usages, err := d.provider.client.Usages(ctx, waldur.Query{
		Scope:  scope,
		After:  config.DateAfter.ValueString(),
		Before: config.DateBefore.ValueString(),
		Fields: fieldSet(config.Fields),
	})
	if err != nil {
		resp.Diagnostics.Append(d.provider.readError(err, readTarget{"usages", scope.String(), path.Root(argument), timeout}))
		return
	}
	resp.Diagnostics.Append(d.provider.duplicateWarning(usages)...)
	// The framework has copied the configuration to the state.
	if config.Scope.IsNull() {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("scope"), d.provider.endpoint.ScopeURL(scope))...)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("usages"), usagesValue(ctx, usages))...)
}

// chosenScope returns the scope, and the name of the argument that is set.
func (m usagesModel) chosenScope() (waldur.Scope, string, error) {
	switch {
	case !m.ProjectUUID.IsNull():
		uuid, err := waldur.ParseUUID(m.ProjectUUID.ValueString())
		return waldur.Scope{Kind: waldur.Project, UUID: uuid}, "project_uuid", err
	case !m.CustomerUUID.IsNull():
		uuid, err := waldur.ParseUUID(m.CustomerUUID.ValueString())
		return waldur.Scope{Kind: waldur.Customer, UUID: uuid}, "customer_uuid", err
	default:
		scope, err := waldur.ParseScopeURL(m.Scope.ValueString())
		return scope, "scope", err
	}
}
