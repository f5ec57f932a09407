package waldur

import (
	"bytes"
	"errors"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder reads records strictly: every attribute that was asked for is present,
// once, and of its type; integers are exact and within int64; a category_uuid
// has 32 hexadecimal digits; the text is valid UTF-8; nothing follows the value.
// Members that were not asked for are ignored: a newer Waldur may add some.
type decoder struct {
	request Request
	fields  FieldSet
	texts   interner
}

// interner serves all answers of a pager: building it for each would cost more
// than decoding a record.
type interner struct {
	names map[string]Field // of the attributes
	// texts holds the texts seen so far, as they were in JSON: a component's
	// name, type, unit and category appear in every month again.
	texts map[string]string
}

func newInterner() interner {
	i := interner{names: map[string]Field{}, texts: map[string]string{}}
	for field := range AllFields().Each {
		i.names[field.String()] = field
	}
	return i
}

// list reads a JSON array of records.
func (d decoder) list(body []byte) ([]Usage, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(body))
	if in.PeekKind() != '[' {
		return nil, d.unlike(in, 0, "is JSON, but not a list of records")
	}
	_, _ = in.ReadToken()
	usages := []Usage{}
	for in.PeekKind() != ']' {
		if len(usages) == pageCap {
			// Bounds the memory that an answer of very small records takes.
			return nil, d.wrong(0, "", "contains more than "+strconv.Itoa(pageCap)+" records, the most that Waldur returns in one answer")
		}
		usages = append(usages, Usage{})
		if err := d.record(in, len(usages), &usages[len(usages)-1]); err != nil {
			return nil, err
		}
	}
	_, _ = in.ReadToken()
	return usages, d.end(in)
}

// one reads a single JSON object.
func (d decoder) one(body []byte) (Usage, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(body))
	var usage Usage
	if err := d.record(in, 0, &usage); err != nil {
		return Usage{}, err
	}
	return usage, d.end(in)
}

func (d decoder) record(in *jsontext.Decoder, number int, usage *Usage) error {
	if in.PeekKind() != '{' {
		return d.unlike(in, number, "is not an object")
	}
	_, _ = in.ReadToken()
	missing := d.fields
	for in.PeekKind() != '}' {
		name, err := in.ReadValue()
		if err != nil {
			return d.broken(number, d.repeated(err), err)
		}
		field, asked := d.field(name)
		value, err := in.ReadValue()
		switch {
		case err != nil && asked:
			return d.broken(number, field.String(), err)
		case err != nil:
			return d.broken(number, "", err)
		case !asked:
			continue
		}
		if problem := d.set(usage, field, value); problem != "" {
			return d.wrong(number, field.String(), problem)
		}
		missing &^= 1 << field
	}
	_, _ = in.ReadToken()
	if missing != 0 {
		first := Field(bits.TrailingZeros16(uint16(missing)))
		return d.wrong(number, first.String(), "is missing")
	}
	return nil
}

// field returns the attribute of a member's name, if it was asked for.
func (d decoder) field(name jsontext.Value) (Field, bool) {
	plain := name[1 : len(name)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, name)
	}
	field, known := d.texts.names[string(plain)]
	return field, known && d.fields.Has(field)
}

// set sets an attribute, or says what is wrong with its value.
func (d decoder) set(usage *Usage, field Field, value jsontext.Value) (problem string) {
	if value.Kind() == 'n' {
		return ""
	}
	switch attribute := usage.Attribute(field).(type) {
	case *Nullable[string]:
		if value.Kind() != '"' {
			return "is not a string"
		}
		text := d.text(value)
		if field == FieldCategoryUUID && !isHexUUID(text) {
			return "is not a UUID of 32 hexadecimal digits"
		}
		*attribute = Of(text)
	case *Nullable[int64]:
		if value.Kind() != '0' {
			return "is not a number"
		}
		number, err := strconv.ParseInt(string(value), 10, 64)
		if errors.Is(err, strconv.ErrRange) {
			return "does not fit into 64 bits"
		}
		if err != nil {
			return "is not written as an integer"
		}
		*attribute = Of(number)
	}
	return ""
}

func isHexUUID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

func (d decoder) text(quoted jsontext.Value) string {
	if text, found := d.texts.texts[string(quoted)]; found {
		return text
	}
	plain, _ := jsontext.AppendUnquote(nil, quoted)
	text := string(plain)
	d.texts.texts[string(quoted)] = text
	return text
}

func (d decoder) end(in *jsontext.Decoder) error {
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return d.wrong(0, "", "continues after its end")
	}
	return nil
}

// unlike reports that a value is of another kind than it should be, or what is
// wrong with its JSON.
func (d decoder) unlike(in *jsontext.Decoder, number int, problem string) error {
	if _, err := in.ReadValue(); err != nil {
		return d.broken(number, "", err)
	}
	return d.wrong(number, "", problem)
}

func (d decoder) wrong(number int, attribute, problem string) error {
	return &FormatError{Request: d.request, Record: number, Attribute: attribute, Problem: problem}
}

// broken reports what is wrong with the JSON itself. The library's own error
// would show a part of the body.
func (d decoder) broken(number int, attribute string, err error) error {
	malformed := &FormatError{Request: d.request, Record: number, Attribute: attribute, Problem: "is not valid JSON"}
	switch {
	case errors.Is(err, io.EOF):
		malformed.Problem = "is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		malformed.Problem = "ends in the middle"
	case errors.Is(err, jsontext.ErrDuplicateName):
		malformed.Problem = "appears twice"
		if attribute == "" {
			malformed.Problem = "has a member twice"
		}
	}
	return malformed
}

// repeated names the attribute that appears twice, if that is what is wrong.
func (d decoder) repeated(err error) string {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		if field, known := d.texts.names[syntax.JSONPointer.LastToken()]; known {
			return field.String()
		}
	}
	return ""
}

// explanation returns the text of an error body: {"detail": "…"},
// {"attribute": ["…"]} or ["…"]. For anything else, such as the HTML page of a
// proxy, it is empty. A part of an explanation is better than none, so malformed
// JSON is read as far as it goes.
func explanation(body []byte) string {
	in := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var said []byte
	for {
		token, err := in.ReadToken()
		if err != nil {
			return string(said)
		}
		if token.Kind() != '"' {
			continue
		}
		text := token.String()
		if kind, n := in.StackIndex(in.StackDepth()); kind == '{' && n%2 == 1 { // a member's name
			if text != "detail" && text != "non_field_errors" {
				said = appendSaid(said, text+":")
			}
			continue
		}
		said = appendSaid(said, text)
	}
}

func appendSaid(said []byte, text string) []byte {
	if len(said) > 0 {
		said = append(said, ' ')
	}
	return append(said, text...)
}
