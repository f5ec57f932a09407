package budget

import (
	"errors"
	"math/big"
	"time"
)

// Period is the time that a budget is for, as seen at one point in time. Its
// days are those of UTC, as Waldur's months are.
type Period struct {
	start, end time.Time // the first moment, and the first one after it
	now        time.Time
}

const day = 24 * time.Hour

// firstForecast is how long a period must have run until there is a forecast:
// from its fourth day on, as one or two days say little about the others.
const firstForecast = 3 * day

// NewPeriod returns the period from the first to the last day, both of which
// belong to it and are given by their first moments in UTC, as seen at a point
// in time.
func NewPeriod(first, last, now time.Time) (Period, error) {
	if last.Before(first) {
		return Period{}, errors.New("ends before it starts")
	}
	return Period{start: first, end: last.Add(day), now: now}, nil
}

// forecast returns what is used by the end of the period at the current rate:
// used ÷ elapsed share. Nil before the fourth day. After the end of the
// period, it is what was used.
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

// note says why there is no forecast, or none that differs from what was used.
// It is "" if there is one.
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

// nanoseconds counts exactly: a time.Duration ends at 292 years.
func nanoseconds(from, to time.Time) *big.Int {
	seconds := new(big.Int).Mul(big.NewInt(to.Unix()-from.Unix()), big.NewInt(int64(time.Second)))
	return seconds.Add(seconds, big.NewInt(int64(to.Nanosecond()-from.Nanosecond())))
}
