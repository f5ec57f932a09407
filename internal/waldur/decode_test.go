package waldur

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// fullRecord is a record with all nine attributes, as Waldur writes it.
const fullRecord = `{"name":"Mälu/RAM, GiB·h","type":"ram","measured_unit":"","category_title":"Storage & \"quotes\" <b>\\ </b>\u2028🚀",` +
	`"category_uuid":"2f90454613d64ef783be495bb3f81d6b","date":"2024-07-01","reported_usage":9007199254740993,"fixed_usage":null,"scope":null}`

func decoderOf(fields FieldSet) decoder { return decoder{fields: fields, texts: newInterner()} }

func TestRecordIsDecodedExactly(t *testing.T) {
	t.Parallel()
	want := Usage{
		Name: Of("Mälu/RAM, GiB·h"), Type: Of("ram"), MeasuredUnit: Of(""), CategoryTitle: Of("Storage & \"quotes\" <b>\\ </b>\u2028🚀"),
		CategoryUUID: Of("2f90454613d64ef783be495bb3f81d6b"), Date: Of("2024-07-01"), ReportedUsage: Of[int64](9007199254740993),
	}
	if got, err := decoderOf(AllFields()).one([]byte(fullRecord)); err != nil || got != want {
		t.Errorf("%+v, error %v", got, err)
	}
	got, err := decoderOf(AllFields()).list([]byte(" [" + fullRecord + " ,\n" + fullRecord + "]\n"))
	if err != nil || !slices.Equal(got, []Usage{want, want}) {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestEmptyListIsDecoded(t *testing.T) {
	t.Parallel()
	if got, err := decoderOf(AllFields()).list([]byte("[]")); err != nil || got == nil || len(got) != 0 {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestIntegersAreExactOrRejected(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]any{
		"0":                    int64(0),
		"-0":                   int64(0),
		"-1":                   int64(-1),
		"9007199254740993":     int64(9007199254740993), // 2^53 + 1 is not a float64
		"9223372036854775807":  int64(math.MaxInt64),
		"-9223372036854775808": int64(math.MinInt64),
		"null":                 nil,
		"9223372036854775808":  "does not fit into 64 bits",
		"-9223372036854775809": "does not fit into 64 bits",
		"99999999999999999999": "does not fit into 64 bits",
		"1.5":                  "is not written as an integer",
		"1.0":                  "is not written as an integer",
		"1e3":                  "is not written as an integer",
		"1E400":                "is not written as an integer",
		`"1"`:                  "is not a number",
		"true":                 "is not a number",
		"[1]":                  "is not a number",
		"{}":                   "is not a number",
		"01":                   "is not valid JSON",
		"+1":                   "is not valid JSON",
		"0x1":                  "is not valid JSON",
		"1_000":                "is not valid JSON",
		"NaN":                  "is not valid JSON",
		"Infinity":             "is not valid JSON",
		".5":                   "is not valid JSON",
	} {
		t.Run(written, func(t *testing.T) {
			t.Parallel()
			got, err := decoderOf(Fields(FieldFixedUsage)).one([]byte(`{"fixed_usage":` + written + `}`))
			switch want := want.(type) {
			case int64:
				if err != nil || got.FixedUsage != Of(want) {
					t.Errorf("%v, error %v", got.FixedUsage, err)
				}
			case string:
				malformed, ok := errors.AsType[*FormatError](err)
				if !ok || malformed.Problem != want {
					t.Errorf("error %v, want %q", err, want)
				}
			default:
				if err != nil || got.FixedUsage.Valid {
					t.Errorf("%v, error %v, want null", got.FixedUsage, err)
				}
			}
		})
	}
}

// The category's UUID is shown in messages and identifies records.
func TestCategoryUUIDIsHexadecimalOrNull(t *testing.T) {
	t.Parallel()
	const uuid = "2f90454613d64ef783be495bb3f81d6b"
	for name, row := range map[string]struct {
		written string
		want    Nullable[string] // if valid
		valid   bool
	}{
		"digits":            {`"` + uuid + `"`, Of(uuid), true},
		"upper case":        {`"` + strings.ToUpper(uuid) + `"`, Of(strings.ToUpper(uuid)), true},
		"escaped":           {`"\u0032` + uuid[1:] + `"`, Of(uuid), true},
		"null":              {`null`, Nullable[string]{}, true},
		"empty":             {`""`, Nullable[string]{}, false},
		"too short":         {`"` + uuid[1:] + `"`, Nullable[string]{}, false},
		"too long":          {`"` + uuid + `0"`, Nullable[string]{}, false},
		"hyphens":           {`"2f904546-13d6-4ef7-83be-495bb3f81d6b"`, Nullable[string]{}, false},
		"another letter":    {`"g` + uuid[1:] + `"`, Nullable[string]{}, false},
		"terminal sequence": {`"\u001b[31m` + uuid[5:] + `"`, Nullable[string]{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decoderOf(Fields(FieldCategoryUUID)).one([]byte(`{"category_uuid":` + row.written + `}`))
			malformed, ok := errors.AsType[*FormatError](err)
			if row.valid && (err != nil || got.CategoryUUID != row.want) {
				t.Errorf("%v, error %v", got.CategoryUUID, err)
			}
			if !row.valid && (!ok || malformed.Attribute != "category_uuid" || malformed.Problem != "is not a UUID of 32 hexadecimal digits") {
				t.Errorf("%v, error %v", got.CategoryUUID, err)
			}
		})
	}
}

func TestMalformedAnswerIsRejected(t *testing.T) {
	t.Parallel()
	const date = `"date":"2024-09-01"`
	type rejected struct {
		body      string
		record    int
		attribute string
		problem   string
	}
	for name, answer := range map[string]rejected{
		"nothing":                    {"", 0, "", "is empty"},
		"blank":                      {" \n", 0, "", "is empty"},
		"an object":                  {`{"detail":"x"}`, 0, "", "is JSON, but not a list of records"},
		"null":                       {`null`, 0, "", "is JSON, but not a list of records"},
		"a text":                     {`"x"`, 0, "", "is JSON, but not a list of records"},
		"HTML":                       {`<!doctype html>`, 0, "", "is not valid JSON"},
		"byte order mark":            {"\ufeff[]", 0, "", "is not valid JSON"},
		"two lists":                  {`[][]`, 0, "", "continues after its end"},
		"a word after the list":      {`[] x`, 0, "", "continues after its end"},
		"a byte after the list":      {"[]\x00", 0, "", "continues after its end"},
		"comma at the end of a list": {`[{` + date + `},]`, 2, "", "is not valid JSON"},
		"comma at the end":           {`[{` + date + `,}]`, 1, "", "is not valid JSON"},
		"no comma":                   {`[{` + date + `}{` + date + `}]`, 2, "", "is not valid JSON"},
		"no colon":                   {`[{"date" "2024-09-01"}]`, 1, "date", "is not valid JSON"},
		"comment":                    {`[/* x */]`, 1, "", "is not valid JSON"},
		"single quotes":              {`[{'date':'2024-09-01'}]`, 1, "", "is not valid JSON"},
		"cut after the bracket":      {`[`, 1, "", "ends in the middle"},
		"cut in a name":              {`[{"da`, 1, "", "ends in the middle"},
		"cut after a name":           {`[{"date"`, 1, "date", "ends in the middle"},
		"cut in a text":              {`[{"date":"2024`, 1, "date", "ends in the middle"},
		"cut after a record":         {`[{` + date + `}`, 2, "", "ends in the middle"},
		"cut after a comma":          {`[{` + date + `},`, 2, "", "ends in the middle"},
		"record is a number":         {`[{` + date + `},1]`, 2, "", "is not an object"},
		"record is null":             {`[null]`, 1, "", "is not an object"},
		"record is a list":           {`[[` + date + `]]`, 1, "", "is not valid JSON"},
		"attribute missing":          {`[{` + date + `},{}]`, 2, "date", "is missing"},
		"attribute of another case":  {`[{"Date":"2024-09-01"}]`, 1, "date", "is missing"},
		"attribute twice":            {`[{` + date + `,` + date + `}]`, 1, "date", "appears twice"},
		"attribute twice, escaped":   {`[{` + date + `,"d\u0061te":"2024-10-01"}]`, 1, "date", "appears twice"},
		"unknown member twice":       {`[{` + date + `,"x":1,"x":2}]`, 1, "", "has a member twice"},
		"nested member twice":        {`[{` + date + `,"x":{"y":1,"y":2}}]`, 1, "", "has a member twice"},
		"attribute is a number":      {`[{"date":20240901}]`, 1, "date", "is not a string"},
		"attribute is a list":        {`[{"date":["2024-09-01"]}]`, 1, "date", "is not a string"},
		"attribute is false":         {`[{"date":false}]`, 1, "date", "is not a string"},
		"text not UTF-8":             {"[{\"date\":\"2024-09-\xff\"}]", 1, "date", "is not valid JSON"},
		"name not UTF-8":             {"[{\"dat\xff\":1," + date + "}]", 1, "", "is not valid JSON"},
		"half of a surrogate pair":   {`[{"date":"\ud83d"}]`, 1, "date", "is not valid JSON"},
		"line break in a text":       {"[{\"date\":\"2024\n\"}]", 1, "date", "is not valid JSON"},
		"invalid escape":             {`[{"date":"\a"}]`, 1, "date", "is not valid JSON"},
		"endlessly nested brackets":  {`[{` + date + `,"x":` + strings.Repeat("[", 100000), 1, "", "is not valid JSON"},
		"more records than a page":   {"[" + strings.Repeat("{"+date+"},", pageCap) + "{" + date + "}]", 0, "", "contains more than 300 records, the most that Waldur returns in one answer"},
		"invalid in another member":  {`[{` + date + `,"x":tru}]`, 1, "", "is not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			usages, err := decoderOf(Fields(FieldDate)).list([]byte(answer.body))
			malformed, ok := errors.AsType[*FormatError](err)
			if !ok {
				t.Fatalf("%d records, error %v, want a FormatError", len(usages), err)
			}
			if got := (rejected{answer.body, malformed.Record, malformed.Attribute, malformed.Problem}); got != answer {
				t.Errorf("record %d, attribute %q: %s\nwant record %d, attribute %q: %s",
					got.record, got.attribute, got.problem, answer.record, answer.attribute, answer.problem)
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
	for field := range AllFields().Each {
		t.Run(field.String(), func(t *testing.T) {
			t.Parallel()
			for name, change := range map[string]func(map[string]any){
				"missing":         func(record map[string]any) { delete(record, field.String()) },
				"of another type": func(record map[string]any) { record[field.String()] = true },
			} {
				record := maps.Clone(members)
				record["reported_usage"] = 1
				change(record)
				body, err := json.Marshal(record)
				if err != nil {
					t.Fatal(err)
				}
				_, err = decoderOf(AllFields()).one(body)
				if malformed, ok := errors.AsType[*FormatError](err); !ok || malformed.Attribute != field.String() {
					t.Errorf("%s: error %v, want a FormatError with the attribute", name, err)
				}
				if got, err := decoderOf(AllFields() &^ Fields(field)).one(body); err != nil || got.Attribute(field) == nil {
					t.Errorf("%s and not requested: error %v", name, err)
				}
			}
		})
	}
}

func TestOtherMembersAreIgnored(t *testing.T) {
	t.Parallel()
	const body = `{"uuid":"x","nested":{"date":1,"list":[{"date":null}]},"reported_usage":"many","d\u0061te":"2024-09-01","zzz":null}`
	got, err := decoderOf(Fields(FieldDate)).one([]byte(body))
	if want := (Usage{Date: Of("2024-09-01")}); err != nil || got != want {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestExplanationIsFoundInTheBodyOfAnError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]struct{ body, want string }{
		"detail":                      {`{"detail":"Invalid token."}`, "Invalid token."},
		"attribute":                   {`{"date_after":["Enter a valid date."]}`, "date_after: Enter a valid date."},
		"two attributes":              {`{"date_after":["One."],"date_before":["Two.","Three."]}`, "date_after: One. date_before: Two. Three."},
		"without an attribute":        {`{"non_field_errors":["One."]}`, "One."},
		"bare array":                  {`["Can't restore object from url: garbage"]`, "Can't restore object from url: garbage"},
		"bare text":                   {`"No."`, "No."},
		"with a code":                 {`{"detail":"No.","code":7}`, "No. code:"},
		"detail twice":                {`{"detail":"One.","detail":"Two."}`, "One. Two."},
		"cut short":                   {`{"detail":"One.","more":["Tw`, "One. more:"},
		"not UTF-8":                   {"{\"detail\":\"\xff.\"}", "\ufffd."},
		"nothing":                     {``, ""},
		"HTML":                        {"\n<!doctype html>\n<html>", ""},
		"plain words":                 {`no healthy upstream`, ""},
		"endlessly nested brackets":   {strings.Repeat("[", maxOtherBytes), ""},
		"an object nested in objects": {`{"a":{"b":{"detail":"No."}}}`, "a: b: No."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := explanation([]byte(body.body)); got != body.want {
				t.Errorf("%q, want %q", got, body.want)
			}
		})
	}
}

// FuzzDecode checks that encoding/json decodes everything that the decoder accepts
// to the same values.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		"[]", "[" + fullRecord + "]", "[" + fullRecord + "," + fullRecord + "]", `[{"date":"2024-09-01","reported_usage":-9223372036854775808}]`,
		`[{"date":null}]`, `[{"d\u0061te":"\ud83d\ude80"}]`, `[{"date":"a","date":"b"}]`, `[{"reported_usage":1e3}]`, `[{"x":[[[{}]]]}]`, `[{}`, "\xff", `[{"date":"\ud83d"}]`,
	} {
		f.Add([]byte(body), uint16(AllFields()))
		f.Add([]byte(body), uint16(Fields(FieldDate)))
	}
	for _, body := range recordedBodies(f) {
		f.Add(body, uint16(AllFields()))
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
		for i := range usages {
			for field := range AllFields().Each {
				if got, want := attributeOf(&usages[i], field), expected(records[i], fields, field); got != want {
					t.Errorf("record %d: %s is %v, encoding/json decodes %v", i+1, field, got, want)
				}
			}
		}
	})
}

// recordedBodies returns the bodies of a real Waldur's answers.
func recordedBodies(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("waldurtest/testdata/exchanges/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d recordings, error %v", len(files), err)
	}
	bodies := make([][]byte, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var exchange struct{ Response struct{ Body string } }
		if err := json.Unmarshal(text, &exchange); err != nil {
			tb.Fatal(err)
		}
		bodies[i] = []byte(exchange.Response.Body)
	}
	return bodies
}

func TestRecordedListsAreAccepted(t *testing.T) {
	t.Parallel()
	accepted := 0
	for _, body := range recordedBodies(t) {
		if !bytes.HasPrefix(body, []byte(`[{`)) || !bytes.Contains(body, []byte(`"scope":`)) {
			continue // an error, an empty list, or one of some fields
		}
		accepted++
		if _, err := decoderOf(AllFields()).list(body); err != nil {
			t.Error(err)
		}
	}
	if accepted == 0 {
		t.Error("no list was recorded")
	}
}

// attributeOf returns a decoded attribute, or nil for null.
func attributeOf(usage *Usage, field Field) any {
	switch value := usage.Attribute(field).(type) {
	case *Nullable[string]:
		if value.Valid {
			return value.Value
		}
	case *Nullable[int64]:
		if value.Valid {
			return json.Number(strconv.FormatInt(value.Value, 10))
		}
	}
	return nil
}

// expected returns the value of an attribute as encoding/json decodes it.
func expected(record map[string]any, requested FieldSet, field Field) any {
	if !requested.Has(field) {
		return nil
	}
	if record[field.String()] == json.Number("-0") {
		return json.Number("0")
	}
	return record[field.String()]
}

// BenchmarkDecode decodes a page of 300 records with all attributes:
//
//	go test -run '^$' -bench BenchmarkDecode ./internal/waldur
func BenchmarkDecode(b *testing.B) {
	records := make([]string, pageCap)
	for i := range records {
		records[i] = fmt.Sprintf(`{"name":"CPU (tuumatund) Ä","type":"cpu-%d","measured_unit":"h","category_title":"Storage & \"quotes\" <b>\\ </b>",`+
			`"category_uuid":"%032x","date":"2024-%02d-01","reported_usage":%d,"fixed_usage":null,`+
			`"scope":"https://waldur.example.com/api/projects/2b5719686db84f24bf64c3dfec58fbeb/"}`, i%12, i%4, 12-i/25%12, 583291+i)
	}
	body := []byte("[" + strings.Join(records, ",") + "]")
	decoder := decoderOf(AllFields())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if usages, err := decoder.list(body); err != nil || len(usages) != len(records) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(records)), "ns/record")
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
