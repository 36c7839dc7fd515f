package scenario

import (
	"strconv"
	"strings"
)

// quoted reads a quoted scalar.
func (s *scan) quoted() {
	start, quote := s.i, s.text[s.i]
	for s.i++; s.i < len(s.text); s.i++ {
		switch c := s.text[s.i]; {
		case c == '\n' && marker(s.text[s.i+1:min(s.i+5, len(s.text))]) != "":
			s.fail(start, "the quote that opens here is never closed")
			return
		case c == '\\' && quote == '"':
			s.escape()
		case c == quote && quote == '\'' && s.peek(1) == '\'':
			s.i++
		case c == quote:
			s.i++
			return
		}
	}
	s.fail(start, "the quote that opens here is never closed")
}

// escape checks what a backslash starts, up to its last character.
func (s *scan) escape() {
	start, c := s.i, s.peek(1)
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case digits > 0:
		from := min(s.i+2, len(s.text))
		code := s.text[from:min(from+digits, len(s.text))]
		n, err := strconv.ParseUint(code, 16, 32)
		if err != nil || len(code) < digits {
			s.fail(start, "`\\%c` needs %d hexadecimal digits; for a backslash, write `\\\\`", c, digits)
			return
		}
		if n >= 0xd800 && n < 0xe000 || n > 0x10ffff {
			s.fail(start, "`\\%c%s` is no character; write characters beyond U+FFFF as `\\U` and 8 digits", c, code)
			return
		}
		s.i += 1 + digits
	case strings.IndexByte("0abt\tnvfre \"'/\\N_LP\n", c) < 0:
		s.fail(start, "there is no escape `\\%c`; for a backslash, write `\\\\` or use single quotes", c)
	default:
		s.i++
	}
}

// What stood last in a flow collection.
type last int

const (
	opened last = iota
	comma
	colon
	complete // a value or a key
	text     // a plain one, which may go on in the next line
)

// An opening is a bracket that is not closed yet.
type opening struct {
	at   int
	pair bool // a colon was seen since the last comma
}

// flow reads a collection in brackets.
func (s *scan) flow() {
	var open []opening
	before := opened
	outer, start := -1, 0
	if top := s.top(); top != nil {
		outer = top.indent
	}
	unclosed := func() {
		o := open[len(open)-1]
		s.fail(o.at, "the bracket `%c` that opens here is not closed", s.text[o.at])
	}
	missing := func() { s.fail(s.i, "a comma is missing before this") }
	for s.i < len(s.text) {
		c := s.text[s.i]
		switch {
		case c == '\n':
			s.i++
			line := s.rest()
			bare := strings.TrimLeft(line, " ")
			indent := len(line) - len(bare)
			if marker(line) != "" || strings.HasPrefix(bare, "- ") || bare == "-" || indent <= outer && hasKey(bare) {
				unclosed()
				return
			}
			continue
		case c == ' ' || c == '\t':
		case c == '#' && isBlank(s.text[s.i-1]):
			s.i += len(s.rest())
			continue
		case c == '[' || c == '{':
			if before == complete || before == text {
				missing()
				return
			}
			if len(s.levels)+len(open) > maxDepth {
				s.tooDeep()
				return
			}
			open = append(open, opening{at: s.i})
			before = opened
		case c == ']' || c == '}':
			o := open[len(open)-1]
			if s.text[o.at] == '[' != (c == ']') {
				s.fail(s.i, "`%c` closes the `%c` of line %d, which needs `%c`", c, s.text[o.at], s.line(o.at), s.text[o.at]+2)
				return
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				s.i++
				return
			}
			before = complete
		case c == ',':
			if before == opened || before == comma {
				s.fail(s.i, "a value is missing before this comma")
				return
			}
			open[len(open)-1].pair = false
			before = comma
		case c == ':' && (isBlank(s.peek(1)) || strings.IndexByte(",[]{}", s.peek(1)) >= 0 || before == complete):
			if s.i-start > 1024 && (before == text || before == complete) {
				s.fail(start, "a key cannot be longer than 1024 characters")
				return
			}
			o := &open[len(open)-1]
			if o.pair {
				s.fail(s.i, "a second colon before a comma; separate pairs with commas, and put a value with a colon in quotes")
				return
			}
			o.pair = true
			before = colon
		case c == '"' || c == '\'':
			if before == complete || before == text {
				missing()
				return
			}
			start = s.i
			if s.quoted(); s.message != "" {
				return
			}
			if !s.followed() && s.line(start) != s.line(s.i) {
				s.fail(start, "the quote that opens here is closed in line %d, where more text follows; close it where the value ends", s.line(s.i))
				return
			}
			before = complete
			continue
		case c == '-' && isBlank(s.peek(1)):
			s.fail(s.i, "a list item with `-` cannot stand inside of brackets; separate values with commas")
			return
		case strings.IndexByte("@`%|>", c) >= 0 && before != text:
			s.fail(s.i, "a value cannot start with %s; put it in quotes", shown(c))
			return
		case c == '*':
			if s.alias(); s.message != "" {
				return
			}
			before = complete
			continue
		case c == '&' || c == '!':
			from := s.i
			for !isBlank(s.peek(0)) && strings.IndexByte(",[]{}", s.peek(0)) < 0 {
				s.i++
			}
			if c == '&' {
				s.anchors[s.text[from+1:s.i]] = true
			}
			continue
		default:
			if before == complete {
				missing()
				return
			}
			start = s.i
			s.plainInFlow()
			before = text
			continue
		}
		s.i++
	}
	if s.message == "" && len(open) > 0 {
		unclosed()
	}
}

// followed reports whether a quoted scalar in a collection has a right
// neighbour that may follow it.
func (s *scan) followed() bool {
	rest := strings.TrimLeft(s.text[s.i:], " \t\n")
	return rest == "" || strings.IndexByte(",]}:#", rest[0]) >= 0
}

// plainInFlow reads a plain scalar up to the end of its line or its end.
func (s *scan) plainInFlow() {
	start := s.i
	for ; s.peek(0) != '\n'; s.i++ {
		c := s.peek(0)
		if strings.IndexByte(",[]{}", c) >= 0 ||
			c == ':' && (isBlank(s.peek(1)) || strings.IndexByte(",[]{}", s.peek(1)) >= 0) ||
			c == '#' && s.i > start && isBlank(s.text[s.i-1]) {
			break
		}
	}
	if s.i == start {
		s.i++
	}
}
