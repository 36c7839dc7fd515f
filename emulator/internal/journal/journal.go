// Package journal is the bounded record of what happened: calls of the API,
// challenges, deliveries and their attempts, and of what is still going on.
//
// Work in progress is never evicted; counters and waits survive eviction.
// Nothing in here acts: other rooms report what they did.
package journal

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"sync"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// Limits bound the journal. Zero means the default. The oldest settled entries
// make room.
type Limits struct {
	Entries int // of one workspace; default 1,000
	Bytes   int // of one workspace, about; default 8 MiB
	Total   int // bytes of all workspaces, about; default 64 MiB
	Streams int // that are followed at once; default 256
	Resume  int // bytes of what streams may resume from, about; default 16 MiB
}

// Journal is safe for concurrent use; make it with [New].
type Journal struct {
	limits Limits
	file   *File

	mu      sync.Mutex
	seq     uint64
	settled *list.List // of *entry, oldest first: what may be evicted
	bytes   int        // of the settled entries
	logs    map[string]*log
	waits   map[*wait]struct{}
	evicted uint64
	// What was exercised, by workspace and, under "", by all. It survives resets, or a
	// suite that resets after each test would never know.
	exercised map[string]report.Exercised
	counters  Counters
	feed      feed
}

// log is what one workspace did; calls without a workspace are under "".
type log struct {
	open    map[string]*entry // deliveries that are not settled, by id
	settled *list.List        // of *entry, oldest first
	bytes   int
	ledger  report.Ledger
	tally   map[trait]int // deliveries and calls that were evicted
	latest  map[string]Challenge
}

// entry holds exactly one of its pointers.
type entry struct {
	seq       uint64
	workspace string
	cost      int
	call      *Call
	challenge *Challenge
	delivery  *Delivery
	inAll     *list.Element
	inLog     *list.Element
}

// settled reports whether nothing more happens to the entry.
func (e *entry) settled() bool { return e.delivery == nil || e.delivery.Status.Finished() }

// New returns an empty journal.
func New(limits Limits) *Journal {
	limits.Entries = cmp.Or(limits.Entries, 1000)
	limits.Bytes = cmp.Or(limits.Bytes, 8<<20)
	limits.Total = cmp.Or(limits.Total, 64<<20)
	limits.Streams = cmp.Or(limits.Streams, 256)
	limits.Resume = cmp.Or(limits.Resume, 16<<20)
	return &Journal{limits: limits, settled: list.New(), logs: map[string]*log{}, waits: map[*wait]struct{}{}, exercised: map[string]report.Exercised{},
		counters: newCounters(), feed: feed{limit: limits.Resume, most: limits.Streams}}
}

// Mirror makes the journal write what is settled from now on to a file too.
func (j *Journal) Mirror(f *File) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.file = f
}

func (j *Journal) log(workspace string) *log {
	l, ok := j.logs[workspace]
	if !ok {
		l = &log{open: map[string]*entry{}, settled: list.New(), tally: map[trait]int{}, latest: map[string]Challenge{}}
		j.logs[workspace] = l
	}
	return l
}

// open returns a delivery that is not settled, and its log; nil where a reset
// forgot it. What comes late makes no log.
func (j *Journal) open(workspace, id string) (*log, *entry) {
	l, ok := j.logs[workspace]
	if !ok {
		return nil, nil
	}
	return l, l.open[id]
}

// Called records a call of the API.
func (j *Journal) Called(c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counters.called(&c)
	seq := j.publish(OfRequest, c.Workspace, "", c.cost(), c)
	j.settle(&entry{seq: seq, workspace: c.Workspace, cost: c.cost(), call: &c})
}

// Challenged records a challenge that has ended.
func (j *Journal) Challenged(c Challenge) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.log(c.Workspace).latest[c.RequestURL] = c
	j.counters.challenged(&c)
	seq := j.publish(OfChallenge, c.Workspace, "", c.cost(), c)
	j.settle(&entry{seq: seq, workspace: c.Workspace, cost: c.cost(), challenge: &c})
}

