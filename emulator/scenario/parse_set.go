package scenario

import (
	"bytes"
	"encoding/json"
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
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	switch root, err := jsonNode(dec); {
	case len(bytes.TrimSpace(data)) == 0:
	case err != nil:
		p.errorAt(Position{File: "set"}, "syntax", "this is no JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	case root.Kind == yaml.MappingNode && len(root.Content) == 0:
	default:
		p.settings(&step, root)
	}
	problems := p.sorted()
	if HasErrors(problems) {
		return nil, problems
	}
	return step.Set, problems
}

// jsonNode reads a JSON value as the node that it would be in YAML. JSON is read
// by its own rules, because YAML refuses some of its escapes and characters.
func jsonNode(dec *json.Decoder) (*yaml.Node, error) {
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
			child, err := jsonNode(dec)
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
