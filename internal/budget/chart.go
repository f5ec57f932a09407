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
	var without unidentified
	for i := range usages {
		switch component.match(&usages[i]) {
		case other:
		case possible, partly:
			without.add(&component, &usages[i])
		case certainly:
			chosen = append(chosen, usages[i])
		}
	}
	all := seriesOf(chosen, component.Measure)
	switch {
	case without.records > 0:
		return fmt.Sprintf("No chart of %s: %s\n", name(component.Type), without.text())
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
		names = append(names, quoted(or(drawable(m), "?")))
	}
	title := drawable(heading)
	if title == "" {
		title = s.title(limit)
	}
	if limit != nil {
		if include(limit); len(names) == 1 {
			// A line needs two points to be seen.
			names, amounts = []string{`" "`, names[0], `"  "`}, []string{"0", amounts[0], "0"}
		}
		for range names {
			line = append(line, limit.String())
		}
	}
	if highest.Cmp(lowest) == 0 {
		highest = big.NewInt(1)
	}
	axis := ""
	if unit := drawable(s.unit.Value); unit != "" {
		axis = quoted(unit) + " "
	}
	text := "xychart-beta\n" +
		"    title " + quoted(title) + "\n" +
		"    x-axis [" + strings.Join(names, ", ") + "]\n" +
		"    y-axis " + axis + lowest.String() + " --> " + highest.String() + "\n" +
		"    bar [" + strings.Join(amounts, ", ") + "]\n"
	if limit != nil {
		text += "    line [" + strings.Join(line, ", ") + "]\n"
	}
	return text
}

// title names what is drawn: "CPU, Virtual machines, limit 5,000".
func (s *series) title(limit *big.Int) string {
	parts := []string{or(drawable(s.name), "Usage")}
	if category := drawable(s.category.title); category != "" {
		parts = append(parts, category)
	}
	if limit != nil {
		parts = append(parts, "limit "+digits(limit))
	}
	return strings.Join(parts, ", ")
}

// drawable returns a text without what Mermaid takes for something else. It has
// no escapes: what would end the text, or begin a directive, an entity, a tag
// or other markup, is left out.
func drawable(text string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '`':
			return '\''
		case unicode.In(r, unicode.L, unicode.M, unicode.N), strings.ContainsRune("'-_.,:/()+=%°–…", r):
			return r
		default:
			return ' '
		}
	}, oneLine(text, longestTitle))
	return strings.Join(strings.Fields(strings.ReplaceAll(kept, "%%", "% ")), " ")
}

// quoted returns a drawable text as Mermaid reads it. It must not be empty.
func quoted(text string) string { return `"` + text + `"` }
