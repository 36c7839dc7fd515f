package hirempire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of the event's payload in the
// edition, nil for an unknown one. It is as strict as the documentation: every
// documented key and no other, the documented types, values and nulls, and what
// [Field] knows of formats. The patterns of ids, and that addresses and URLs are
// well formed, are our decision.
func Schema(edition Edition, e Event) []byte {
	if !e.Valid() || !slices.Contains(Editions(), edition) {
		return nil
	}
	root := schemaOf(edition, Field{Kind: Object})
	root.Dialect = "https://json-schema.org/draft/2020-12/schema"
	root.Title = fmt.Sprintf("%s of Hirempire, edition %s", e, edition)
	root.Description = "Sent when " + e.Fires() + "."
	at := map[string]*schema{"": root}
	for _, f := range Fields(e) {
		s := schemaOf(edition, f)
		if f.Path == "event" {
			s.Const = e
		}
		parent, name := "", f.Path
		if i := strings.LastIndex(f.Path, "."); i >= 0 {
			parent, name = f.Path[:i], f.Path[i+1:]
		}
		if up := at[parent]; name == "N" {
			s.Enum, up.Enum = up.Enum, nil // the values of a list are those of its elements
			up.Items = s
		} else {
			up.Properties = append(up.Properties, property{name, s})
			up.Required = append(up.Required, name)
		}
		at[f.Path] = s
	}
	var b bytes.Buffer
	_ = json.Indent(&b, Marshal(root), "", "  ") // which is JSON
	b.WriteByte('\n')
	return b.Bytes()
}

// schema is the JSON Schema of a value. What is left out if it is nil, but not if it
// is zero or false, is any.
type schema struct {
	Dialect     string     `json:"$schema,omitempty"`
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Type        any        `json:"type"`
	Const       Event      `json:"const,omitempty"`
	Enum        []string   `json:"enum,omitempty"`
	Format      string     `json:"format,omitempty"`
	Pattern     string     `json:"pattern,omitempty"`
	Minimum     any        `json:"minimum,omitempty"`
	Maximum     any        `json:"maximum,omitempty"`
	Items       *schema    `json:"items,omitempty"`
	Properties  properties `json:"properties,omitempty"`
	Required    []string   `json:"required,omitempty"`
	Additional  any        `json:"additionalProperties,omitempty"`
}

func schemaOf(edition Edition, f Field) *schema {
	s := &schema{Type: f.Kind, Description: f.Doc, Enum: f.Values, Format: f.Format, Pattern: f.Pattern}
	if f.Nullable {
		s.Type = []Kind{f.Kind, "null"}
	}
	if f.Kind == Object {
		s.Additional = false
	}
	if f.Max != 0 {
		s.Minimum, s.Maximum = 0, f.Max
	}
	switch {
	case f.ID == "":
	case edition.Rules().UUIDs:
		s.Format, s.Pattern = "uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
	default:
		s.Pattern = "^" + IDPrefix(f.ID) + "[a-z0-9]{18}$"
	}
	return s
}

// properties are printed in the order of the wire, which a map would lose.
type properties []property

type property struct {
	name   string
	schema *schema
}

// MarshalJSON writes an object.
func (p properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, Marshal(one.name)...), ':'), Marshal(one.schema)...)
	}
	return append(b, '}'), nil
}
