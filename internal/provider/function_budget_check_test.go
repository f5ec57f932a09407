package provider

import (
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type object = map[string]any

// record is a usage record of the CPU of virtual machines, changed.
func record(change object) object {
	usage := object{
		"name": "CPU", "type": "cpu", "measured_unit": "hours", "category_title": "Virtual machines", "category_uuid": someUUID,
		"date": "2024-10-01", "reported_usage": 1500, "fixed_usage": nil, "scope": nil,
	}
	maps.Copy(usage, change)
	return usage
}

func someLimits(change object) object {
	limit := object{"type": "cpu", "limit": 1875}
	maps.Copy(limit, change)
	return object{"CPU": limit}
}

// stateOf calls budget_check with one limit named CPU and returns its
// result.
func stateOf(t *testing.T, arguments ...any) object {
	t.Helper()
	result, err := callFunction(t, "budget_check", arguments...)
	if err != nil {
		t.Fatal(err.Text)
	}
	return result.(object)["limits"].(object)["CPU"].(object)
}

// divided is a quotient as a CLI computes it.
func divided(dividend, divisor string) string {
	parse := func(text string) *big.Float {
		number, _, _ := big.ParseFloat(text, 10, 512, big.ToNearestEven)
		return number
	}
	return new(big.Float).Quo(parse(dividend), parse(divisor)).Text('f', -1)
}

func TestBudgetCheckReturnsHowEachLimitStands(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		usages, limits any
		options        []any
		want           string // state, used, limit, remaining, share, forecast, unit
	}{
		"ok":                         {[]any{record(nil)}, someLimits(object{"limit": 1876}), nil, "ok 1500 1876 376 " + divided("1500", "1876") + " <nil> hours"},
		"near":                       {[]any{record(nil)}, someLimits(nil), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"over":                       {[]any{record(nil)}, someLimits(object{"limit": 1499}), nil, "over 1500 1499 -1 " + divided("1500", "1499") + " <nil> hours"},
		"missing":                    {[]any{}, someLimits(nil), nil, "missing <nil> 1875 <nil> <nil> <nil> <nil>"},
		"forecast":                   {[]any{record(nil)}, someLimits(nil), []any{october()}, "forecast 1500 1875 375 0.8 3000 hours"},
		"limit of 0, something used": {[]any{record(object{"reported_usage": 1})}, someLimits(object{"limit": 0}), nil, "over 1 0 -1 <nil> <nil> hours"},
		"limit of 0, nothing used":   {[]any{record(object{"reported_usage": 0})}, someLimits(object{"limit": 0}), nil, "ok 0 0 0 0 <nil> hours"},
		"two of the largest amounts": {[]any{record(object{"reported_usage": decimal("9223372036854775807")}), record(object{"reported_usage": decimal("9223372036854775807")})},
			someLimits(object{"limit": decimal("18446744073709551614")}), nil, "near 18446744073709551614 18446744073709551614 0 1 <nil> hours"},
		"one more than the limit": {[]any{record(object{"reported_usage": decimal("9223372036854775807")}), record(object{"reported_usage": decimal("9223372036854775807")})},
			someLimits(object{"limit": decimal("18446744073709551613")}), nil, "over 18446744073709551614 18446744073709551613 -1 " + divided("18446744073709551614", "18446744073709551613") + " <nil> hours"},
		"the smallest amount":   {[]any{record(object{"reported_usage": decimal("-9223372036854775808")})}, someLimits(nil), nil, "ok -9223372036854775808 1875 9223372036854777683 " + divided("-9223372036854775808", "1875") + " <nil> hours"},
		"a limit of 100 digits": {[]any{record(nil)}, someLimits(object{"limit": decimal("1e99")}), nil, "ok 1500 1" + strings.Repeat("0", 99) + " " + strings.Repeat("9", 95) + "8500 " + divided("1500", "1e99") + " <nil> hours"},
		"numbers in texts":      {[]any{record(object{"reported_usage": "1500"})}, someLimits(object{"limit": "1875"}), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"nulls in a limit":      {[]any{record(nil)}, someLimits(object{"measure": nil, "category_uuid": nil, "category_title": nil}), []any{object{"warn_at": nil, "fail_on": nil, "title": nil, "period": nil}}, "near 1500 1875 375 0.8 <nil> hours"},
		"the category by its uuid": {[]any{record(nil), record(object{"category_uuid": strings.Repeat("a", 32)})},
			someLimits(object{"category_uuid": "AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa"}), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"the category by its title": {[]any{record(nil), record(object{"category_title": "x", "category_uuid": strings.Repeat("a", 32)})},
			someLimits(object{"category_title": "x"}), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"the other measure":            {[]any{record(object{"fixed_usage": 3})}, someLimits(object{"measure": "fixed_usage"}), nil, "ok 3 1875 1872 0.0016 <nil> hours"},
		"another share to warn at":     {[]any{record(nil)}, someLimits(nil), []any{object{"warn_at": decimal("0.80001")}}, "ok 1500 1875 375 0.8 <nil> hours"},
		"a share that is 1":            {[]any{record(object{"reported_usage": 1875})}, someLimits(nil), []any{object{"warn_at": 1}}, "near 1875 1875 0 1 <nil> hours"},
		"an attribute of one's own":    {[]any{record(object{"project": "climate"})}, someLimits(nil), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"attributes that are left out": {[]any{object{"type": "cpu", "category_uuid": someUUID, "reported_usage": 1500}}, someLimits(nil), nil, "near 1500 1875 375 0.8 <nil> <nil>"},
		"a list": {tftypes.NewValue(tftypes.List{ElementType: terraformValue(t, record(nil)).Type()}, []tftypes.Value{terraformValue(t, record(nil))}),
			someLimits(nil), nil, "near 1500 1875 375 0.8 <nil> hours"},
		"a set and a map": {tftypes.NewValue(tftypes.Set{ElementType: terraformValue(t, record(nil)).Type()}, []tftypes.Value{terraformValue(t, record(nil))}),
			tftypes.NewValue(tftypes.Map{ElementType: terraformValue(t, someLimits(nil)["CPU"]).Type()}, map[string]tftypes.Value{"CPU": terraformValue(t, someLimits(nil)["CPU"])}),
			nil, "near 1500 1875 375 0.8 <nil> hours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := stateOf(t, append([]any{row.usages, row.limits}, row.options...)...)
			got := strings.Join([]string{
				fmt.Sprint(limit["state"]), fmt.Sprint(limit["used"]), fmt.Sprint(limit["limit"]), fmt.Sprint(limit["remaining"]),
				fmt.Sprint(limit["share"]), fmt.Sprint(limit["forecast"]), fmt.Sprint(limit["unit"]),
			}, " ")
			if got != row.want {
				t.Errorf("%s\nnot %s", got, row.want)
			}
		})
	}
}

// october is half over.
func october() object {
	return object{"period": object{"start": "2024-10-01", "end": "2024-10-31", "now": "2024-10-16T12:00:00Z"}}
}

func TestBudgetCheckPassesByTheStatesThatFail(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reported any
		options  []any
		passed   bool
	}{
		"near":                      {1500, nil, true},
		"over":                      {1876, nil, false},
		"missing":                   {nil, nil, false},
		"no options":                {1876, []any{object{}}, false},
		"over that does not fail":   {1876, []any{object{"fail_on": []any{"missing"}}}, true},
		"near that fails":           {1500, []any{object{"fail_on": []any{"near", "near"}}}, false},
		"nothing fails":             {nil, []any{object{"fail_on": []any{}}}, true},
		"a set of states":           {nil, []any{object{"fail_on": tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, set("over"))}}, true},
		"forecast":                  {1500, []any{october()}, true},
		"forecast that fails":       {1500, []any{object{"fail_on": []any{"forecast"}, "period": october()["period"]}}, false},
		"forecast without a period": {1500, []any{object{"fail_on": []any{"forecast"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, problem := callFunction(t, "budget_check", append([]any{[]any{record(object{"reported_usage": row.reported})}, someLimits(nil)}, row.options...)...)
			if problem != nil || result.(object)["passed"] != row.passed {
				t.Errorf("%v, %+v", result, problem)
			}
		})
	}
}

// Of 0.1 to 0.9, the CLI's binary numbers are some above and some below.
func TestShareToWarnAtIsTheDecimalThatIsWritten(t *testing.T) {
	t.Parallel()
	for tenth := 1; tenth <= 9; tenth++ {
		warnAt := object{"warn_at": decimal(fmt.Sprintf("0.%d", tenth))}
		for used, want := range map[int]string{tenth * 100: "near", tenth*100 - 1: "ok"} {
			if state := stateOf(t, []any{record(object{"reported_usage": used})}, someLimits(object{"limit": 1000}), warnAt)["state"]; state != want {
				t.Errorf("%d of 1000, from 0.%d on, is %s", used, tenth, state)
			}
		}
	}
}

func TestBudgetCheckReturnsTheReport(t *testing.T) {
	t.Parallel()
	result, problem := callFunction(t, "budget_check", []any{record(nil)}, someLimits(nil), object{"title": "Budget of | October"})
	if problem != nil {
		t.Fatal(problem.Text)
	}
	const report = "Budget of \\| October: 1 near.\n\n" +
		"| Limit |  Used |    Of | Unit  | Share           | State |\n" +
		"|:------|------:|------:|:------|:----------------|:------|\n" +
		"| CPU   | 1,500 | 1,875 | hours | ████████░░ 80 % | near  |\n"
	if got := result.(object)["report"]; got != report {
		t.Errorf("the report is\n%s", got)
	}
	if got := result.(object)["message"]; got != strings.ReplaceAll(report, "\n|", "\n |") {
		t.Errorf("the message is\n%s", got)
	}
}

func TestBudgetCheckRefuses(t *testing.T) {
	t.Parallel()
	usages := []any{record(nil)}
	limit := func(change object) []any { return []any{usages, someLimits(change)} }
	option := func(options any) []any { return []any{usages, someLimits(nil), options} }
	period := func(change object) []any {
		all := maps.Clone(october()["period"].(object))
		maps.Copy(all, change)
		return option(object{"period": all})
	}
	requireRefused(t, "budget_check", map[string]refusedCall{
		"null usages":                   {[]any{nil, someLimits(nil)}, 0, "usages: must be a list of usage records, not null"},
		"usages that are no list":       {[]any{object{"usages": usages}, someLimits(nil)}, 0, "usages: must be a list of usage records, not an object"},
		"a record that is none":         {[]any{[]any{record(nil), 5}, someLimits(nil)}, 0, "usages[1]: must be a usage record, not a number"},
		"a record that is null":         {[]any{[]any{nil}, someLimits(nil)}, 0, "usages[0]: must be a usage record, not null"},
		"a record of a number type":     {[]any{[]any{record(object{"type": 5})}, someLimits(nil)}, 0, "usages[0].type: must be a string, not a number"},
		"an amount that is no number":   {[]any{[]any{record(object{"reported_usage": "many"})}, someLimits(nil)}, 0, `usages[0].reported_usage: must be a number, not "many"`},
		"an amount that is a fraction":  {[]any{[]any{record(object{"fixed_usage": decimal("1.5")})}, someLimits(nil)}, 0, "usages[0].fixed_usage: must be an integer from -2^63 to 2^63 - 1, not 1.5"},
		"an amount of more than 64 bit": {[]any{[]any{record(object{"reported_usage": decimal("9223372036854775808")})}, someLimits(nil)}, 0, "usages[0].reported_usage: must be an integer from -2^63 to 2^63 - 1, not 9223372036854775808"},

		"null limits":                 {[]any{usages, nil}, 1, "limits: must be a map of limits, not null"},
		"limits that are a list":      {[]any{usages, []any{}}, 1, "limits: must be a map of limits, not a list"},
		"no limits":                   {[]any{usages, object{}}, 1, "limits: must not be empty"},
		"a limit that is null":        {[]any{usages, object{"CPU": nil}}, 1, `limits["CPU"]: must be an object, not null`},
		"a limit that is a number":    {[]any{usages, object{"CPU": 15000}}, 1, `limits["CPU"]: must be an object, not a number`},
		"an unknown attribute":        {limit(object{"categry_uuid": someUUID}), 1, `limits["CPU"]: unknown attribute "categry_uuid"; the attributes are type, limit, category_uuid, category_title, measure`},
		"an unknown null attribute":   {limit(object{"categry_uuid": nil}), 1, `unknown attribute "categry_uuid"`},
		"no type":                     {[]any{usages, object{"CPU": object{"limit": 1}}}, 1, `limits["CPU"].type: is required`},
		"null type":                   {limit(object{"type": nil}), 1, `limits["CPU"].type: is required`},
		"empty type":                  {limit(object{"type": ""}), 1, `limits["CPU"].type: must not be empty`},
		"a type that is no text":      {limit(object{"type": true}), 1, `limits["CPU"].type: must be a string, not a bool`},
		"no limit":                    {[]any{usages, object{"CPU": object{"type": "cpu"}}}, 1, `limits["CPU"].limit: is required`},
		"null limit":                  {limit(object{"limit": nil}), 1, `limits["CPU"].limit: is required`},
		"a limit of a fraction":       {limit(object{"limit": decimal("1.5")}), 1, `limits["CPU"].limit: must be an integer, not 1.5`},
		"a tiny fraction":             {limit(object{"limit": decimal("1875.0000000000000000000000001")}), 1, `limits["CPU"].limit: must be an integer, not 1875.0000000000000000000000001`},
		"a long fraction":             {limit(object{"limit": decimal("1875." + strings.Repeat("0", 99) + "1")}), 1, `must be an integer, not 1875.` + strings.Repeat("0", 55) + "…"},
		"a large negative limit":      {limit(object{"limit": decimal("-123456789012345678901234567890")}), 1, "must not be negative, as -123456789012345678901234567890 is"},
		"a huge negative limit":       {limit(object{"limit": decimal("-1e100000")}), 1, "must not be negative, as -1e+100000 is"},
		"a negative limit":            {limit(object{"limit": -1}), 1, `limits["CPU"].limit: must not be negative, as -1 is`},
		"a limit that is no number":   {limit(object{"limit": "x"}), 1, `limits["CPU"].limit: must be a number, not "x"`},
		"an endless limit":            {limit(object{"limit": "Inf"}), 1, `limits["CPU"].limit: must be a number`},
		"a limit that fills memory":   {limit(object{"limit": decimal("1e100000")}), 1, `limits["CPU"].limit: is too large`},
		"both categories":             {limit(object{"category_uuid": someUUID, "category_title": "x"}), 1, `limits["CPU"]: has both category_uuid and category_title`},
		"a malformed uuid":            {limit(object{"category_uuid": "1"}), 1, `limits["CPU"].category_uuid: must be 32 hexadecimal digits, with or without hyphens, not "1"`},
		"an empty title":              {limit(object{"category_title": ""}), 1, `limits["CPU"].category_title: must not be empty`},
		"an unknown measure":          {limit(object{"measure": "usage"}), 1, `limits["CPU"].measure: must be "reported_usage" or "fixed_usage", not "usage"`},
		"a name that is a page":       {[]any{usages, object{strings.Repeat("x", 1000): 5}}, 1, `limits["` + strings.Repeat("x", 60) + `…"]`},
		"the second of two limits":    {[]any{usages, object{"A": someLimits(nil)["CPU"], "B": object{"type": "x", "limit": -1}}}, 1, `limits["B"].limit: must not be negative`},
		"two option objects":          {[]any{usages, someLimits(nil), object{}, object{}}, 3, "options: one object at most may be given, not 2"},
		"options that are null":       {option(nil), 2, "options: must be an object, not null"},
		"options that are a list":     {option([]any{}), 2, "options: must be an object, not a list"},
		"an unknown option":           {option(object{"warnat": 1}), 2, `options: unknown attribute "warnat"; the attributes are warn_at, fail_on, title, period`},
		"a share of 0":                {option(object{"warn_at": 0}), 2, "options.warn_at: must be more than 0 and at most 1, not 0"},
		"a share above 1":             {option(object{"warn_at": decimal("1.00000000000000000001")}), 2, "options.warn_at: must be more than 0 and at most 1, not 1.00000000000000000001"},
		"a share that is no number":   {option(object{"warn_at": true}), 2, "options.warn_at: must be a number, not a bool"},
		"an unknown state":            {option(object{"fail_on": []any{"over", "Missing"}}), 2, `options.fail_on[1]: must be one of "over", "missing", "forecast", "near", "ok", not "Missing"`},
		"a state that is null":        {option(object{"fail_on": []any{nil}}), 2, "options.fail_on[0]: must not be null"},
		"a state that is a number":    {option(object{"fail_on": []any{1}}), 2, "options.fail_on[0]: must be a string, not a number"},
		"states that are no list":     {option(object{"fail_on": "over"}), 2, `options.fail_on: must be a list of states, not "over"`},
		"a title that is no text":     {option(object{"title": object{}}), 2, "options.title: must be a string, not an object"},
		"a period that is no object":  {option(object{"period": "2024-10"}), 2, `options.period: must be an object, not "2024-10"`},
		"a period that ends first":    {period(object{"end": "2024-09-30"}), 2, "options.period: ends before it starts"},
		"a period without its start":  {period(object{"start": nil}), 2, "options.period.start: is required"},
		"a period without its end":    {period(object{"end": nil}), 2, "options.period.end: is required"},
		"a period without now":        {period(object{"now": nil}), 2, "options.period.now: is required"},
		"a period with a typo":        {period(object{"today": ""}), 2, `options.period: unknown attribute "today"; the attributes are start, end, now`},
		"a start that is no date":     {period(object{"start": "2024-02-30"}), 2, `options.period.start: must be a date, YYYY-MM-DD, not "2024-02-30"`},
		"an end that is a time":       {period(object{"end": "2024-10-31T00:00:00Z"}), 2, "options.period.end: must be a date"},
		"a now that is a date":        {period(object{"now": "2024-10-16"}), 2, "options.period.now: must be a point in time"},
		"problems of several limits":  {[]any{usages, object{"A": object{}, "B": nil}}, 1, "\nlimits[\"A\"].type: is required\nlimits[\"A\"].limit: is required\nlimits[\"B\"]: must be"},
		"the first wrong argument":    {[]any{nil, nil, nil}, 0, "usages"},
		"a date that is no text":      {[]any{[]any{record(object{"date": 1})}, someLimits(nil)}, 0, "usages[0].date: must be a string, not a number"},
		"a text in a list in a limit": {limit(object{"type": []any{"cpu"}}), 1, `limits["CPU"].type: must be a string, not a list`},
	})
}
