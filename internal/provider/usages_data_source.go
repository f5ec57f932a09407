package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

var (
	_ datasource.DataSourceWithConfigure      = (*usagesDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*usagesDataSource)(nil)
)

// usagesDataSource lists the usage records of a project or a customer.
type usagesDataSource struct{ connected }

func newUsagesDataSource() datasource.DataSource { return &usagesDataSource{} }

// Metadata implements datasource.DataSource.
func (d *usagesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_category_component_usages"
}

// Schema implements datasource.DataSource.
func (d *usagesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = usagesSchema()
}

func usagesSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Lists every usage record of a project or a customer: how much of each component was used in each month, " +
			"over all resources of a category. The list is proved complete, or reading it is an error. " +
			"Records are sorted by `date` (newest first), then by `type` and `category_uuid`. " +
			"The records of a customer include those of its projects. " +
			"Waldur recalculates the current month (UTC) every hour and never an earlier one; " +
			"on the first day of a month, its records may not be there yet.",
		Attributes: map[string]schema.Attribute{
			"scope": schema.StringAttribute{
				Optional: true,
				Computed: true,
				MarkdownDescription: "URL of the project or the customer, as Waldur gives it: " +
					"`https://waldur.example.com/api/projects/<uuid>/` or `…/api/customers/<uuid>/`. " +
					"Exactly one of `scope`, `project_uuid` and `customer_uuid` is needed; given a UUID, this is the URL that it stands for. " +
					"Waldur compares the kind and the UUID; the host in front of them makes no difference.",
				Validators: []validator.String{
					parsed("Invalid scope", waldur.ParseScopeURL),
					stringvalidator.AtLeastOneOf(path.MatchRoot("project_uuid"), path.MatchRoot("customer_uuid")),
				},
			},
			"project_uuid": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "UUID of the project: 32 hexadecimal digits, with or without hyphens.",
				Validators:          []validator.String{parsed("Invalid project_uuid", waldur.ParseUUID), stringvalidator.ConflictsWith(path.MatchRoot("scope"))},
			},
			"customer_uuid": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "UUID of the customer: 32 hexadecimal digits, with or without hyphens.",
				Validators:          []validator.String{parsed("Invalid customer_uuid", waldur.ParseUUID), stringvalidator.ConflictsWith(path.MatchRoot("scope"), path.MatchRoot("project_uuid"))},
			},
			"date_after": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "First date, inclusive, as `YYYY-MM-DD`. Records are dated the first of a month: " +
					"write `2024-09-01` to begin with September 2024; `2024-09-02` would leave it out.",
				Validators: []validator.String{parsed("Invalid date_after", waldur.ParseDate)},
			},
			"date_before": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Last date, inclusive, as `YYYY-MM-DD`. Any day of September 2024 makes it the last month.",
				Validators:          []validator.String{parsed("Invalid date_before", waldur.ParseDate)},
			},
			"fields": fieldsAttribute(),
			"usages": schema.ListAttribute{
				Computed:            true,
				ElementType:         usageObject(),
				MarkdownDescription: "The usage records; an empty list when there are none. Each is an object:\n" + usageMeanings(),
			},
		},
	}
}

// usagesArguments is what a configuration says.
type usagesArguments struct {
	scope, projectUUID, customerUUID types.String
	dateAfter, dateBefore            types.String
	fields                           types.Set
}

func readUsagesArguments(ctx context.Context, config tfsdk.Config) (usagesArguments, diag.Diagnostics) {
	var a usagesArguments
	var diagnostics diag.Diagnostics
	for name, target := range map[string]any{
		"scope": &a.scope, "project_uuid": &a.projectUUID, "customer_uuid": &a.customerUUID,
		"date_after": &a.dateAfter, "date_before": &a.dateBefore, "fields": &a.fields,
	} {
		diagnostics.Append(config.GetAttribute(ctx, path.Root(name), target)...)
	}
	return a, diagnostics
}

// ValidateConfig compares the dates with each other and with the months.
func (d *usagesDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	arguments, diagnostics := readUsagesArguments(ctx, req.Config)
	resp.Diagnostics.Append(diagnostics...)
	if resp.Diagnostics.HasError() || arguments.dateAfter.IsNull() || arguments.dateAfter.IsUnknown() {
		return
	}
	after, err := waldur.ParseDate(arguments.dateAfter.ValueString())
	if err != nil {
		return // its validator says so
	}
	if after.Day() != 1 {
		resp.Diagnostics.AddAttributeWarning(path.Root("date_after"), "Month left out by date_after",
			fmt.Sprintf("Usage records are dated the first of a month. date_after = %q therefore leaves out %s. To have that month, write %q.",
				after.Format(time.DateOnly), after.Format("January 2006"), after.AddDate(0, 0, 1-after.Day()).Format(time.DateOnly)))
	}
	before, err := waldur.ParseDate(arguments.dateBefore.ValueString())
	if err == nil && after.After(before) {
		resp.Diagnostics.AddAttributeError(path.Root("date_after"), "Invalid date_after",
			fmt.Sprintf("It is later than date_before: no date is from %s to %s.", arguments.dateAfter.ValueString(), arguments.dateBefore.ValueString()))
	}
}

// Read implements datasource.DataSource.
func (d *usagesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	arguments, diagnostics := readUsagesArguments(ctx, req.Config)
	resp.Diagnostics.Append(diagnostics...)
	resp.Diagnostics.Append(d.connection.check("usages", req.Config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	scope, argument, err := arguments.chosenScope()
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root(argument), "Invalid "+argument, err.Error())
		return
	}
	usages, err := d.connection.client.Usages(ctx, waldur.Query{
		Scope:  scope,
		After:  arguments.dateAfter.ValueString(),
		Before: arguments.dateBefore.ValueString(),
		Fields: fieldSet(arguments.fields),
	})
	if err != nil {
		resp.Diagnostics.Append(readError(err, subject{what: "usages", name: scope.String(), argument: path.Root(argument)}))
		return
	}
	resp.Diagnostics.Append(duplicateWarning(usages)...)
	// The scope first: to set an attribute is to walk over all that are set.
	if arguments.scope.IsNull() {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("scope"), d.connection.endpoint.ScopeURL(scope))...)
	}
	resp.Diagnostics.Append(setUsages(ctx, &resp.State, usagesValue(usages))...)
}

// chosenScope gives the scope and the argument that names it.
func (a usagesArguments) chosenScope() (scope waldur.Scope, argument string, err error) {
	switch {
	case !a.projectUUID.IsNull():
		uuid, err := waldur.ParseUUID(a.projectUUID.ValueString())
		return waldur.Scope{Kind: waldur.Project, UUID: uuid}, "project_uuid", err
	case !a.customerUUID.IsNull():
		uuid, err := waldur.ParseUUID(a.customerUUID.ValueString())
		return waldur.Scope{Kind: waldur.Customer, UUID: uuid}, "customer_uuid", err
	default:
		scope, err := waldur.ParseScopeURL(a.scope.ValueString())
		return scope, "scope", err
	}
}
