package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Severity says whether a problem keeps the scenario from being performed.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning" // legal but odd
)

// A Problem is one thing that is wrong, or odd, in a file.
type Problem struct {
	Position
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable and kebab-case, such as "unknown-key"
	Message  string   `json:"message"`
}

// String returns file:line:col: message; a warning has “warning: ” before its
// message.
func (p Problem) String() string {
	if p.Severity == SeverityWarning {
		return p.Position.String() + ": warning: " + p.Message
	}
	return p.Position.String() + ": " + p.Message
}

// HasErrors reports whether one of the problems is an error.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == SeverityError })
}

// collector gathers the problems of one file.
type collector struct {
	file     string
	problems []Problem
	seen     map[Problem]bool
	dropped  bool
	compared int // words, for suggestions
}

// full reports whether more problems would not be shown: then there is no point
// in looking for what to suggest.
func (c *collector) full() bool { return len(c.problems) >= MaxProblems }

func (c *collector) add(p Problem) {
	// What an alias repeats is wrong in one place only.
	if c.seen[p] {
		return
	}
	if c.full() {
		c.dropped = true
		return
	}
	if c.seen == nil {
		c.seen = make(map[Problem]bool)
	}
	c.seen[p] = true
	c.problems = append(c.problems, p)
}

func (c *collector) at(n *yaml.Node) Position {
	return Position{File: c.file, Line: n.Line, Col: n.Column}
}

func (c *collector) errorf(n *yaml.Node, code, format string, args ...any) {
	c.errorAt(c.at(n), code, format, args...)
}

func (c *collector) errorAt(pos Position, code, format string, args ...any) {
	c.add(Problem{pos, SeverityError, code, fmt.Sprintf(format, args...)})
}

func (c *collector) warnAt(pos Position, code, format string, args ...any) {
	c.add(Problem{pos, SeverityWarning, code, fmt.Sprintf(format, args...)})
}

// sorted returns the problems in file order.
func (c *collector) sorted() []Problem {
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	if c.dropped {
		last := c.problems[len(c.problems)-1]
		c.problems = append(c.problems, Problem{last.Position, SeverityError, "too-many-problems",
			fmt.Sprintf("there are more problems than these %d; the rest is not shown", MaxProblems)})
	}
	return c.problems
}

// code shows a piece of the file inside a sentence: on one line, not too long,
// with what cannot be seen escaped.
func code(s string) string {
	const most = 60
	if s == "" {
		return "empty"
	}
	var b strings.Builder
	b.WriteByte('`')
	n := 0
	for _, r := range s {
		if n == most {
			b.WriteString("…")
			break
		}
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
		n++
	}
	b.WriteByte('`')
	return b.String()
}

// Compare orders problems as they stand in the file.
func (p Problem) Compare(other Problem) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Col, other.Col))
}
