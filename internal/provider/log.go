package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Masking a shorter token would reveal it: it may be part of ordinary words.
const minMasked = 8

// masked hides the token in log lines. Package waldur logs no token: this holds
// if a later change does. The mask is set for each line, as one that is set in
// Configure does not apply to Read.
func masked(log waldur.Log, token string) waldur.Log {
	if len(token) < minMasked {
		return log
	}
	return func(ctx context.Context, message string, fields map[string]any) {
		log(tflog.MaskLogStrings(ctx, token), message, fields)
	}
}

func debug(ctx context.Context, message string, fields map[string]any) {
	tflog.Debug(ctx, message, fields)
}
