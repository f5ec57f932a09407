// Package budget checks usage records against limits and renders the result: a
// report, a table of what was used, a chart. It knows records and nothing of
// how they were read or of who calls it.
//
// Amounts are added and compared as integers of any size, and their quotients
// as fractions: no result is rounded, except where it is drawn. The order of
// records and limits makes no difference to any result.
package budget

import (
	"math/big"
	"slices"
	"strings"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// Limit is an amount of one component that may be used.
type Limit struct {
	Component Component
	Amount    *big.Int // in the component's unit, 0 or more
}

// State is the state of a limit.
type State string

// The states. The first that applies is a limit's.
const (
	// Over is when the known amounts exceed the limit, whatever else is unknown.
	// Where records are of several components or in several units, or it is not
	// known of which component they are, the amounts of one component in one unit
	// do, or one record does.
	Over State = "over"
	// Missing is when what was used is not known: no record, records whose
	// amounts must not be added, or an amount that is null.
	Missing State = "missing"
	// Forecast is when what is used by the end of the period exceeds the limit if
	// the rate stays as it is.
	Forecast State = "forecast"
	// Near is when the limit is reached to the share from which to warn.
	Near State = "near"
	// OK is otherwise.
	OK State = "ok"
)

// States returns the states in their order.
func States() []State { return []State{Over, Missing, Forecast, Near, OK} }

// Options is how limits are judged.
type Options struct {
	WarnAt *big.Rat // share of a limit from which it is near; more than 0, at most 1
	FailOn []State  // the states that fail
	Title  string   // heads the report; "" is "Budget"
	Period *Period  // nil: no forecast
}

// DefaultOptions returns the options that apply unless others are given.
func DefaultOptions() Options {
	return Options{WarnAt: big.NewRat(4, 5), FailOn: []State{Over, Missing}}
}

// Check is the outcome of all limits.
type Check struct {
	Passed bool // no limit is in a state that fails
	Limits map[string]Outcome
	Report string // Markdown
	// Message is the report for where lines are wrapped unless they begin with a
	// space: the lines of its table and its list do.
	Message string
}

// NewCheck judges each limit by its name.
func NewCheck(usages []waldur.Usage, limits map[string]Limit, options Options) Check {
	check := Check{Passed: true, Limits: make(map[string]Outcome, len(limits))}
	for name, limit := range limits {
		outcome := limit.judge(usages, options)
		check.Limits[name] = outcome
		check.Passed = check.Passed && !slices.Contains(options.FailOn, outcome.State)
	}
	check.Report = report(usages, check.Limits, options)
	check.Message = strings.NewReplacer("\n|", "\n |", "\n- ", "\n - ").Replace(check.Report)
	return check
}

// Outcome is the result for one limit. What is not known is nil or null.
type Outcome struct {
	State     State
	Limit     *big.Int
	Used      *big.Int                // if Over: at least that
	Remaining *big.Int                // Limit - Used, negative if Over
	Share     *big.Rat                // Used ÷ Limit
	Forecast  *big.Rat                // what is used by the end of the period
	Unit      waldur.Nullable[string] // of the amounts
	records   selection
}

// judge finds the first state that applies.
func (l Limit) judge(usages []waldur.Usage, options Options) Outcome {
	outcome := Outcome{Limit: l.Amount, records: l.Component.find(usages)}
	complete := outcome.records.complete()
	largest := outcome.records.largest()
	over := largest != nil && largest.total.amount.Cmp(l.Amount) > 0
	if !over && !complete {
		outcome.State = Missing
		if of := outcome.records.series; len(of) == 1 {
			outcome.Unit = of[0].unit
		}
		return outcome
	}
	outcome.Unit = largest.unit
	outcome.Used = &largest.total.amount
	outcome.Remaining = new(big.Int).Sub(l.Amount, outcome.Used)
	outcome.Share = share(outcome.Used, l.Amount)
	if complete && options.Period != nil {
		outcome.Forecast = options.Period.forecast(outcome.Used)
	}
	switch {
	case over:
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

// share returns used ÷ limit. Of a limit of 0, it is 0 if nothing was used, and
// nil otherwise.
func share(used, limit *big.Int) *big.Rat {
	switch {
	case limit.Sign() != 0:
		return new(big.Rat).SetFrac(used, limit)
	case used.Sign() == 0:
		return new(big.Rat)
	default:
		return nil
	}
}

func floor(x *big.Rat) *big.Int {
	// Euclidean division rounds down, as a denominator is positive.
	return new(big.Int).Div(x.Num(), x.Denom())
}

func ceil(x *big.Rat) *big.Int {
	negated := floor(new(big.Rat).Neg(x))
	return negated.Neg(negated)
}