// Emitted records a delivery as queued.
func (j *Journal) Emitted(d Delivery) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d.Status = Queued
	l := j.log(d.Workspace)
	j.counters.emitted(&d)
	l.open[d.ID] = &entry{seq: j.changed(&d), workspace: d.Workspace, delivery: &d}
	l.ledger.Emitted++
	l.ledger.Queued++
}

// Sending records that a delivery has left its queue.
func (j *Journal) Sending(workspace, id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l, e := j.open(workspace, id); e != nil && e.delivery.Status == Queued {
		e.delivery.Status = Sending
		l.ledger.Queued--
		l.ledger.Sending++
		j.changed(e.delivery)
	}
}

// Attempted records an attempt of a delivery that is being sent.
func (j *Journal) Attempted(workspace, id string, a Attempt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, e := j.open(workspace, id); e != nil {
		e.delivery.Attempts = append(e.delivery.Attempts, a)
		j.counters.Attempts.observe(a.Took.Seconds())
		j.changed(e.delivery)
	}
}

// Finished settles a delivery and returns it as it ended, and whether it was
// open: it is not after a reset.
func (j *Journal) Finished(workspace, id string, status Status, detail string) (Delivery, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l, e := j.open(workspace, id)
	if e == nil {
		return Delivery{}, false
	}
	delete(l.open, id)
	d := e.delivery
	if d.Status == Sending {
		l.ledger.Sending--
	} else {
		l.ledger.Queued--
	}
	switch status.Word() {
	case Delivered:
		l.ledger.Delivered++
	case Failed:
		l.ledger.Failed++
	default:
		l.ledger.Dropped++
	}
	d.Status, d.Detail = status, detail
	e.cost = d.cost()
	j.counters.ended(d, status)
	j.changed(d)
	j.settle(e)
	return d.snapshot(), true
}

// settle makes an entry one of those that may be evicted, and evicts what is
// over a bound.
func (j *Journal) settle(e *entry) {
	for w := range j.waits {
		w.see(e)
	}
	j.exercise(e)
	if j.file != nil {
		j.file.append(e)
	}
	l := j.log(e.workspace)
	e.inAll, e.inLog = j.settled.PushBack(e), l.settled.PushBack(e)
	j.bytes += e.cost
	l.bytes += e.cost
	for l.settled.Len() > 1 && (l.settled.Len() > j.limits.Entries || l.bytes > j.limits.Bytes) {
		j.evict(l.settled.Front().Value.(*entry))
	}
	for j.settled.Len() > 1 && j.bytes > j.limits.Total {
		j.evict(j.settled.Front().Value.(*entry))
	}
}

func (j *Journal) evict(e *entry) {
	l := j.log(e.workspace)
	j.evicted++
	j.bytes -= e.cost
	l.bytes -= e.cost
	j.settled.Remove(e.inAll)
	l.settled.Remove(e.inLog)
	if e.challenge == nil {
		l.count(e.trait())
	} else {
		if c := l.latest[e.challenge.RequestURL]; c.ID == e.challenge.ID {
			delete(l.latest, c.RequestURL)
		}
	}
	if l.settled.Len() == 0 && len(l.open) == 0 && l.ledger.Emitted == 0 && len(j.logs) > maxLogs {
		delete(j.logs, e.workspace) // or a flood of tokens would leave a tally each
	}
}

// maxLogs is of how many workspaces that only made calls the tally is kept.
const maxLogs = 10_000

// maxTraits is how many kinds of evicted entries a workspace keeps count of.
const maxTraits = 10_000

// count adds an evicted entry to the tally. When runs make that grow too large,
// it forgets which run each was of.
func (l *log) count(t trait) {
	if len(l.tally) >= maxTraits {
		merged := map[trait]int{}
		for t, n := range l.tally {
			t.run = ""
			merged[t] += n
		}
		l.tally = merged
	}
	l.tally[t]++
}

// Position returns where the journal is: what begins from now on comes after it.
func (j *Journal) Position() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq
}

// Ledger returns the accounting of a workspace since its last reset.
func (j *Journal) Ledger(workspace string) report.Ledger {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l, ok := j.logs[workspace]; ok {
		return l.ledger
	}
	return report.Ledger{}
}

