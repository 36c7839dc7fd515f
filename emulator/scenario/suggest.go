package scenario

import (
	"strconv"
	"strings"
	"unicode"
)

// maxListed is how many words a sentence can list.
const maxListed = 15

// maxCompared is how many words are compared in all. A file with more mistakes
// among more names is not written by hand.
const maxCompared = 20_000

// didYouMean ends a sentence about an unknown word: with the nearest of the
// known ones, or with all of them if none is near and they are few.
func (c *collector) didYouMean(word string, known []string) string {
	if c.compared += len(known); c.full() || c.compared > maxCompared {
		return ""
	}
	if near := nearest(word, known); near != "" {
		return ", did you mean " + code(near) + "?"
	}
	if len(known) == 0 || len(known) > maxListed {
		return ""
	}
	if len(known) == 1 {
		return "; there is only " + code(known[0])
	}
	return "; there are " + list(known)
}

// list joins words as a sentence does.
func list(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = code(w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " and " + quoted[len(quoted)-1]
}

// Nearest returns the known word that was probably meant, "" if none is near: of the
// same or nearly the same spelling, or one that begins so. Case, and how words are
// joined, count for nothing.
func Nearest(word string, known []string) string { return nearest(word, known) }

func nearest(word string, known []string) string {
	const longest = 80 // nothing in the language is longer
	if word == "" || len(word) > longest {
		return ""
	}
	plain := fold(word)
	best, most := "", 2
	switch {
	case len(plain) < 3:
		most = 0
	case len(plain) < 6:
		most = 1
	}
	for _, k := range known {
		if len(k) > longest {
			continue
		}
		if d := distance(plain, fold(k)); d <= most && (best == "" || d < distance(plain, fold(best))) {
			best = k
		}
	}
	if best != "" || len(plain) < 4 {
		return best
	}
	// A singular for a plural, or a word cut short.
	for _, k := range known {
		if strings.HasPrefix(fold(k), plain[:len(plain)-1]) {
			return k
		}
	}
	return ""
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// grouped writes a number for people.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
