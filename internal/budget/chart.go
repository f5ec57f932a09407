package budget

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// NewUsageChart draws the months of a component as bars and, if limit is not
// nil, the limit of a month as a line. The chart is a Mermaid block in Markdown,
// which GitHub and GitLab draw. If the records are not those of one component in
// one unit, it returns a sentence that says so. A title of "" is the component,
// its category and the limit.
func NewUsageChart(usages []waldur.Usage, component Component, limit *big.Int, title string) string {
	selected := component.selectFrom(usages)
	noChart := fmt.Sprintf("No chart of %s: ", inline(component.Type))
	switch {
	case len(selected.unidentified) > 0:
		return noChart + selected.nullAttributes() + "\n"
	case len(selected.series) == 0:
		return noChart + "there is no record of it.\n"
	case len(selected.series) > 1:
		return noChart + "there are records of several components or in several units.\n\n" + components(selected.records)
	}
	return "```mermaid\n" + selected.series[0].chart(limit, title) + "```\n"
}

func (s *series) chart(limit *big.Int, title string) string {
	var months, amounts []string
	shown := []*big.Int{new(big.Int)} // on the y-axis
	for _, month := range monthsOf(s) {
		amount := new(big.Int)
		if sum := s.months[month]; sum != nil {
			amount = &sum.amount
			if sum.known == 0 {
				month += " no data"
			} else if sum.unknown > 0 {
				month += " at least"
			}
		}
		months = append(months, `"`+cmp.Or(mermaidText(month), "?")+`"`)
		amounts = append(amounts, amount.String())
		shown = append(shown, amount)
	}
	defaultTitle := cmp.Or(mermaidText(s.name), "Usage")
	if category := mermaidText(s.category.title); category != "" {
		defaultTitle += ", " + category
	}
	line := ""
	if limit != nil {
		shown = append(shown, limit)
		defaultTitle += ", limit " + digits(limit)
		if len(months) == 1 {
			// A line is drawn between at least two points.
			months, amounts = []string{`" "`, months[0], `"  "`}, []string{"0", amounts[0], "0"}
		}
		line = "    line [" + strings.Join(slices.Repeat([]string{limit.String()}, len(months)), ", ") + "]\n"
	}
	lowest, highest := slices.MinFunc(shown, (*big.Int).Cmp), slices.MaxFunc(shown, (*big.Int).Cmp)
	if lowest.Cmp(highest) == 0 {
		highest = big.NewInt(1)
	}
	unit := mermaidText(s.unit.Value)
	if unit != "" {
		unit = `"` + unit + `" `
	}
	return "xychart-beta\n" +
		`    title "` + cmp.Or(mermaidText(title), defaultTitle) + "\"\n" +
		"    x-axis [" + strings.Join(months, ", ") + "]\n" +
		"    y-axis " + unit + lowest.String() + " --> " + highest.String() + "\n" +
		"    bar [" + strings.Join(amounts, ", ") + "]\n" +
		line
}

// mermaidText returns text without the characters that end a quoted text in
// Mermaid, which has no escapes, or that begin a directive, an entity, a tag or
// other markup.
func mermaidText(text string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '`':
			return '\''
		case unicode.In(r, unicode.L, unicode.M, unicode.N), strings.ContainsRune("'-_.,:/()+=%°–…", r):
			return r
		default:
			return ' '
		}
	}, oneLine(text, maxTitle))
	return strings.Join(strings.Fields(strings.ReplaceAll(safe, "%%", "% ")), " ")
}
