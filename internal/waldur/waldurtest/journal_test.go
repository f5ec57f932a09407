package waldurtest_test

import (
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestAnswersCostAsMeasured(t *testing.T) {
	t.Parallel()
	const record = 90 * time.Microsecond
	for name, test := range map[string]struct {
		query     string
		records   int
		perRecord time.Duration
	}{
		"all fields":               {"page_size=300", 300, 2750 * time.Microsecond},
		"a smaller page":           {"page_size=2", 2, 2750 * time.Microsecond},
		"date and the usages":      {"page_size=300&field=date&field=reported_usage&field=fixed_usage", 300, record},
		"one component attribute":  {"page_size=300&field=measured_unit", 300, record + 520*time.Microsecond},
		"two component attributes": {"page_size=300&field=name&field=type", 300, record + 520*time.Microsecond},
		"category needs component": {"page_size=300&field=category_uuid", 300, record + 1590*time.Microsecond},
		"scope":                    {"page_size=300&field=scope", 300, record + 1070*time.Microsecond},
		"all but scope":            {"page_size=300&field=name&field=type&field=measured_unit&field=category_title&field=category_uuid&field=date&field=reported_usage&field=fixed_usage", 300, 1680 * time.Microsecond},
		"no records":               {"date_after=2030-01-01", 0, 0},
		"unknown fields are all":   {"page_size=300&field=x", 300, 2750 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 2, 150)...)
			answer := ask(t, w, list+"?"+test.query)
			want := 22*time.Millisecond + time.Duration(test.records)*test.perRecord
			if w.Cost() != want {
				t.Errorf("cost %v, want %v", w.Cost(), want)
			}
			request := w.Requests()[0]
			if request.Cost != want || request.Records != test.records || len(answer.records(t)) != test.records {
				t.Errorf("the journal holds %d records at %v, want %d at %v", request.Records, request.Cost, test.records, want)
			}
		})
	}
}

func TestOneRecordCostsAsMuchAsAListOfOneAndRefusalsCostNothing(t *testing.T) {
	t.Parallel()
	w := newWaldur(waldurtest.History(waldurtest.ProjectScope(1), 1, 1)...)
	ask(t, w, list+"1/?field=date")
	ask(t, w, list+"2/")
	ask(t, w, list+"?page=2")
	ask(t, w, list+"?scope=x")
	if want := waldurtest.AnswerCost(1, "date"); w.Cost() != want || want != 22090*time.Microsecond {
		t.Errorf("cost %v, want %v", w.Cost(), want)
	}
}
