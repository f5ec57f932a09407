package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// providerData is passed from the provider to its data sources.
type providerData struct {
	client   *waldur.Client
	endpoint waldur.Endpoint
	// unknown are the names of provider arguments whose values are not known yet. If
	// there are any, there is no client.
	unknown []string
}

// baseDataSource is the common part of the data sources.
type baseDataSource struct{ provider *providerData }

// Configure implements datasource.DataSourceWithConfigure. There is no provider data
// while a configuration is only validated.
func (d *baseDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.provider, _ = req.ProviderData.(*providerData)
}

// check returns an error if there is no client, or if an argument is not known yet:
// an unknown date_after must not become no date_after.
func (p *providerData) check(what string, config tfsdk.Config) (diagnostics diag.Diagnostics) {
	switch {
	case !config.Raw.IsFullyKnown():
		diagnostics.AddError("Unable to read "+what+": arguments not known yet",
			"The CLI requested a read before all arguments were known. This is a bug in the CLI.")
	case p == nil:
		diagnostics.AddError("Unable to read "+what+": provider not configured",
			"The CLI requested a read before it configured the provider. This is a bug in the CLI.")
	case len(p.unknown) > 0:
		diagnostics.AddError("Unable to read "+what+": provider configuration not known yet",
			fmt.Sprintf("The value of %s in the provider block depends on something that is not known before the apply. No request was made.\n\n"+
				"Apply that first (with -target), or use a value that is known.", strings.Join(p.unknown, ", ")))
	}
	return diagnostics
}

// fieldsAttribute returns the argument of both data sources that selects the
// attributes to request.
func fieldsAttribute() schema.SetAttribute {
	names := fieldNames()
	return schema.SetAttribute{
		ElementType: types.StringType,
		Optional:    true,
		MarkdownDescription: fmt.Sprintf("Attributes to request from Waldur. Attributes that are not requested are null. `date` is always requested. "+
			"Defaults to all attributes. Of the attributes, `category_title` and `category_uuid` take Waldur the most time. "+
			"Valid values: `%s`.", strings.Join(names, "`, `")),
		Validators: []validator.Set{
			setvalidator.SizeAtLeast(1),
			setvalidator.NoNullValues(),
			setvalidator.ValueStringsAre(stringvalidator.OneOf(names...)),
		},
	}
}

func fieldNames() []string {
	var names []string
	for field := range waldur.AllFields().Each {
		names = append(names, field.String())
	}
	return names
}

// fieldSet converts the fields argument, whose names have been validated.
func fieldSet(configured types.Set) waldur.FieldSet {
	if configured.IsNull() {
		return waldur.AllFields()
	}
	var set waldur.FieldSet
	for _, name := range configured.Elements() {
		if field, ok := waldur.ParseField(textOf(name)); ok {
			set |= waldur.Fields(field)
		}
	}
	return set
}

const defaultReadTimeout = 10 * time.Minute

// timeoutsAttribute returns the argument of both data sources that limits the time of
// a read.
func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute, _ := timeouts.Attributes(ctx).(schema.SingleNestedAttribute)
	attribute.MarkdownDescription = "Time limits of the data source."
	read, _ := attribute.Attributes["read"].(schema.StringAttribute)
	read.Description = ""
	read.MarkdownDescription = "Time limit of the read, including its retries and the time that it waits for other reads. " +
		"Must be a duration, such as `30s` or `10m`. Defaults to `10m`."
	// The attribute's own validator rejects values that are not durations.
	read.Validators = append(read.Validators, textValidator(func(text string) error {
		if limit, err := time.ParseDuration(text); err == nil && limit <= 0 {
			return errors.New("it must be a duration longer than 0, such as 10m")
		}
		return nil
	}))
	attribute.Attributes["read"] = read
	return attribute
}
