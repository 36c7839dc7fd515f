package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// ParseSet reads what stands under `set` of a step, for callers that have no
// story: a JSON object from payload paths of the event to values; empty data and
// an empty object set nothing. Settings come back exactly when no problem is an
// error, as with [Parse]; positions mean nothing here.
func ParseSet(event hirempire.Event, data []byte) ([]Setting, []Problem) {
	p := &parser{collector: collector{file: "set"}}
	step := Step{Event: event, Repeat: 1}
	if root := p.fromJSON(data); root != nil && (root.Kind != yaml.MappingNode || len(root.Content) > 0) {
		p.settings(&step, root)
	}
	problems := p.sorted()
	if HasErrors(problems) {
		return nil, problems
	}
	return step.Set, problems
}

// fromJSON reads JSON as the node that it would be in YAML; nil where there is
// none, or after reporting why.
func (p *parser) fromJSON(data []byte) *yaml.Node {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	at := Position{File: p.file}
	// In advance, because what is read token by token may be followed by anything.
	var all json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		p.errorAt(at, "syntax", "this is no JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := jsonNode(dec, 1)
	if err != nil {
		p.errorAt(at, "too-deep", "%v", err)
		return nil
	}
	return n
}

// withoutNulls leaves out the keys of an object that are known and null: who
// makes JSON of a type means nothing by them.
func withoutNulls(n *yaml.Node, known []string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var content []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if kindOf(n.Content[i+1]) != "" || !slices.Contains(known, n.Content[i].Value) {
			content = append(content, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = content
}

// jsonNode reads a JSON value as the node that it would be in YAML. JSON is read
// by its own rules, because YAML refuses some of its escapes and characters.
func jsonNode(dec *json.Decoder, depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	scalar := func(tag, value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value} }
	switch t := token.(type) {
	case string:
		n := scalar("!!str", t)
		n.Style = yaml.DoubleQuotedStyle
		return n, nil
	case json.Number:
		if strings.ContainsAny(t.String(), ".eE") {
			return scalar("!!float", t.String()), nil
		}
		return scalar("!!int", t.String()), nil
	case bool:
		if t {
			return scalar("!!bool", "true"), nil
		}
		return scalar("!!bool", "false"), nil
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for dec.More() {
			child, err := jsonNode(dec, depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err := dec.Token() // the end
		return n, err
	default:
		return scalar("!!null", "null"), nil
	}
}
