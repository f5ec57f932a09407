package waldur_test

import (
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

func TestDateOfARecordByIDIsValidOrNull(t *testing.T) {
	t.Parallel()
	for date, valid := range map[string]bool{
		`"2024-10-01"`: true, `null`: true, `""`: false, `"01.10.2024"`: false, `"2024-10-01T00:00:00Z"`: false,
	} {
		url, _ := serve(t, status(200, `{"date":`+date+`}`))
		if _, err := connect(t, url).Usage(t.Context(), 1, waldur.Fields(waldur.FieldDate)); (err == nil) != valid {
			t.Errorf("%s: error %v", date, err)
		}
	}
}
