package budget

import (
	"math/big"
	"slices"
	"strings"
	"unicode"
)

// Maximum lengths of texts, in characters.
const (
	maxInline = 60
	maxTitle  = 200
)

// inline escapes and shortens text for a heading, a list or a cell of a table, so
// that Markdown shows it as plain text.
func inline(text string) string { return escape(oneLine(text, maxInline)) }

// lineStart does so at the start of a line, where some characters would begin a
// heading, a list, a quotation or a GitLab quick action (/close).
func lineStart(text string) string {
	text = escape(oneLine(text, maxTitle))
	rest := strings.TrimLeftFunc(text, unicode.IsDigit)
	marks := "#-+=>/"
	if rest != text {
		marks = ".)"
	}
	if strings.IndexAny(rest, marks) == 0 {
		return strings.TrimSuffix(text, rest) + `\` + rest
	}
	return text
}

// oneLine returns text as one line of at most maxLength characters, without
// those that are invisible or affect the text around them, such as line breaks,
// control characters and changes of the writing direction.
func oneLine(text string, maxLength int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r)
	})
	characters := []rune(strings.Join(words, " "))
	if len(characters) > maxLength {
		return string(characters[:maxLength-1]) + "…"
	}
	return string(characters)
}

func escape(line string) string {
	characters := []rune(withoutLinks(line))
	var escaped strings.Builder
	for i, r := range characters {
		isMarkup := strings.ContainsRune("\\`*[<|~$", r) ||
			r == '_' && (!isWord(runeAt(characters, i-1)) || !isWord(runeAt(characters, i+1))) ||
			r == '&' && slices.Contains(characters[i:], ';')
		if isMarkup {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// withoutLinks adds spaces, so that GitHub and GitLab find no link, mention or
// emoji in text. They search it after Markdown has removed the escapes, which
// therefore do not help.
func withoutLinks(text string) string {
	characters := []rune(text)
	var spaced strings.Builder
	for i, r := range characters {
		before, after := runeAt(characters, i-1), runeAt(characters, i+1)
		if r == '/' && before == ':' || r == '.' && i >= 3 && strings.EqualFold(string(characters[i-3:i]), "www") {
			spaced.WriteByte(' ') // https://…, www.…
		}
		spaced.WriteRune(r)
		var isLink bool
		switch r {
		case '@': // @user, user@example.com
			isLink = isWord(after) || after == '_' || after == '-'
		case ':': // :emoji:, but not 12:30
			isLink = unicode.IsLetter(after) || after == '+' || after == '-' || unicode.IsDigit(after) && (!unicode.IsDigit(before) || isEmoji(characters[i+1:]))
		case '#', '!': // #12, project!12
			isLink = unicode.IsDigit(after) || isWord(after) && !isWord(before)
		case '$', '%', '&', '~', '^': // ~label, %milestone
			isLink = isWord(after) && !isWord(before) || after == '"' // ~"a label"
		case '-': // GH-12
			isLink = unicode.IsDigit(after) && i >= 2 && strings.EqualFold(string(characters[i-2:i]), "gh") && !isWord(runeAt(characters, i-3))
		}
		if isLink {
			spaced.WriteByte(' ')
		}
	}
	return spaced.String()
}

// isEmoji reports whether the characters begin with the name of an emoji and a
// colon. Two digits are part of a time: 12:30:00.
func isEmoji(characters []rune) bool {
	end := slices.IndexFunc(characters, func(r rune) bool { return !isWord(r) && !strings.ContainsRune("_+-", r) })
	return end >= 0 && characters[end] == ':' && end != len("30")
}

func runeAt(characters []rune, i int) rune {
	if i < 0 || i >= len(characters) {
		return ' '
	}
	return characters[i]
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

type column struct {
	heading string
	cells   []string
	right   bool // aligned to the right, as numbers are
}

// table draws columns of Markdown, aligned in plain text too.
func table(columns []column) string {
	lines := make([]string, len(columns[0].cells)+2)
	for _, c := range columns {
		widest := max(3, width(c.heading))
		for _, cell := range c.cells {
			widest = max(widest, width(cell))
		}
		rule := ":" + strings.Repeat("-", widest+1)
		if c.right {
			rule = strings.Repeat("-", widest+1) + ":"
		}
		draw := func(cell string) string {
			padding := strings.Repeat(" ", widest-width(cell))
			if c.right {
				return "| " + padding + cell + " "
			}
			return "| " + cell + padding + " "
		}
		lines[0] += draw(c.heading)
		lines[1] += "|" + rule
		for i, cell := range c.cells {
			lines[i+2] += draw(cell)
		}
	}
	return strings.Join(lines, "|\n") + "|\n"
}

// width counts the characters of text, without combining accents.
func width(text string) int {
	return len(slices.DeleteFunc([]rune(text), func(r rune) bool { return unicode.Is(unicode.Mn, r) }))
}

// digits formats a number with commas: "-1,234".
func digits(number *big.Int) string {
	text := number.String()
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// bar draws an amount as a part of a total, in ten cells.
func bar(amount, total *big.Int) string {
	const cells = 10
	filled := 0
	if amount.Cmp(total) >= 0 && amount.Sign() > 0 {
		filled = cells
	} else if amount.Sign() > 0 {
		product := new(big.Int).Mul(amount, big.NewInt(cells))
		filled = int(product.Div(product, total).Int64())
	}
	return strings.Repeat("█", filled) + strings.Repeat("░", cells-filled)
}

func ceil(x *big.Rat) *big.Int {
	// Div rounds down, as a denominator is positive.
	negated := new(big.Int).Neg(x.Num())
	return negated.Neg(negated.Div(negated, x.Denom()))
}
