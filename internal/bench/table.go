package main

import (
	"fmt"
	"strconv"
	"strings"
)

// table answers one question.
type table struct {
	title  string
	groups []group
}

// group has rows with the same kind of reference.
type group struct {
	title string
	rows  []row
}

// row is one thing that was measured, perhaps in several cases.
type row struct {
	what    string
	unit    string // of all points; empty: they are numbers of what
	points  []point
	toReach string
}

// point is one case, in the unit of its row.
type point struct {
	measured  float64
	reference float64 // 0: there is none
	most      float64 // reached if no more than this was measured
}

// against sets a measurement beside a share of its reference.
func against(measured, reference, share float64) point {
	return point{measured, reference, share * reference}
}

// atMost sets a measurement beside a number.
func atMost(measured, most float64) point { return point{measured: measured, most: most} }

func (r row) reached() bool {
	for _, p := range r.points {
		if p.measured > p.most {
			return false
		}
	}
	return true
}

// String is the table in Markdown.
func (t table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | measured | reference | ratio | to reach | verdict |\n|---|--:|--:|--:|--:|---|\n", t.title)
	for _, g := range t.groups {
		fmt.Fprintf(&out, "| **%s** | | | | | |\n", g.title)
		for _, r := range g.rows {
			fmt.Fprintf(&out, "| %s |\n", strings.Join(r.cells(), " | "))
		}
	}
	return out.String()
}

func (r row) cells() []string {
	verdict := "reached"
	if !r.reached() {
		verdict = "**not reached**"
	}
	return []string{
		r.what,
		r.each(func(p point) string { return figure(p.measured) }, r.unit),
		r.each(func(p point) string { return figure(p.reference) }, r.unit),
		r.each(ratio, ""),
		r.toReach,
		verdict,
	}
}

// each shows one column: a figure for each case, or one where they are alike.
func (r row) each(show func(point) string, unit string) string {
	var shown []string
	alike := true
	for _, p := range r.points {
		shown = append(shown, show(p))
		alike = alike && shown[len(shown)-1] == shown[0]
	}
	if alike {
		shown = shown[:1]
	}
	text := strings.Join(shown, " / ")
	if text == none || unit == "" {
		return text
	}
	return text + " " + unit
}

const none = "–"

func ratio(p point) string {
	if p.reference == 0 {
		return none
	}
	digits := 2
	if p.measured < 0.1*p.reference {
		digits = 3
	}
	return strconv.FormatFloat(p.measured/p.reference, 'f', digits, 64)
}

// figure shows about three digits, which is what a measurement is good for.
func figure(value float64) string {
	switch {
	case value == 0:
		return none
	case value >= 1000:
		return thousands(int(value + 0.5))
	case value >= 100 || value == float64(int(value)):
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
