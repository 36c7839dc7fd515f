package scenario

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

var (
	expectKeys    = []string{"status", "within", "body", "header"}
	runExpectKeys = []string{"no_failures", "max_p99"}
	statusClasses = []string{"2xx", "3xx", "4xx", "5xx"}
	// likeAClass matches what others write for a class: 2XX, 2x, 20x, 2**.
	likeAClass = pattern(`^[2-5][0-9xX*]{1,3}$`)
)

// expectation reads what must hold of the answers to the deliveries of an event.
func (p *parser) expectation(s *Step, e entry, delivery *yaml.Node) {
	// A chance that is wrong was reported; what it should be is not known.
	if d := s.Delivery; d.Drop && (d.Chance == 1 || valueOf(delivery, "chance") == nil) {
		p.errorf(e.key, "misplaced-key", "`expect` would look at nothing: the delivery is not sent, because of `drop`")
	}
	const what = "`expect` of a step"
	keys, lost, ok := p.mapping(e.value, what, "{status: 2xx}", expectKeys)
	if !ok {
		return
	}
	if len(keys) == 0 && !lost {
		p.errorf(e.value, "missing-key", "%s is empty; give it `status`, `within`, `body` or `header`, or leave it out", what)
	}
	x := &Expectation{Pos: p.at(e.key)}
	s.Expect = x
	if e, ok := keys["status"]; ok {
		x.Status = p.statuses(e.value)
	}
	if e, ok := keys["within"]; ok {
		x.Within = p.lasting(e.value, "`within`", "any time")
	}
	if e, ok := keys["body"]; ok {
		x.Body, _ = p.anything(e.value, "`body`")
		if x.bodiless() {
			p.errorf(e.key, "misplaced-key", "an answer with status %s has no `body`", &Expectation{Status: x.Status})
		}
	}
	if e, ok := keys["header"]; ok {
		x.Headers, _ = p.headers(e.value, "header", "answer", nil)
	}
}

// bodiless reports whether every status that is expected is one of an answer
// that has no body.
func (e *Expectation) bodiless() bool {
	for _, s := range e.Status {
		if s.From != s.To || s.From != 204 && s.From != 304 {
			return false
		}
	}
	return e.Status != nil
}

// runExpectation reads what must hold of a whole performance; nil where that is
// nothing.
func (p *parser) runExpectation(e entry) *RunExpectation {
	const what, keysOf = "`expect` of the story", "`no_failures` or `max_p99`"
	keys, lost, good := p.mapping(e.value, what, "{no_failures: true}", runExpectKeys)
	if !good {
		return nil
	}
	if len(keys) == 0 && !lost {
		p.errorf(e.value, "missing-key", "%s is empty; give it %s, or leave it out", what, keysOf)
		return nil
	}
	x := &RunExpectation{Pos: p.at(e.key)}
	if e, ok := keys["no_failures"]; ok {
		x.NoFailures, good = p.boolean(e.value, "`no_failures`")
	}
	most, bounded := keys["max_p99"]
	if bounded {
		x.MaxP99 = p.lasting(most.value, "`max_p99`", "any time")
	}
	if good && !x.NoFailures && !bounded && !lost {
		p.warnAt(p.at(e.value), "no-effect", "nothing is expected by this `expect`; write `no_failures: true`, give it `max_p99`, or leave it out")
		return nil
	}
	return x
}

// lasting reads a length of real time, above zero; without says what holds where
// it is left out.
func (p *parser) lasting(n *yaml.Node, what, without string) time.Duration {
	d, ok := p.atMost(n, what, MaxWithin)
	if ok && d == 0 {
		p.errorf(n, "bad-duration", "%s is %s, it must be longer than nothing; leave it out for %s", what, code(n.Value), without)
	}
	return d
}

// statuses reads the statuses that an answer may have. Each comes back once, so
// that they are few whatever the file lists.
func (p *parser) statuses(n *yaml.Node) []StatusRange {
	listed := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if listed = n.Content; len(listed) == 0 {
			p.errorf(n, "missing-key", "`status` is an empty list; give it a status such as `204` or `2xx`, or leave it out")
		}
	}
	var statuses []StatusRange
	var known [maxStatus + 1]bool
	for _, child := range listed {
		child = target(child)
		s, ok := p.status(child, n.Kind == yaml.SequenceNode)
		if !ok {
			continue
		}
		news := false
		for i := s.From; i <= s.To; i++ {
			news, known[i] = news || !known[i], true
		}
		if !news {
			p.warnAt(p.at(child), "no-effect", "`%s` is already among what `status` lists before it", s)
			continue
		}
		statuses = append(statuses, s)
	}
	return statuses
}

// status reads one status or class of statuses.
func (p *parser) status(n *yaml.Node, inList bool) (StatusRange, bool) {
	const what = "`status`"
	switch {
	case kindOf(n) == hirempire.Number || n.Kind == yaml.ScalarNode && jsonNumber().MatchString(n.Value):
		i, ok := p.whole(n, what, minStatus, maxStatus)
		return StatusRange{i, i}, ok
	case kindOf(n) != hirempire.String || isDoubtful(n):
		more := ", or a list of these"
		if inList {
			more = ""
		}
		p.errorf(n, "wrong-type", "%s must be a whole number from %d to %d, or a word such as `2xx`%s, %s", what, minStatus, maxStatus, more, found(n))
		return StatusRange{}, false
	}
	for i, class := range statusClasses {
		if n.Value == class {
			from := 100 * (i + minStatus/100)
			return StatusRange{from, from + 99}, true
		}
	}
	if likeAClass().MatchString(n.Value) {
		p.errorf(n, "unknown-value", "%s cannot be %s, did you mean `%cxx`?", what, code(n.Value), n.Value[0])
	} else {
		p.errorf(n, "unknown-value", "%s cannot be %s; write a whole number from %d to %d, or one of %s", what, code(n.Value), minStatus, maxStatus, list(statusClasses))
	}
	return StatusRange{}, false
}
