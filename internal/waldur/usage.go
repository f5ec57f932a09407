package waldur

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
)

// Usage is one usage record: how much of a component a project or a customer used in
// a month, across all resources of a category. It is an element of the list that GET
// /api/marketplace-category-component-usages/ returns, which has no ids. An
// attribute that was not requested is null, as is one that is null in Waldur.
type Usage struct {
	Name          Nullable[string] // display name of the component: "CPU"
	Type          Nullable[string] // identifier of the component: "cpu"
	MeasuredUnit  Nullable[string] // may be empty
	CategoryTitle Nullable[string] // translated by Waldur: not an identity
	CategoryUUID  Nullable[string] // 32 hex digits: the category's identity
	Date          Nullable[string] // YYYY-MM-DD, the first of the month
	ReportedUsage Nullable[int64]  // sum of usage reports, an integer; null: none
	FixedUsage    Nullable[int64]  // sum of plan amounts, an integer; null: none
	Scope         Nullable[string] // URL of the project or customer
}

// Nullable is a JSON value that may be null. Its zero value is null.
type Nullable[T any] struct {
	Value T
	Valid bool
}

// Of returns a value that is not null.
func Of[T any](value T) Nullable[T] { return Nullable[T]{Value: value, Valid: true} }

// Field is an attribute of a usage record. Fields are in the order in which Waldur
// returns them.
type Field uint8

// The nine attributes.
const (
	FieldName Field = iota
	FieldType
	FieldMeasuredUnit
	FieldCategoryTitle
	FieldCategoryUUID
	FieldDate
	FieldReportedUsage
	FieldFixedUsage
	FieldScope
	fieldCount
)

// String returns the attribute's name in Waldur's JSON and in its `field` parameter.
func (f Field) String() string {
	return [fieldCount]string{
		"name", "type", "measured_unit", "category_title", "category_uuid",
		"date", "reported_usage", "fixed_usage", "scope",
	}[f]
}

// Attribute returns a pointer to the record's value of a field: a *Nullable[string]
// or a *Nullable[int64].
func (u *Usage) Attribute(f Field) any {
	return [fieldCount]any{
		&u.Name, &u.Type, &u.MeasuredUnit, &u.CategoryTitle, &u.CategoryUUID,
		&u.Date, &u.ReportedUsage, &u.FixedUsage, &u.Scope,
	}[f]
}

// FieldSet is a set of fields.
type FieldSet uint16

// Fields returns the set of the given fields.
func Fields(fields ...Field) FieldSet {
	var set FieldSet
	for _, f := range fields {
		set |= 1 << f
	}
	return set
}

// AllFields returns the set of the nine fields.
func AllFields() FieldSet { return 1<<fieldCount - 1 }

