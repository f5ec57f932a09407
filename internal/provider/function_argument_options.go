package provider

import (
	"fmt"
	"math/big"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/waldur/terraform-provider-waldur-usage/internal/budget"
)

// optionsParameter is the variadic parameter that takes one object at most,
// which is how a function has optional arguments. It must not be null: OpenTofu
// 1.12 answers a null whose type is not known with an unknown result, in which
// a gate would get lost, and cannot send one whose type is known.
func optionsParameter(description string) function.Parameter {
	return function.DynamicParameter{Name: "options", CustomType: argumentType{}, MarkdownDescription: description}
}

// options reads the attributes of the one object that may be given.
func options(given []*argument, names ...string) (*argument, map[string]tftypes.Value) {
	if len(given) == 0 {
		return new(argument), nil
	}
	if len(given) > 1 {
		given[1].problem("options", "one object at most may be given, not %d", len(given))
	}
	first := given[0]
	attributes, _ := first.attributes("options", first.value, names...)
	return first, attributes
}

// budgetOptions reads the options of budget_check.
func budgetOptions(given []*argument) budget.Options {
	a, attributes := options(given, "warn_at", "fail_on", "title", "period")
	read := budget.Options{WarnAt: budget.DefaultWarnAt(), FailOn: budget.DefaultFailOn()}
	if value, given := attributes["warn_at"]; given {
		read.WarnAt = a.share("options.warn_at", value)
	}
	if value, given := attributes["fail_on"]; given {
		read.FailOn = a.states("options.fail_on", value)
	}
	read.Title = a.text("options.title", attributes["title"])
	if value, given := attributes["period"]; given {
		read.Period = a.period("options.period", value)
	}
	return read
}

// share reads a number above 0 and up to 1 as the decimal that was written: 0.8
// itself is no binary number of any length.
func (a *argument) share(place string, value tftypes.Value) *big.Rat {
	number := a.number(place, value)
	if number == nil {
		return nil
	}
	if number.Sign() <= 0 || number.Cmp(big.NewFloat(1)) > 0 {
		a.problem(place, "must be more than 0 and at most 1, not %s", written(number))
		return nil
	}
	decimal, ok := new(big.Rat).SetString(number.Text('g', -1))
	if !ok || decimal.Sign() <= 0 {
		a.problem(place, "must be more than 0 and at most 1")
	}
	return decimal
}

func (a *argument) states(place string, value tftypes.Value) []budget.State {
	states := []budget.State{}
	for i, element := range a.elements(place, value, "states") {
		at := fmt.Sprintf("%s[%d]", place, i)
		if element.IsNull() {
			a.problem(at, "must not be null")
			continue
		}
		text := a.text(at, element)
		if text == "" {
			continue
		}
		state, err := budget.ParseState(text)
		if err != nil {
			a.problem(at, "%s, not %q", err, shortened(text))
		}
		states = append(states, state)
	}
	return states
}

func (a *argument) period(place string, value tftypes.Value) *budget.Period {
	attributes, ok := a.attributes(place, value, "start", "end", "now")
	start, startOK := parsedAt(a, place+".start", attributes["start"], budget.ParseDay)
	end, endOK := parsedAt(a, place+".end", attributes["end"], budget.ParseDay)
	now, nowOK := parsedAt(a, place+".now", attributes["now"], budget.ParseTime)
	if !ok || !startOK || !endOK || !nowOK {
		return nil
	}
	period, err := budget.NewPeriod(start, end, now)
	if err != nil {
		a.problem(place, "%s", err)
	}
	return &period
}

// parsedAt reads a text that is required.
func parsedAt(a *argument, place string, value tftypes.Value, parse func(string) (time.Time, error)) (time.Time, bool) {
	if value.Type() == nil {
		a.problem(place, "is required")
		return time.Time{}, false
	}
	text := a.text(place, value)
	if text == "" {
		return time.Time{}, false
	}
	at, err := parse(text)
	if err != nil {
		a.problem(place, "%s, not %q", err, shortened(text))
	}
	return at, err == nil
}
