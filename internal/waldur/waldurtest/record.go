package waldurtest

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
