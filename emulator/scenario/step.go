package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A link is what a member was first said to belong to.
type link struct {
	name string
	line int
}

// step reads one step. It returns one that counts for nothing where the file
// is wrong.
func (p *parser) step(n *yaml.Node) Step {
	s := Step{Pos: p.at(n), Repeat: 1}
	if n.Kind != yaml.MappingNode {
		hint := ""
		if n.Kind == yaml.ScalarNode && hirempire.Event(n.Value).Valid() {
			hint = "; write `event: " + n.Value + "`"
		}
		p.errorf(n, "wrong-type", "a step is a mapping such as `event: job_added` or `wait: 2s`, this is %s%s", describe(n), hint)
		return s
	}
	keys, lost := make(map[string]entry), false
	given := make([]entry, 0, 1) // of stepKinds, in file order
	for _, e := range entries(n) {
		switch {
		case slices.Contains(stepKinds, e.name):
			given = append(given, e)
		case slices.Contains(eventKeys, e.name):
			keys[e.name] = e
		default:
			lost = true
			p.unknownKey(e, "a step", stepKeys)
		}
	}
	if len(given) == 0 {
		// An unknown key is likely to be the one that is missing.
		if !lost {
			p.errorf(n, "missing-key", "a step needs an `event`, a `wait`, a `fault`, an `await` or a `challenge`, here is none of them")
		}
		p.event(&s, entry{}, keys)
		return s
	}
	for _, e := range given {
		p.kind(&s, e, keys)
	}
	switch first := given[0]; {
	case len(given) > 1:
		p.errorf(given[1].key, "two-steps", "a step is one thing, not %s at once; make it %d steps", list(names(given)), len(given))
	case first.name != "event":
		for _, name := range eventKeys {
			if e, ok := keys[name]; ok {
				p.errorf(e.key, "misplaced-key", "%s belongs to an `event`; %s %s stands alone", code(name), article(first.name), code(first.name))
			}
		}
	}
	return s
}

// kind reads what a step does.
func (p *parser) kind(s *Step, e entry, keys map[string]entry) {
	switch e.name {
	case "event":
		p.event(s, e, keys)
	case "wait":
		s.Wait = p.wait(e)
	case "fault":
		f, _ := p.apiFault(e.value)
		s.Fault = &f
	case "await":
		s.Await = p.await(e.value)
	case "challenge":
		s.Challenge = new(ChallengeFault)
		if kindOf(e.value) != "" { // nothing at all is a plain one
			*s.Challenge, _ = p.challenge(e.value)
		}
	}
}

func names(list []entry) []string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.name
	}
	return names
}

func article(name string) string {
	if strings.IndexByte("aeiou", name[0]) >= 0 {
		return "an"
	}
	return "a"
}

func (p *parser) wait(e entry) time.Duration {
	d, ok := p.duration(e.value, "`wait`")
	if ok && d == 0 {
		p.errorf(e.value, "bad-duration", "`wait` is %s, it must be longer than nothing; leave the step out", code(e.value.Value))
	}
	p.takes(e.value, d)
	return d
}

// takes adds to the duration of the story.
func (p *parser) takes(n *yaml.Node, d time.Duration) {
	if p.span > MaxSpan {
		return
	}
	if p.span += d; p.span > MaxSpan {
		p.errorf(n, "total-time", "with this, the story takes longer than the 366 days (8784h) that are possible")
	}
}

// event reads the keys of an event step; the entry is zero where there is no
// `event`.
func (p *parser) event(s *Step, e entry, keys map[string]entry) {
	if e.value != nil {
		if name, ok := p.text(e.value, "`event`"); ok {
			s.Event = p.eventNamed(e.value, name)
		}
	}
	p.fixture(s, keys)
	p.about(s, keys)
	var done map[string]*setting
	if set, ok := keys["set"]; ok && s.Event != "" {
		done = p.settings(s, set.value)
	}
	if delivery, ok := keys["delivery"]; ok {
		p.delivery(s, delivery.value, done)
	}
	if expect, ok := keys["expect"]; ok {
		p.expectation(s, expect, keys["delivery"].value)
	}
	p.repetition(s, e, keys)
}

