package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultReadTimeout = 10 * time.Minute

// timeoutsAttribute returns the argument that limits the time of a read. Both
// data sources have it.
func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute, _ := timeouts.Attributes(ctx).(schema.SingleNestedAttribute)
	attribute.MarkdownDescription = "Time limits of the data source."
	attribute.Validators = []validator.Object{positiveTimeout{}}
	read, _ := attribute.Attributes["read"].(schema.StringAttribute)
	read.Description = ""
	read.MarkdownDescription = "Time limit of the read, including its retries and the time that it waits for other reads: " +
		"a duration such as `30s` or `10m`. Defaults to `10m`."
	attribute.Attributes["read"] = read
	return attribute
}

// positiveTimeout rejects durations that would end a read before it begins. The
// attribute itself rejects what is not a duration.
type positiveTimeout struct{}

// Description implements validator.Describer.
func (positiveTimeout) Description(context.Context) string { return "read must be longer than 0" }

// MarkdownDescription implements validator.Describer.
func (p positiveTimeout) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

// ValidateObject implements validator.Object.
func (positiveTimeout) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	read, ok := req.ConfigValue.Attributes()["read"].(types.String)
	if !ok {
		return
	}
	if limit, err := time.ParseDuration(read.ValueString()); err == nil && limit <= 0 {
		resp.Diagnostics.AddAttributeError(req.Path.AtName("read"), "Invalid timeouts.read",
			"It must be a duration longer than 0, such as 10m.")
	}
}
