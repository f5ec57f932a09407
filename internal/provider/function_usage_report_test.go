package provider

import (
	"strings"
	"testing"
)

func TestUsageReportReturnsMarkdown(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		arguments []any
		words     []string
	}{
		"reported": {[]any{[]any{record(nil)}}, []string{"# Reported usage\n", "## Virtual machines\n", "| 2024-10 | ██████████ 1,500 |"}},
		"fixed": {[]any{[]any{record(object{"fixed_usage": 7})}, object{"measure": "fixed_usage", "title": "Plans"}},
			[]string{"# Plans\n", "| 2024-10 | ██████████ 7 |"}},
		"null":       {[]any{[]any{record(object{"reported_usage": nil})}, object{"measure": nil, "title": nil}}, []string{"|     no data |"}},
		"no records": {[]any{[]any{}}, []string{"# Reported usage\n\nThere are no usage records.\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, problem := callFunction(t, "usage_report", row.arguments...)
			if problem != nil {
				t.Fatal(problem.Text)
			}
			for _, words := range row.words {
				if !strings.Contains(report.(string), words) {
					t.Errorf("no %q in\n%s", words, report)
				}
			}
		})
	}
}

func TestUsageReportRefuses(t *testing.T) {
	t.Parallel()
	requireRefused(t, "usage_report", map[string]refusedCall{
		"null usages":        {[]any{nil}, 0, "usages: must be a list of usage records, not null"},
		"an unknown option":  {[]any{[]any{}, object{"warn_at": 1}}, 1, `options: unknown attribute "warn_at"; the attributes are measure, title`},
		"an unknown measure": {[]any{[]any{}, object{"measure": "all"}}, 1, `options.measure: must be "reported_usage" or "fixed_usage", not "all"`},
		"two option objects": {[]any{[]any{}, object{}, object{}}, 2, "options: one object at most may be given, not 2"},
	})
}
