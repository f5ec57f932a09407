package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// months describes how the number of records a month changes.
type months string

const (
	even   months = ""
	grown  months = ", grown from half in two steps" // to more components, a year ago and two years ago
	uneven months = ", months that differ by up to a tenth"
)

// list is a list of n records, with about perMonth records a month.
type list struct {
	n, perMonth int
	months      months
}

func (l list) String() string {
	if l.n == 1 {
		return "1 record"
	}
	return thousands(l.n) + " records"
}

// lengths returns the number of records of each month, newest first.
func (l list) lengths() (lengths []int) {
	random := rand.New(rand.NewPCG(uint64(l.n), uint64(l.perMonth))) // the same in every run
	for remaining := l.n; remaining > 0; {
		length := l.perMonth
		switch l.months {
		case grown:
			length = max(1, l.perMonth*(4-min(len(lengths)/12, 2))/4)
		case uneven:
			length = max(1, int(float64(l.perMonth)*(0.9+0.2*random.Float64())+0.5))
		}
		length = min(remaining, length)
		lengths = append(lengths, length)
		remaining -= length
	}
	return lengths
}

// uuid returns the UUID of one of the projects of the fake Waldur.
func uuid(project int) string { return fmt.Sprintf("%024x%08x", 0x2b57, project) }

func path(project int) string { return "/api/projects/" + uuid(project) + "/" }

// records returns the list of a project, as records of a few categories that
// share their component types. In a month, each record has another usage, so
// that a sum shows whether the right records were read.
func (l list) records(project int) []waldurtest.Record {
	components := []string{"cpu", "gpu", "ram", "storage", "volume", "floating_ip", "traffic"}
	newest := time.Date(2024, time.October, 1, 0, 0, 0, 0, time.UTC)
	var records []waldurtest.Record
	for month, length := range l.lengths() {
		date := newest.AddDate(0, -month, 0).Format(time.DateOnly)
		for i := range length {
			component, category := components[i%len(components)], i/len(components)
			records = append(records, waldurtest.Record{
				Name: "Amount of " + component, Type: component, MeasuredUnit: "unit-hours",
				CategoryTitle: fmt.Sprintf("Category of offerings %d", category), CategoryUUID: fmt.Sprintf("%032x", 0xca7<<16+category),
				Date: date, ReportedUsage: new(int64(1000 + i)), FixedUsage: new(int64(2000 + i)),
				Scope: path(project),
			})
		}
	}
	return records
}

// sum returns the reported usage of all records of a project.
func (l list) sum() (sum int64) {
	for _, record := range l.records(0) {
		sum += *record.ReportedUsage
	}
	return sum
}

// pages returns the number of pages of 300.
func (l list) pages() int {
	return max(1, (l.n+waldurtest.DefaultPageCap-1)/waldurtest.DefaultPageCap)
}

// current makes the fake take the time of a Waldur that processes requests with
// one token side by side.
func current(w *waldurtest.Waldur) { w.Sleep, w.Workers = true, 4 }

// old makes it take the time of one that processes them one after another.
func old(w *waldurtest.Waldur) { w.Sleep, w.Workers, w.TokenLock = true, 4, true }
