package waldur

import (
	"testing"
	"time"
)

func TestDateMustExistAndBeInISOForm(t *testing.T) {
	t.Parallel()
	for raw, valid := range map[string]bool{
		"2024-09-01": true, "2024-02-29": true, "2024-12-31": true, "0001-01-01": true, "9999-12-31": true,
		"": false, " ": false, "2024": false, "2024-09": false, "2024-9-1": false, "09/01/2024": false, "Sep 1 2024": false,
		"2023-02-29": false, "2024-02-30": false, "2024-13-01": false, "2024-00-01": false, "2024-01-00": false, "0000-01-01": false,
		"2024-09-01T00:00:00Z": false, "2024-09-01 ": false, " 2024-09-01": false, "2024-09-01\n": false, "+2024-09-01": false,
		"12024-09-01": false, "-024-09-01": false, "２０２４-09-01": false,
	} {
		if date, err := ParseDate(raw); (err == nil) != valid || valid && date.Format(time.DateOnly) != raw {
			t.Errorf("%q is %s, error %v", raw, date, err)
		}
	}
}
