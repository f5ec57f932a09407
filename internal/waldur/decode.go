package waldur

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder decodes records strictly: each requested attribute is present once, with
// its type or null; integers are exact and fit in an int64; a category_uuid has 32
// hexadecimal digits; the text is valid UTF-8; nothing follows the value. Other
// members are ignored, since a newer Waldur may add some.
type decoder struct {
	request Request
	fields  FieldSet
	token   Token // which no text may contain, since texts are stored
	texts   interner
}

// interner holds the decoded texts by their JSON, since the name, type, unit and
// category of a component are the same in every month.
type interner map[string]string

func newInterner() interner { return interner{} }

// list decodes a JSON array of records.
func (d decoder) list(body []byte) ([]Usage, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := d.open(in, '[', 0, "is JSON, but not a list of records"); err != nil {
		return nil, err
	}
	usages := []Usage{}
	for in.PeekKind() != ']' {
		if len(usages) == pageCap {
			// Limits the memory that a response of very small records takes.
			return nil, d.wrong(0, "", "contains more than "+strconv.Itoa(pageCap)+" records, the most that Waldur returns in one response")
		}
		usages = append(usages, Usage{})
		if err := d.record(in, len(usages), &usages[len(usages)-1]); err != nil {
			return nil, err
		}
	}
	_, _ = in.ReadToken()
	return usages, d.end(in)
}

// one decodes a single JSON object.
func (d decoder) one(body []byte) (usage Usage, err error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := d.record(in, 0, &usage); err != nil {
		return Usage{}, err
	}
	return usage, d.end(in)
}

// open reads the bracket at the start of a list or an object. Any other value is
// the given problem, unless its JSON is broken.
func (d decoder) open(in *jsontext.Decoder, bracket jsontext.Kind, number int, problem string) error {
	if in.PeekKind() == bracket {
		_, _ = in.ReadToken()
		return nil
	}
	if _, err := in.ReadValue(); err != nil {
		return d.broken(number, "", err)
	}
	return d.wrong(number, "", problem)
}

func (d decoder) end(in *jsontext.Decoder) error {
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return d.wrong(0, "", "continues after its end")
	}
	return nil
}

func (d decoder) record(in *jsontext.Decoder, number int, usage *Usage) error {
	if err := d.open(in, '{', number, "is not an object"); err != nil {
		return err
	}
	missing := d.fields
	for in.PeekKind() != '}' {
		name, err := in.ReadValue()
		if err != nil {
			return d.broken(number, repeated(err), err)
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
		missing &^= Fields(field)
	}
	_, _ = in.ReadToken()
	for field := range missing.Each {
		return d.wrong(number, field.String(), "is missing")
	}
	return nil
}

// field returns the attribute with a member's name, and reports whether it was
// requested.
func (d decoder) field(name jsontext.Value) (Field, bool) {
	plain := name[1 : len(name)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		plain, _ = jsontext.AppendUnquote(nil, name)
	}
	field, known := ParseField(string(plain))
	return field, known && d.fields.Has(field)
}

// set sets an attribute, or returns what is wrong with its value.
func (d decoder) set(usage *Usage, field Field, value jsontext.Value) (problem string) {
	if value.Kind() == 'n' {
		return ""
	}
	switch attribute := usage.Attribute(field).(type) {
	case *Nullable[string]:
		if value.Kind() != '"' {
			return "is not a string"
		}
		text, safe := d.text(value)
		if !safe {
			return "contains the token"
		}
		if field == FieldCategoryUUID && (len(text) != 32 || strings.Trim(text, "0123456789abcdefABCDEF") != "") {
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

// text returns a decoded text, and reports whether it is safe to store.
func (d decoder) text(quoted jsontext.Value) (text string, safe bool) {
	text, seen := d.texts[string(quoted)]
	if !seen {
		plain, _ := jsontext.AppendUnquote(nil, quoted)
		text = string(plain)
		if d.token.isIn(text) {
			return "", false
		}
		d.texts[string(quoted)] = text
	}
	return text, true
}

func (d decoder) wrong(number int, attribute, problem string) error {
	return &FormatError{Request: d.request, Record: number, Attribute: attribute, Problem: problem}
}

// broken returns the error of invalid JSON. The error of the library would show a
// part of the body.
func (d decoder) broken(number int, attribute string, err error) error {
	problem := "is not valid JSON"
	switch {
	case errors.Is(err, io.EOF):
		problem = "is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		problem = "ends in the middle"
	case errors.Is(err, jsontext.ErrDuplicateName) && attribute == "":
		problem = "has a member twice"
	case errors.Is(err, jsontext.ErrDuplicateName):
		problem = "appears twice"
	}
	return d.wrong(number, attribute, problem)
}

// repeated returns the name of the attribute that appears twice, or "" for another
// error.
func repeated(err error) string {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok || !errors.Is(err, jsontext.ErrDuplicateName) {
		return ""
	}
	if field, known := ParseField(syntax.JSONPointer.LastToken()); known {
		return field.String()
	}
	return ""
}
