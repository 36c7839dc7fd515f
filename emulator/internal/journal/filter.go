package journal

import (
	"cmp"
	"math"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A trait is what entries are selected by. It is all that is kept of one that
// was evicted.
type trait struct {
	// Of a delivery.
	event   hirempire.Event
	webhook string
	run     string
	status  Status
	// Of a call.
	operation  hirempire.Operation
	answered   int
	answeredBy string // never empty, which tells a call from a delivery
}

func (e *entry) trait() trait {
	switch {
	case e.delivery != nil:
		d := e.delivery
		return trait{event: d.Event, webhook: d.Webhook, run: d.Run, status: d.Status}
	case e.call != nil:
		c := e.call
		return trait{operation: c.Operation, answered: c.Status, answeredBy: c.AnsweredBy}
	default:
		return trait{}
	}
}

// A selector selects entries of one kind: [Filter] deliveries, [CallFilter] calls.
type selector interface {
	// in returns the workspace, "" for all.
	in() string
	// mismatches names the fields in which the trait differs, most telling first;
	// ok is false if it is one of another kind.
	mismatches(trait) (off []string, ok bool)
}

func matches(s selector, t trait) bool {
	off, ok := s.mismatches(t)
	return ok && len(off) == 0
}

// A Filter selects deliveries. Empty fields match everything.
type Filter struct {
	Workspace string
	Event     hirempire.Event
	Webhook   string
	Run       string
	// Status is a status word, or one with its cause.
	Status Status
}

func (f Filter) in() string { return f.Workspace }

func (f Filter) mismatches(t trait) (off []string, ok bool) {
	return differing(
		differs{"event", f.Event != "" && f.Event != t.event},
		differs{"webhook", f.Webhook != "" && f.Webhook != t.webhook},
		differs{"run", f.Run != "" && f.Run != t.run},
		differs{"status", f.Status != "" && f.Status != t.status && f.Status != t.status.Word()},
	), t.status != ""
}

// A CallFilter selects calls of the API. Zero fields match everything.
type CallFilter struct {
	Workspace string
	Operation hirempire.Operation
	Status    int // of the answer
	// AnsweredBy is the code of an error row, or success.
	AnsweredBy string
}

func (f CallFilter) in() string { return f.Workspace }

func (f CallFilter) mismatches(t trait) (off []string, ok bool) {
	return differing(
		differs{"operation", f.Operation != "" && f.Operation != t.operation},
		differs{"status", f.Status != 0 && f.Status != t.answered},
		differs{"answered_by", f.AnsweredBy != "" && f.AnsweredBy != t.answeredBy},
	), t.answeredBy != ""
}

// differing returns the names of the fields that differ.
func differing(fields ...differs) []string {
	var names []string
	for _, f := range fields {
		if f.differs {
			names = append(names, f.name)
		}
	}
	return names
}

type differs struct {
	name    string
	differs bool
}

// Deliveries returns the matching deliveries after the position since, in order
// of emission, at most limit, and the position after the last one.
func (j *Journal) Deliveries(f Filter, since uint64, limit int) (found []Delivery, next uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next = since
	for _, e := range j.selected(f, since, limit) {
		found, next = append(found, e.delivery.Copy()), e.seq
	}
	return found, next
}

// Settled is what [Journal.Deliveries] is, for those whose outcome is settled. The
// position never passes one that matches and is not: it is found there later.
func (j *Journal) Settled(f Filter, since uint64, limit int) (found []Delivery, next uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next = since
	passed := true // every match so far was settled and found
	for _, e := range j.selected(f, since, math.MaxInt) {
		if !e.settled() || len(found) >= limit {
			passed = false
			continue
		}
		found = append(found, e.delivery.Copy())
		if passed {
			next = e.seq
		}
	}
	return found, next
}

// Calls returns the matching calls of the API after the position since, in
// order, at most limit, and the position after the last one.
func (j *Journal) Calls(f CallFilter, since uint64, limit int) (found []Call, next uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next = since
	for _, e := range j.selected(f, since, limit) {
		found, next = append(found, *e.call), e.seq
	}
	return found, next
}

// selected returns the matching entries in the order in which they began.
func (j *Journal) selected(s selector, since uint64, limit int) []*entry {
	var entries []*entry
	for e := range j.all(s.in()) {
		if e.seq > since && matches(s, e.trait()) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	return entries[:min(limit, len(entries))]
}

// all yields the entries of a workspace, or of all, in no order.
func (j *Journal) all(workspace string) func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		for id, l := range j.logs {
			if workspace != "" && workspace != id {
				continue
			}
			for _, e := range l.open {
				if !yield(e) {
					return
				}
			}
			for e := range l.settled.all {
				if !yield(e) {
					return
				}
			}
		}
	}
}
