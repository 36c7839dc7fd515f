package scenario

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

var (
	awaitKeys = []string{"operation", "registration", "delivery", "answered_by", "status", "event", "count", "within"}
	// awaitKinds are those of which an await has exactly one.
	awaitKinds = awaitKeys[:3]
	outcomes   = []string{"delivered", "failed", "dropped", "settled"}
)

const anyEvent = "any"

// answeredBy lists what answers a call beside the errors of its operation. Over
// the limit a call of every operation is refused.
func answeredBy() []string {
	return []string{"success", "fault", hirempire.TooManyRequests(0).Code}
}

// await reads what the story waits for.
func (p *parser) await(n *yaml.Node) *Await {
	a := &Await{Count: 1, Within: DefaultWithin}
	keys, lost, ok := p.mapping(n, "`await`", "{delivery: settled}", awaitKeys)
	if !ok {
		return a
	}
	var given []entry // of awaitKinds, in file order
	for _, e := range entries(n) {
		if slices.Contains(awaitKinds, e.name) {
			given = append(given, e)
		}
	}
	switch {
	case len(given) > 1:
		p.errorf(given[1].key, "misplaced-key", "an `await` is for one thing, not %s at once; make it %d steps", list(names(given)), len(given))
	case len(given) == 1:
		p.awaitsFor(given[0].name, keys)
	case len(n.Content) == 0:
		p.errorf(n, "missing-key", "`await` is empty; give it an `operation`, a `registration` or a `delivery`")
	case !lost:
		p.errorf(n, "missing-key", "`await` does not say what for; give it an `operation`, a `registration` or a `delivery`")
	}
	if e, ok := keys["operation"]; ok {
		a.Operation, _ = p.operation(e.value, "`operation`")
	}
	if e, ok := keys["registration"]; ok {
		a.Registration = true
		if name, ok := p.wordLike(e.value, "`registration`", anyEvent); ok && name != anyEvent {
			a.Event = p.eventNamed(e.value, name, anyEvent)
		}
	}
	if e, ok := keys["delivery"]; ok {
		a.Outcome, _ = p.word(e.value, "`delivery`", outcomes)
	}
	if e, ok := keys["answered_by"]; ok {
		a.AnsweredBy, _ = p.errorCode(e.value, "`answered_by`", a.Operation, answeredBy()...)
	}
	if e, ok := keys["status"]; ok {
		a.Status, _ = p.whole(e.value, "`status`", minStatus, maxStatus)
	}
	if e, ok := keys["event"]; ok {
		if name, ok := p.wordLike(e.value, "`event`", string(hirempire.JobAdded)); ok {
			a.Event = p.eventNamed(e.value, name)
		}
	}
	if e, ok := keys["count"]; ok {
		a.Count, _ = p.whole(e.value, "`count`", 1, MaxTimes)
	}
	if e, ok := keys["within"]; ok {
		a.Within = p.lasting(e.value, "`within`", code(DefaultWithin.String()))
	}
	return a
}

// awaitsFor reports the keys that say nothing about what the await is for.
func (p *parser) awaitsFor(kind string, keys map[string]entry) {
	for _, name := range []string{"answered_by", "status"} {
		if e, ok := keys[name]; ok && kind != "operation" {
			p.errorf(e.key, "misplaced-key", "%s belongs to an `operation`; a %s has no answer", code(name), code(kind))
		}
	}
	if e, ok := keys["event"]; ok && kind == "registration" {
		p.errorf(e.key, "misplaced-key", "`event` belongs to a `delivery`; write the event under `registration`: `registration: job_added`")
	} else if ok && kind == "operation" {
		p.errorf(e.key, "misplaced-key", "`event` belongs to a `delivery`; an `operation` has none")
	}
	if e, ok := keys["count"]; ok && kind == "registration" {
		p.errorf(e.key, "misplaced-key", "`count` belongs to an `operation` or a `delivery`; one `registration` is awaited at a time")
	}
}

// warnAwaits finds awaits for deliveries before there are any. What is emitted
// where an event is misspelt cannot be known.
func (p *parser) warnAwaits(s *Scenario) {
	emitted := make(map[hirempire.Event]bool)
	for _, step := range s.Steps {
		if step.Event != "" {
			emitted[step.Event], emitted[""] = true, true
		}
		if step.Await == nil || step.Await.Outcome == "" || emitted[step.Await.Event] {
			continue
		}
		what := "event"
		if step.Await.Event != "" {
			what = code(string(step.Await.Event))
		}
		p.warnAt(step.Pos, "await-nothing", "there is nothing to await: no %s comes before this step", what)
	}
}
