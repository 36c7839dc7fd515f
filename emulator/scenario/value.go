package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// isPlain reports whether a scalar stands without quotes, so that its type
// depends on how it looks.
func isPlain(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// isDoubtful reports whether a plain scalar is a boolean for some YAML readers
// and a string for others.
func isDoubtful(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || !isPlain(n) {
		return false
	}
	switch n.Value {
	case "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF":
		return true
	default:
		return false
	}
}

// kindOf returns the type of a node, "" for null. A time is a string: that is
// what it is in JSON.
func kindOf(n *yaml.Node) hirempire.Kind {
	switch n.Kind {
	case yaml.MappingNode:
		return hirempire.Object
	case yaml.SequenceNode:
		return hirempire.Array
	case yaml.AliasNode:
		return kindOf(target(n))
	default:
	}
	if !isPlain(n) {
		return hirempire.String
	}
	if jsonNumber().MatchString(n.Value) {
		return hirempire.Number // one that is too large has the tag of a string
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return hirempire.Number
	case "!!bool":
		return hirempire.Boolean
	case "!!null":
		return ""
	default:
		return hirempire.String
	}
}

func isTextKey(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && kindOf(n) == hirempire.String && !isDoubtful(n) && (!isPlain(n) || n.ShortTag() != "!!merge")
}

// describe names a node's type in a sentence.
func describe(n *yaml.Node) string {
	switch kindOf(n) {
	case hirempire.Object:
		return "a mapping"
	case hirempire.Array:
		return "a list"
	case hirempire.Number:
		return "a number"
	case hirempire.Boolean:
		return "a boolean"
	case hirempire.String:
		if isDoubtful(n) {
			return "a boolean for some readers of YAML only"
		}
		return "a string"
	default:
		if isEmpty(n) {
			return "empty"
		}
		return "null"
	}
}

// found says what stands somewhere instead of what is expected.
func found(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" && kindOf(n) != "" {
		return code(n.Value) + " is " + describe(n)
	}
	return "this is " + describe(n)
}

// kindName names a documented type in a sentence.
func kindName(k hirempire.Kind) string {
	switch k {
	case hirempire.Object:
		return "a mapping"
	case hirempire.Array:
		return "a list"
	default:
		return "a " + string(k)
	}
}

// shortTag shows a tag as it is written.
func shortTag(tag string) string {
	if rest, ok := strings.CutPrefix(tag, "tag:yaml.org,2002:"); ok {
		return "!!" + rest
	}
	return tag
}

// text returns the value of a string; what names it in a sentence.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	if kindOf(n) == hirempire.String && !isDoubtful(n) {
		return n.Value, true
	}
	hint := ""
	switch {
	case n.Kind == yaml.ScalarNode && kindOf(n) == "" && strings.EqualFold(n.Value, "null"):
		hint = "; if that is the text, put it in quotes: `\"" + n.Value + "\"`"
	case n.Kind == yaml.ScalarNode && kindOf(n) != "":
		hint = "; put it in quotes: `\"" + strings.Trim(code(n.Value), "`") + "\"`"
	}
	p.errorf(n, "wrong-type", "%s must be a string, %s%s", what, found(n), hint)
	return "", false
}

// wordLike returns the value of a string that is one of some words, for which
// quotes would not help.
func (p *parser) wordLike(n *yaml.Node, what, example string) (string, bool) {
	if kindOf(n) == hirempire.String && !isDoubtful(n) {
		return n.Value, true
	}
	p.errorf(n, "wrong-type", "%s must be a word such as %s, %s", what, code(example), found(n))
	return "", false
}

// word returns one of several words.
func (p *parser) word(n *yaml.Node, what string, known []string) (string, bool) {
	name, ok := p.wordLike(n, what, known[0])
	if ok && !slices.Contains(known, name) {
		p.errorf(n, "unknown-value", "%s cannot be %s%s", what, code(name), p.didYouMean(name, known))
		return "", false
	}
	return name, ok
}

// boolean returns the value of a boolean.
func (p *parser) boolean(n *yaml.Node, what string) (value, ok bool) {
	if kindOf(n) == hirempire.Boolean {
		return strings.EqualFold(n.Value, "true"), true
	}
	hint := ""
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		hint = "; write `true` or `false`, without quotes"
	}
	p.errorf(n, "wrong-type", "%s must be a boolean, %s%s", what, found(n), hint)
	return false, false
}

// whole returns a whole number within bounds.
func (p *parser) whole(n *yaml.Node, what string, low, high int) (int, bool) {
	text, ok := p.number(n, what, fmt.Sprintf("a whole number from %s to %s", grouped(low), grouped(high)))
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < low || i > high {
		p.errorf(n, "bad-value", "%s is %s, it must be a whole number from %s to %s", what, code(text), grouped(low), grouped(high))
		return 0, false
	}
	return i, true
}

// number returns a number as JSON writes it; want says what is expected.
func (p *parser) number(n *yaml.Node, what, want string) (string, bool) {
	switch {
	case n.Kind == yaml.ScalarNode && jsonNumber().MatchString(n.Value) && !isPlain(n):
		p.errorf(n, "wrong-type", "%s must be %s, this is a string; write it without quotes: `%s`", what, want, n.Value)
	case kindOf(n) != hirempire.Number:
		p.errorf(n, "wrong-type", "%s must be %s, %s", what, want, found(n))
	case !jsonNumber().MatchString(n.Value):
		p.errorf(n, "bad-number", "%s is %s, numbers are written in decimal digits such as `42`, `-1` or `2.5`", what, code(n.Value))
	default:
		if _, err := strconv.ParseFloat(n.Value, 64); err != nil {
			p.errorf(n, "bad-number", "%s is %s, which is too large", what, code(n.Value))
			return "", false
		}
		return n.Value, true
	}
	return "", false
}

