package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// row is one thing that was measured, in one case or several.
type row struct {
	what    string // a row without cases is a heading
	unit    string // of all figures; empty: they are numbers of what
	toReach string
	cases   []figures
}

// figures are in the unit of their row.
type figures struct {
	measured  float64
	reference float64 // 0: there is none
	most      float64 // reached if no more than this was measured
}

// against sets a measurement beside a share of its reference.
func against(measured, reference, share float64) figures {
	return figures{measured, reference, share * reference}
}

func (r row) reached() bool {
	for _, c := range r.cases {
		if c.measured > c.most {
			return false
		}
	}
	return true
}

// table returns the rows as a table in Markdown.
func table(title string, rows []row) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | measured | reference | ratio | to reach | verdict |\n|---|--:|--:|--:|--:|---|\n", title)
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
	if !r.reached() {
		verdict = "**not reached**"
	}
	measured := r.column(r.unit, func(c figures) string { return digits(c.measured) })
	reference := r.column(r.unit, func(c figures) string { return digits(c.reference) })
	ratio := r.column("", figures.ratio)
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.what, measured, reference, ratio, r.toReach, verdict)
}

// column shows a figure for each case, or one where they are alike.
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

const none = "–"

func (f figures) ratio() string {
	if f.reference == 0 {
		return none
	}
	if f.measured < 0.1*f.reference {
		return fmt.Sprintf("%.3f", f.measured/f.reference)
	}
	return fmt.Sprintf("%.2f", f.measured/f.reference)
}

// digits shows about three digits, which is what a measurement is good for.
func digits(value float64) string {
	switch {
	case value == 0:
		return none
	case value >= 1000:
		return thousands(int(value + 0.5))
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

func TestRowIsReachedOnlyIfEachOfItsCasesIs(t *testing.T) {
	t.Parallel()
	for want, cases := range map[string][]figures{
		"| lists | 79 ms | 100 ms | 0.79 | x | reached |":         {against(79, 100, 0.80)},
		"| lists | 81 ms | 100 ms | 0.81 | x | **not reached** |": {against(81, 100, 0.80)},
		"| lists | 1 / 79 / 1,234 ms | 100 ms | 0.010 / 0.79 / 12.34 | x | **not reached** |": {
			against(1, 100, 0.80), against(79, 100, 0.80), against(1234, 100, 0.80),
		},
		"| lists | 62 ms | – | – | x | reached |": {{measured: 62, most: 75}},
		"| **lists** | | | | | |":                 nil,
	} {
		if got := fmt.Sprint(row{what: "lists", unit: "ms", toReach: "x", cases: cases}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
