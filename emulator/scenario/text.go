package scenario

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxStructure bounds the characters that can start a value. Each value costs
// the YAML reader a few hundred bytes, so that a small file could take much
// memory before anything can be said about it.
const maxStructure = 60_000

// checkText looks at the bytes before any YAML reader does. It returns the text
// without a byte order mark and with plain line feeds, or the first problem.
func checkText(file string, data []byte) ([]byte, *Problem) {
	problem := func(line, col int, code, format string, args ...any) ([]byte, *Problem) {
		return nil, &Problem{Position{file, line, col}, SeverityError, code, fmt.Sprintf(format, args...)}
	}
	if len(data) > MaxBytes {
		return problem(1, 1, "too-large", "the file has %s bytes, more than the %s (1 MiB) that a scenario may have", grouped(len(data)), grouped(MaxBytes))
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return problem(1, 1, "not-utf8", "the file is UTF-16; save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// From here on a line ends in one way only; columns stay what they are.
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	line, col, structure := 1, 0, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		col++
		switch {
		case r == utf8.RuneError && size == 1:
			return problem(line, col, "not-utf8", "the byte 0x%02X is not UTF-8; save the file as UTF-8", data[i])
		case r == 0:
			return problem(line, col, "control-character", "there is a NUL character; if the file is UTF-16, save it as UTF-8")
		case r == '\r':
			return problem(line, col, "control-character", "there is a carriage return that ends no line; end lines with a line feed")
		case r == '\u0085' || r == '\u2028' || r == '\u2029':
			return problem(line, col, "control-character", "there is a line separator U+%04X that editors do not show; in a value, write it as \"\\u%04X\" in double quotes", r, r)
		case r == '\ufeff':
			return problem(line, col, "control-character", "there is an invisible byte order mark U+FEFF; delete it or, in a value, write it as \"\\uFEFF\" in double quotes")
		case !allowed(r):
			return problem(line, col, "control-character", "there is a control character U+%04X; delete it or, in a value, write it as \"\\u%04X\" in double quotes", r, r)
		}
		switch r {
		case '\n':
			line, col = line+1, 0
			structure++
		case ',', ':', '-', '?', '[', '{':
			structure++
		}
		if structure > maxStructure {
			return problem(line, max(col, 1), "too-complex", "the file holds too much: more than %s lines, list items and keys up to here; let `repeat` do the work, or make it several stories", grouped(maxStructure))
		}
		i += size
	}
	return data, nil
}

// allowed reports whether YAML lets the character stand for itself.
func allowed(r rune) bool {
	switch {
	case r == '\t', r == '\n':
		return true
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
		return false
	default:
		return true
	}
}
