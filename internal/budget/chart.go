package budget

import (
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// NewUsageChart draws the months of one component as bars and, unless it is
// nil, a limit for a month as a line: a block of Mermaid, which GitHub and
// GitLab draw, within Markdown. Where there is nothing to draw, it is a sentence
// that says why. Title "" is the component and its category.
func NewUsageChart(usages []waldur.Usage, component Component, limit *big.Int, heading string) string {
	var chosen []waldur.Usage
	unidentified := 0
	for i := range usages {
		switch component.match(&usages[i]) {
		case other:
		case possible:
			unidentified++
		case certainly:
			chosen = append(chosen, usages[i])
		}
	}
	all := seriesOf(chosen, component.Measure)
	switch {
	case unidentified > 0:
		return fmt.Sprintf("No chart of %s: %d records without type or category.\n", name(component.Type), unidentified)
	case len(all) == 0:
		return fmt.Sprintf("No chart of %s: there is no record of it.\n", name(component.Type))
	case len(all) > 1:
		return fmt.Sprintf("No chart of %s: there are records of several components or in several units.\n\n%s", name(component.Type), components(chosen))
	}
	return "```mermaid\n" + all[0].chart(limit, heading) + "```\n"
}

func (s *series) chart(limit *big.Int, heading string) string {
	highest, lowest := new(big.Int), new(big.Int)
	include := func(amount *big.Int) {
		if amount.Cmp(highest) > 0 {
			highest = amount
		}
		if amount.Cmp(lowest) < 0 {
			lowest = amount
		}
	}
	var names, amounts, line []string
	for _, m := range monthsOf(s) {
		at := s.months[m]
		if at == nil {
			at = new(sum)
		}
		include(&at.amount)
		amounts = append(amounts, at.amount.String())
		switch {
		case at.unknown == 0:
		case at.known == 0:
			m += " no data"
		default:
			m += " at least"
		}
		names = append(names, quoted(m))
	}
	title := or(heading, s.name)
	if heading == "" && s.category != "" {
		title += ", " + s.category
	}
	if limit != nil {
		if include(limit); len(names) == 1 {
			// A line needs two points to be seen.
			names, amounts = []string{`" "`, names[0], `"  "`}, []string{"0", amounts[0], "0"}
		}
		for range names {
			line = append(line, limit.String())
		}
		if heading == "" {
			title += ", limit " + digits(limit)
		}
	}
	if highest.Cmp(lowest) == 0 {
		highest = big.NewInt(1)
	}
	text := "xychart-beta\n" +
		"    title " + quoted(title) + "\n" +
		"    x-axis [" + strings.Join(names, ", ") + "]\n" +
		"    y-axis " + quoted(or(s.identity.unit.Value, " ")) + " " + lowest.String() + " --> " + highest.String() + "\n" +
		"    bar [" + strings.Join(amounts, ", ") + "]\n"
	if limit != nil {
		text += "    line [" + strings.Join(line, ", ") + "]\n"
	}
	return text
}

// quoted returns a text as Mermaid takes it. It has no escapes: what would end
// the text, begin a directive, an entity, a tag or other markup is replaced.
func quoted(text string) string {
	return `"` + strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '`':
			return '\''
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), strings.ContainsRune(" '-_.,:/()+=%°²³–…", r):
			return r
		default:
			return ' '
		}
	}, strings.ReplaceAll(oneLine(text, longestTitle), "%%", "% ")) + `"`
}
