package scenario

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// syntaxProblem finds out where and why a file is no YAML. The YAML reader has
// an error, but no column, often the line where a construct started or the one
// after, and for some mistakes no line at all. So the usual mistakes are looked
// for by a scan of our own; for the rest, the place is where the reader's error
// first shows when the file is read bit by bit.
func syntaxProblem(file string, text []byte, err error) Problem {
	s := &scan{text: string(text), anchors: make(map[string]bool)}
	s.run()
	// A mistake cannot stand behind the place that it is noticed at.
	if s.message == "" || !endsAnyhow(err) && failsBefore(text, s.at, err) {
		s.at, s.message, s.deep = stops(text, err), readerMessage(err), strings.Contains(err.Error(), "exceeded max depth")
	}
	code := "syntax"
	if s.deep {
		code = "too-deep"
	}
	return Problem{positionOf(file, text, s.at), SeverityError, code, s.message}
}

// endsAnyhow reports whether the reader says the same of a file that just ends
// too early, so that where it ends proves nothing.
func endsAnyhow(err error) bool {
	for _, message := range []string{"' or '", "node content", "could not find expected", "hexdecimal", "end of stream"} {
		if strings.Contains(err.Error(), message) {
			return true
		}
	}
	return false
}

// failsBefore reports whether the reader fails in the same way if the file ends
// at an offset.
func failsBefore(text []byte, offset int, err error) bool {
	_, _, other := decode(text[:offset])
	return other != nil && other.Error() == err.Error()
}

// stops returns the offset of the character without which the reader does not
// fail as it does.
func stops(text []byte, err error) int {
	// The reader is right about the line or late by some, so that what is before
	// is mostly not worth looking at.
	low, high := 0, len(text)
	if m := lineOfReader().FindStringSubmatch(err.Error()); m[3] != "" {
		line, _ := strconv.Atoi(m[3])
		near := len(strings.Join(strings.SplitAfterN(string(text), "\n", line)[:max(line-2, 0)], ""))
		if failsBefore(text, near, err) {
			high = near
		} else {
			low = near
		}
	}
	n := low + sort.Search(high-low, func(n int) bool { return failsBefore(text, low+n, err) })
	n = max(n-1, 0)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return n
}

// positionOf turns an offset into a place in the file. One behind the end of
// the last line becomes the end of what stands there.
func positionOf(file string, text []byte, offset int) Position {
	offset = min(offset, len(text))
	if rest := strings.TrimRight(string(text[:offset]), "\n"); offset == len(text) {
		offset = max(len(rest)-1, 0)
	}
	before := string(text[:offset])
	start := strings.LastIndexByte(before, '\n') + 1
	return Position{file, 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])}
}

var lineOfReader = pattern(`^(yaml: )?(line ([0-9]+): )?`)

// readerMessage is the reader's error without its line.
func readerMessage(err error) string {
	message := err.Error()
	message = message[len(lineOfReader().FindString(message)):]
	switch {
	case strings.Contains(message, "exceeded max depth"):
		return fmt.Sprintf("values are nested more than %d deep", maxDepth)
	case strings.Contains(message, "mapping values are not allowed"):
		return "a colon cannot stand here; if it belongs to a value, put the value in quotes"
	case strings.Contains(message, "did not find expected key"), strings.Contains(message, "could not find expected ':'"):
		return "a key and a colon are expected here, such as `job: backend`"
	case strings.Contains(message, "did not find expected '-' indicator"):
		return "a list item is expected here, such as `- wait: 2s`"
	case strings.Contains(message, "alphabetic or numeric"):
		return "`&` and `*` are followed by a name of letters and digits; if this is text, put it in quotes"
	case strings.Contains(message, "did not find expected node content"):
		return "a value is expected here"
	default:
		return "this is not YAML: " + message
	}
}

// scan looks for the usual mistakes, and stops at the first. It knows the YAML
// that people write; what it does not know, it leaves to the reader.
type scan struct {
	text    string
	i       int // offset of the next character
	levels  []level
	anchors map[string]bool

	counted, lines int // the line feeds before an offset

	at      int
	message string // empty: nothing found
	deep    bool   // found that values are nested too deep
}

// A level is a block mapping or list that is open.
type level struct {
	indent int
	list   bool
	key    string // the last key of a mapping
	line   int    // of the last key or item
	valued bool   // the last key or item has its value
	plain  bool   // …which is a plain scalar and may go on in deeper lines
}

