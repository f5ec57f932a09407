package provider

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// Package waldur logs no token today. If it does, the token must be masked.
func TestTokenIsMaskedInLogs(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	var log bytes.Buffer
	write := masked(debug, token)
	write(tflogtest.RootLogger(t.Context(), &log), "Waldur says "+token, map[string]any{"error": "refused " + token, "records": 3})
	shown := log.String()
	if strings.Contains(shown, token) || !strings.Contains(shown, "Waldur says ***") || !strings.Contains(shown, "refused ***") ||
		!strings.Contains(shown, `"records":3`) || !strings.Contains(shown, `"@level":"debug"`) {
		t.Errorf("logged: %s", shown)
	}
}
