package waldur

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// fullRecord is a record with all nine attributes, as Waldur writes it.
const fullRecord = `{"name":"Mälu/RAM, GiB·h","type":"ram","measured_unit":"","category_title":"Storage & \"quotes\" <b>\\ </b>\u2028🚀",` +
	`"category_uuid":"2f90454613d64ef783be495bb3f81d6b","date":"2024-07-01","reported_usage":9007199254740993,"fixed_usage":null,"scope":null}`

func decoderOf(fields FieldSet) decoder { return decoder{fields: fields, texts: newInterner()} }

func TestRecordsAreDecodedExactly(t *testing.T) {
	t.Parallel()
	full := Usage{
		Name: Of("Mälu/RAM, GiB·h"), Type: Of("ram"), MeasuredUnit: Of(""), CategoryTitle: Of("Storage & \"quotes\" <b>\\ </b>\u2028🚀"),
		CategoryUUID: Of("2f90454613d64ef783be495bb3f81d6b"), Date: Of("2024-07-01"), ReportedUsage: Of[int64](9007199254740993),
	}
	for name, response := range map[string]struct {
		body   string
		fields FieldSet
		want   []Usage
	}{
		"two records": {" [" + fullRecord + " ,\n" + fullRecord + "]\n", AllFields(), []Usage{full, full}},
		"no record":   {"[]", AllFields(), []Usage{}},
		"a category's uuid in upper case, escaped": {
			`[{"category_uuid":"\u0032F90454613D64EF783BE495BB3F81D6B"},{"category_uuid":null}]`,
			Fields(FieldCategoryUUID), []Usage{{CategoryUUID: Of("2F90454613D64EF783BE495BB3F81D6B")}, {}},
		},
		"other members": {
			`[{"uuid":"x","nested":{"date":1,"list":[{"date":null}]},"reported_usage":"many","d\u0061te":"2024-09-01","zzz":null}]`,
			Fields(FieldDate), []Usage{{Date: Of("2024-09-01")}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decoderOf(response.fields).list([]byte(response.body))
			if err != nil || got == nil || !slices.Equal(got, response.want) {
				t.Errorf("%+v, error %v", got, err)
			}
		})
	}
}

func TestIntegersAreExactOrRejected(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]any{
		"-0":                   Of[int64](0),
		"9007199254740993":     Of[int64](9007199254740993), // 2^53 + 1 is not a float64
		"9223372036854775807":  Of[int64](math.MaxInt64),
		"-9223372036854775808": Of[int64](math.MinInt64),
		"null":                 Nullable[int64]{},
		"9223372036854775808":  "does not fit into 64 bits",
		"1.5":                  "is not written as an integer",
		"1e3":                  "is not written as an integer",
		`"1"`:                  "is not a number",
		"true":                 "is not a number",
		"01":                   "is not valid JSON",
		"NaN":                  "is not valid JSON",
	} {
		t.Run(written, func(t *testing.T) {
			t.Parallel()
			got, err := decoderOf(Fields(FieldFixedUsage)).one([]byte(`{"fixed_usage":` + written + `}`))
			if malformed, ok := errors.AsType[*FormatError](err); ok {
				if malformed.Problem != want {
					t.Errorf("error %v, want %v", err, want)
				}
			} else if err != nil || got.FixedUsage != want {
				t.Errorf("%v, error %v, want %v", got.FixedUsage, err, want)
			}
		})
	}
}