func (s *scan) fail(at int, format string, args ...any) {
	if s.message == "" {
		s.at, s.message = at, fmt.Sprintf(format, args...)
	}
	s.i = len(s.text)
}

func (s *scan) tooDeep() {
	s.deep = s.message == ""
	s.fail(s.i, "values are nested more than %d deep here", maxDepth)
}

// line returns the line of an offset. It goes on from the last one asked for,
// so that a long file is counted once.
func (s *scan) line(at int) int {
	if at < s.counted {
		s.counted, s.lines = 0, 0
	}
	s.lines += strings.Count(s.text[s.counted:at], "\n")
	s.counted = at
	return 1 + s.lines
}

func (s *scan) top() *level {
	if len(s.levels) == 0 {
		return nil
	}
	return &s.levels[len(s.levels)-1]
}

// peek returns the character at an offset from here, a line feed at the end.
func (s *scan) peek(offset int) byte {
	if s.i+offset < len(s.text) {
		return s.text[s.i+offset]
	}
	return '\n'
}

// rest returns the rest of the line.
func (s *scan) rest() string {
	rest, _, _ := strings.Cut(s.text[min(s.i, len(s.text)):], "\n")
	return rest
}

func (s *scan) nextLine() { s.i = min(s.i+len(s.rest())+1, len(s.text)) }

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

func (s *scan) spaces() {
	for s.i < len(s.text) && (s.text[s.i] == ' ' || s.text[s.i] == '\t') {
		s.i++
	}
}

// atEnd reports whether nothing but a comment is left of the line.
func (s *scan) atEnd() bool { return s.peek(0) == '\n' || s.peek(0) == '#' }

func (s *scan) run() {
	for s.i < len(s.text) {
		start := s.i
		lead := s.rest()[:len(s.rest())-len(strings.TrimLeft(s.rest(), " \t"))]
		s.i += len(lead)
		switch tab := strings.IndexByte(lead, '\t'); {
		case s.atEnd():
			s.nextLine()
		case tab >= 0 && !s.continues(tab):
			s.fail(start+tab, "a tab cannot indent; use spaces")
		case lead == "" && marker(s.rest()) != "":
			dashes := marker(s.rest()) == "---"
			s.levels = nil
			s.i += 3
			if s.spaces(); dashes && !s.atEnd() {
				s.node(3, false)
			} else {
				s.nextLine()
			}
		case lead == "" && s.peek(0) == '%' && len(s.levels) == 0:
			if !strings.HasPrefix(s.rest(), "%YAML 1.") && !strings.HasPrefix(s.rest(), "%TAG ") {
				s.fail(s.i, "a line cannot start with `%%`; put the text in quotes")
			}
			s.nextLine()
		default:
			s.entry(len(lead))
		}
	}
}

// continues reports whether a line that is indented so far goes on with a plain
// value of the line above, where a tab is white space.
func (s *scan) continues(indent int) bool {
	top := s.top()
	return top != nil && top.valued && top.plain && indent > top.indent && !strings.Contains(s.rest(), ": ")
}

// marker returns the document marker that a line starts with, or nothing.
func marker(line string) string {
	if len(line) >= 3 && (line[:3] == "---" || line[:3] == "...") && (len(line) == 3 || isBlank(line[3])) {
		return line[:3]
	}
	return ""
}

// entry reads what stands in a line, at a column that it alone starts at.
func (s *scan) entry(column int) {
	deepest := -1
	for s.top() != nil && s.top().indent > column {
		deepest = max(deepest, s.top().indent)
		s.levels = s.levels[:len(s.levels)-1]
	}
	top := s.top()
	if top != nil && top.indent < column {
		switch {
		case deepest >= 0:
			s.fail(s.i, "this line is indented by %s, the lines above by %d or %d; let it start where one of them does", count(column, "space"), deepest, top.indent)
			return
		case top.valued && top.plain && !hasKey(s.rest()):
			s.nextLine()
			return
		case top.valued:
			what := "the list item"
			if !top.list {
				what = code(top.key)
			}
			s.fail(s.i, "this line is indented deeper than %s in line %d, which already has a value", what, top.line)
			return
		}
	}
	if top == nil && deepest >= 0 {
		s.fail(s.i, "this line is indented by %s, the first line by %d; let them start at the same place", count(column, "space"), deepest)
		return
	}
	s.node(column, true)
}

