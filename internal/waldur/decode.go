package waldur

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder reads records strictly: every attribute that was asked for is there,
// once, of its type; integers are exact and within int64; the text is valid
// UTF-8; nothing follows the value. Members that nobody asked for are ignored,
// so that a newer Waldur may add some.
type decoder struct {
	request Request
	fields  FieldSet
	// known holds the texts seen so far: a component's name, type, unit and
	// category stand in every month again.
	known map[string]string
}

// list reads a JSON array of records.
func (d decoder) list(body []byte) ([]Usage, error) {
	in := jsontext.NewDecoder(bytes.NewReader(body))
	if in.PeekKind() != '[' {
		return nil, d.whole(in, "a list of records")
	}
	_, _ = in.ReadToken()
	usages := []Usage{}
	for in.PeekKind() != ']' {
		usage, err := d.record(in, len(usages)+1)
		if err != nil {
			return nil, err
		}
		usages = append(usages, usage)
	}
	_, _ = in.ReadToken()
	return usages, d.end(in)
}

// one reads a single JSON object.
func (d decoder) one(body []byte) (Usage, error) {
	in := jsontext.NewDecoder(bytes.NewReader(body))
	usage, err := d.record(in, 0)
	if err != nil {
		return Usage{}, err
	}
	return usage, d.end(in)
}

func (d decoder) record(in *jsontext.Decoder, number int) (Usage, error) {
	if in.PeekKind() != '{' {
		return Usage{}, d.problem(in, number, "", "is not an object")
	}
	_, _ = in.ReadToken()
	var usage Usage
	var seen FieldSet
	for in.PeekKind() != '}' {
		name, err := in.ReadToken()
		if err != nil {
			return Usage{}, d.problem(in, number, "", problemOf(err))
		}
		field, known := ParseField(name.String())
		if !known || !d.fields.Has(field) {
			if err := in.SkipValue(); err != nil {
				return Usage{}, d.problem(in, number, "", problemOf(err))
			}
			continue
		}
		if problem := d.attribute(in, usage.Attribute(field)); problem != "" {
			return Usage{}, d.problem(in, number, field.String(), problem)
		}
		seen |= Fields(field)
	}
	if _, err := in.ReadToken(); err != nil {
		return Usage{}, d.problem(in, number, "", problemOf(err))
	}
	for field := range d.fields.Each {
		if !seen.Has(field) {
			return Usage{}, d.problem(in, number, field.String(), "is missing")
		}
	}
	return usage, nil
}

// attribute reads one value into its place and says what is wrong with it.
func (d decoder) attribute(in *jsontext.Decoder, place any) string {
	raw, err := in.ReadValue()
	if err != nil {
		return problemOf(err)
	}
	if raw.Kind() == 'n' {
		return ""
	}
	switch place := place.(type) {
	case *Nullable[string]:
		if raw.Kind() != '"' {
			return "is not a text"
		}
		*place = Of(d.text(raw))
	case *Nullable[int64]:
		if raw.Kind() != '0' {
			return "is not a number"
		}
		number, err := strconv.ParseInt(string(raw), 10, 64)
		if errors.Is(err, strconv.ErrRange) {
			return "does not fit into 64 bits"
		}
		if err != nil {
			return "is not written as a whole number"
		}
		*place = Of(number)
	}
	return ""
}

func (d decoder) text(raw jsontext.Value) string {
	plain := []byte(raw[1 : len(raw)-1])
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, raw)
	}
	if text, found := d.known[string(plain)]; found {
		return text
	}
	text := string(plain)
	d.known[text] = text
	return text
}

func (d decoder) end(in *jsontext.Decoder) error {
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return &FormatError{Request: d.request, Problem: "goes on after its end"}
	}
	return nil
}

func (d decoder) whole(in *jsontext.Decoder, want string) error {
	if _, err := in.ReadValue(); err != nil {
		return &FormatError{Request: d.request, Problem: problemOf(err)}
	}
	return &FormatError{Request: d.request, Problem: "is JSON, but not " + want}
}

func (d decoder) problem(in *jsontext.Decoder, number int, attribute, problem string) error {
	if attribute == "" && in.PeekKind() == 0 {
		if _, err := in.ReadToken(); err != nil {
			problem = problemOf(err)
		}
	}
	return &FormatError{Request: d.request, Record: number, Attribute: attribute, Problem: problem}
}

// problemOf says what is wrong with JSON in our words: the library's would
// show a part of the body.
func problemOf(err error) string {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "has a member twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "ends in the middle"
	default:
		return "is not valid JSON"
	}
}

// explanation finds what an error body says: {"detail": "…"},
// {"attribute": ["…"]} or ["…"]. Of anything else, such as an HTML page, it
// gives nothing: what a proxy puts there explains no request.
func explanation(body []byte) string {
	if !utf8.Valid(body) {
		return ""
	}
	in := jsontext.NewDecoder(bytes.NewReader(body))
	var said []byte
	for {
		token, err := in.ReadToken()
		if errors.Is(err, io.EOF) {
			return string(said)
		}
		if err != nil {
			return ""
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
