package provider

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// terraformValue converts a Go value to that of a literal in a configuration: maps
// become objects, and slices become tuples.
func terraformValue(tb testing.TB, value any) tftypes.Value {
	tb.Helper()
	switch value := value.(type) {
	case tftypes.Value:
		return value
	case string:
		return tftypes.NewValue(tftypes.String, value)
	case bool:
		return tftypes.NewValue(tftypes.Bool, value)
	case int:
		return tftypes.NewValue(tftypes.Number, int64(value))
	case decimal:
		number, _, err := big.ParseFloat(string(value), 10, 512, big.ToNearestEven)
		if err != nil {
			tb.Fatal(err)
		}
		return tftypes.NewValue(tftypes.Number, number)
	case object:
		types, values := map[string]tftypes.Type{}, map[string]tftypes.Value{}
		for name, attribute := range value {
			values[name] = terraformValue(tb, attribute)
			types[name] = values[name].Type()
		}
		return tftypes.NewValue(tftypes.Object{AttributeTypes: types}, values)
	case []any:
		types, values := make([]tftypes.Type, len(value)), make([]tftypes.Value, len(value))
		for i, element := range value {
			values[i] = terraformValue(tb, element)
			types[i] = values[i].Type()
		}
		return tftypes.NewValue(tftypes.Tuple{ElementTypes: types}, values)
	default: // nil, unknown
		return tftypes.NewValue(tftypes.DynamicPseudoType, value)
	}
}

// functionCall is a call of a function of the provider.
type functionCall struct {
	function  string
	arguments []any
}

func check(arguments ...any) functionCall  { return functionCall{"budget_check", arguments} }
func report(arguments ...any) functionCall { return functionCall{"usage_report", arguments} }
func chart(arguments ...any) functionCall  { return functionCall{"usage_chart", arguments} }

// request encodes the call as a CLI does.
func (c functionCall) request(tb testing.TB) *tfprotov6.CallFunctionRequest {
	tb.Helper()
	request := &tfprotov6.CallFunctionRequest{Name: c.function}
	for _, argument := range c.arguments {
		encoded, err := tfprotov6.NewDynamicValue(tftypes.DynamicPseudoType, terraformValue(tb, argument))
		if err != nil {
			tb.Fatal(err)
		}
		request.Arguments = append(request.Arguments, &encoded)
	}
	return request
}

// run calls the function. An unknown result is nil.
func (c functionCall) run(tb testing.TB) (any, *tfprotov6.FunctionError) {
	tb.Helper()
	s := newSession(tb, nil)
	resp, err := s.server.CallFunction(tb.Context(), c.request(tb))
	if err != nil {
		tb.Fatal(err)
	}
	if resp.Error != nil {
		return nil, resp.Error
	}
	result, err := resp.Result.Unmarshal(s.schemas.Functions[c.function].Return.Type)
	if err != nil {
		tb.Fatal(err)
	}
	if !result.IsFullyKnown() {
		return nil, nil
	}
	return plain(tb, result), nil
}

// result returns the result of a call that must not fail.
func (c functionCall) result(tb testing.TB) any {
	tb.Helper()
	result, problem := c.run(tb)
	if problem != nil {
		tb.Fatal(problem.Text)
	}
	return result
}

// record returns a usage record of CPU hours with changes.
func record(change object) object {
	usage := object{
		"name": "CPU", "type": "cpu", "measured_unit": "hours", "category_title": "Virtual machines", "category_uuid": someUUID,
		"date": "2024-10-01", "reported_usage": 1500, "fixed_usage": nil, "scope": nil,
	}
	maps.Copy(usage, change)
	return usage
}

// someLimits returns the limit "CPU" with changes.
func someLimits(change object) object {
	limit := object{"type": "cpu", "limit": 1875}
	maps.Copy(limit, change)
	return object{"CPU": limit}
}

// october returns options with a period that is half over, with changes.
func october(change object) object {
	period := object{"start": "2024-10-01", "end": "2024-10-31", "now": "2024-10-16T12:00:00Z"}
	maps.Copy(period, change)
	return object{"period": period}
}

// amount, limit and option call budget_check with a changed record, limit or options.
func amount(change object) functionCall { return check([]any{record(change)}, someLimits(nil)) }
func limit(change object) functionCall  { return check([]any{record(nil)}, someLimits(change)) }
func option(options any) functionCall   { return check([]any{record(nil)}, someLimits(nil), options) }

