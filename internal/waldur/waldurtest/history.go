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

// ProjectScope returns the path of project n, which is always the same.
func ProjectScope(n int) string { return "/api/projects/" + uuidOf(fmt.Sprintf("project %d", n)) + "/" }

// CustomerScope returns the path of customer n, which is always the same.
func CustomerScope(n int) string {
	return "/api/customers/" + uuidOf(fmt.Sprintf("customer %d", n)) + "/"
}

// Newest returns a month in the form of the last argument of [History].
func Newest(year int, month time.Month) time.Time {
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// History returns the records of one scope for a number of months, newest
// first, with perMonth records each: one per component and category. The same
// arguments always return the same records. Some usages are null, and types
// appear in several categories, so there are ties of different sizes. The newest
// month defaults to October 2024.
func History(scope string, months, perMonth int, newest ...time.Time) []Record {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(scope))
	random := rand.New(rand.NewPCG(seed.Sum64(), 0))
	components := historyComponents(perMonth, random)
	first := append(newest, Newest(2024, time.October))[0]
	records := make([]Record, 0, months*perMonth)
	for age := range months {
		for _, record := range components {
			record.Scope, record.Date = scope, first.AddDate(0, -age, 0).Format(time.DateOnly)
			// The usual usage varies by up to a quarter. Once in 50 months, nothing is reported.
			percent, silent := 75+random.Int64N(51), random.IntN(50) == 0
			if silent {
				record.ReportedUsage = nil
			} else if record.ReportedUsage != nil {
				record.ReportedUsage = new(*record.ReportedUsage * percent / 100)
			}
			records = append(records, record)
		}
	}
	return records
}

// historyComponents returns a record for each component, without a scope and a date,
// and with the usual usage. Components are spread over a few categories in a small
// scope, and over all of them in a large one. Some categories may have one component
// fewer.
func historyComponents(perMonth int, random *rand.Rand) []Record {
	categories := []string{"Virtual machines", "High-performance computing", "Private clouds", "Kubernetes", "Data archive"}
	switch {
	case perMonth <= 3:
		categories = categories[:1]
	case perMonth <= 12:
		categories = categories[:2]
	case perMonth <= 60:
		categories = categories[:3]
	}
	kinds := historyKinds()
	components := make([]Record, perMonth)
	for i := range components {
		n, category := i/len(categories), categories[i%len(categories)]
		k := kinds[n%len(kinds)]
		if generation := 1 + n/len(kinds); generation > 1 {
			k.kind = fmt.Sprintf("%s_g%d", k.kind, generation)
			k.name = fmt.Sprintf("%s, generation %d", k.name, generation)
		}
		components[i] = Record{
			Name: k.name, Type: k.kind, MeasuredUnit: k.unit,
			CategoryTitle: category, CategoryUUID: uuidOf("category " + category),
		}
		// Usage is reported, planned, or both.
		usual, sides := k.usual*(20+random.Int64N(180))/100, random.IntN(5)
		if sides != 0 {
			components[i].ReportedUsage = &usual
		}
		if sides != 1 {
			components[i].FixedUsage = new(usual / 10 * 10)
		}
	}
	slices.SortStableFunc(components, func(a, b Record) int { return cmp.Compare(a.Type, b.Type) })
	return components
}

// kind is a kind of component with its usage in a month of a medium-sized project.
type kind struct {
	kind, name, unit string
	usual            int64
}

func historyKinds() []kind {
	return []kind{
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