var keyInLine = pattern(`^("[^"]*"|'[^']*'|[^"'#]([^#:]|[^ ]#|:[^ ])*) *:( |$)`)

// hasKey reports whether a line starts with a key, or contains what would make
// the reader take it for one.
func hasKey(line string) bool { return keyInLine().MatchString(strings.TrimRight(line, " \t")) }

// node reads a list item, a key or a value that starts here. A block may be
// opened.
func (s *scan) node(column int, alone bool) {
	if len(s.levels) > maxDepth {
		s.tooDeep()
		return
	}
	top := s.top()
	same := top != nil && top.indent == column
	switch {
	case s.peek(0) == '-' && isBlank(s.peek(1)):
		switch {
		case same && !top.list && top.valued:
			s.fail(s.i, "a list item cannot stand among keys: %s in line %d already has a value", code(top.key), top.line)
			return
		case same && !top.list:
			top.valued, top.plain = true, false
			s.levels = append(s.levels, level{indent: column, list: true})
		case !same:
			s.levels = append(s.levels, level{indent: column, list: true})
		}
		top = s.top()
		top.valued, top.plain, top.line = false, false, s.line(s.i)
		from := s.i
		s.i++
		if s.spaces(); s.atEnd() {
			s.nextLine()
			return
		}
		if strings.Contains(s.text[from:s.i], "\t") {
			s.fail(from+1, "a tab cannot stand after `-`; use a space")
			return
		}
		s.node(column+s.i-from, false)
		return
	case same && top.list:
		if s.peek(0) == '-' {
			s.fail(s.i, "a space is missing after `-`")
			return
		}
		// The list may be the value of a key that starts at the same column.
		if n := len(s.levels); n > 1 && s.levels[n-2].indent == column {
			s.levels = s.levels[:n-1]
			break
		}
		s.fail(s.i, "a list item is expected here; start it with `- `")
		return
	case s.peek(0) == '?' && isBlank(s.peek(1)):
		s.fail(s.i, "a key that starts with `? ` is not part of the language; write a key and a colon")
		return
	}
	s.keyOrValue(column)
}

// keyOrValue reads what is no list item.
func (s *scan) keyOrValue(column int) {
	start, line := s.i, s.line(s.i)
	plain, done := s.scalar(false)
	if done || s.message != "" {
		return
	}
	text := strings.TrimSpace(s.text[start:s.i])
	s.spaces()
	top := s.top()
	same := top != nil && top.indent == column && !top.list
	if s.peek(0) == ':' && isBlank(s.peek(1)) {
		if s.i-start > 1024 {
			s.fail(start, "a key cannot be longer than 1024 characters")
			return
		}
		if !same {
			if top != nil {
				top.valued, top.plain = true, false
			}
			s.levels = append(s.levels, level{indent: column})
			top = s.top()
		}
		top.key, top.line, top.valued, top.plain = strings.Trim(text, `"'`), line, false, false
		s.i++
		s.value()
		return
	}
	if same || top == nil {
		key, value, found := strings.Cut(text, ":")
		if found && plain && key != "" && value != "" {
			s.fail(start+len(key), "a space is missing after the colon; write `%s`", strings.Trim(code(key+": "+value), "`"))
		} else {
			s.fail(start, "a colon is missing: %s is no key with a value, such as `job: backend`", code(text))
		}
		return
	}
	top.valued, top.plain = true, plain
	s.trailing(start)
}

// value reads what follows a key in its line.
func (s *scan) value() {
	top := s.top()
	if s.spaces(); s.atEnd() {
		s.nextLine()
		return
	}
	if s.peek(0) == '-' && isBlank(s.peek(1)) {
		s.fail(s.i, "a list cannot start in the line of its key; put `- ` in the next line")
		return
	}
	start := s.i
	plain, done := s.scalar(true)
	if s.message != "" {
		return
	}
	if top.valued = s.i > start; done {
		return
	}
	top.plain = plain
	s.trailing(start)
}

