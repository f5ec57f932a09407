package waldurtest

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// Record is a usage record as Waldur stores it.
type Record struct {
	// ID is the number by which the record can be read alone. 0 stands for the next free one.
	ID int64
	// Name and Type are those of the component, such as "CPU" and "cpu".
	Name, Type string
	// MeasuredUnit is the component's unit, such as "GB"; it may be "".
	MeasuredUnit string
	// CategoryTitle and CategoryUUID (32 hex digits) are those of the marketplace category.
	CategoryTitle, CategoryUUID string
	// Date is the first of a month, in the form "2024-10-01".
	Date string
	// ReportedUsage and FixedUsage are whole numbers of the unit; nil is null.
	ReportedUsage, FixedUsage *int64
	// Scope is a path such as "/api/projects/<32 hex>/"; "" is null.
	Scope string
}

// fields is a set of a record's nine attributes, by their places in fieldNames.
type fields uint

// fieldNames returns the attributes in Waldur's order.
func fieldNames() [9]string {
	return [...]string{
		"name", "type", "measured_unit", "category_title", "category_uuid",
		"date", "reported_usage", "fixed_usage", "scope",
	}
}

const (
	fieldName fields = 1 << iota
	fieldType
	fieldMeasuredUnit
	fieldCategoryTitle
	fieldCategoryUUID
	fieldDate
	fieldReportedUsage
	fieldFixedUsage
	fieldScope
	allFields fields = 1<<iota - 1
)

// fieldsOf reads the values of the parameter field. Unknown names are
// ignored; all attributes come when no name is left.
func fieldsOf(names []string) fields {
	var asked fields
	known := fieldNames()
	for _, name := range names {
		if at := slices.Index(known[:], name); at >= 0 {
			asked |= 1 << at
		}
	}
	if asked == 0 {
		return allFields
	}
	return asked
}

func (f fields) has(some fields) bool { return f&some != 0 }

// appendJSON appends the record as a compact JSON object in Waldur's order of
// attributes, its scope as a URL below origin.
func (r *Record) appendJSON(body []byte, asked fields, origin string) []byte {
	body = append(body, '{')
	for at, name := range fieldNames() {
		field := fields(1 << at)
		if !asked.has(field) {
			continue
		}
		if body[len(body)-1] != '{' {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, name...)
		body = append(body, '"', ':')
		switch field {
		case fieldName:
			body = appendJSONString(body, r.Name)
		case fieldType:
			body = appendJSONString(body, r.Type)
		case fieldMeasuredUnit:
			body = appendJSONString(body, r.MeasuredUnit)
		case fieldCategoryTitle:
			body = appendJSONString(body, r.CategoryTitle)
		case fieldCategoryUUID:
			body = appendJSONString(body, r.CategoryUUID)
		case fieldDate:
			body = appendJSONString(body, r.Date)
		case fieldReportedUsage:
			body = appendJSONNumber(body, r.ReportedUsage)
		case fieldFixedUsage:
			body = appendJSONNumber(body, r.FixedUsage)
		case fieldScope:
			if r.Scope == "" {
				body = append(body, "null"...)
			} else {
				body = appendJSONString(body, origin+r.Scope)
			}
		}
	}
	return append(body, '}')
}

func appendJSONNumber(body []byte, number *int64) []byte {
	if number == nil {
		return append(body, "null"...)
	}
	return strconv.AppendInt(body, *number, 10)
}

// appendJSONString leaves UTF-8 as it is, but for the two line ends that
// JavaScript does not take within a string. encoding/json would escape more.
func appendJSONString(body []byte, text string) []byte {
	body = append(body, '"')
	plain := 0
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRuneInString(text[i:])
		escape := ""
		switch char {
		case '"':
			escape = `\"`
		case '\\':
			escape = `\\`
		case '\n':
			escape = `\n`
		case '\r':
			escape = `\r`
		case '\t':
			escape = `\t`
		case '\b':
			escape = `\b`
		case '\f':
			escape = `\f`
		case '\u2028':
			escape = `\u2028`
		case '\u2029':
			escape = `\u2029`
		default:
			if char < ' ' {
				const hex = "0123456789abcdef"
				escape = `\u00` + string(hex[char>>4]) + string(hex[char&15])
			}
		}
		if escape != "" {
			body = append(body, text[plain:i]...)
			body = append(body, escape...)
			plain = i + size
		}
		i += size
	}
	body = append(body, text[plain:]...)
	return append(body, '"')
}
