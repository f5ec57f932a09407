package provider

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	const longest = math.MaxInt64 - math.MaxInt64%time.Second
	type numbers struct {
		timeout             time.Duration
		retries, concurrent int
	}
	base := providerModel{Endpoint: types.StringValue("https://waldur.example.com/waldur/api/"), Token: types.StringValue("0123456789abcdef")}
	with := func(change func(*providerModel)) providerModel { m := base; change(&m); return m }
	environment := map[string]string{"WALDUR_HTTP_TIMEOUT": "7", "WALDUR_MAX_RETRIES": "0"}
	for name, row := range map[string]struct {
		model       providerModel
		environment map[string]string
		want        numbers
	}{
		"defaults":          {base, nil, numbers{time.Minute, 6, 4}},
		"environment":       {base, environment, numbers{7 * time.Second, 0, 4}},
		"empty environment": {base, map[string]string{"WALDUR_HTTP_TIMEOUT": "", "WALDUR_MAX_RETRIES": ""}, numbers{time.Minute, 6, 4}},
		"arguments":         {with(func(m *providerModel) { m.RequestTimeout = numberOf(5); m.MaxRetries = numberOf(9) }), environment, numbers{5 * time.Second, 9, 4}},
		"more requests":     {with(func(m *providerModel) { m.MaxConcurrentRequests = numberOf(10) }), nil, numbers{time.Minute, 6, 10}},
		"numbers that overflow": {with(func(m *providerModel) {
			m.RequestTimeout = numberOf(math.MaxInt64)
			m.MaxRetries = numberOf(math.MaxInt64)
		}), nil, numbers{longest, math.MaxInt32, 4}},
		"a large variable": {base, map[string]string{"WALDUR_HTTP_TIMEOUT": "9223372036854775807"}, numbers{longest, 6, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSettings(row.model, lookupIn(row.environment), time.Now())
			if s.diagnostics.HasError() || len(s.unknown) > 0 {
				t.Fatal(s.diagnostics, s.unknown)
			}
			got := numbers{s.config.RequestTimeout, s.config.MaxRetries, s.config.MaxConcurrentRequests}
			if got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if s.config.RootCAs != nil {
				t.Error("RootCAs is not nil")
			}
		})
	}
}

// The user should see all errors in one run.
func TestSettingsReportEveryError(t *testing.T) {
	t.Parallel()
	s := newSettings(providerModel{Endpoint: types.StringValue("localhost"), CACertificate: types.StringValue("x")},
		lookupIn(map[string]string{"WALDUR_ACCESS_TOKEN": "", "WALDUR_HTTP_TIMEOUT": "soon", "WALDUR_MAX_RETRIES": "often"}), time.Now())
	if n := s.diagnostics.ErrorsCount(); n != 5 {
		t.Errorf("%d errors, want 5: %v", n, s.diagnostics)
	}
}

func numberOf(n int64) types.Number { return types.NumberValue(new(big.Float).SetInt64(n)) }