func TestMalformedResponseIsRejected(t *testing.T) {
	t.Parallel()
	const (
		date    = `"date":"2024-09-01"`
		notUUID = "is not a UUID of 32 hexadecimal digits" // it is shown in messages and identifies records
	)
	type rejected struct {
		body      string
		record    int
		attribute string
		problem   string
	}
	for name, response := range map[string]rejected{
		"nothing":                    {"", 0, "", "is empty"},
		"an object":                  {`{"detail":"x"}`, 0, "", "is JSON, but not a list of records"},
		"null":                       {`null`, 0, "", "is JSON, but not a list of records"},
		"byte order mark":            {"\ufeff[]", 0, "", "is not valid JSON"},
		"two lists":                  {`[][]`, 0, "", "continues after its end"},
		"a byte after the list":      {"[]\x00", 0, "", "continues after its end"},
		"comma at the end of a list": {`[{` + date + `},]`, 2, "", "is not valid JSON"},
		"cut after the bracket":      {`[`, 1, "", "ends in the middle"},
		"cut in a name":              {`[{"da`, 1, "", "ends in the middle"},
		"cut in a text":              {`[{"date":"2024`, 1, "date", "ends in the middle"},
		"cut after a record":         {`[{` + date + `}`, 2, "", "ends in the middle"},
		"record is a number":         {`[{` + date + `},1]`, 2, "", "is not an object"},
		"attribute missing":          {`[{` + date + `},{}]`, 2, "date", "is missing"},
		"attribute of another case":  {`[{"Date":"2024-09-01"}]`, 1, "date", "is missing"},
		"attribute twice":            {`[{` + date + `,` + date + `}]`, 1, "date", "appears twice"},
		"attribute twice, escaped":   {`[{` + date + `,"d\u0061te":"2024-10-01"}]`, 1, "date", "appears twice"},
		"unknown member twice":       {`[{` + date + `,"x":1,"x":2}]`, 1, "", "has a member twice"},
		"nested member twice":        {`[{` + date + `,"x":{"date":1,"date":2}}]`, 1, "", "has a member twice"},
		"attribute is a list":        {`[{"date":["2024-09-01"]}]`, 1, "date", "is not a string"},
		"text not UTF-8":             {"[{\"date\":\"2024-09-\xff\"}]", 1, "date", "is not valid JSON"},
		"endlessly nested brackets":  {`[{` + date + `,"x":` + strings.Repeat("[", 100000), 1, "", "is not valid JSON"},
		"more records than a page":   {"[" + strings.Repeat("{"+date+"},", pageCap) + "{" + date + "}]", 0, "", "contains more than 300 records, the most that Waldur returns in one response"},
		"category's uuid, empty":     {`[{"category_uuid":""}]`, 1, "category_uuid", notUUID},
		"category's uuid, too short": {`[{"category_uuid":"f90454613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"category's uuid, too long":  {`[{"category_uuid":"2f90454613d64ef783be495bb3f81d6b0"}]`, 1, "category_uuid", notUUID},
		"category's uuid, a letter":  {`[{"category_uuid":"gf90454613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"category's uuid, an escape": {`[{"category_uuid":"\u001b[31m54613d64ef783be495bb3f81d6b"}]`, 1, "category_uuid", notUUID},
		"invalid in another member":  {`[{` + date + `,"x":tru}]`, 1, "", "is not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			field := FieldDate
			if response.attribute == "category_uuid" {
				field = FieldCategoryUUID
			}
			usages, err := decoderOf(Fields(field)).list([]byte(response.body))
			malformed, ok := errors.AsType[*FormatError](err)
			if !ok {
				t.Fatalf("%d records, error %v, want a FormatError", len(usages), err)
			}
			if got := (rejected{response.body, malformed.Record, malformed.Attribute, malformed.Problem}); got != response {
				t.Errorf("%v\nwant record %d, attribute %q: %s", malformed, response.record, response.attribute, response.problem)
			}
		})
	}
}

func TestRequestedAttributeMustBePresentAndOfItsType(t *testing.T) {
	t.Parallel()
	var members map[string]any
	if err := json.Unmarshal([]byte(fullRecord), &members); err != nil {
		t.Fatal(err)
	}
	members["reported_usage"] = 1
	for field := range AllFields().Each {
		missing, other := maps.Clone(members), maps.Clone(members)
		delete(missing, field.String())
		other[field.String()] = true
		for _, record := range []map[string]any{missing, other} {
			body, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			_, err = decoderOf(AllFields()).one(body)
			if malformed, ok := errors.AsType[*FormatError](err); !ok || malformed.Attribute != field.String() {
				t.Errorf("%s: error %v, want a FormatError with the attribute", body, err)
			}
			if _, err := decoderOf(AllFields() &^ Fields(field)).one(body); err != nil {
				t.Errorf("%s, %s not requested: error %v", body, field, err)
			}
		}
	}
}

func TestExplanationIsFoundInTheBodyOfAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"detail":"Invalid token."}`:                             "Invalid token.",
		`{"date_after":["One."],"date_before":["Two.","Three."]}`: "date_after: One. date_before: Two. Three.",
		`{"non_field_errors":["One."]}`:                           "One.",
		`["Can't restore object from url: garbage"]`:              "Can't restore object from url: garbage",
		`"No."`:                             "No.",
		`{"detail":"No.","code":7}`:         "No. code:",
		`{"detail":"One.","detail":"Two."}`: "One. Two.",
		`{"detail":"One.","more":["Tw`:      "One. more:",
		"{\"detail\":\"\xff.\"}":            "\ufffd.",
		``:                                  "",
		"\n<!doctype html>\n<html>":         "",
		`no healthy upstream`:               "",
		strings.Repeat("[", maxOtherBytes):  "",
		`{"a":{"b":{"detail":"No."}}}`:      "a: b: No.",
	} {
		if got := explanation([]byte(body)); got != want {
			t.Errorf("%.100s: %q, want %q", body, got, want)
		}
	}
}

// FuzzDecode checks that encoding/json decodes everything that the decoder accepts
// to the same values. It starts with the responses of a real Waldur.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		"[]", "[" + fullRecord + "]", "[" + fullRecord + "," + fullRecord + "]", `[{"date":"2024-09-01","reported_usage":-9223372036854775808}]`,
		`[{"date":null}]`, `[{"d\u0061te":"\ud83d\ude80"}]`, `[{"date":"a","date":"b"}]`, `[{"reported_usage":1e3}]`, `[{"x":[[[{}]]]}]`, `[{}`, "\xff", `[{"date":"\ud83d"}]`,
	} {
		f.Add([]byte(body), uint16(AllFields()))
		f.Add([]byte(body), uint16(Fields(FieldDate)))
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
			if _, err := decoderOf(AllFields()).list([]byte(body)); err != nil {
				f.Errorf("%s: %v", file, err)
			}
		}
		f.Add([]byte(body), uint16(AllFields()))
	}
	f.Fuzz(func(t *testing.T, body []byte, bits uint16) {
		fields := FieldSet(bits) & AllFields()
		usages, err := decoderOf(fields).list(body)
		if err != nil {
			malformed, ok := errors.AsType[*FormatError](err)
			if !ok || len(malformed.Problem) > 80 || !utf8.ValidString(malformed.Error()) {
				t.Errorf("error %v", err)
			}
			return
		}
		in := json.NewDecoder(bytes.NewReader(body))
		in.UseNumber()
		var records []map[string]any
		if err := in.Decode(&records); err != nil || len(records) != len(usages) {
			t.Fatalf("%d records, encoding/json decodes %d, error %v", len(usages), len(records), err)
		}
		for i, record := range records {
			var want Usage
			for field := range fields.Each {
				switch attribute := want.Attribute(field).(type) {
				case *Nullable[string]:
					attribute.Value, attribute.Valid = record[field.String()].(string)
				case *Nullable[int64]:
					number, valid := record[field.String()].(json.Number)
					attribute.Value, _ = number.Int64()
					attribute.Valid = valid
				}
			}
			if usages[i] != want {
				t.Errorf("record %d is %+v, encoding/json decodes %+v", i+1, usages[i], want)
			}
		}
	})
}

// An allocation for each text would be 700,000 of them for 100,000 records.
func TestDecodingAllocatesLittlePerRecord(t *testing.T) {
	body := []byte("[" + strings.TrimSuffix(strings.Repeat(fullRecord+",", pageCap), ",") + "]")
	decoder := decoderOf(AllFields())
	allocations := testing.AllocsPerRun(10, func() {
		if _, err := decoder.list(body); err != nil {
			t.Error(err)
		}
	})
	if perRecord := allocations / pageCap; perRecord > 0.5 {
		t.Errorf("%.1f allocations per record, want at most 0.5", perRecord)
	}
}