// eventNamed returns an event type, empty after reporting that it is none; others
// are further words that would have been fine.
func (p *parser) eventNamed(n *yaml.Node, name string, others ...string) hirempire.Event {
	if e := hirempire.Event(name); e.Valid() {
		return e
	}
	p.errorf(n, "unknown-event", "unknown event %s%s", code(name), p.didYouMean(name, append(words(hirempire.Events()), others...)))
	return ""
}

// about reads which members the event is about.
func (p *parser) about(s *Step, keys map[string]entry) {
	for _, m := range []struct {
		key  string
		name *string
	}{{"company", &s.Company}, {"job", &s.Job}, {"applicant", &s.Applicant}, {"meeting", &s.Meeting}} {
		e, ok := keys[m.key]
		if !ok {
			continue
		}
		_, fixed := keys["fixture"]
		switch {
		case fixed: // reported for that
		case m.key == "meeting" && s.Event != "" && s.Event != hirempire.MeetingBooked:
			p.errorf(e.key, "misplaced-key", "`meeting` belongs to `meeting_booked`; the payload of `%s` has no meeting", s.Event)
		case m.key == "applicant" && s.Event != "" && !s.Event.AboutApplicant():
			p.errorf(e.key, "misplaced-key", "`applicant` belongs to `applicant_applied`, `cv_upload_completed` and `meeting_booked`; the payload of `%s` has no applicant", s.Event)
		}
		name, ok := p.text(e.value, code(m.key))
		if !ok {
			continue
		}
		*m.name = name
		p.named(e.value, m.key)
	}
	p.linked(keys, "job", s.Job, "company", s.Company, func(r *role) string { return r.Company })
	p.linked(keys, "meeting", s.Meeting, "job", s.Job, func(r *role) string { return r.Job })
	p.linked(keys, "meeting", s.Meeting, "applicant", s.Applicant, func(r *role) string { return r.Applicant })
}

// linked checks that a member belongs to the same other member all through the
// story.
func (p *parser) linked(keys map[string]entry, kind, name, toKind, to string, pinned func(*role) string) {
	if name == "" || to == "" {
		return
	}
	n := keys[toKind].value
	if r := p.roles[kind][name]; r != nil && pinned(r) != "" {
		if pinned(r) != to {
			p.errorf(n, "conflicting-link", "%s %s belongs to %s %s by `cast`, not to %s", kind, code(name), toKind, code(pinned(r)), code(to))
		}
		return
	}
	if p.links == nil {
		p.links = make(map[string]link)
	}
	id := kind + " " + name + " " + toKind
	first, ok := p.links[id]
	if !ok {
		p.links[id] = link{to, n.Line}
		return
	}
	if first.name != to {
		p.errorf(n, "conflicting-link", "%s %s belongs to %s %s since line %d, not to %s", kind, code(name), toKind, code(first.name), first.line, code(to))
	}
}

