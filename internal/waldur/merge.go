package waldur

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
)

// mergePages reads a date of more records than a page holds, which no filter
// can split. Its pages are merged by record identity until there are as many
// records as Waldur counts; what one page size loses at its boundaries,
// another one finds. A record that is deleted and another that is inserted
// meanwhile leave the count as it was, so the date is collected twice, with
// other page sizes, and both must name the same records.
func (w *walk) mergePages(ctx context.Context, only window) ([]Usage, error) {
	only.fields |= Fields(FieldType, FieldCategoryUUID)
	first, err := w.collect(ctx, only, 8, 6, 7, 5)
	if err != nil {
		return nil, err
	}
	second, err := w.collect(ctx, only, 7, 5, 8, 6)
	if err != nil {
		return nil, err
	}
	if !maps.EqualFunc(first, second, func(Usage, Usage) bool { return true }) {
		return nil, w.doubt("the records of %s changed while they were read", only.before)
	}
	usages := slices.Collect(maps.Values(second))
	for i := range usages {
		usages[i].forget(AllFields() &^ w.listFields())
	}
	return usages, nil
}

// collect reads pages of the date, of so many eighths of the cap, until every
// record that Waldur counts has been seen.
func (w *walk) collect(ctx context.Context, only window, eighths ...int) (map[identity]Usage, error) {
	seen := map[identity]Usage{}
	count := unknown
	for _, part := range eighths {
		only.size = max(1, w.cap*part/8)
		for only.page = 1; count == unknown || (len(seen) < count && (only.page-1)*only.size < count); only.page++ {
			page, err := w.fetch(ctx, only)
			if refused, ok := errors.AsType[*StatusError](err); ok && only.page > 1 && refused.Status == http.StatusNotFound {
				return nil, w.doubt("page %d of %s is gone", only.page, only.before)
			}
			if err != nil {
				return nil, err
			}
			if count != unknown && page.count != count {
				return nil, w.doubt("Waldur counted %d records of %s, then %d", count, only.before, page.count)
			}
			count = page.count
			if err := w.addEach(seen, page.usages); err != nil {
				return nil, err
			}
		}
	}
	if len(seen) != count {
		return nil, w.doubt("of %d records of %s, pages gave only %d", count, only.before, len(seen))
	}
	return seen, nil
}

func (w *walk) addEach(seen map[identity]Usage, usages []Usage) error {
	inPage := map[identity]bool{}
	for i := range usages {
		id := usages[i].identity()
		if inPage[id] {
			return w.doubt("%s has more records than a page and two of the same component, which cannot be told apart", usages[i].Date.Value)
		}
		inPage[id] = true
		seen[id] = usages[i]
	}
	return nil
}
