package waldurtest

import (
	"hash/fnv"
	"math/rand/v2"
)

// inTieOrder returns records[from:to] of a list that is sorted by date and
// type, after each tie (records of the same date and type) that reaches into
// it was shuffled.
//
// A real Waldur leaves ties to the database, whose choice depends on LIMIT and
// OFFSET but not on chance: the same request gets the same answer again, while
// two pages that meet within a tie do not agree on who is on which side. The
// order of a tie is therefore drawn from limit, offset, date and type.
func inTieOrder(records []*Record, from, to, limit, offset int) []*Record {
	page := make([]*Record, 0, to-from)
	start := from
	for start > 0 && start < to && tied(records[start-1], records[start]) {
		start--
	}
	for start < to {
		end := start + 1
		for end < len(records) && tied(records[start], records[end]) {
			end++
		}
		tie := records[start:end]
		if len(tie) > 1 {
			tie = shuffled(tie, limit, offset)
		}
		page = append(page, tie[max(from, start)-start:min(to, end)-start]...)
		start = end
	}
	return page
}

func tied(a, b *Record) bool { return a.Date == b.Date && a.Type == b.Type }

func shuffled(tie []*Record, limit, offset int) []*Record {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(tie[0].Date + " " + tie[0].Type))
	random := rand.New(rand.NewPCG(hash.Sum64(), uint64(limit)<<32+uint64(offset)))
	order := make([]*Record, len(tie))
	for i, from := range random.Perm(len(tie)) {
		order[i] = tie[from]
	}
	return order
}
