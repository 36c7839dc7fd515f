package scenario

import (
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A shape is a documented field together with the fields below it.
type shape struct {
	hirempire.Field
	name     string
	children []*shape // of an object, in documented order
	element  *shape   // of an array
}

// shapeOf makes a tree of a listing in which parents stand before children.
func shapeOf(fields []hirempire.Field) *shape {
	root := &shape{Field: hirempire.Field{Kind: hirempire.Object}}
	at := map[string]*shape{"": root}
	for _, f := range fields {
		parent, name := "", f.Path
		if i := strings.LastIndexByte(f.Path, '.'); i >= 0 {
			parent, name = f.Path[:i], f.Path[i+1:]
		}
		s := &shape{Field: f, name: name}
		at[f.Path] = s
		if up := at[parent]; up.Kind == hirempire.Array {
			// Documented values of an array are those of its elements.
			s.Values = up.Values
			up.element = s
		} else {
			up.children = append(up.children, s)
		}
	}
	return root
}

func (s *shape) child(name string) *shape {
	for _, c := range s.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (s *shape) names() []string {
	names := make([]string, len(s.children))
	for i, c := range s.children {
		names[i] = c.name
	}
	return names
}

// holdsTime reports whether the field is a moment: in JSON a string like others.
func (s *shape) holdsTime() bool { return s.name == "timestamp" || s.name == "scheduled_at" }

// payload returns the shape of an event's payload.
func (p *parser) payload(e hirempire.Event) *shape {
	if p.shapes == nil {
		p.shapes = make(map[hirempire.Event]*shape)
	}
	if p.shapes[e] == nil {
		p.shapes[e] = shapeOf(hirempire.Fields(e))
	}
	return p.shapes[e]
}