// ParseField returns the field with the given name.
func ParseField(name string) (Field, bool) {
	for f := range fieldCount {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

// Has reports whether the field is in the set.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// Each yields the fields of the set, in Waldur's order.
func (s FieldSet) Each(yield func(Field) bool) {
	for f := range fieldCount {
		if s.Has(f) && !yield(f) {
			return
		}
	}
}

// costsLookups reports whether Waldur looks up the component or its category for
// the fields, which takes 0.52 to 1.59 ms more for each record.
func (s FieldSet) costsLookups() bool {
	return s&Fields(FieldName, FieldType, FieldMeasuredUnit, FieldCategoryTitle, FieldCategoryUUID) != 0
}

// identifies reports whether the fields distinguish the records of one scope and
// date.
func (s FieldSet) identifies() bool { return s.Has(FieldType) && s.Has(FieldCategoryUUID) }

// Duplicates yields each record of a sorted list that follows another one of the
// same component and date. Waldur has no constraint against them, so both may be
// genuine, or of different scopes. Records without a type or a category UUID are not
// compared.
func Duplicates(sorted []Usage) iter.Seq[Usage] {
	return func(yield func(Usage) bool) {
		for i := 1; i < len(sorted); i++ {
			a, b := &sorted[i-1], &sorted[i]
			if a.Type.Valid && a.CategoryUUID.Valid && a.identity() == b.identity() && !yield(*b) {
				return
			}
		}
	}
}

// identity identifies a record within one scope. The title of a category is
// translated and may change, so its UUID is used.
type identity struct {
	date, componentType, category Nullable[string]
}

func (u *Usage) identity() identity { return identity{u.Date, u.Type, u.CategoryUUID} }

// clear sets the given attributes to null.
func (u *Usage) clear(fields FieldSet) {
	for f := range fields.Each {
		reflect.ValueOf(u.Attribute(f)).Elem().SetZero()
	}
}

// compare orders the records of a list: newest date first, then by type, category
// UUID and the remaining attributes, so the same records result in the same list
// whatever order the server returns. Display texts come last: if a caller
// normalizes their Unicode, records that differ in nothing else become equal.
func compare(a, b Usage) int {
	return cmp.Or(
		compareNullable(b.Date, a.Date),
		compareNullable(a.Type, b.Type),
		compareNullable(a.CategoryUUID, b.CategoryUUID),
		compareNullable(a.ReportedUsage, b.ReportedUsage),
		compareNullable(a.FixedUsage, b.FixedUsage),
		compareNullable(a.Scope, b.Scope),
		compareNullable(a.Name, b.Name),
		compareNullable(a.MeasuredUnit, b.MeasuredUnit),
		compareNullable(a.CategoryTitle, b.CategoryTitle),
	)
}

// compareNullable orders null before every value.
func compareNullable[T cmp.Ordered](a, b Nullable[T]) int {
	switch {
	case a.Valid == b.Valid:
		return cmp.Compare(a.Value, b.Value)
	case a.Valid:
		return 1
	default:
		return -1
	}
}

// lastDateLength returns the number of records at the end that share their date.
func lastDateLength(usages []Usage) int {
	n := 0
	for n < len(usages) && usages[len(usages)-1-n].Date == usages[len(usages)-1].Date {
		n++
	}
	return n
}

func datesOf(usages []Usage) []string {
	dates := make([]string, len(usages))
	for i := range usages {
		dates[i] = usages[i].Date.Value
	}
	return dates
}

// Usage returns one record by its id, with the given fields and its date. Any user
// may read any record by its id, which lists do not return.
//
// Errors: *StatusError (404: there is no such record), *RedirectError, *TLSError,
// *UnreachableError, *OutageError and *FormatError for a request,
// *DeadlineError if the context's deadline has passed, and the context's error
// if it was canceled.
//
// Source: GET /api/marketplace-category-component-usages/{id}/.
func (c *Client) Usage(ctx context.Context, id int64, fields FieldSet) (usage Usage, err error) {
	fields |= Fields(FieldDate)
	read := c.newOperation()
	request := Request{
		Method: http.MethodGet,
		Path:   c.config.Endpoint.path(resource + "/" + strconv.FormatInt(id, 10)),
	}
	defer func() {
		if err = read.end(ctx, request, 1, err); err != nil {
			usage = Usage{}
		}
	}()
	query := url.Values{}
	addFields(query, fields)
	_, body, err := read.get(ctx, call{request: request, query: query, records: 1})
	if err != nil {
		return Usage{}, err
	}
	usage, err = decoder{request: request, fields: fields, token: c.config.Token, texts: newInterner()}.one(body)
	if err == nil && usage.Date.Valid {
		err = checkDate(request, 0, usage.Date.Value)
	}
	return usage, err
}

func checkDate(request Request, record int, date string) error {
	if _, err := ParseDate(date); err != nil {
		return &FormatError{Request: request, Record: record, Attribute: FieldDate.String(), Problem: "is not a date YYYY-MM-DD"}
	}
	return nil
}
