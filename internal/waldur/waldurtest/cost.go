package waldurtest

import (
	"context"
	"time"
)

// AnswerCost returns what an answer with that many records costs a real
// Waldur, by the measured formula
//
//	22 ms + records × (0.09 + 0.52 if any of type, name, measured_unit
//	                        + 1.07 if any of category_title, category_uuid, which need the 0.52 too
//	                        + 1.07 if scope) ms
//
// names are the attributes asked for; none means all nine. A read by id is an
// answer with one record. Refusals cost nothing here.
func AnswerCost(records int, names ...string) time.Duration {
	return fieldsOf(names).cost(records)
}

func (f fields) cost(records int) time.Duration {
	const (
		answer    = 22 * time.Millisecond
		row       = 90 * time.Microsecond
		component = 520 * time.Microsecond
		category  = 1070 * time.Microsecond
		scope     = 1070 * time.Microsecond
	)
	record := row
	if f.has(fieldName | fieldType | fieldMeasuredUnit | fieldCategoryTitle | fieldCategoryUUID) {
		record += component
	}
	if f.has(fieldCategoryTitle | fieldCategoryUUID) {
		record += category
	}
	if f.has(fieldScope) {
		record += scope
	}
	return answer + time.Duration(records)*record
}

// sleep waits for a time, or until the client is gone.
func sleep(ctx context.Context, long time.Duration) {
	if long <= 0 {
		return
	}
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
