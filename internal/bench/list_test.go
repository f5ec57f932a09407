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
	return thousands(l.n) + " records" + string(l.months)
}

// pages returns the number of pages of 300.
func (l list) pages() int {
	return max(1, (l.n+waldurtest.DefaultPageCap-1)/waldurtest.DefaultPageCap)
}

// records returns the list of a project, newest first. The usages of a month
// differ, so that their sum shows whether the right records were read.
func (l list) records(project int) (records []waldurtest.Record) {
	random := rand.New(rand.NewPCG(uint64(l.n), uint64(l.perMonth))) // the same in every run
	for month := 0; len(records) < l.n; month++ {
		length := l.perMonth
		switch l.months {
		case grown:
			length = l.perMonth * (4 - min(month/12, 2)) / 4
		case uneven:
			length = int(float64(l.perMonth)*(0.9+0.2*random.Float64()) + 0.5)
		}
		length = min(length, l.n-len(records))
		date := waldurtest.Newest(2024, time.October).AddDate(0, -month, 0)
		for i, record := range waldurtest.History(path(project), 1, length, date) {
			record.ReportedUsage = new(int64(1000 + i))
			records = append(records, record)
		}
	}
	return records
}

// serverKind determines the time that a Waldur takes for its responses.
type serverKind int

const (
	current   serverKind = iota // 4 workers process the requests of a token side by side
	old                         // a server from October 2024 processes them one at a time
	immediate                   // no time
)

// serve returns a Waldur with the list in each of its projects.
func (l list) serve(projects int, kind serverKind) *waldurtest.Waldur {
	server := waldurtest.New()
	server.Sleep, server.Workers, server.TokenLock = kind != immediate, 4, kind == old
	for project := range projects {
		server.AddScope(path(project))
		server.Add(l.records(project)...)
	}
	return server
}

func uuid(project int) string { return fmt.Sprintf("%032x", project) }

func path(project int) string { return "/api/projects/" + uuid(project) + "/" }
