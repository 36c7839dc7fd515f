package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Style is how text for people looks.
type Style int

// The styles.
const (
	Plain  Style = iota
	Colour       // with the escape sequences of a terminal
)

// ink is the parameter of an escape sequence, as in ECMA-48.
type ink string

const (
	noInk  ink = ""
	bold   ink = "1"
	dim    ink = "2"
	red    ink = "31"
	green  ink = "32"
	yellow ink = "33"
)

func (s Style) paint(with ink, text string) string {
	if s != Colour || with == noInk || text == "" {
		return text
	}
	return "\x1b[" + string(with) + "m" + text + "\x1b[0m"
}

// bad writes a text, which stands out if it tells of any: green is good, red is
// bad, nothing is neither.
func (s Style) bad(n uint64, format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if n > 0 {
		return s.paint(red, text)
	}
	return text
}

func (v Verdict) ink() ink {
	switch v {
	case "":
		return bold
	case VerdictPassed:
		return green
	case VerdictCancelled:
		return yellow
	default:
		return red
	}
}

// paintDiff gives the lines of a difference their colours.
func (s Style) paintDiff(line string) string {
	switch {
	case strings.HasPrefix(line, "- "):
		return s.paint(red, line) // what it should be
	case strings.HasPrefix(line, "+ "):
		return s.paint(green, line) // what it is
	default:
		return line
	}
}

// printable returns the text with whatever could steer a terminal, or make text run
// against its direction, written out: what consumers answer ends up here. Lines and
// tabs stay.
func printable(text string) string {
	if strings.IndexFunc(text, Steers) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch _, size := utf8.DecodeRuneInString(text[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case Steers(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case Steers(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Steers reports whether a character is a command to who shows it: a control
// character other than a line's end and a tab, one that turns the direction of what
// follows, one that ends a line or is none.
func Steers(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c ||
		r == 0x2028 || r == 0x2029 || r == 0xfffe || r == 0xffff
}
