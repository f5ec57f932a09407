package budget

import (
	"errors"
	"math/big"
	"time"
)

// Period is the time that a budget covers, as seen at a point in time. Its days
// are in UTC, as Waldur's months are.
type Period struct {
	start, end time.Time // end is the first moment after the period
	now        time.Time
}

// firstForecast is how much of a period must have elapsed for a forecast: the
// first days say little about the others.
const firstForecast = 3 * 24 * time.Hour

// NewPeriod returns the period from the first to the last day, inclusive, as
// seen at now. The days are given by their first moments in UTC.
func NewPeriod(first, last, now time.Time) (Period, error) {
	if last.Before(first) {
		return Period{}, errors.New("ends before it starts")
	}
	return Period{start: first, end: last.AddDate(0, 0, 1), now: now}, nil
}

// forecast returns the usage at the end of the period if its rate does not
// change: used ÷ elapsed share. It is nil before the fourth day, and the usage
// itself after the end.
func (p Period) forecast(used *big.Int) *big.Rat {
	if !p.now.Before(p.end) {
		return new(big.Rat).SetInt(used)
	}
	if p.now.Sub(p.start) < firstForecast {
		return nil
	}
	elapsed := new(big.Rat).SetFrac(nanoseconds(p.start, p.now), nanoseconds(p.start, p.end))
	return new(big.Rat).Quo(new(big.Rat).SetInt(used), elapsed)
}

// note explains why there is no forecast, or why it is the usage itself.
func (p Period) note() string {
	switch {
	case p.now.Before(p.start):
		return "There is no forecast: the period has not begun."
	case !p.now.Before(p.end):
		return "The period has ended: the forecast is what was used."
	case p.now.Sub(p.start) < firstForecast:
		return "There is no forecast: the period is in its first three days."
	default:
		return ""
	}
}

// nanoseconds is exact, whereas a time.Duration is limited to 292 years.
func nanoseconds(from, to time.Time) *big.Int {
	seconds := new(big.Int).Mul(big.NewInt(to.Unix()-from.Unix()), big.NewInt(int64(time.Second)))
	return seconds.Add(seconds, big.NewInt(int64(to.Nanosecond()-from.Nanosecond())))
}
