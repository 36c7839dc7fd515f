package cast

import (
	"strings"
	"unicode"
)

// maxSlug keeps slugs short enough for the local part of an address and for a
// label of a host name.
const maxSlug = 48

// slug returns s in lower-case ASCII letters and digits, its words joined by
// sep, or otherwise if nothing of s can be written like that, as with a name in
// Arabic letters.
func slug(s string, sep byte, otherwise string) string {
	b := make([]byte, 0, 2*maxSlug)
	gap := false
	for _, r := range s {
		folded := fold(unicode.ToLower(r))
		switch {
		case folded != "":
			if gap && len(b) > 0 {
				b = append(b, sep)
			}
			gap = false
			b = append(b, folded...)
		case r != '\'' && r != '’' && !unicode.Is(unicode.Mn, r):
			gap = true
		}
	}
	if len(b) > maxSlug {
		b = b[:maxSlug]
	}
	if s := strings.TrimRight(string(b), string(sep)); s != "" {
		return s
	}
	return otherwise
}

// fold returns a lower-case letter or digit in ASCII, "" for anything else.
func fold(r rune) string {
	const ascii = "0123456789abcdefghijklmnopqrstuvwxyz"
	switch {
	case '0' <= r && r <= '9':
		return ascii[r-'0' : r-'0'+1]
	case 'a' <= r && r <= 'z':
		return ascii[10+r-'a' : 11+r-'a']
	case r < 0x80:
		return ""
	}
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	}
	for _, f := range [...]struct{ to, from string }{
		{"a", "àáâãäåāăą"}, {"c", "çćĉċč"}, {"d", "ďđð"}, {"e", "èéêëēĕėęě"}, {"g", "ĝğġģ"},
		{"h", "ĥħ"}, {"i", "ìíîïĩīĭįı"}, {"j", "ĵ"}, {"k", "ķ"}, {"l", "ĺļľŀł"}, {"n", "ñńņň"},
		{"o", "òóôõöøōŏő"}, {"r", "ŕŗř"}, {"s", "śŝşšș"}, {"t", "ţťŧț"}, {"u", "ùúûüũūŭůűų"},
		{"w", "ŵ"}, {"y", "ýÿŷ"}, {"z", "źżž"},
	} {
		if strings.ContainsRune(f.from, r) {
			return f.to
		}
	}
	return ""
}
