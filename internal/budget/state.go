package budget

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

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

// ParseState reads the name of a state.
func ParseState(name string) (State, error) {
	names := make([]string, 0, 5)
	for _, state := range States() {
		if name == string(state) {
			return state, nil
		}
		names = append(names, fmt.Sprintf("%q", string(state)))
	}
	return "", fmt.Errorf("must be one of %s", strings.Join(names, ", "))
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
	total     total
}

func (l Limit) judge(usages []waldur.Usage, options Options) Outcome {
	outcome := Outcome{Limit: l.Amount, total: l.Component.total(usages)}
	largest := outcome.total.largest()
	if largest != nil && largest.amount.Cmp(l.Amount) > 0 {
		outcome.State = Over
	} else if !outcome.total.complete() {
		outcome.State = Missing
		if len(outcome.total.sums) == 1 {
			outcome.Unit = outcome.total.sums[0].identity.unit
		}
		return outcome
	}
	outcome.Unit = largest.identity.unit
	outcome.Used = &largest.amount
	outcome.Remaining = new(big.Int).Sub(l.Amount, outcome.Used)
	outcome.Share = share(outcome.Used, l.Amount)
	if outcome.total.complete() && options.Period != nil {
		outcome.Forecast = options.Period.forecast(outcome.Used)
	}
	switch {
	case outcome.State == Over:
	case outcome.Forecast != nil && outcome.Forecast.Cmp(new(big.Rat).SetInt(l.Amount)) > 0:
		outcome.State = Forecast
	case reaches(outcome.Used, l.Amount, options.WarnAt):
		outcome.State = Near
	default:
		outcome.State = OK
	}
	return outcome
}

// complete reports whether what was used is known.
func (t *total) complete() bool {
	return len(t.sums) == 1 && t.sums[0].unknown == 0 && t.unidentified.records == 0
}

// reaches reports whether the amount is at least the share of the limit. Of a
// limit of 0, no share is reached: nothing was allowed and nothing used.
func reaches(used, limit *big.Int, share *big.Rat) bool {
	if limit.Sign() == 0 {
		return false
	}
	a := new(big.Int).Mul(used, share.Denom())
	return a.Cmp(new(big.Int).Mul(limit, share.Num())) >= 0
}

// share returns used ÷ limit. Nil if there is none, as of a limit of 0
// something was used.
func share(used, limit *big.Int) *big.Rat {
	if limit.Sign() == 0 {
		if used.Sign() == 0 {
			return new(big.Rat)
		}
		return nil
	}
	return new(big.Rat).SetFrac(used, limit)
}

func floor(x *big.Rat) *big.Int {
	// Euclidean division rounds down, as a denominator is positive.
	return new(big.Int).Div(x.Num(), x.Denom())
}

func ceil(x *big.Rat) *big.Int {
	negated := floor(new(big.Rat).Neg(x))
	return negated.Neg(negated)
}
