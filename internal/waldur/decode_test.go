package waldur_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// fullRecord is a record with all nine attributes, as Waldur writes it.
const fullRecord = `{"name":"Mälu/RAM, GiB·h","type":"ram","measured_unit":"","category_title":"Storage & \"quotes\" <b>\\ </b>\u2028🚀",` +
	`"category_uuid":"2f90454613d64ef783be495bb3f81d6b","date":"2024-07-01","reported_usage":9007199254740993,"fixed_usage":null,"scope":null}`

func TestMalformedResponseIsRejected(t *testing.T) {
	t.Parallel()
	const (
		date       = `"date":"2024-09-01"`
		notUUID    = "is not a UUID of 32 hexadecimal digits" // it is shown in messages and identifies records
		notInteger = "is not written as an integer"
	)
	type rejected struct {
		body      string
		record    int
		attribute string
		problem   string
	}
	for name, want := range map[string]rejected{
		"nothing":                          {"", 0, "", "is empty"},
		"an object":                        {`{"detail":"x"}`, 0, "", "is JSON, but not a list of records"},
		"null":                             {`null`, 0, "", "is JSON, but not a list of records"},
		"byte order mark":                  {"\ufeff[]", 0, "", "is not valid JSON"},
		"two lists":                        {`[][]`, 0, "", "continues after its end"},
		"a byte after the list":            {"[]\x00", 0, "", "continues after its end"},
		"comma at the end of a list":       {`[{` + date + `},]`, 2, "", "is not valid JSON"},
		"cut after the bracket":            {`[`, 1, "", "ends in the middle"},
		"cut in a name":                    {`[{"da`, 1, "", "ends in the middle"},
		"cut in a text":                    {`[{"date":"2024`, 1, "date", "ends in the middle"},
		"cut after a record":               {`[{` + date + `}`, 2, "", "ends in the middle"},
		"record is a number":               {`[{` + date + `},1]`, 2, "", "is not an object"},
		"attribute missing":                {`[{` + date + `},{}]`, 2, "date", "is missing"},
		"attribute of another case":        {`[{"Date":"2024-09-01"}]`, 1, "date", "is missing"},
		"attribute twice":                  {`[{` + date + `,` + date + `}]`, 1, "date", "appears twice"},
		"attribute twice, escaped":         {`[{` + date + `,"d\u0061te":"2024-10-01"}]`, 1, "date", "appears twice"},
		"unknown member twice":             {`[{` + date + `,"x":1,"x":2}]`, 1, "", "has a member twice"},
		"nested member twice":              {`[{` + date + `,"x":{"date":1,"date":2}}]`, 1, "", "has a member twice"},
		"attribute is a list":              {`[{"date":["2024-09-01"]}]`, 1, "date", "is not a string"},
		"text not UTF-8":                   {"[{\"date\":\"2024-09-\xff\"}]", 1, "date", "is not valid JSON"},
		"endlessly nested brackets":        {`[{` + date + `,"x":` + strings.Repeat("[", 100000), 1, "", "is not valid JSON"},
		"more records than a page":         {"[" + strings.Repeat("{"+date+"},", 300) + "{" + date + "}]", 0, "", "contains more than 300 records, the most that Waldur returns in one response"},
		"category's uuid, empty":           {`[{"category_uuid":""}]`, 1, "category_uuid", notUUID},
		"category's uuid, too short":       {`[{"category_uuid":"f90454613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"category's uuid, too long":        {`[{"category_uuid":"2f90454613d64ef783be495bb3f81d6b0"}]`, 1, "category_uuid", notUUID},
		"category's uuid, not hexadecimal": {`[{"category_uuid":"gf90454613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"category's uuid, an escape":       {`[{"category_uuid":"\u001b[31m54613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"usage over 64 bits":               {`[{"fixed_usage":9223372036854775808}]`, 1, "fixed_usage", "does not fit into 64 bits"},
		"usage with a fraction":            {`[{"fixed_usage":1.5}]`, 1, "fixed_usage", notInteger},
		"usage with an exponent":           {`[{"fixed_usage":1e3}]`, 1, "fixed_usage", notInteger},
		"usage is text":                    {`[{"fixed_usage":"1"}]`, 1, "fixed_usage", "is not a number"},
		"usage is true":                    {`[{"fixed_usage":true}]`, 1, "fixed_usage", "is not a number"},
		"usage with a leading zero":        {`[{"fixed_usage":01}]`, 1, "", "is not valid JSON"},
		"usage is NaN":                     {`[{"fixed_usage":NaN}]`, 1, "fixed_usage", "is not valid JSON"},
		"invalid in another member":        {`[{` + date + `,"x":tru}]`, 1, "", "is not valid JSON"},
	} {
		field, ok := waldur.ParseField(want.attribute)
		if !ok {
			field = waldur.FieldDate
		}
		usages, err := waldur.DecodeList([]byte(want.body), waldur.Fields(field))
		malformed, ok := errors.AsType[*waldur.FormatError](err)
		if !ok {
			t.Fatalf("%s: got %d records, error %v, want a FormatError", name, len(usages), err)
		}
		if got := (rejected{want.body, malformed.Record, malformed.Attribute, malformed.Problem}); got != want {
			t.Errorf("%s: got %v, want record %d, attribute %q: %s", name, malformed, want.record, want.attribute, want.problem)
		}
	}
}

func TestRequestedAttributeMustBePresentAndOfItsType(t *testing.T) {
	t.Parallel()
	var members map[string]any
	if err := json.Unmarshal([]byte(fullRecord), &members); err != nil {
		t.Fatal(err)
	}
	members["reported_usage"] = 1
	for field := range waldur.AllFields().Each {
		missing, other := maps.Clone(members), maps.Clone(members)
		delete(missing, field.String())
		other[field.String()] = true
		for _, record := range []map[string]any{missing, other} {
			body, err := json.Marshal([]any{record})
			if err != nil {
				t.Fatal(err)
			}
			_, err = waldur.DecodeList(body, waldur.AllFields())
			if malformed, ok := errors.AsType[*waldur.FormatError](err); !ok || malformed.Attribute != field.String() {
				t.Errorf("%s: got error %v, want a FormatError with attribute %s", body, err, field)
			}
			if _, err := waldur.DecodeList(body, waldur.AllFields()&^waldur.Fields(field)); err != nil {
				t.Errorf("%s without %s: got error %v", body, field, err)
			}
		}
	}
}

// FuzzDecode checks that encoding/json decodes everything that the decoder accepts
// to the same values. It starts with lists that the decoder must accept, among them
// those in the responses of a real Waldur.
func FuzzDecode(f *testing.F) {
	accepted := []string{
		"[]", " [" + fullRecord + " ,\n" + fullRecord + "]\n",
		strings.Replace("["+fullRecord+"]", "2f90454613d", `\u0032F90454613D`, 1),
		strings.Replace("["+fullRecord+"]", "{", `{"uuid":"x","nested":{"date":1,"list":[{"date":null}]},"zzz":null,`, 1),
		strings.Replace("["+fullRecord+"]", `"date"`, `"d\u0061te"`, 1),
		strings.Replace("["+fullRecord+"]", `"date"`, `"\u0064ate"`, 1),
	}
	for _, usage := range []string{"-0", "9223372036854775807", "-9223372036854775808"} {
		accepted = append(accepted, strings.Replace("["+fullRecord+"]", `"fixed_usage":null`, `"fixed_usage":`+usage, 1))
	}
	recordings, err := filepath.Glob("waldurtest/testdata/exchanges/*.json")
	if err != nil || len(recordings) == 0 {
		f.Fatalf("%d recordings, error %v", len(recordings), err)
	}
	for _, file := range recordings {
		text, err := os.ReadFile(file)
		var exchange struct{ Response struct{ Body string } }
		if err := errors.Join(err, json.Unmarshal(text, &exchange)); err != nil {
			f.Fatal(err)
		}
		body := exchange.Response.Body
		if complete := strings.HasPrefix(body, "[{") && strings.Contains(body, `"name":`) && strings.Contains(body, `"scope":`); complete {
			accepted = append(accepted, body)
		}
		f.Add([]byte(body), uint16(waldur.AllFields()))
	}
	for _, body := range accepted {
		if _, err := waldur.DecodeList([]byte(body), waldur.AllFields()); err != nil {
			f.Errorf("%s: got error %v", body, err)
		}
		f.Add([]byte(body), uint16(waldur.AllFields()))
		f.Add([]byte(body), uint16(waldur.Fields(waldur.FieldDate)))
	}
	for _, body := range []string{
		`[{"date":null}]`, `[{"date":"\ud83d\ude80"}]`, `[{"date":"a","date":"b"}]`, `[{"x":[[[{}]]]}]`, `[{}`, "\xff", `[{"date":"\ud83d"}]`,
	} {
		f.Add([]byte(body), uint16(waldur.Fields(waldur.FieldDate)))
	}
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		fields := waldur.FieldSet(bits) & waldur.AllFields()
		usages, err := waldur.DecodeList(body, fields)
		if err != nil {
			malformed, ok := errors.AsType[*waldur.FormatError](err)
			if !ok || len(malformed.Problem) > 80 || !utf8.ValidString(malformed.Error()) {
				t.Errorf("got error %v, want a short FormatError", err)
			}
			return
		}
		in := json.NewDecoder(bytes.NewReader(body))
		in.UseNumber()
		var records []map[string]any
		if err := in.Decode(&records); err != nil || usages == nil || len(records) != len(usages) {
			t.Fatalf("got %d records, want %d as from encoding/json, error %v", len(usages), len(records), err)
		}
		for i, record := range records {
			var want waldur.Usage
			for field := range fields.Each {
				switch attribute := want.Attribute(field).(type) {
				case *waldur.Nullable[string]:
					attribute.Value, attribute.Valid = record[field.String()].(string)
				case *waldur.Nullable[int64]:
					number, valid := record[field.String()].(json.Number)
					attribute.Value, _ = number.Int64()
					attribute.Valid = valid
				}
			}
			if usages[i] != want {
				t.Errorf("got record %d %+v, want %+v as from encoding/json", i+1, usages[i], want)
			}
		}
	})
}

// One allocation for each text would be 700,000 for 100,000 records.
func TestDecodingAllocatesLittlePerRecord(t *testing.T) {
	const records = waldurtest.DefaultPageCap
	body := []byte("[" + strings.Repeat(fullRecord+",", records-1) + fullRecord + "]")
	allocations := testing.AllocsPerRun(10, func() {
		if _, err := waldur.DecodeList(body, waldur.AllFields()); err != nil {
			t.Error(err)
		}
	})
	if perRecord := allocations / records; perRecord > 0.5 {
		t.Errorf("got %.1f allocations per record, want at most 0.5", perRecord)
	}
}
