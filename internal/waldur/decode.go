package waldur

import (
	"bytes"
	"errors"
	"io"
	"math/bits"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder reads records strictly: every attribute that was asked for is there,
// once, of its type; integers are exact and within int64; the text is valid
// UTF-8; nothing follows the value. Members that nobody asked for are ignored,
// so that a newer Waldur may add some.
type decoder struct {
	request Request
	fields  FieldSet
	memory
}

// memory serves all answers of a read: building it for each would cost more
// than decoding a record.
type memory struct {
	names map[string]Field // of the attributes
	// texts holds the texts seen so far, as they stood in JSON: a component's
	// name, type, unit and category stand in every month again.
	texts map[string]string
}

func newMemory() memory {
	m := memory{names: map[string]Field{}, texts: map[string]string{}}
	for field := range AllFields().Each {
		m.names[field.String()] = field
	}
	return m
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
			// Bounds what an answer of very small records makes of memory.
			return nil, d.wrong(0, "", "holds more records than Waldur gives in one, which is "+strconv.Itoa(pageCap))
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
		if problem := d.set(usage.Attribute(field), value); problem != "" {
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

// field finds the attribute that a member's name names, if it was asked for.
func (d decoder) field(name jsontext.Value) (Field, bool) {
	plain := name[1 : len(name)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, name)
	}
	field, known := d.names[string(plain)]
	return field, known && d.fields.Has(field)
}

// set gives a value to an attribute and says what is wrong with it.
func (d decoder) set(attribute any, value jsontext.Value) (problem string) {
	if value.Kind() == 'n' {
		return ""
	}
	switch attribute := attribute.(type) {
	case *Nullable[string]:
		if value.Kind() != '"' {
			return "is not a text"
		}
		*attribute = Of(d.text(value))
	case *Nullable[int64]:
		if value.Kind() != '0' {
			return "is not a number"
		}
		number, err := strconv.ParseInt(string(value), 10, 64)
		if errors.Is(err, strconv.ErrRange) {
			return "does not fit into 64 bits"
		}
		if err != nil {
			return "is not written as a whole number"
		}
		*attribute = Of(number)
	}
	return ""
}

func (d decoder) text(quoted jsontext.Value) string {
	if text, found := d.texts[string(quoted)]; found {
		return text
	}
	plain, _ := jsontext.AppendUnquote(nil, quoted)
	text := string(plain)
	d.texts[string(quoted)] = text
	return text
}

func (d decoder) end(in *jsontext.Decoder) error {
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return d.wrong(0, "", "goes on after its end")
	}
	return nil
}

// unlike says that a value is of another kind than it should be, or what is
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

// broken says what is wrong with the JSON itself, in our words: the library's
// would show a part of the body.
func (d decoder) broken(number int, attribute string, err error) error {
	malformed := &FormatError{Request: d.request, Record: number, Attribute: attribute, Problem: "is not valid JSON"}
	switch {
	case errors.Is(err, io.EOF):
		malformed.Problem, malformed.truncated = "is empty", true
	case errors.Is(err, io.ErrUnexpectedEOF):
		malformed.Problem, malformed.truncated = "ends in the middle", true
	case errors.Is(err, jsontext.ErrDuplicateName):
		malformed.Problem = "stands twice"
		if attribute == "" {
			malformed.Problem = "has a member twice"
		}
	}
	return malformed
}

// repeated names the attribute that stands twice, if that is what is wrong.
func (d decoder) repeated(err error) string {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		if field, known := d.names[syntax.JSONPointer.LastToken()]; known {
			return field.String()
		}
	}
	return ""
}

// explanation finds what an error body says: {"detail": "…"},
// {"attribute": ["…"]} or ["…"]. Of anything else, such as an HTML page, it
// gives nothing: what a proxy puts there explains no request. It is lenient:
// half an explanation is better than none.
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
