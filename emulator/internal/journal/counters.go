package journal

import (
	"maps"
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Counters are what happened since the start. Resets and evictions change nothing
// of them.
type Counters struct {
	Emitted    map[hirempire.Event]uint64 // deliveries, by event
	Deliveries map[DeliveryCount]uint64   // that are settled
	Challenges map[Cause]uint64           // "": that passed
	Calls      map[CallCount]uint64
	Attempts   Durations
}

// DeliveryCount is what settled deliveries are counted by.
type DeliveryCount struct {
	Event  hirempire.Event // "": a body of the caller's
	Status Status          // a word
	Cause  Cause
}

// CallCount is what calls of the API are counted by.
type CallCount struct {
	Operation  hirempire.Operation // "": an unknown path or method
	Status     int                 // 0: the connection was ended instead; -1: one that HTTP does not know
	AnsweredBy string
}

// Durations is how long attempts took. Its zero value is none.
type Durations struct {
	Count   uint64
	Seconds float64
	Within  [13]uint64 // at most so many of [DurationBounds]
}

// DurationBounds are those of [Durations], in seconds: from a consumer next door to
// the longest that is waited for by default.
func DurationBounds() [13]float64 {
	return [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}

func (d *Durations) observe(seconds float64) {
	d.Count++
	d.Seconds += seconds
	for i, bound := range DurationBounds() {
		if seconds <= bound {
			d.Within[i]++
		}
	}
}

// maxCounts is of how many kinds there is a count of their own. What is counted has
// far fewer; it bounds what nobody thought of.
const maxCounts = 2000

// bump counts under key or, where there are too many keys, under other.
func bump[K comparable](counts map[K]uint64, key, other K) {
	if _, known := counts[key]; !known && len(counts) >= maxCounts {
		key = other
	}
	counts[key]++
}

func newCounters() Counters {
	return Counters{map[hirempire.Event]uint64{}, map[DeliveryCount]uint64{}, map[Cause]uint64{}, map[CallCount]uint64{}, Durations{}}
}

// counted is what an event is counted as: a caller's body may be of no known one.
func counted(e hirempire.Event) hirempire.Event {
	if !e.Valid() {
		return ""
	}
	return e
}

func (c *Counters) emitted(d *Delivery) { c.Emitted[counted(d.Event)]++ }

func (c *Counters) ended(d *Delivery, status Status) {
	bump(c.Deliveries, DeliveryCount{counted(d.Event), status.Word(), status.Cause()}, DeliveryCount{Status: status.Word(), Cause: "other"})
}

func (c *Counters) challenged(ch *Challenge) {
	cause := ch.Received.Cause
	if !ch.Passed && cause == "" {
		cause = "other"
	}
	bump(c.Challenges, cause, "other")
}

func (c *Counters) called(call *Call) {
	status := call.Status
	if status != 0 && http.StatusText(status) == "" {
		status = -1 // a fault may answer with any
	}
	bump(c.Calls, CallCount{call.Operation, status, call.AnsweredBy}, CallCount{Status: -1, AnsweredBy: "other"})
}

// Counters returns what happened since the start.
func (j *Journal) Counters() Counters {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.counters
	c.Emitted, c.Deliveries, c.Challenges, c.Calls = maps.Clone(c.Emitted), maps.Clone(c.Deliveries), maps.Clone(c.Challenges), maps.Clone(c.Calls)
	return c
}

// Usage is how full a journal is.
type Usage struct {
	Limits          Limits // that are in force
	Entries, Bytes  int    // that are settled
	Evicted         uint64
	Queued, Sending uint64 // deliveries
	Streams         int
	StreamBytes     int    // of what they may resume from
	Gaps            uint64 // that streams were told of
}

// Usage returns how full the journal is.
func (j *Journal) Usage() Usage {
	j.mu.Lock()
	defer j.mu.Unlock()
	u := Usage{Limits: j.limits, Entries: j.deliveries.entries.len + j.calls.entries.len, Bytes: j.deliveries.bytes + j.calls.bytes, Evicted: j.evicted}
	for _, l := range j.logs {
		u.Queued += l.ledger.Queued
		u.Sending += l.ledger.Sending
	}
	j.feed.mu.Lock()
	defer j.feed.mu.Unlock()
	u.Streams, u.StreamBytes, u.Gaps = j.feed.streams, j.feed.bytes, j.feed.gaps
	return u
}