// A value is a typed value from the file.
type value struct {
	json []byte
	// keys and elements hold what an object or an array consists of.
	keys     map[string]*value
	elements []*value
	array    bool
}

// rules says what holds for a value beyond its type.
type rules struct {
	// cast: the value is pinned, so it has to fit whatever the member does later.
	cast bool
}

// typed reads a value of the documented type; at names it in a sentence.
func (p *parser) typed(n *yaml.Node, want *shape, at string, r rules) (*value, bool) {
	n = target(n)
	if kindOf(n) == "" && want.Nullable {
		return &value{json: []byte("null")}, true
	}
	what := code(at)
	switch want.Kind {
	case hirempire.Object:
		return p.object(n, want, at, r)
	case hirempire.Array:
		return p.array(n, want, at, r)
	case hirempire.Number:
		text, ok := p.number(n, what, "a number")
		return &value{json: []byte(text)}, ok
	case hirempire.Boolean:
		b, ok := p.boolean(n, what)
		return &value{json: strconv.AppendBool(nil, b)}, ok
	default:
		text, ok := p.text(n, what)
		if !ok {
			return nil, false
		}
		p.documented(n, want, what, text, r)
		return &value{json: quote(text)}, true
	}
}

// documented checks a string against what the documentation says of the field.
func (p *parser) documented(n *yaml.Node, want *shape, what, text string, r rules) {
	known := want.Values
	if len(known) > 0 {
		for _, k := range known {
			if k == text {
				return
			}
		}
		if p.full() {
			return
		}
		hint := "; documented are " + list(known)
		if near := nearest(text, known); near != "" {
			hint = ", did you mean " + code(near) + "?"
		}
		p.warnAt(p.at(n), "undocumented-value", "%s is not a documented value of %s%s", code(text), what, hint)
		return
	}
	if !want.holdsTime() {
		return
	}
	if _, ok := moment(text); ok {
		return
	}
	if r.cast {
		p.errorf(n, "bad-time", "%s must be a time such as `2026-01-30T09:00:00Z`, %s is none; to send a broken one, use `set`", what, code(text))
		return
	}
	p.warnAt(p.at(n), "undocumented-value", "%s is documented as a time such as `2026-01-30T09:00:00.000Z`, %s is none", what, code(text))
}

func (p *parser) object(n *yaml.Node, want *shape, at string, r rules) (*value, bool) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "%s must be a mapping, this is %s", code(at), describe(n))
		return nil, false
	}
	v := &value{json: []byte{'{'}, keys: make(map[string]*value)}
	ok := true
	for _, e := range entries(n) {
		child := want.child(e.name)
		if child == nil {
			p.unknownKey(e, code(at), want.names())
			ok = false
			continue
		}
		c, good := p.typed(e.value, child, at+"."+e.name, r)
		if !good {
			ok = false
			continue
		}
		v.add(e.name, c)
	}
	v.json = append(v.json, '}')
	return v, ok
}

// add puts a key into an object that is not closed yet.
func (v *value) add(key string, c *value) {
	if len(v.keys) > 0 {
		v.json = append(v.json, ',')
	}
	v.json = append(append(append(v.json, quote(key)...), ':'), c.json...)
	v.keys[key] = c
}

func (p *parser) array(n *yaml.Node, want *shape, at string, r rules) (*value, bool) {
	if n.Kind != yaml.SequenceNode {
		p.errorf(n, "wrong-type", "%s must be a list, this is %s", code(at), describe(n))
		return nil, false
	}
	v := &value{json: []byte{'['}, array: true}
	ok := true
	for i, child := range n.Content {
		place := at + "." + strconv.Itoa(i)
		c, good := p.typed(child, want.element, place, r)
		if !good {
			ok = false
			continue
		}
		// A faked field could not be told from a forgotten one in a list that
		// replaces the faked one as a whole.
		for _, name := range want.element.names() {
			if r.cast && c.keys[name] == nil {
				p.errorf(target(child), "missing-key", "%s has no %s; a pinned list is taken as it is, so its elements must be complete", code(place), code(name))
				ok = false
			}
		}
		if i > 0 {
			v.json = append(v.json, ',')
		}
		v.json = append(v.json, c.json...)
		v.elements = append(v.elements, c)
	}
	v.json = append(v.json, ']')
	return v, ok
}

// anything returns any value as compact JSON, keys in file order.
func (p *parser) anything(n *yaml.Node, what string) ([]byte, bool) {
	n = target(n)
	switch kindOf(n) {
	case hirempire.Object:
		b, ok := []byte{'{'}, true
		for i, e := range entries(n) {
			if i > 0 {
				b = append(b, ',')
			}
			v, good := p.anything(e.value, what)
			b, ok = append(append(append(b, quote(e.name)...), ':'), v...), ok && good
		}
		return append(b, '}'), ok
	case hirempire.Array:
		b, ok := []byte{'['}, true
		for i, child := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			v, good := p.anything(child, what)
			b, ok = append(b, v...), ok && good
		}
		return append(b, ']'), ok
	case hirempire.Number:
		text, ok := p.number(n, "a number of "+what, "a number")
		return []byte(text), ok
	case hirempire.Boolean:
		return []byte(strings.ToLower(n.Value)), true
	case hirempire.String:
		text, ok := p.text(n, "a string of "+what)
		return quote(text), ok
	default:
		return []byte("null"), true
	}
}

// quote writes a string as JSON.stringify does, which escapes less than
// encoding/json.
func quote(s string) []byte {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
