package waldurtest_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestHistoryIsRealisticAndReproducible(t *testing.T) {
	t.Parallel()
	scope := waldurtest.ProjectScope(1)
	for _, perMonth := range []int{1, 5, 12, 60, 168, 400} {
		records := waldurtest.History(scope, 24, perMonth, waldurtest.Newest(2025, time.March))
		if !reflect.DeepEqual(records, waldurtest.History(scope, 24, perMonth, waldurtest.Newest(2025, time.March))) {
			t.Errorf("%d a month: two calls differ", perMonth)
		}
		type identity struct{ category, kind, date string }
		months, identities, nulls := map[string]int{}, map[identity]bool{}, 0
		for _, record := range records {
			months[record.Date]++
			identities[identity{record.CategoryUUID, record.Type, record.Date}] = true
			if record.ReportedUsage == nil || record.FixedUsage == nil {
				nulls++
			}
			if record.Scope != scope || record.Name == "" || record.MeasuredUnit == "" || record.CategoryTitle == "" || len(record.CategoryUUID) != 32 {
				t.Fatalf("%d a month: %+v", perMonth, record)
			}
		}
		if len(months) != 24 || months["2025-03-01"] != perMonth || months["2023-04-01"] != perMonth {
			t.Errorf("%d a month: %v", perMonth, months)
		}
		if len(identities) != len(records) {
			t.Errorf("%d a month: %d records have %d identities", perMonth, len(records), len(identities))
		}
		if perMonth > 1 && (nulls == 0 || nulls == len(records)) {
			t.Errorf("%d a month: %d of %d records have a null", perMonth, nulls, len(records))
		}
	}
}

func TestScopesAreDistinctAndReproducible(t *testing.T) {
	t.Parallel()
	if waldurtest.ProjectScope(1) != waldurtest.ProjectScope(1) || waldurtest.ProjectScope(1) == waldurtest.ProjectScope(2) {
		t.Error("the scope of a project does not depend on its number alone")
	}
	if got, want := len(waldurtest.CustomerScope(1)), len("/api/customers/")+32+len("/"); got != want {
		t.Errorf("a customer's scope has %d characters, want %d", got, want)
	}
}
