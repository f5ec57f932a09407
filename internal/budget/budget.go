// Package budget holds limits against usage records and draws the outcome: a
// report, a table of what was used, a chart. It knows records and nothing of
// how they were read or of who calls it.
//
// Amounts are added and compared as integers of any size. The order of records
// and limits makes no difference to any result.
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

// Options is how limits are judged.
type Options struct {
	WarnAt *big.Rat // share of a limit from which it is near; more than 0, at most 1
	FailOn []State  // the states that fail
	Title  string   // heads the report; "" is "Budget"
	Period *Period  // nil: no forecast
}

// DefaultWarnAt is the share of a limit from which it is near.
func DefaultWarnAt() *big.Rat { return big.NewRat(4, 5) }

// DefaultFailOn is the states that fail.
func DefaultFailOn() []State { return []State{Over, Missing} }

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