func TestResultIsUnknownIfPartOfAnArgumentIs(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]functionCall{
		"an amount":         amount(object{"reported_usage": unknown}),
		"a limit":           limit(object{"limit": unknown}),
		"now":               option(october(object{"now": unknown})),
		"invalid usages":    check(nil, unknown),
		"title of a report": report([]any{record(nil)}, object{"title": unknown}),
		"usages of a chart": chart(unknown, object{"type": "cpu"}),
	} {
		if result, problem := call.run(t); result != nil || problem != nil {
			t.Errorf("%s: got result %v and error %+v, want unknown", name, result, problem)
		}
	}
}

func TestBudgetCheckReturnsTheResultOfEachLimit(t *testing.T) {
	t.Parallel()
	const (
		near      = "true near 1500 1875 375 0.8 <nil> hours"
		otherUUID = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		written   = "AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
	)
	smallest, largest := record(object{"reported_usage": decimal("-9223372036854775808")}), record(object{"reported_usage": decimal("9223372036854775807")})
	both := []any{record(nil), record(object{"category_title": "Archive", "category_uuid": otherUUID})}
	few := object{"type": "cpu", "category_uuid": someUUID, "reported_usage": 1500}
	digits := "1" + strings.Repeat("0", 160)
	quotient := new(big.Float).SetPrec(512).SetRat(big.NewRat(1500, 1876)).Text('f', -1)
	usage, cpu := terraformValue(t, record(nil)), terraformValue(t, someLimits(nil)["CPU"])
	usages := tftypes.NewValue(tftypes.Set{ElementType: usage.Type()}, []tftypes.Value{usage})
	limits := tftypes.NewValue(tftypes.Map{ElementType: cpu.Type()}, map[string]tftypes.Value{"CPU": cpu})
	states := tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, set("over"))
	for name, row := range map[string]struct {
		call functionCall
		want string // passed, state, used, limit, remaining, share, forecast, unit
	}{
		"ok":                         {limit(object{"limit": 1876}), "true ok 1500 1876 376 " + quotient + " <nil> hours"},
		"near":                       {limit(nil), near},
		"over":                       {limit(object{"limit": 1000}), "false over 1500 1000 -500 1.5 <nil> hours"},
		"missing":                    {check([]any{}, someLimits(nil)), "false missing <nil> 1875 <nil> <nil> <nil> <nil>"},
		"forecast":                   {option(october(nil)), "true forecast 1500 1875 375 0.8 3000 hours"},
		"limit of 0, something used": {limit(object{"limit": 0}), "false over 1500 0 -1500 <nil> <nil> hours"},
		"two of the largest amounts": {check([]any{largest, largest}, someLimits(object{"limit": 2})),
			"false over 18446744073709551614 2 -18446744073709551612 9223372036854775807 <nil> hours"},
		"the smallest amount": {check([]any{smallest}, someLimits(object{"limit": 1})),
			"true ok -9223372036854775808 1 9223372036854775809 -9223372036854775808 <nil> hours"},
		"a limit of more than 512 bits": {check([]any{record(object{"reported_usage": 0})}, someLimits(object{"limit": decimal(digits)})),
			"true ok 0 " + digits + " " + digits + " 0 <nil> hours"},
		"an amount as a string":        {amount(object{"reported_usage": "1500"}), near},
		"a limit as a string":          {limit(object{"limit": "1875"}), near},
		"nulls in a limit":             {limit(object{"measure": nil, "category_uuid": nil, "category_title": nil}), near},
		"nulls in the options":         {option(object{"warn_at": nil, "fail_on": nil, "title": nil, "period": nil}), near},
		"a category by its uuid":       {check(both, someLimits(object{"category_uuid": written})), near},
		"a category by its title":      {check(both, someLimits(object{"category_title": "Archive"})), near},
		"a record's uuid with hyphens": {check([]any{record(object{"category_uuid": written})}, someLimits(object{"category_uuid": otherUUID})), near},
		"the other measure": {check([]any{record(object{"fixed_usage": 3})}, someLimits(object{"measure": "fixed_usage"})),
			"true ok 3 1875 1872 0.0016 <nil> hours"},
		"another attribute":            {amount(object{"project": "climate"}), near},
		"attributes that are left out": {check([]any{few}, someLimits(nil)), "true near 1500 1875 375 0.8 <nil> <nil>"},
		"a set and a map":              {check(usages, limits), near},
		"warn_at of 1":                 {option(object{"warn_at": 1}), "true ok 1500 1875 375 0.8 <nil> hours"},
		"near that fails":              {option(object{"fail_on": []any{"near", "near", "ok"}}), "false near 1500 1875 375 0.8 <nil> hours"},
		"a set of states":              {check([]any{}, someLimits(nil), object{"fail_on": states}), "true missing <nil> 1875 <nil> <nil> <nil> <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := row.call.result(t).(object)
			cpu := result["limits"].(object)["CPU"].(object)
			got := fmt.Sprintln(result["passed"], cpu["state"], cpu["used"], cpu["limit"], cpu["remaining"], cpu["share"], cpu["forecast"], cpu["unit"])
			if got != row.want+"\n" {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// The binary numbers of the CLI are above some of 0.1 to 0.9 and below others.
func TestWarnAtIsComparedAsADecimal(t *testing.T) {
	t.Parallel()
	for tenth := 1; tenth <= 9; tenth++ {
		warnAt := decimal(fmt.Sprintf("0.%d", tenth))
		usages := []any{record(object{"type": "near", "reported_usage": tenth * 100}), record(object{"type": "ok", "reported_usage": tenth*100 - 1})}
		limits := object{"near": object{"type": "near", "limit": 1000}, "ok": object{"type": "ok", "limit": 1000}}
		result := check(usages, limits, object{"warn_at": warnAt}).result(t)
		for want, limit := range result.(object)["limits"].(object) {
			if state := limit.(object)["state"]; state != want {
				t.Errorf("warn_at %s: got %s, want %s", warnAt, state, want)
			}
		}
	}
}

func TestReportsAndChartsFollowTheArguments(t *testing.T) {
	t.Parallel()
	usages, limited := []any{record(nil)}, object{"type": "cpu", "limit": 1875}
	plans := []any{record(object{"fixed_usage": 7})}
	titled := option(object{"title": "Budget of | October"})
	for _, row := range []struct {
		call  functionCall
		words string
	}{
		{titled, "report:Budget of \\| October: 1 near.\n\n| Limit |  Used |    Of | Unit  | Share           | State |\n|:-"},
		{titled, "\n | CPU   | 1,500 | 1,875 | hours | ████████░░ 80 % | near  |\n"},
		{report(usages), "| 2024-10 | ██████████ 1,500 |"},
		{report(plans, object{"measure": "fixed_usage", "title": "Plans"}), "# Plans\n"},
		{report(plans, object{"measure": "fixed_usage"}), "| 2024-10 | ██████████ 7 |"},
		{report([]any{record(object{"reported_usage": nil})}, object{"measure": nil, "title": nil}), "|     no data |"},
		{chart(usages, object{"type": "cpu"}), "```mermaid\nxychart-beta\n    title \"CPU, Virtual machines\"\n"},
		{chart(usages, limited), "line [1875, 1875, 1875]"},
		{chart(usages, limited, object{"limit": 7, "title": "x"}), "line [7, 7, 7]"},
		{chart(usages, limited, object{"limit": nil, "title": "x"}), `title "x"`},
		{chart(plans, object{"type": "cpu", "measure": "fixed_usage", "category_uuid": someUUID, "limit": nil}), "bar [7]\n"},
		{chart(usages, object{"type": "cpu", "category_title": "Archive"}), "No chart of cpu: there is no record of it.\n"},
	} {
		if drawn := fmt.Sprint(row.call.result(t)); !strings.Contains(drawn, row.words) {
			t.Errorf("got:\n%s\nwant: %q", drawn, row.words)
		}
	}
}

func TestInvalidArgumentsOfFunctionsAreRejected(t *testing.T) {
	t.Parallel()
	usages, beyond := []any{record(nil)}, decimal("9223372036854775808")
	period := func(change object) functionCall { return option(october(change)) }
	for _, row := range []struct {
		call     functionCall
		position int64 // of the argument
		words    string
	}{
		{check(nil, someLimits(nil)), 0, "usages: must be a list of usage records, not null"},
		{check(object{"usages": usages}, someLimits(nil)), 0, "usages: must be a list of usage records, not an object"},
		{check([]any{record(nil), 5}, someLimits(nil)), 0, "usages[1]: must be a usage record, not a number"},
		{check([]any{nil}, someLimits(nil)), 0, "usages[0]: must be a usage record, not null"},
		{amount(object{"type": 5}), 0, "usages[0].type: must be a string, not a number"},
		{amount(object{"reported_usage": "many"}), 0, `usages[0].reported_usage: must be a number, not "many"`},
		{amount(object{"fixed_usage": decimal("1.5")}), 0, "usages[0].fixed_usage: must be an integer from -2^63 to 2^63 - 1, not 1.5"},
		{amount(object{"reported_usage": beyond}), 0, "usages[0].reported_usage: must be an integer from -2^63 to 2^63 - 1, not 9223372036854775808"},

		{check(usages, nil), 1, "limits: must be a map of limits, not null"},
		{check(usages, object{}), 1, "limits: must not be empty"},
		{check(usages, object{"CPU": 15000}), 1, `limits["CPU"]: must be an object, not a number`},
		{limit(object{"categry_uuid": someUUID}), 1, `limits["CPU"]: unknown attribute "categry_uuid"; the attributes are type, limit, category_uuid, `},
		{check(usages, object{"CPU": object{"typ": "cpu"}}), 1, `limits["CPU"]: unknown attribute "typ"`},
		{limit(object{"categry_uuid": nil}), 1, `unknown attribute "categry_uuid"`},
		{check(usages, object{"CPU": object{"limit": 1}}), 1, `limits["CPU"].type: is required`},
		{limit(object{"type": ""}), 1, `limits["CPU"].type: must not be empty`},
		{limit(object{"type": true}), 1, `limits["CPU"].type: must be a string, not a bool`},
		{check(usages, object{"CPU": object{"type": "cpu"}}), 1, `limits["CPU"].limit: is required`},
		{limit(object{"limit": decimal("1875.0000000000000000000000001")}), 1, `limits["CPU"].limit: must be an integer, not 1875.0000000000000000000000001`},
		{limit(object{"limit": decimal("1875." + strings.Repeat("0", 99) + "1")}), 1, `must be an integer, not 1875.` + strings.Repeat("0", 55) + "…"},
		{limit(object{"limit": decimal("-1e100000")}), 1, "must be at least 0, not -1e+100000"},
		{limit(object{"limit": decimal("-1e1300")}), 1, "must be at least 0, not -1e+1300"},
		{limit(object{"limit": decimal("-1.5e1301")}), 1, "must be at least 0, not -1.5e+1301"},
		{limit(object{"limit": "5e-400000000"}), 1, "must be an integer, not 5e-400000000"},
		{limit(object{"limit": "-2e400000000"}), 1, "must be at least 0, not -2e+400000000"},
		{option(object{"warn_at": "1e-400000000"}), 2, "options.warn_at: is too small"},
		{limit(object{"limit": -1}), 1, `limits["CPU"].limit: must be at least 0, not -1`},
		{limit(object{"limit": "x"}), 1, `limits["CPU"].limit: must be a number, not "x"`},
		{limit(object{"limit": "Inf"}), 1, `limits["CPU"].limit: must be a number`},
		{limit(object{"limit": decimal("1e100000")}), 1, `limits["CPU"].limit: is too large`},
		{limit(object{"category_uuid": someUUID, "category_title": "x"}), 1, `limits["CPU"]: has both category_uuid and category_title`},
		{limit(object{"category_uuid": "1"}), 1, `limits["CPU"].category_uuid: must be 32 hexadecimal digits, with or without hyphens, not "1"`},
		{limit(object{"measure": "usage"}), 1, `limits["CPU"].measure: must be "reported_usage" or "fixed_usage", not "usage"`},
		{check(usages, object{strings.Repeat("x", 1000): 5}), 1, `limits["` + strings.Repeat("x", 60) + `…"]`},
		{check(usages, someLimits(nil), object{}, object{}), 3, "options: at most one object may be given, not 2"},
		{option(nil), 2, "options: must be an object, not null"},
		{option([]any{}), 2, "options: must be an object, not a list"},
		{option(object{"warnat": 1}), 2, `options: unknown attribute "warnat"; the attributes are warn_at, fail_on, title, period`},
		{option(object{"warn_at": 0}), 2, "options.warn_at: must be more than 0 and at most 1, not 0"},
		{option(object{"warn_at": decimal("1.00000000000000000001")}), 2, "options.warn_at: must be more than 0 and at most 1, not 1.00000000000000000001"},
		{option(object{"warn_at": true}), 2, "options.warn_at: must be a number, not a bool"},
		{option(object{"fail_on": []any{"over", "Missing"}}), 2, `options.fail_on[1]: must be one of "over", "missing", "forecast", "near", "ok", not "Missing"`},
		{option(object{"fail_on": []any{nil}}), 2, "options.fail_on[0]: must not be null"},
		{option(object{"fail_on": "over"}), 2, `options.fail_on: must be a list of states, not "over"`},
		{option(object{"title": object{}}), 2, "options.title: must be a string, not an object"},
		{option(object{"period": "2024-10"}), 2, "options.period: must be an object, not \"2024-10\"\noptions.period.start: is required"},
		{period(object{"end": "2024-09-30"}), 2, "options.period: ends before it starts"},
		{period(object{"end": nil}), 2, "options.period.end: is required"},
		{period(object{"now": nil}), 2, "options.period.now: is required"},
		{period(object{"today": ""}), 2, `options.period: unknown attribute "today"; the attributes are start, end, now`},
		{period(object{"start": "2024-02-30"}), 2, `options.period.start: must be a date, YYYY-MM-DD, not "2024-02-30"`},
		{period(object{"end": "2024-10-31T00:00:00Z"}), 2, "options.period.end: must be a date"},
		{period(object{"now": "2024-10-16"}), 2, "options.period.now: must be a point in time"},
		{check(usages, object{"A": object{}, "B": nil}), 1, "\nlimits[\"A\"].type: is required\nlimits[\"A\"].limit: is required\nlimits[\"B\"]: must be"},
		{check(nil, nil, nil), 0, "usages"},

		{report([]any{}, object{"warn_at": 1}), 1, `options: unknown attribute "warn_at"; the attributes are measure, title`},
		{report([]any{}, object{"measure": "all"}), 1, `options.measure: must be "reported_usage" or "fixed_usage", not "all"`},
		{chart([]any{}, nil), 1, "\nselector: must be an object, not null\nselector.type: is required"},
		{chart([]any{}, object{"type": "cpu", "title": "x"}), 1, `selector: unknown attribute "title"`},
		{chart([]any{}, object{"type": "cpu", "category_uuid": someUUID, "category_title": "x"}), 1, "selector: has both category_uuid and category_title"},
		{chart([]any{}, object{"type": "cpu", "limit": decimal("0.5")}), 1, "selector.limit: must be an integer"},
		{chart([]any{}, object{"type": "cpu"}, object{"limit": -1}), 2, "options.limit: must be at least 0"},
		{chart([]any{}, object{"type": "cpu"}, object{"measure": "x"}), 2, `options: unknown attribute "measure"; the attributes are limit, title`},
	} {
		t.Run(row.words, func(t *testing.T) {
			t.Parallel()
			_, problem := row.call.run(t)
			if problem == nil || problem.FunctionArgument == nil || *problem.FunctionArgument != row.position || !strings.Contains(problem.Text, row.words) {
				t.Errorf("got %+v, want %q on argument %d", problem, row.words, row.position)
			} else if strings.Contains(problem.Text, "\n") != strings.Contains(row.words, "\n") {
				t.Errorf("got other problems too: %s", problem.Text)
			}
		})
	}
}

// BenchmarkBudgetCheck calls budget_check over the protocol with ten limits.
//
//	go test -run '^$' -bench BudgetCheck ./internal/provider
func BenchmarkBudgetCheck(b *testing.B) {
	limits := object{}
	for i := range 10 {
		limits[fmt.Sprintf("Limit %d", i)] = object{"type": fmt.Sprintf("component_%d", i), "limit": 1_000_000_000}
	}
	for _, n := range []int{300, 10_000} {
		records := make([]tftypes.Value, n)
		for i := range records {
			records[i] = terraformValue(b, record(object{"type": fmt.Sprintf("component_%d", i%168), "reported_usage": i}))
		}
		usage := records[0].Type()
		for name, usages := range map[string]tftypes.Value{
			"list":  tftypes.NewValue(tftypes.List{ElementType: usage}, records),
			"tuple": tftypes.NewValue(tftypes.Tuple{ElementTypes: slices.Repeat([]tftypes.Type{usage}, n)}, records),
		} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				server, request := newSession(b, nil).server, check(usages, limits).request(b)
				b.ReportAllocs()
				for b.Loop() {
					if resp, err := server.CallFunction(b.Context(), request); err != nil || resp.Error != nil {
						b.Fatal(err, resp)
					}
				}
			})
		}
	}
}
