package scenario

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// maxPath is the length of the longest path that is looked at.
const maxPath = 200

// settings reads what a step sets in its payload, and returns it for those who
// look for a path in what comes of it.
func (p *parser) settings(s *Step, n *yaml.Node) map[string]*setting {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "`set` must be a mapping from payload paths to values, such as `applicant.ai_evaluation.score: 91`, this is %s", describe(n))
		return nil
	}
	if len(n.Content) == 0 {
		p.errorf(n, "missing-key", "`set` is empty; give it a payload path and a value, or leave it out")
		return nil
	}
	done := make(map[string]*setting)
	payload := p.payload(s.Event)
	for _, e := range entries(n) {
		field := p.place(s, payload, e, done)
		if field == nil {
			continue
		}
		v, ok := p.typed(e.value, field, e.name, rules{})
		if !ok {
			// The path is right, so that what follows may build on it.
			v = nil
		}
		p.record(done, e, v)
		if ok {
			s.Set = append(s.Set, Setting{p.at(e.key), e.name, v.json})
		}
	}
	return done
}

// A setting is what was set earlier in the same step.
type setting struct {
	line  int
	value *value // nil where it is wrong
	// below is the last path that was set below this one, nothing is set here.
	below string
}

// record notes that a path is set, and reports what that undoes.
func (p *parser) record(done map[string]*setting, e entry, v *value) {
	if below := done[e.name]; below != nil && below.below != "" {
		p.errorf(e.key, "set-overwritten", "%s overwrites %s of line %d; put the part after the whole", code(e.name), code(below.below), below.line)
	}
	done[e.name] = &setting{line: e.key.Line, value: v}
	for path := e.name; ; {
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return
		}
		path = path[:i]
		if done[path] == nil {
			done[path] = &setting{line: e.key.Line, below: e.name}
		}
	}
}

// place finds the field that a path leads to, nil after reporting that it leads
// nowhere.
func (p *parser) place(s *Step, payload *shape, e entry, done map[string]*setting) *shape {
	path := e.name
	if path == "" {
		p.errorf(e.key, "unknown-path", "the path is empty; write one such as `applicant.name`")
		return nil
	}
	if len(path) > maxPath {
		p.errorf(e.key, "unknown-path", "no payload path is as long as %s", code(path))
		return nil
	}
	if p.full() {
		return nil
	}
	at, here := payload, ""
	// given is what the file itself gives here, nil where it is faked; whole is
	// the earlier setting that it is part of, if that gave all there is.
	var given *value
	var whole *setting
	for part := range strings.SplitSeq(path, ".") {
		above := here
		here = strings.TrimPrefix(here+"."+part, ".")
		var next *value
		switch at.Kind {
		case hirempire.Object:
			child := at.child(part)
			if child == nil {
				p.lost(s, payload, at, above, e)
				return nil
			}
			at = child
			if given != nil {
				next = given.keys[part]
				if next == nil && whole != nil {
					p.errorf(e.key, "unknown-path", "%s hits nothing: what line %d sets has no %s", code(path), whole.line, code(here))
					return nil
				}
			}
		case hirempire.Array:
			i, ok := index(part)
			if !ok {
				p.errorf(e.key, "unknown-path", "%s is not in the payload of `%s`: %s is a list, its elements are %s and so on", code(path), s.Event, code(above), code(above+".0"))
				return nil
			}
			length := FakedElements
			if given != nil {
				length = len(given.elements)
			}
			if i >= length {
				p.errorf(e.key, "out-of-range", "%s is out of range: %s has %s", code(path), code(above), elements(length))
				return nil
			}
			at = at.element
			if given != nil {
				next = given.elements[i]
			}
		default:
			p.errorf(e.key, "unknown-path", "%s is not in the payload of `%s`: %s is %s and has no parts", code(path), s.Event, code(above), kindName(at.Kind))
			return nil
		}
		given = next
		if set := done[here]; set != nil && set.below == "" && here != path {
			// A value that is wrong was reported; what is below it cannot be known.
			given, whole = set.value, set
		} else if given == nil && above == "" {
			given = p.pins(s, here)
		}
	}
	return at
}

// pins returns what the cast pins of the object at the top of the payload.
func (p *parser) pins(s *Step, top string) *value {
	name := ""
	switch top {
	case "company":
		name = s.Company
	case "job":
		name = s.Job
	case "applicant":
		name = s.Applicant
	case "meeting":
		name = s.Meeting
	}
	if r := p.roles[top][name]; r != nil {
		return r.pins
	}
	return nil
}

// lost reports that an object has no such part.
func (p *parser) lost(s *Step, payload, at *shape, above string, e entry) {
	where := "the payload"
	if above != "" {
		where = code(above)
	}
	hint := ""
	if names := at.names(); len(names) <= maxListed {
		hint = "; " + where + " has " + list(names)
	}
	if near := nearestPath(e.name, payload.paths()); near != "" {
		hint = ", did you mean " + code(near) + "?"
	}
	p.errorf(e.key, "unknown-path", "%s is not in the payload of `%s`%s", code(e.name), s.Event, hint)
}

// paths lists the paths of all fields, those inside of lists for the first
// element.
func (s *shape) paths() []string {
	var paths []string
	for _, c := range s.children {
		paths = append(paths, strings.ReplaceAll(c.Path, ".N", ".0"))
		paths = append(paths, c.paths()...)
	}
	if s.element != nil {
		paths = append(paths, strings.ReplaceAll(s.element.Path, ".N", ".0"))
		paths = append(paths, s.element.paths()...)
	}
	return paths
}

// nearestPath returns the payload path that was probably meant, "" if none is
// near: one with the same number of parts, each alike, or the only one with the
// same end in the same object.
func nearestPath(path string, known []string) string {
	parts := strings.Split(path, ".")
	var same, similar []string
	end := parts[len(parts)-1]
	for _, k := range known {
		others := strings.Split(k, ".")
		alike := len(parts) == len(others)
		for i := 0; alike && i < len(parts); i++ {
			_, number := index(parts[i])
			alike = number && others[i] == "0" || nearest(parts[i], others[i:i+1]) != ""
		}
		last := others[len(others)-1]
		switch {
		case alike && nearest(end, siblings(others, known)) == last:
			return k
		case others[0] != parts[0]:
		case fold(last) == fold(end):
			same = append(same, k)
		case nearest(end, []string{last}) != "":
			similar = append(similar, k)
		}
	}
	switch {
	case len(same) == 1:
		return same[0]
	case len(same) == 0 && len(similar) == 1:
		return similar[0]
	default:
		return ""
	}
}

// siblings lists the last parts of the paths beside one.
func siblings(path, known []string) []string {
	above := strings.Join(path[:len(path)-1], ".")
	var names []string
	for _, k := range known {
		if up, name, ok := cutLast(k); ok && up == above || !ok && above == "" {
			names = append(names, name)
		}
	}
	return names
}

func cutLast(path string) (above, name string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// index reads a list index: decimal, without sign or leading zeros.
func index(part string) (int, bool) {
	i, err := strconv.Atoi(part)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == part
}

func elements(n int) string {
	switch n {
	case 0:
		return "no elements"
	case 1:
		return "one element, `0`"
	default:
		return strconv.Itoa(n) + " elements, `0` to `" + strconv.Itoa(n-1) + "`"
	}
}
