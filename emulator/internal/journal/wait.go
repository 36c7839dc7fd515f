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

// wait counts entries as they are settled, so that it does not miss one that is
// evicted at once.
type wait struct {
	workspace string // the only one that it looks at, "" for all
	counts    func(*entry) bool
	count     int
	want      int
	err       error
	ended     bool
	done      chan struct{}
}

func (w *wait) see(e *entry) {
	if w.workspace != "" && w.workspace != e.workspace || !w.counts(e) {
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
	return j.awaitSelected(ctx, f, since, want)
}

// AwaitCalls is what [Journal.Await] is, for calls of the API.
func (j *Journal) AwaitCalls(ctx context.Context, f CallFilter, since uint64, want int) (int, error) {
	return j.awaitSelected(ctx, f, since, want)
}

func (j *Journal) awaitSelected(ctx context.Context, s selector, since uint64, want int) (int, error) {
	w := &wait{
		workspace: s.in(), want: want, done: make(chan struct{}),
		counts: func(e *entry) bool { return e.seq > since && matches(s, e.trait()) },
	}
	j.mu.Lock()
	for e := range j.all(s.in()) {
		if e.settled() && w.counts(e) {
			w.count++
		}
	}
	if since == 0 {
		w.count += j.tallied(s)
	}
	return j.await(ctx, w)
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

// tallied returns how many matching entries were evicted since the last reset.
func (j *Journal) tallied(s selector) int {
	n := 0
	for id, l := range j.logs {
		if s.in() != "" && s.in() != id {
			continue
		}
		for t, count := range l.tally.all() {
			if matches(s, t) {
				n += count
			}
		}
	}
	return n
}

// A Miss is something that a wait did not count, and why.
type Miss[T Delivery | Call] struct {
	Of  T
	Why string
}

// NearestMisses returns at most limit deliveries that came closest to the filter
// without being counted, the closest and newest first.
func (j *Journal) NearestMisses(f Filter, since uint64, limit int) []Miss[Delivery] {
	return nearest(j, f, since, limit, func(e *entry) Delivery { return e.delivery.Copy() })
}

// NearestCalls is what [Journal.NearestMisses] is, for calls of the API.
func (j *Journal) NearestCalls(f CallFilter, since uint64, limit int) []Miss[Call] {
	return nearest(j, f, since, limit, func(e *entry) Call { return *e.call })
}

func nearest[T Delivery | Call](j *Journal, s selector, since uint64, limit int, of func(*entry) T) []Miss[T] {
	j.mu.Lock()
	defer j.mu.Unlock()
	type candidate struct {
		e   *entry
		off []string
	}
	var candidates []candidate
	for e := range j.all(s.in()) {
		off, ok := s.mismatches(e.trait())
		if !ok {
			continue
		}
		if !e.settled() && !slices.Contains(off, "status") {
			off = append(off, "not settled yet")
		}
		if e.seq <= since {
			off = append(off, "came earlier")
		}
		if len(off) > 0 {
			candidates = append(candidates, candidate{e, off})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(len(a.off), len(b.off)), cmp.Compare(b.e.seq, a.e.seq))
	})
	var misses []Miss[T]
	for _, c := range candidates[:min(limit, len(candidates))] {
		misses = append(misses, Miss[T]{of(c.e), strings.Join(c.off, ", ")})
	}
	return misses
}