// repetition reads repeat, every and jitter, and adds to the totals.
func (p *parser) repetition(s *Step, event entry, keys map[string]entry) {
	repeat, hasRepeat := keys["repeat"]
	every, hasEvery := keys["every"]
	jitter, hasJitter := keys["jitter"]
	crossing, everyOK := event.value, false
	if hasRepeat {
		crossing = repeat.value
		s.Repeat = p.repeat(repeat.value)
	}
	if hasEvery {
		s.Every, everyOK = p.duration(every.value, "`every`")
		if !hasRepeat {
			p.errorf(every.key, "missing-key", "`every` needs `repeat`, which says how often")
		}
	}
	if hasJitter {
		d, ok := p.duration(jitter.value, "`jitter`")
		switch {
		case !hasEvery:
			p.errorf(jitter.key, "missing-key", "`jitter` needs `every`, of which it is at most as long")
		case ok && everyOK && d > s.Every:
			p.errorf(jitter.value, "bad-duration", "`jitter` is %s, longer than the %s of `every`", code(jitter.value.Value), code(every.value.Value))
		default:
			s.Jitter = d
		}
	}
	if crossing == nil || s.Event == "" && event.value == nil {
		return
	}
	if p.deliveries <= MaxDeliveries {
		if p.deliveries+s.Repeat <= MaxDeliveries && s.Delivery.Duplicates > 0 {
			crossing = valueOf(keys["delivery"].value, "duplicates")
		}
		if p.deliveries += s.Repeat * (1 + s.Delivery.Duplicates); p.deliveries > MaxDeliveries {
			p.errorf(crossing, "total-deliveries", "with this, the story has more than the %s deliveries that are possible", grouped(MaxDeliveries))
			s.Repeat, s.Delivery.Duplicates = 1, 0
		}
	}
	if hasEvery && s.Every > 0 {
		// Jitter delays the last iteration by at most itself.
		if gaps := time.Duration(s.Repeat - 1); gaps > MaxSpan/s.Every {
			p.takes(every.value, MaxSpan+1)
		} else {
			p.takes(every.value, gaps*s.Every+s.Jitter)
		}
	}
}

// valueOf returns the value of a key of a mapping.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	for _, e := range entries(n) {
		if e.name == name {
			return e.value
		}
	}
	return nil
}

// repeat returns how often, more than MaxDeliveries where that is too often.
func (p *parser) repeat(n *yaml.Node) int {
	text, ok := p.number(n, "`repeat`", "a whole number such as 5")
	if !ok {
		return 1
	}
	if strings.ContainsAny(text, ".eE") || strings.HasPrefix(text, "-") || text == "0" {
		p.errorf(n, "bad-repeat", "`repeat` is %s, it must be a whole number from 1 to %s", code(text), grouped(MaxDeliveries))
		return 1
	}
	repeat, err := strconv.Atoi(text)
	if err != nil || repeat > MaxDeliveries {
		return MaxDeliveries + 1
	}
	return repeat
}

// fixture reads the path of a file that is the payload.
func (p *parser) fixture(s *Step, keys map[string]entry) {
	e, ok := keys["fixture"]
	if !ok {
		return
	}
	for _, name := range []string{"company", "job", "applicant", "meeting", "set"} {
		if other, ok := keys[name]; ok {
			p.errorf(other.key, "misplaced-key", "%s would change nothing: the payload is exactly the bytes of the `fixture`", code(name))
		}
	}
	file, ok := p.text(e.value, "`fixture`")
	if !ok {
		return
	}
	if reason := notLocal(file); reason != "" {
		p.errorf(e.value, "bad-path", "`fixture` is %s, %s; write a path below the fixtures with slashes, such as `payloads/job_added.json`", code(file), reason)
		return
	}
	s.Fixture, s.FixturePos = file, p.at(e.value)
}

var aDrive = pattern(`^.:`)

// notLocal says why a path is not one below the directory of fixtures, "" if it
// is.
func notLocal(file string) string {
	switch {
	case file == "":
		return "which names no file"
	case utf8.RuneCountInString(file) > 512:
		return "which is longer than 512 characters"
	case strings.Contains(file, `\`):
		return "which has a backslash"
	case strings.HasPrefix(file, "/"), aDrive().MatchString(file):
		return "which is not relative"
	case strings.HasSuffix(file, "/"):
		return "which is a directory"
	}
	for part := range strings.SplitSeq(file, "/") {
		switch part {
		case "..":
			return "which leaves the directory by `..`"
		case "":
			return "which has two slashes in a row"
		case ".":
			return "which has the part `.`"
		}
		if strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "which has a control character"
		}
	}
	return ""
}
