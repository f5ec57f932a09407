package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// A shorter token would be masked inside ordinary words, and so be told.
const leastMasked = 8

// masked hides the token in log lines, should it ever get into one: package
// waldur logs none. The mask is set for each line, as one that is set in
// Configure does not reach Read.
func masked(log waldur.Log, token string) waldur.Log {
	if len(token) < leastMasked {
		return log
	}
	return func(ctx context.Context, message string, fields map[string]any) {
		log(tflog.MaskLogStrings(ctx, token), message, fields)
	}
}

func debug(ctx context.Context, message string, fields map[string]any) {
	tflog.Debug(ctx, message, fields)
}
