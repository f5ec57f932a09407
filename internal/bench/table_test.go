package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	none       = "–"
	notReached = "**not reached**"
)

// row is one measured quantity, in one or more cases.
type row struct {
	what    string // a row without cases is a heading
	unit    string // of all figures; "" if they are counts
	toReach string
	cases   []figures
}

// figures are in the unit of their row.
type figures struct {
	measured  float64
	reference float64 // 0: none
	most      float64 // reached if no more than this was measured
}

// table returns the rows as a table in Markdown.
func table(title string, rows []row) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | measured | reference | ratio | target | verdict |\n|---|--:|--:|--:|--:|---|\n", title)
	for _, r := range rows {
		fmt.Fprintln(&out, r)
	}
	return out.String()
}

// String returns a line of a table in Markdown.
func (r row) String() string {
	if len(r.cases) == 0 {
		return fmt.Sprintf("| **%s** | | | | | |", r.what)
	}
	verdict := "reached"
	if slices.ContainsFunc(r.cases, func(c figures) bool { return c.measured > c.most }) {
		verdict = notReached
	}
	measured := r.column(r.unit, func(c figures) string { return digits(c.measured) })
	reference := r.column(r.unit, func(c figures) string { return digits(c.reference) })
	ratio := r.column("", figures.ratio)
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.what, measured, reference, ratio, r.toReach, verdict)
}

// column shows a figure for each case, or a single one if all are equal.
func (r row) column(unit string, show func(figures) string) string {
	var shown []string
	for _, c := range r.cases {
		shown = append(shown, show(c))
	}
	if len(slices.Compact(slices.Clone(shown))) == 1 {
		shown = shown[:1]
	}
	text := strings.Join(shown, " / ")
	if text == none || unit == "" {
		return text
	}
	return text + " " + unit
}

func (f figures) ratio() string {
	if f.reference == 0 {
		return none
	}
	if f.measured < 0.1*f.reference {
		return fmt.Sprintf("%.3f", f.measured/f.reference)
	}
	return fmt.Sprintf("%.2f", f.measured/f.reference)
}

// digits shows about three significant digits, the precision of a measurement.
func digits(value float64) string {
	switch {
	case value == 0:
		return none
	case value >= 1000:
		return thousands(int(math.RoundToEven(value)))
	case value >= 100 || value == float64(int(value)):
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
