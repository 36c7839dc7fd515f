// Package journal is the bounded record of what happened: calls of the API,
// challenges, deliveries and their attempts, and of what is still going on.
//
// Work in progress is never evicted; counters and waits survive eviction.
// Nothing in here acts: other rooms report what they did.
package journal

import (
	"cmp"
	"slices"
	"sync"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// Limits bound the journal. Zero means the default. The oldest settled entries
// make room.
type Limits struct {
	Entries int // of one workspace; default 1,000
	Bytes   int // of one workspace, about; default 8 MiB
	Total   int // bytes of the deliveries of all workspaces, about; default 64 MiB
	Calls   int // bytes of the calls and challenges of all workspaces, about; default 512 KiB
	Streams int // that are followed at once; default 256
	Resume  int // bytes of what streams may resume from, about; default 16 MiB, 256 KiB before the first
}

// Journal is safe for concurrent use; make it with [New].
type Journal struct {
	limits Limits
	file   *File

	mu  sync.Mutex
	seq uint64
	// What may be evicted. Calls and challenges are kept apart: a flood of them, which
	// any client can make, takes no room from what was delivered.
	deliveries, calls shelf
	logs              map[string]*log
	waits             map[*wait]struct{}
	evicted           uint64
	// What was exercised, by workspace and, under "", by all. It survives resets, or a
	// suite that resets after each test would never know.
	exercised map[string]*tally[report.Item]
	counters  Counters
	feed      feed
}

// A shelf holds settled entries of all workspaces.
type shelf struct {
	entries list
	bytes   int
	limit   int
}

// shelf returns where the entry is kept.
func (j *Journal) shelf(e *entry) *shelf {
	if e.delivery != nil {
		return &j.deliveries
	}
	return &j.calls
}

// log is what one workspace did; calls without a workspace are under "".
type log struct {
	open    map[string]*entry // deliveries that are not settled, by id
	settled list
	bytes   int
	ledger  report.Ledger
	tally   tally[trait] // deliveries and calls that were evicted
	latest  map[string]*Challenge
}

// entry holds exactly one of its pointers. What they point to is never changed: a
// delivery of which there is news is another one, so that streams may have this one.
type entry struct {
	seq       uint64
	workspace string
	cost      int
	call      *Call
	challenge *Challenge
	delivery  *Delivery
	links     [2]links
}

// settled reports whether nothing more happens to the entry.
func (e *entry) settled() bool { return e.delivery == nil || e.delivery.Status.Finished() }

// New returns an empty journal.
func New(limits Limits) *Journal {
	limits.Entries = cmp.Or(limits.Entries, 1000)
	limits.Bytes = cmp.Or(limits.Bytes, 8<<20)
	limits.Total = cmp.Or(limits.Total, 64<<20)
	limits.Calls = cmp.Or(limits.Calls, 512<<10)
	limits.Streams = cmp.Or(limits.Streams, 256)
	limits.Resume = cmp.Or(limits.Resume, 16<<20)
	return &Journal{limits: limits, deliveries: shelf{limit: limits.Total}, calls: shelf{limit: limits.Calls}, logs: map[string]*log{}, waits: map[*wait]struct{}{}, exercised: map[string]*tally[report.Item]{},
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
		l = &log{settled: list{which: ofLog}} // its maps are made when they are needed: there may be thousands of it
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
	cost := c.cost()
	seq := j.publish(OfRequest, c.Workspace, "", cost, &c)
	j.settle(&entry{seq: seq, workspace: c.Workspace, cost: cost, call: &c})
}

// Challenged records a challenge that has ended.
func (j *Journal) Challenged(c Challenge) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.log(c.Workspace)
	if l.latest == nil {
		l.latest = map[string]*Challenge{}
	}
	l.latest[c.RequestURL] = &c
	j.counters.challenged(&c)
	cost := c.cost()
	seq := j.publish(OfChallenge, c.Workspace, "", cost, &c)
	j.settle(&entry{seq: seq, workspace: c.Workspace, cost: cost, challenge: &c})
}

// Emitted records a delivery as queued, and returns what it knows of it, which
// nobody changes.
func (j *Journal) Emitted(d Delivery) *Delivery {
	j.mu.Lock()
	defer j.mu.Unlock()
	d.Status, d.cost = Queued, d.size()
	l := j.log(d.Workspace)
	j.counters.emitted(&d)
	if l.open == nil {
		l.open = map[string]*entry{}
	}
	l.open[d.ID] = &entry{seq: j.changed(&d), workspace: d.Workspace, delivery: &d}
	l.ledger.Emitted++
	l.ledger.Queued++
	return &d
}

// Sending records that a delivery has left its queue.
func (j *Journal) Sending(workspace, id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l, e := j.open(workspace, id); e != nil && e.delivery.Status == Queued {
		d := *e.delivery
		d.Status = Sending
		e.delivery = &d
		l.ledger.Queued--
		l.ledger.Sending++
		j.changed(&d)
	}
}

// Attempted records an attempt of a delivery that is not the last.
func (j *Journal) Attempted(workspace, id string, a Attempt) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, e := j.open(workspace, id); e != nil {
		d := *e.delivery
		j.attempt(&d, a)
		e.delivery = &d
		j.changed(&d)
	}
}

