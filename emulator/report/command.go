package report

import (
	"runtime"
	"strings"
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
// quotes. Windows has two shells: what both keep is written for both, that is
// between double quotes, and the rest for PowerShell.
func quote(windows bool, word string) string {
	special := func(c rune) bool {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=+", c) || windows && c == '\\'
		return !plain
	}
	switch {
	case word != "" && strings.IndexFunc(word, special) < 0:
		return word
	case !windows:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	case strings.ContainsAny(word, "$`\"%") || strings.HasSuffix(word, `\`):
		return "'" + strings.ReplaceAll(word, "'", "''") + "'"
	default:
		return `"` + word + `"`
	}
}