// trailing checks that nothing follows a value that started at an offset.
func (s *scan) trailing(start int) {
	end := s.i
	s.spaces()
	first := s.text[start]
	switch {
	case s.peek(0) == '\n', s.peek(0) == '#' && s.i > end:
		s.nextLine()
	case (first == '"' || first == '\'') && s.line(start) != s.line(s.i):
		s.fail(start, "the quote that opens here is closed in line %d, where more text follows; close it where the value ends", s.line(s.i))
	case first == '\'':
		s.fail(s.i, "text follows the closing quote; inside of single quotes, write a quote twice: `''`")
	case first == '"':
		s.fail(s.i, "text follows the closing quote; inside of double quotes, write a quote as `\\\"`")
	case first == '[' || first == '{':
		s.fail(s.i, "text follows the closing bracket")
	case s.peek(0) == ':':
		value := strings.TrimRight(s.text[start:start+len(strings.SplitN(s.text[start:], "\n", 2)[0])], " ")
		s.fail(s.i, "a second colon in one line; if it belongs to the value, put the value in quotes: `\"%s\"`", strings.Trim(code(value), "`"))
	default:
		s.fail(s.i, "text follows the value")
	}
}

// scalar reads a value up to its end, and reports whether it is plain. It is
// done when nothing can follow: a block scalar, or a property before a value in
// the next line.
func (s *scan) scalar(afterKey bool) (plain, done bool) {
	for anchored := false; s.peek(0) == '&' || s.peek(0) == '!'; {
		start := s.i
		for !isBlank(s.peek(0)) {
			s.i++
		}
		word := s.text[start:s.i]
		switch {
		case word[0] == '!' && strings.Contains(word[1:], "!") && word[1] != '!':
			s.fail(start, "the tag %s is not part of the language; for a string, use quotes", code(word))
			return false, true
		case word[0] == '&' && anchored:
			s.fail(start, "%s is a second anchor of one value; leave one of them out", code(word))
			return false, true
		case word[0] == '&':
			anchored = true
			s.anchors[word[1:]] = true
		}
		if s.spaces(); s.atEnd() {
			s.nextLine()
			s.i = min(s.i, len(s.text))
			if top := s.top(); top != nil && afterKey {
				// value takes a moved position for a value; this is none yet.
				defer func() { top.valued = false }()
			}
			return false, true
		}
	}
	switch c := s.peek(0); c {
	case '"', '\'':
		s.quoted()
	case '[', '{':
		s.flow()
	case '*':
		s.alias()
	case '|', '>':
		s.block()
		return false, true
	case '@', '`', '%':
		s.fail(s.i, "a value cannot start with %s; put it in quotes", shown(c))
	case ']', '}', ',':
		s.fail(s.i, "%s stands here without anything that it belongs to; if it is text, put it in quotes", shown(c))
	default:
		s.plain()
		return true, false
	}
	return false, s.message != ""
}

// shown is code for a character that may be a back quote.
func shown(c byte) string {
	if c == '`' {
		return "a back quote"
	}
	return code(string(c))
}

func (s *scan) alias() {
	start := s.i
	for s.i++; !isBlank(s.peek(0)) && !strings.ContainsRune(",]}", rune(s.peek(0))); {
		s.i++
	}
	if name := s.text[start+1 : s.i]; !s.anchors[name] {
		s.fail(start, "the alias %s has no anchor %s before it; if it is text, put it in quotes", code("*"+name), code("&"+name))
	}
}

// plain reads up to what ends a plain scalar in its line.
func (s *scan) plain() {
	rest := s.rest()
	for i := range len(rest) {
		switch {
		case rest[i] == ':' && (i+1 == len(rest) || isBlank(rest[i+1])),
			rest[i] == '#' && i > 0 && isBlank(rest[i-1]):
			s.i += len(strings.TrimRight(rest[:i], " \t"))
			return
		}
	}
	s.i += len(strings.TrimRight(rest, " \t"))
}

var blockHeader = pattern(`^[|>]([-+]?[1-9]?|[1-9][-+])[ \t]*( #.*)?$`)

// block skips a literal or folded scalar.
func (s *scan) block() {
	if !blockHeader().MatchString(s.rest()) {
		s.fail(s.i, "after %s the text starts in the next line; if this is text, put it in quotes", code(string(s.peek(0))))
		return
	}
	parent := -1
	if top := s.top(); top != nil {
		parent = top.indent
	}
	for s.nextLine(); s.i < len(s.text); s.nextLine() {
		line := s.rest()
		if text := strings.TrimLeft(line, " "); text != "" && len(line)-len(text) <= parent {
			return
		}
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
