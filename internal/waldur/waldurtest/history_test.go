package waldurtest_test

import (
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestHistoryHasDistinctRecordsSomeWithNulls(t *testing.T) {
	t.Parallel()
	records := waldurtest.History(waldurtest.ProjectScope(1), 24, 100, waldurtest.Newest(2025, time.March))
	identities, null, dates := map[string]bool{}, map[[2]bool]bool{}, map[string]bool{}
	for _, record := range records {
		identities[record.Date+record.Type+record.CategoryUUID] = true
		null[[2]bool{record.ReportedUsage == nil, record.FixedUsage == nil}] = true
		dates[record.Date] = true
	}
	if len(identities) != 24*100 || len(null) != 4 || len(dates) != 24 || !dates["2025-03-01"] || !dates["2023-04-01"] {
		t.Errorf("got %d identities, nulls %v, dates %v", len(identities), null, dates)
	}
}
