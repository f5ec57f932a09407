package waldurtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// dates reads date_after and date_before as dates in the form "2024-10-01",
// "" when they are missing or empty.
func dates(query url.Values, language string) (after, before string, refusal *Answer) {
	after, afterOK := date(last(query, "date_after"))
	before, beforeOK := date(last(query, "date_before"))
	if afterOK && beforeOK {
		return after, before, nil
	}
	message := "Enter a valid date."
	if language == "et" {
		message = "Sisestage korrektne kuupäev."
	}
	var wrong []string
	if !beforeOK {
		wrong = append(wrong, `"date_before":["`+message+`"]`)
	}
	if !afterOK {
		wrong = append(wrong, `"date_after":["`+message+`"]`)
	}
	return "", "", jsonAnswer(http.StatusBadRequest, []byte("{"+strings.Join(wrong, ",")+"}"), language)
}

// date takes what Waldur takes: besides ISO dates those of the United States.
func date(text string) (iso string, ok bool) {
	if text == "" {
		return "", true
	}
	text = strings.Join(strings.Fields(text), " ")
	for _, layout := range [...]string{
		"2006-1-2", "1/2/2006", "1/2/06",
		"Jan 2 2006", "Jan 2, 2006", "2 Jan 2006", "2 Jan, 2006",
		"January 2 2006", "January 2, 2006", "2 January 2006", "2 January, 2006",
	} {
		if day, err := time.Parse(layout, text); err == nil {
			return day.Format(time.DateOnly), true
		}
	}
	return "", false
}

// between returns those records of a list, newest first, that are dated from
// after to before, both inclusive; "" is open.
func between(records []*Record, after, before string) []*Record {
	// The first one that is older than, or as old as, a date.
	first := func(date string, asOld bool) int {
		at, _ := slices.BinarySearchFunc(records, date, func(record *Record, date string) int {
			if record.Date < date || asOld && record.Date == date {
				return 1
			}
			return -1
		})
		return at
	}
	from, to := 0, len(records)
	if before != "" {
		from = first(before, true)
	}
	if after != "" {
		to = first(after, false)
	}
	return records[from:max(from, to)]
}
