package scenario

import "github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"

// ParseSet reads what stands under `set` of a step, for callers that have no
// story: a JSON or YAML mapping from payload paths of the event to values.
// Settings come back exactly when no problem is an error, as with [Parse].
func ParseSet(event hirempire.Event, data []byte) ([]Setting, []Problem) {
	p := &parser{collector: collector{file: "set"}}
	step := Step{Event: event, Repeat: 1}
	if root := p.load(data); root != nil {
		p.settings(&step, root)
	}
	problems := p.sorted()
	if HasErrors(problems) {
		return nil, problems
	}
	return step.Set, problems
}
