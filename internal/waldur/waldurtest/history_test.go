package waldurtest_test

import (
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestHistoryHasDistinctRecordsSomeWithNulls(t *testing.T) {
	t.Parallel()
	records := waldurtest.History(waldurtest.ProjectScope(1), 24, 60, waldurtest.Newest(2025, time.March))
	identities, unreported, unplanned := map[string]bool{}, 0, 0
	for _, record := range records {
		identities[record.Date+record.Type+record.CategoryUUID] = true
		if record.ReportedUsage == nil {
			unreported++
		}
		if record.FixedUsage == nil {
			unplanned++
		}
	}
	if newest, oldest := records[0].Date, records[len(records)-1].Date; newest != "2025-03-01" || oldest != "2023-04-01" {
		t.Errorf("from %s to %s, want 24 months up to 2025-03-01", newest, oldest)
	}
	if len(identities) != 24*60 || unreported == 0 || unplanned == 0 || unreported+unplanned >= len(records) {
		t.Errorf("%d records, %d identities, %d and %d nulls", len(records), len(identities), unreported, unplanned)
	}
}
