package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// lengths is how many records each month has, newest first.
type lengths []int

// even returns n records at perMonth a month.
func even(n, perMonth int) lengths {
	return fill(n, func(int) int { return perMonth })
}

// grown is a scope that came to use more components, a year ago and two years
// ago: it began with half of them.
func grown(n, perMonth int) lengths {
	return fill(n, func(month int) int {
		return max(1, perMonth*(4-min(month/12, 2))/4)
	})
}

// uneven months differ by up to a tenth, the same in every run.
func uneven(n, perMonth int) lengths {
	random := rand.New(rand.NewPCG(uint64(n), uint64(perMonth)))
	return fill(n, func(int) int {
		return max(1, int(float64(perMonth)*(0.9+0.2*random.Float64())+0.5))
	})
}

// fill makes months until there are n records.
func fill(n int, length func(month int) int) lengths {
	var all lengths
	for month := 0; n > 0; month++ {
		all = append(all, min(n, length(month)))
		n -= all[month]
	}
	return all
}

func (l lengths) total() int {
	n := 0
	for _, length := range l {
		n += length
	}
	return n
}

// projectUUID is the uuid of one of the projects that the fake Waldur has.
func projectUUID(number int) string { return fmt.Sprintf("%024x%08x", 0x2b57, number) }

// records returns the history of a project, as records of a few categories that
// share their component types. Each record has another usage, so that a sum shows
// whether the right records were read.
func (l lengths) records(project int) []waldurtest.Record {
	components := []string{"cpu", "gpu", "ram", "storage", "volume", "floating_ip", "traffic"}
	newest := time.Date(2024, time.October, 1, 0, 0, 0, 0, time.UTC)
	var records []waldurtest.Record
	for month, length := range l {
		date := newest.AddDate(0, -month, 0).Format(time.DateOnly)
		for i := range length {
			component, category := components[i%len(components)], i/len(components)
			reported, fixed := int64(1000+i), int64(2000+i)
			records = append(records, waldurtest.Record{
				Name: "Amount of " + component, Type: component, MeasuredUnit: "unit-hours",
				CategoryTitle: fmt.Sprintf("Category of offerings %d", category), CategoryUUID: fmt.Sprintf("%032x", 0xca7<<16+category),
				Date: date, ReportedUsage: &reported, FixedUsage: &fixed,
				Scope: "/api/projects/" + projectUUID(project) + "/",
			})
		}
	}
	return records
}

// sum is the reported usage of all records of one project.
func (l lengths) sum() int64 {
	var sum int64
	for _, length := range l {
		for i := range length {
			sum += int64(1000 + i)
		}
	}
	return sum
}
