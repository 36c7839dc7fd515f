package cast

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// pins are the pinned values of a member by path, such as ai_evaluation.score.
// Arrays are one value. Nil where nothing is pinned.
type pins map[string]json.RawMessage

// readPins returns the pins of a member that has the shape of T in the payloads.
// After it, every pin fits the field that it is for.
func readPins[T any](m scenario.Member) (pins, error) {
	if len(m.Pins) == 0 {
		return nil, nil
	}
	var shape T
	if err := json.Unmarshal(m.Pins, &shape); err != nil {
		return nil, fmt.Errorf("%s: the values pinned for %q do not fit, see the documented types: %w", m.Pos, m.Name, err)
	}
	p := pins{}
	if err := p.collect("", m.Pins); err != nil {
		return nil, fmt.Errorf("%s: the values pinned for %q: %w", m.Pos, m.Name, err)
	}
	return p, nil
}

func (p pins) collect(prefix string, object json.RawMessage) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		return err
	}
	for key, value := range values {
		if value[0] != '{' {
			p[prefix+key] = value
		} else if err := p.collect(prefix+key+".", value); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether the path is pinned.
func (p pins) has(path string) bool {
	_, ok := p[path]
	return ok
}

// text returns the string pinned at the path, "" where there is none.
func (p pins) text(path string) string { return orPinned(p, path, "") }

// orPinned returns the value pinned at the path, or the drawn one.
func orPinned[T any](p pins, path string, drawn T) T {
	raw, ok := p[path]
	if !ok {
		return drawn
	}
	var value T
	// readPins has seen to it that the value fits.
	_ = json.Unmarshal(raw, &value)
	return value
}

// hasWord reports whether the text contains the words, whatever their case.
func hasWord(text, words string) bool {
	if text == "" {
		return false
	}
	text = " " + strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-/,.()|:", r) {
			return ' '
		}
		return r
	}, text)) + " "
	return strings.Contains(text, " "+strings.ToLower(words)+" ")
}
