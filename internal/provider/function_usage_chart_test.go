package provider

import (
	"strings"
	"testing"
)

func TestUsageChartReturnsMermaid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		selector object
		options  []any
		words    []string
	}{
		"no limit":                   {object{"type": "cpu"}, nil, []string{"```mermaid\nxychart-beta\n", `title "CPU, Virtual machines"`, "bar [1500]\n```\n"}},
		"limit of the selector":      {object{"type": "cpu", "limit": 1875}, nil, []string{"limit 1,875", "line [1875, 1875, 1875]"}},
		"limit of the options":       {object{"type": "cpu", "limit": 1875}, []any{object{"limit": 7, "title": "x"}}, []string{`title "x"`, "line [7, 7, 7]"}},
		"the other measure":          {object{"type": "cpu", "measure": "fixed_usage", "category_uuid": someUUID, "limit": nil}, nil, []string{`"2024-10 no data"`}},
		"a component without record": {object{"type": "gpu", "category_title": "Virtual machines"}, nil, []string{"No chart of gpu: there is no record of it.\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chart, problem := callFunction(t, "usage_chart", append([]any{[]any{record(nil)}, row.selector}, row.options...)...)
			if problem != nil {
				t.Fatal(problem.Text)
			}
			for _, words := range row.words {
				if !strings.Contains(chart.(string), words) {
					t.Errorf("no %q in\n%s", words, chart)
				}
			}
		})
	}
}

func TestUsageChartRefuses(t *testing.T) {
	t.Parallel()
	requireRefused(t, "usage_chart", map[string]refusedCall{
		"null usages":           {[]any{nil, object{"type": "cpu"}}, 0, "usages: must be a list of usage records, not null"},
		"null selector":         {[]any{[]any{}, nil}, 1, "selector: must be an object, not null"},
		"no type":               {[]any{[]any{}, object{}}, 1, "selector.type: is required"},
		"an unknown attribute":  {[]any{[]any{}, object{"type": "cpu", "title": "x"}}, 1, `selector: unknown attribute "title"`},
		"both categories":       {[]any{[]any{}, object{"type": "cpu", "category_uuid": someUUID, "category_title": "x"}}, 1, "selector: has both category_uuid and category_title"},
		"a malformed uuid":      {[]any{[]any{}, object{"type": "cpu", "category_uuid": "x"}}, 1, "selector.category_uuid: must be 32 hexadecimal digits"},
		"an unknown measure":    {[]any{[]any{}, object{"type": "cpu", "measure": "x"}}, 1, "selector.measure: must be"},
		"a negative limit":      {[]any{[]any{}, object{"type": "cpu"}, object{"limit": -1}}, 2, "options.limit: must not be negative"},
		"a limit of a fraction": {[]any{[]any{}, object{"type": "cpu", "limit": decimal("0.5")}}, 1, "selector.limit: must be an integer"},
		"an unknown option":     {[]any{[]any{}, object{"type": "cpu"}, object{"measure": "x"}}, 2, `options: unknown attribute "measure"; the attributes are limit, title`},
		"two option objects":    {[]any{[]any{}, object{"type": "cpu"}, object{}, object{}}, 3, "options: one object at most may be given, not 2"},
	})
}
