package budget

import (
	"math/big"
	"slices"
	"strings"
	"unicode"
)

// How many characters of a text are shown.
const (
	longestName  = 60
	longestTitle = 200
)

// oneLine returns a text as one line of limited length, without what would move
// or hide the text around it: line breaks, control characters, changes of the
// direction of writing, invisible characters.
func oneLine(text string, longest int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Z, r)
	})
	characters := []rune(strings.Join(words, " "))
	if len(characters) > longest {
		return string(characters[:longest-1]) + "…"
	}
	return string(characters)
}

// name returns the name of a thing so that Markdown shows it and nothing else:
// no markup, no HTML, no end of a table's cell.
func name(text string) string { return markdown(oneLine(text, longestName)) }

func markdown(line string) string {
	characters := []rune(withoutLinks(line))
	var escaped strings.Builder
	for i, r := range characters {
		isMarkup := strings.ContainsRune("\\`*[<|~$", r) ||
			r == '_' && (!isWord(at(characters, i-1)) || !isWord(at(characters, i+1))) ||
			r == '&' && slices.Contains(characters[i:], ';')
		if isMarkup {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// withoutLinks returns a text in which GitHub and GitLab find no link, mention
// or picture. They look for those in the text that Markdown has been turned
// into, where no escape is left: a space is all that stops them.
func withoutLinks(text string) string {
	characters := []rune(text)
	var spaced strings.Builder
	for i, r := range characters {
		before, after := at(characters, i-1), at(characters, i+1)
		if r == '/' && before == ':' || r == '.' && i >= 3 && strings.EqualFold(string(characters[i-3:i]), "www") {
			spaced.WriteByte(' ') // https://…, www.…
		}
		spaced.WriteRune(r)
		var breaks bool
		switch r {
		case '@': // @somebody, somebody@example.com
			breaks = isWord(after) || after == '_' || after == '-'
		case ':': // :picture:, but not 12:30
			breaks = unicode.IsLetter(after) || after == '+' || after == '-' || unicode.IsDigit(after) && (!unicode.IsDigit(before) || namesPicture(characters[i+1:]))
		case '#', '!': // #12, project!12
			breaks = unicode.IsDigit(after) || isWord(after) && !isWord(before)
		case '$', '%', '&', '~', '^': // ~label, %milestone
			breaks = isWord(after) && !isWord(before) || after == '"' // ~"a label"
		case '-': // GH-12
			breaks = unicode.IsDigit(after) && i >= 2 && strings.EqualFold(string(characters[i-2:i]), "gh") && !isWord(at(characters, i-3))
		}
		if breaks {
			spaced.WriteByte(' ')
		}
	}
	return spaced.String()
}

// namesPicture reports whether a picture's name ends before a colon. Two digits
// are those of a time: 12:30:00.
func namesPicture(characters []rune) bool {
	for i, r := range characters {
		switch {
		case r == ':':
			return i != len("30")
		case !isWord(r) && !strings.ContainsRune("_+-", r):
			return false
		}
	}
	return false
}

func at(characters []rune, i int) rune {
	if i < 0 || i >= len(characters) {
		return ' '
	}
	return characters[i]
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// title is a name at the beginning of a line, where some characters would begin
// a heading, a list, a quotation or a command to GitLab (/close).
func title(text string) string {
	text = markdown(oneLine(text, longestTitle))
	mark := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
	if mark >= 0 && (mark == 0 && strings.ContainsRune("#-+=>/", rune(text[0])) || mark > 0 && strings.ContainsRune(".)", rune(text[mark]))) {
		return text[:mark] + `\` + text[mark:]
	}
	return text
}

// column is one of a table. Its cells hold Markdown without an end of a cell.
type column struct {
	heading string
	cells   []string
	right   bool // numbers are aligned to the right
}

// table draws columns so that they are aligned in plain text too.
func table(columns []column) string {
	lines := make([]string, len(columns[0].cells)+2)
	for _, c := range columns {
		widest := max(3, width(c.heading))
		for _, cell := range c.cells {
			widest = max(widest, width(cell))
		}
		draw := func(cell string) string {
			padding := strings.Repeat(" ", widest-width(cell))
			if c.right {
				return "| " + padding + cell + " "
			}
			return "| " + cell + padding + " "
		}
		rule := strings.Repeat("-", widest+1)
		lines[0] += draw(c.heading)
		if c.right {
			lines[1] += "|" + rule + ":"
		} else {
			lines[1] += "|:" + rule
		}
		for i, cell := range c.cells {
			lines[i+2] += draw(cell)
		}
	}
	return strings.Join(lines, "|\n") + "|\n"
}

// width is the number of columns that a text takes, without accents that are
// characters of their own.
func width(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}

// digits writes an integer with commas: "-1,234".
func digits(number *big.Int) string {
	text := number.String()
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

const barCells = 10

// bar draws the filled cells of ten.
func bar(filled int) string {
	filled = min(max(filled, 0), barCells)
	return strings.Repeat("█", filled) + strings.Repeat("░", barCells-filled)
}

// part is how many cells of a bar an amount fills of a larger one.
func part(amount, whole *big.Int) int {
	if amount.Sign() <= 0 || whole.Sign() <= 0 {
		return 0
	}
	cells := new(big.Int).Mul(amount, big.NewInt(barCells))
	return int(cells.Div(cells, whole).Int64())
}
