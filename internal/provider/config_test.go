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
	base := arguments{Endpoint: types.StringValue("https://waldur.example.com/waldur/api/"), Token: types.StringValue("0123456789abcdef")}
	with := func(change func(*arguments)) arguments { a := base; change(&a); return a }
	environment := map[string]string{"WALDUR_HTTP_TIMEOUT": "7", "WALDUR_MAX_RETRIES": "0"}
	for name, row := range map[string]struct {
		written     arguments
		environment map[string]string
		want        numbers
	}{
		"defaults":          {base, nil, numbers{time.Minute, 3, 2}},
		"environment":       {base, environment, numbers{7 * time.Second, 0, 2}},
		"empty environment": {base, map[string]string{"WALDUR_HTTP_TIMEOUT": "", "WALDUR_MAX_RETRIES": ""}, numbers{time.Minute, 3, 2}},
		"arguments":         {with(func(a *arguments) { a.RequestTimeout = whole(5); a.MaxRetries = whole(9) }), environment, numbers{5 * time.Second, 9, 2}},
		"more requests":     {with(func(a *arguments) { a.MaxConcurrentRequests = whole(10) }), nil, numbers{time.Minute, 3, 10}},
		"numbers that overflow": {with(func(a *arguments) {
			a.RequestTimeout = whole(math.MaxInt64)
			a.MaxRetries = whole(math.MaxInt64)
		}), nil, numbers{longest, math.MaxInt32, 2}},
		"variable that is large": {base, map[string]string{"WALDUR_HTTP_TIMEOUT": "9223372036854775807"}, numbers{longest, 3, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := settle(row.written, func(name string) (string, bool) { value, found := row.environment[name]; return value, found })
			if s.diagnostics.HasError() || len(s.unknown) > 0 {
				t.Fatal(s.diagnostics, s.unknown)
			}
			got := numbers{s.config.RequestTimeout, s.config.MaxRetries, s.config.MaxConcurrentRequests}
			if got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if s.config.RootCAs != nil {
				t.Error("other certificates than the system's")
			}
		})
	}
}

// One apply should name everything that is to be put right.
func TestSettingsNameEveryMistake(t *testing.T) {
	t.Parallel()
	s := settle(arguments{Endpoint: types.StringValue("localhost"), CACertificate: types.StringValue("x")},
		func(name string) (string, bool) {
			return map[string]string{"WALDUR_HTTP_TIMEOUT": "soon", "WALDUR_MAX_RETRIES": "often"}[name], true
		})
	if n := s.diagnostics.ErrorsCount(); n != 5 {
		t.Errorf("%d errors, want 5: %v", n, s.diagnostics)
	}
}

func whole(n int64) types.Number { return types.NumberValue(new(big.Float).SetInt64(n)) }
