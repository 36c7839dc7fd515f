package report

import (
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"
)

// Command joins words to a line for the shell of this system, each word quoted if
// it has to be.
func Command(words ...string) string { return command(runtime.GOOS == "windows", words) }

func command(windows bool, words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(windows, w)
	}
	return strings.Join(quoted, " ")
}

// quote makes a word one word. The shells of Unix keep everything between single
// quotes, but what steers a terminal, or is not UTF-8, would not get through it: that
// is written out in the form that bash, zsh, ksh and POSIX know as $'…'. Windows has two shells: what both keep is written for both, that is
// between double quotes, and the rest for PowerShell.
func quote(windows bool, word string) string {
	special := func(c rune) bool {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=+", c) || windows && c == '\\'
		return !plain
	}
	switch {
	case word != "" && strings.IndexFunc(word, special) < 0:
		return word
	case !windows && (!utf8.ValidString(word) || strings.IndexFunc(word, unshown) >= 0):
		return escaped(word)
	case !windows:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	case strings.ContainsAny(word, "$`\"%") || strings.HasSuffix(word, `\`):
		return "'" + strings.ReplaceAll(word, "'", "''") + "'"
	default:
		return `"` + word + `"`
	}
}

// unshown reports whether a character would not get to the shell as it is shown.
func unshown(c rune) bool { return c == '\n' || c == '\t' || Steers(c) }

// escaped writes a word with escapes: three octal digits for each byte that needs
// them, so that no digit after it is taken for one more.
func escaped(word string) string {
	var b strings.Builder
	b.WriteString("$'")
	for len(word) > 0 {
		c, size := utf8.DecodeRuneInString(word)
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\'' || c == '\\':
			b.WriteString(`\` + word[:size])
		case c == utf8.RuneError && size == 1, unshown(c):
			for i := range size {
				fmt.Fprintf(&b, `\%03o`, word[i])
			}
		default:
			b.WriteString(word[:size])
		}
		word = word[size:]
	}
	b.WriteString("'")
	return b.String()
}
