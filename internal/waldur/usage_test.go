package waldur_test

import (
	"net/http"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestDateOfARecordByIDIsValidOrNull(t *testing.T) {
	t.Parallel()
	for date, valid := range map[string]bool{
		`"2024-10-01"`: true, `null`: true, `""`: false, `"01.10.2024"`: false, `"2024-10-01T00:00:00Z"`: false,
	} {
		t.Run(date, func(t *testing.T) {
			t.Parallel()
			server := newServer(months(1)...)
			server.Rewrite = func(_ int, _ *http.Request, answer *waldurtest.Answer) {
				answer.Body = []byte(`{"date":` + date + `}`)
			}
			_, err := connect(t, server.Start(t)).Usage(t.Context(), 1, waldur.Fields(waldur.FieldDate))
			if (err == nil) != valid {
				t.Errorf("error %v", err)
			}
		})
	}
}