// LastChallenge returns the newest challenge of a URL in a workspace.
func (j *Journal) LastChallenge(workspace, requestURL string) (Challenge, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l, ok := j.logs[workspace]
	if !ok {
		return Challenge{}, false
	}
	c, ok := l.latest[requestURL]
	return c, ok
}

// Evicted returns how many entries made room for others.
func (j *Journal) Evicted() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.evicted
}

// Delivery returns the delivery of that id, and whether the journal has it.
func (j *Journal) Delivery(id string) (Delivery, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for e := range j.all("") {
		if e.delivery != nil && e.delivery.ID == id {
			return e.delivery.snapshot(), true
		}
	}
	return Delivery{}, false
}

func (d *Delivery) snapshot() Delivery {
	out := *d
	out.Body, out.Attempts = slices.Clone(d.Body), slices.Clone(d.Attempts)
	return out
}

// Challenges returns the challenges of a workspace that the journal still has.
func (j *Journal) Challenges(workspace string) []Challenge {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []Challenge
	for el := j.settled.Front(); el != nil; el = el.Next() {
		if e := el.Value.(*entry); e.challenge != nil && e.workspace == workspace {
			found = append(found, *e.challenge)
		}
	}
	return found
}

// Reset forgets a workspace and ends the waits that look at it alone.
func (j *Journal) Reset(workspace string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l, ok := j.logs[workspace]; ok {
		for el := l.settled.Front(); el != nil; el = el.Next() {
			e := el.Value.(*entry)
			j.settled.Remove(e.inAll)
			j.bytes -= e.cost
		}
		j.forget(l)
		delete(j.logs, workspace)
	}
	j.publish(OfReset, workspace, "", 0, Reset{workspace})
	for w := range j.waits {
		if w.workspace == workspace {
			w.end(ErrReset)
		}
	}
}

// ResetAll forgets everything and ends all waits.
func (j *Journal) ResetAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.settled.Init()
	j.bytes = 0
	for _, l := range j.logs {
		j.forget(l)
	}
	clear(j.logs)
	j.publish(OfReset, "", "", 0, Reset{})
	for w := range j.waits {
		w.end(ErrReset)
	}
}

// forget counts what a reset finds open: nobody tells how it ended.
func (j *Journal) forget(l *log) {
	for _, e := range l.open {
		j.counters.ended(e.delivery, Dropped.With(ByReset))
	}
}

// exercise counts what an entry exercised.
func (j *Journal) exercise(e *entry) {
	var items []report.Item
	switch {
	case e.call != nil && e.call.Error != "":
		items = []report.Item{{Kind: report.ErrorItem, Name: string(e.call.Operation) + " " + e.call.Error}}
	case e.delivery != nil:
		if len(e.delivery.Attempts) > 0 && e.delivery.Event.Valid() {
			items = append(items, report.Item{Kind: report.EventItem, Name: string(e.delivery.Event)})
		}
		for _, f := range e.delivery.Faults {
			items = append(items, report.Item{Kind: report.FaultItem, Name: f.Kind})
		}
	}
	workspaces := []string{""}
	if e.workspace != "" {
		workspaces = append(workspaces, e.workspace)
	}
	for _, item := range items {
		for _, id := range workspaces {
			if j.exercised[id] == nil && len(j.exercised) <= maxLogs {
				j.exercised[id] = report.Exercised{}
			}
			if of := j.exercised[id]; of != nil { // not of a workspace too many
				of[item]++
			}
		}
	}
}

// Exercised returns what was exercised in a workspace, or in all if it is empty,
// since the start or [Journal.ForgetExercised]; a reset changes nothing of that.
func (j *Journal) Exercised(workspace string) report.Exercised {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.exercised[workspace])
}

// ForgetExercised begins to count anew for a workspace, or for all and in all if it
// is empty.
func (j *Journal) ForgetExercised(workspace string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if workspace == "" {
		clear(j.exercised)
	}
	delete(j.exercised, workspace)
}
