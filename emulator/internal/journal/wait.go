package journal

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// ErrReset ends a wait whose workspace was reset.
var ErrReset = errors.New("the workspace was reset")

// wait counts deliveries as they are settled, so that it does not miss one that
// is evicted at once.
type wait struct {
	filter Filter
	since  uint64          // only those emitted after this position
	ids    map[string]bool // if not nil, only these
	count  int
	want   int
	err    error
	ended  bool
	done   chan struct{}
}

func (w *wait) settled(e *entry) {
	if w.ids != nil && !w.ids[e.delivery.ID] || e.seq <= w.since || !w.filter.match(e.delivery) {
		return
	}
	w.count++
	if w.count >= w.want {
		w.end(nil)
	}
}

func (w *wait) end(err error) {
	if !w.ended {
		w.ended, w.err = true, err
		close(w.done)
	}
}

// Await returns once at least want settled deliveries match, counted from the
// last reset or, if since is not zero, among those after that position. It
// returns their number and, if that was not reached, the cause of the context's
// end or [ErrReset].
func (j *Journal) Await(ctx context.Context, f Filter, since uint64, want int) (int, error) {
	w := &wait{filter: f, since: since, want: want, done: make(chan struct{})}
	j.mu.Lock()
	for _, e := range j.deliveries(f, since) {
		if e.delivery.Status.Finished() {
			w.count++
		}
	}
	if since == 0 {
		w.count += j.tallied(f)
	}
	return j.await(ctx, w)
}

// AwaitIDs returns once each of the deliveries is settled or forgotten.
func (j *Journal) AwaitIDs(ctx context.Context, workspace string, ids []string) error {
	w := &wait{filter: Filter{Workspace: workspace}, ids: map[string]bool{}, done: make(chan struct{})}
	j.mu.Lock()
	for _, id := range ids {
		if _, e := j.open(workspace, id); e != nil {
			w.ids[id] = true
		}
	}
	w.want = len(w.ids)
	_, err := j.await(ctx, w)
	return err
}

// await is called with the lock held and releases it.
func (j *Journal) await(ctx context.Context, w *wait) (int, error) {
	if w.count >= w.want {
		j.mu.Unlock()
		return w.count, nil
	}
	j.waits[w] = struct{}{}
	j.mu.Unlock()
	var err error
	select {
	case <-w.done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.waits, w)
	if w.ended {
		err = w.err
	}
	return w.count, err
}

// tallied returns how many matching deliveries were evicted since the last reset.
func (j *Journal) tallied(f Filter) int {
	n := 0
	for id, l := range j.logs {
		if f.Workspace != "" && f.Workspace != id {
			continue
		}
		for key, count := range l.tally {
			if f.match(&Delivery{Workspace: id, Event: key.event, Webhook: key.webhook, Run: key.run, Status: key.status}) {
				n += count
			}
		}
	}
	return n
}

// A Miss is a delivery that a wait did not count, and why.
type Miss struct {
	Delivery Delivery `json:"delivery"`
	Why      string   `json:"why"`
}

// NearestMisses returns at most limit deliveries that came closest to the filter
// without being counted, the closest and newest first.
func (j *Journal) NearestMisses(f Filter, since uint64, limit int) []Miss {
	j.mu.Lock()
	defer j.mu.Unlock()
	type candidate struct {
		e   *entry
		off []string
	}
	var candidates []candidate
	for e := range j.all(f.Workspace) {
		if e.delivery == nil {
			continue
		}
		off := f.mismatches(e.delivery)
		if !e.delivery.Status.Finished() && !slices.Contains(off, "status") {
			off = append(off, "not settled yet")
		}
		if e.seq <= since {
			off = append(off, "before since")
		}
		if len(off) > 0 {
			candidates = append(candidates, candidate{e, off})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(len(a.off), len(b.off)), cmp.Compare(b.e.seq, a.e.seq))
	})
	var misses []Miss
	for _, c := range candidates[:min(limit, len(candidates))] {
		misses = append(misses, Miss{c.e.delivery.snapshot(), strings.Join(c.off, ", ")})
	}
	return misses
}
