package waldur

import (
	"net/url"
	"slices"
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
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			date, err := ParseDate(raw)
			if (err == nil) != valid {
				t.Errorf("error %v", err)
			}
			if valid && date.Format(time.DateOnly) != raw {
				t.Errorf("the date is %s", date.Format(time.DateOnly))
			}
		})
	}
}

func TestParametersOfAWindow(t *testing.T) {
	t.Parallel()
	const scopeURL = "https://waldur.example.com/api/projects/" + someUUID + "/"
	for name, row := range map[string]struct {
		window window
		want   url.Values
	}{
		"everything": {
			window{size: 300, page: 1, fields: AllFields()},
			url.Values{"scope": {scopeURL}, "page_size": {"300"}},
		},
		"dates and a page": {
			window{after: "2024-01-01", before: "2024-09-01", size: 24, page: 2, fields: AllFields()},
			url.Values{"scope": {scopeURL}, "page_size": {"24"}, "page": {"2"}, "date_after": {"2024-01-01"}, "date_before": {"2024-09-01"}},
		},
		"some fields, one per parameter": {
			window{size: 1, page: 1, fields: Fields(FieldScope, FieldName, FieldDate)},
			url.Values{"scope": {scopeURL}, "page_size": {"1"}, "field": {"name", "date", "scope"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := row.window.parameters(scopeURL)
			for _, parameter := range []string{"scope", "page", "page_size", "date_after", "date_before", "field"} {
				if !slices.Equal(got[parameter], row.want[parameter]) {
					t.Errorf("%s is %q, want %q", parameter, got[parameter], row.want[parameter])
				}
			}
			if len(got) != len(row.want) {
				t.Errorf("the parameters are %v", got)
			}
		})
	}
}
