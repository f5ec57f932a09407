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
// nil, a limit for each month as a line: a Markdown code block in Mermaid, which
// GitHub and GitLab draw. A title of "" is the component, its category and the
// limit. Without records, or if they are not known to be of one component in one
// unit, the result is a sentence that says so.
func NewUsageChart(usages []waldur.Usage, component Component, limit *big.Int, title string) string {
	selected := component.selectFrom(usages)
	noChart := fmt.Sprintf("No chart of %s: ", inline(component.Type))
	switch {
	case len(selected.unidentified) > 0:
		return noChart + selected.unidentifiedReason() + "\n"
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
		total := s.months[month]
		switch {
		case total == nil:
			total = new(sum)
		case total.known == 0:
			month += " no data"
		case total.unknown > 0:
			month += " at least"
		}
		months = append(months, `"`+cmp.Or(mermaidText(month), "?")+`"`)
		amounts = append(amounts, total.amount.String())
		shown = append(shown, &total.amount)
	}
	defaultTitle := cmp.Or(mermaidText(s.name), "Usage")
	if categoryTitle := mermaidText(s.category.title); categoryTitle != "" {
		defaultTitle += ", " + categoryTitle
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
