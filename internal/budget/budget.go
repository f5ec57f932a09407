// Package budget checks usage records against limits and draws the result: a
// report of the limits, a table of the usage, a chart. It knows usage records,
// but not how they are read or who uses the result.
//
// Amounts are added and compared as integers of any size, and divided as
// fractions: they are rounded only where they are drawn. Results do not depend
// on the order of records and limits.
package budget

import (
	"math/big"
	"slices"
	"strings"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Limit is the amount of a component that may be used.
type Limit struct {
	Component Component
	Amount    *big.Int // in the component's unit, 0 or more
}

// State is the state of a limit.
type State string

// The states. A limit is in the first one that applies.
const (
	// Over means that the known amounts exceed the limit, whatever else is
	// unknown. If amounts must not be added, those of one component in one unit
	// must exceed it alone, or those of one record whose category is unknown.
	Over State = "over"
	// Missing means that the usage is unknown: there is no record, an amount is
	// null, or the amounts must not be added.
	Missing State = "missing"
	// Forecast means that the usage exceeds the limit by the end of the period if
	// its rate does not change.
	Forecast State = "forecast"
	// Near means that the usage has reached Options.WarnAt.
	Near State = "near"
	// OK means that no other state applies.
	OK State = "ok"
)

// States returns the states in their order.
func States() []State { return []State{Over, Missing, Forecast, Near, OK} }

// Options configures a check.
type Options struct {
	WarnAt *big.Rat // share of a limit from which it is near; more than 0, at most 1
	FailOn []State  // the states that fail the check
	Title  string   // of the report; "" is "Budget"
	Period *Period  // nil: no forecast
}

// DefaultOptions returns the defaults.
func DefaultOptions() Options {
	return Options{WarnAt: big.NewRat(4, 5), FailOn: []State{Over, Missing}}
}

// Check is the result of a check.
type Check struct {
	Passed bool               // no limit is in one of Options.FailOn
	Limits map[string]Outcome // by the names of the limits
	Report string             // Markdown
	// Message is the report for output that wraps all lines except those that
	// begin with a space, as those of its table and its list do.
	Message string
}

// NewCheck checks the limits, given by their names.
func NewCheck(usages []waldur.Usage, limits map[string]Limit, options Options) Check {
	check := Check{Passed: true, Limits: make(map[string]Outcome, len(limits))}
	for name, limit := range limits {
		outcome := limit.check(usages, options)
		check.Limits[name] = outcome
		check.Passed = check.Passed && !slices.Contains(options.FailOn, outcome.State)
	}
	check.Report = report(usages, check.Limits, options)
	check.Message = strings.NewReplacer("\n|", "\n |", "\n- ", "\n - ").Replace(check.Report)
	return check
}

// Outcome is the result for one limit. What is unknown is nil or null.
type Outcome struct {
	State     State
	Limit     *big.Int
	Used      *big.Int                // if Over: at least this amount
	Remaining *big.Int                // Limit - Used, negative if Over
	Share     *big.Rat                // Used ÷ Limit; for a limit of 0, 0 if nothing is used, or else nil
	Forecast  *big.Rat                // usage at the end of the period
	Unit      waldur.Nullable[string] // of the amounts
	selection selection
}

func (l Limit) check(usages []waldur.Usage, options Options) Outcome {
	selected := l.Component.selectFrom(usages)
	outcome := Outcome{State: Missing, Limit: l.Amount, selection: selected}
	largest := selected.largest()
	isOver := largest != nil && largest.total.amount.Cmp(l.Amount) > 0
	if !isOver && !selected.isComplete() {
		if len(selected.series) == 1 {
			outcome.Unit = selected.series[0].unit
		}
		return outcome
	}
	outcome.Unit = largest.unit
	outcome.Used = &largest.total.amount
	outcome.Remaining = new(big.Int).Sub(l.Amount, outcome.Used)
	if l.Amount.Sign() != 0 {
		outcome.Share = new(big.Rat).SetFrac(outcome.Used, l.Amount)
	} else if outcome.Used.Sign() == 0 {
		outcome.Share = new(big.Rat)
	}
	if options.Period != nil && selected.isComplete() {
		outcome.Forecast = options.Period.forecast(outcome.Used)
	}
	switch {
	case isOver:
		outcome.State = Over
	case outcome.Forecast != nil && outcome.Forecast.Cmp(new(big.Rat).SetInt(l.Amount)) > 0:
		outcome.State = Forecast
	case outcome.Share != nil && outcome.Share.Cmp(options.WarnAt) >= 0:
		outcome.State = Near
	default:
		outcome.State = OK
	}
	return outcome
}
