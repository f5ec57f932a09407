package waldurtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// ProjectScope returns the path of project number n. It does not depend on anything else.
func ProjectScope(n int) string { return "/api/projects/" + uuidOf(fmt.Sprintf("project %d", n)) + "/" }

// CustomerScope returns the path of customer number n. It does not depend on anything else.
func CustomerScope(n int) string {
	return "/api/customers/" + uuidOf(fmt.Sprintf("customer %d", n)) + "/"
}

// HistoryOption is an option of [History].
type HistoryOption func(*history)

type history struct{ newest time.Time }

// Newest sets the newest month of a history. It defaults to October 2024.
func Newest(year int, month time.Month) HistoryOption {
	return func(h *history) { h.newest = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC) }
}

// History returns the records of one scope for a number of months, newest
// first, with perMonth records each: one per component and category. Each call
// returns the same records. Some usages are null, and types appear in several
// categories, so there are ties of different sizes.
func History(scope string, months, perMonth int, options ...HistoryOption) []Record {
	var h history
	Newest(2024, time.October)(&h)
	for _, option := range options {
		option(&h)
	}
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(scope))
	random := rand.New(rand.NewPCG(seed.Sum64(), 0))
	lines := historyLines(perMonth, random)
	records := make([]Record, 0, months*perMonth)
	for age := range months {
		date := h.newest.AddDate(0, -age, 0).Format(time.DateOnly)
		for _, line := range lines {
			records = append(records, line.record(scope, date, random))
		}
	}
	return records
}

// line is a component of a category, with its usual usage in a scope.
type line struct {
	component
	category      category
	usual, fixed  int64
	reports, plan bool
}

// record varies the usual usage by up to a quarter. Once in 50 months, nothing is reported.
func (l line) record(scope, date string, random *rand.Rand) Record {
	record := Record{
		Name: l.name, Type: l.kind, MeasuredUnit: l.unit,
		CategoryTitle: l.category.title, CategoryUUID: uuidOf("category " + l.category.title),
		Date: date, Scope: scope,
	}
	reported, silent := l.usual*(75+random.Int64N(51))/100, random.IntN(50) == 0
	if l.reports && !silent {
		record.ReportedUsage = &reported
	}
	if l.plan {
		record.FixedUsage = new(l.fixed)
	}
	return record
}

// historyLines spreads components over a few categories in a small scope, and
// over all in a large one. Some categories may lack the last component.
func historyLines(perMonth int, random *rand.Rand) []line {
	categories := historyCategories()
	switch {
	case perMonth <= 3:
		categories = categories[:1]
	case perMonth <= 12:
		categories = categories[:2]
	case perMonth <= 60:
		categories = categories[:3]
	}
	components := historyComponents()
	lines := make([]line, 0, perMonth)
	for i := range perMonth {
		n := i / len(categories)
		component := components[n%len(components)]
		if generation := 1 + n/len(components); generation > 1 {
			component.kind = fmt.Sprintf("%s_g%d", component.kind, generation)
			component.name = fmt.Sprintf("%s, generation %d", component.name, generation)
		}
		usual := component.usual * (20 + random.Int64N(180)) / 100
		sides := random.IntN(5)
		lines = append(lines, line{
			component: component, category: categories[i%len(categories)],
			usual: usual, fixed: usual / 10 * 10,
			// Usage is reported, planned, or both.
			reports: sides != 0, plan: sides != 1,
		})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.kind, b.kind) })
	return lines
}

type category struct{ title string }

func historyCategories() []category {
	return []category{{"Virtual machines"}, {"High-performance computing"}, {"Private clouds"}, {"Kubernetes"}, {"Data archive"}}
}

// component is a component with its usage in a month of a medium-sized project.
type component struct {
	kind, name, unit string
	usual            int64
}

func historyComponents() []component {
	return []component{
		{"cpu", "CPU", "hours", 5760},
		{"ram", "RAM", "GB-hours", 23040},
		{"storage", "Storage", "GB-hours", 144000},
		{"gpu", "GPU", "hours", 360},
		{"backup", "Backup", "GB", 800},
		{"snapshots", "Snapshots", "GB", 250},
		{"volumes", "Volumes", "pcs", 24},
		{"ips", "Floating IPs", "pcs", 8},
		{"bandwidth", "Bandwidth", "Mbps", 400},
		{"object_storage", "Object storage", "GB", 6000},
		{"load_balancers", "Load balancers", "pcs", 3},
		{"nodes", "Compute nodes", "hours", 1440},
		{"licences", "Software licences", "pcs", 12},
		{"databases", "Databases", "pcs", 4},
		{"tape", "Tape archive", "TB", 40},
		{"traffic", "Outgoing traffic", "GB", 950},
		{"support", "Support", "hours", 6},
		{"ssd", "SSD storage", "GB-hours", 36000},
	}
}

func uuidOf(name string) string {
	hash := sha256.Sum256([]byte(name))
	return hex.EncodeToString(hash[:16])
}