func (j *Journal) attempt(d *Delivery, a Attempt) {
	d.Attempts = append(slices.Clip(d.Attempts), a)
	d.cost += a.size()
	j.counters.Attempts.observe(a.Took.Seconds())
}

// Finished settles a delivery, with attempts that were not recorded yet, and
// returns it as it ended, and whether it was open: it is not after a reset. Its
// body and attempts are the journal's own.
func (j *Journal) Finished(workspace, id string, status Status, detail string, last ...Attempt) (Delivery, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l, e := j.open(workspace, id)
	if e == nil {
		return Delivery{}, false
	}
	delete(l.open, id)
	d := *e.delivery
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
	for _, a := range last {
		j.attempt(&d, a)
	}
	d.Status, d.Detail = status, detail
	d.cost += len(detail)
	e.delivery, e.cost = &d, d.cost
	j.counters.ended(&d, status)
	j.changed(&d)
	j.settle(e)
	return d, true
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
	l, all := j.log(e.workspace), j.shelf(e)
	all.entries.push(e)
	l.settled.push(e)
	all.bytes += e.cost
	l.bytes += e.cost
	for l.settled.len > 1 && (l.settled.len > j.limits.Entries || l.bytes > j.limits.Bytes) {
		j.evict(l.settled.first)
	}
	for all.entries.len > 1 && all.bytes > all.limit {
		j.evict(all.entries.first)
	}
}

func (j *Journal) evict(e *entry) {
	l, all := j.log(e.workspace), j.shelf(e)
	j.evicted++
	all.bytes -= e.cost
	l.bytes -= e.cost
	all.entries.remove(e)
	l.settled.remove(e)
	if e.challenge == nil {
		l.count(e.trait())
	} else {
		if url := e.challenge.RequestURL; l.latest[url] == e.challenge {
			delete(l.latest, url)
		}
	}
	if l.settled.len == 0 && len(l.open) == 0 && l.ledger.Emitted == 0 && len(j.logs) > maxLogs {
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
	if l.tally.len() >= maxTraits {
		var merged tally[trait]
		for t, n := range l.tally.all() {
			t.run = ""
			merged.add(t, n)
		}
		l.tally = merged
	}
	l.tally.add(t, 1)
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
	if l, ok := j.logs[workspace]; ok && l.latest[requestURL] != nil {
		return *l.latest[requestURL], true
	}
	return Challenge{}, false
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
			return e.delivery.Copy(), true
		}
	}
	return Delivery{}, false
}

// Challenges returns the challenges of a workspace that the journal still has.
func (j *Journal) Challenges(workspace string) []Challenge {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []Challenge
	for e := range j.calls.entries.all {
		if e.challenge != nil && e.workspace == workspace {
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
		for e := range l.settled.all {
			all := j.shelf(e)
			all.entries.remove(e)
			all.bytes -= e.cost
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
	for _, all := range []*shelf{&j.deliveries, &j.calls} {
		all.entries, all.bytes = list{}, 0
	}
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
	count := func(kind report.Kind, name string) {
		j.exerciseIn("", report.Item{Kind: kind, Name: name})
		if e.workspace != "" {
			j.exerciseIn(e.workspace, report.Item{Kind: kind, Name: name})
		}
	}
	switch {
	case e.call != nil && e.call.Error != "":
		count(report.ErrorItem, string(e.call.Operation)+" "+e.call.Error)
	case e.delivery != nil:
		if len(e.delivery.Attempts) > 0 && e.delivery.Event.Valid() {
			count(report.EventItem, string(e.delivery.Event))
		}
		for _, f := range e.delivery.Faults {
			count(report.FaultItem, f.Kind)
		}
	}
}

func (j *Journal) exerciseIn(workspace string, item report.Item) {
	of := j.exercised[workspace]
	if of == nil {
		if len(j.exercised) > maxLogs {
			return // a workspace too many
		}
		of = new(tally[report.Item])
		j.exercised[workspace] = of
	}
	of.add(item, 1)
}

// Exercised returns what was exercised in a workspace, or in all if it is empty,
// since the start or [Journal.ForgetExercised]; a reset changes nothing of that.
func (j *Journal) Exercised(workspace string) report.Exercised {
	j.mu.Lock()
	defer j.mu.Unlock()
	of := j.exercised[workspace]
	if of == nil {
		return nil
	}
	all := make(report.Exercised, of.len())
	for item, n := range of.all() {
		all[item] = uint64(n)
	}
	return all
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
