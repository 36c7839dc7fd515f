package replay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// maxLate is how many deliveries may be late at a time. When one more would be,
// the run's time moves on to when the first is sent.
const maxLate = 10_000

// A planned delivery has not been emitted yet. Its payload is spoilt only then,
// or a thousand huge ones would wait here.
type planned struct {
	hook     workspace.Webhook
	step     *scenario.Step
	delivery journal.Delivery
	fault    scenario.DeliveryFault // zero if it does not fall on this one
	key      seed.Key               // of its draws
	due      time.Duration          // on the run's timeline
	moved    string                 // where a shuffle put it; empty: nowhere
	// scheduled is when its event was due on the process's clock, if the run has a rate.
	scheduled time.Time
	leads     bool // of the deliveries of its event, it is the first
}

// outbox holds what is late or is to change places. It belongs to the run's
// goroutine.
type outbox struct {
	late    []planned // in order of due, then of emission
	windows []*window
}

// window is what changes places at one webhook.
type window struct {
	size  int
	items []planned
}

// send lets a delivery go, now or when it is due.
func (r *Run) send(ctx context.Context, p planned) error {
	if p.due <= r.line.Elapsed() {
		return r.pass(ctx, p)
	}
	o := &r.outbox
	i, _ := slices.BinarySearchFunc(o.late, p.due, func(q planned, due time.Duration) int {
		return cmp.Or(cmp.Compare(q.due, due), -1) // behind those of the same moment
	})
	o.late = slices.Insert(o.late, i, p)
	if len(o.late) > maxLate {
		return r.advance(ctx, o.late[0].due)
	}
	return nil
}

// advance moves the run's time, and sends what is due until then.
func (r *Run) advance(ctx context.Context, to time.Duration) error {
	for o := &r.outbox; len(o.late) > 0 && o.late[0].due <= to; {
		p := o.late[0]
		o.late[0] = planned{} // the array outlives its items
		o.late = o.late[1:]
		if err := r.line.WaitUntil(ctx, p.due); err != nil {
			return err
		}
		if err := r.pass(ctx, p); err != nil {
			return err
		}
	}
	return r.line.WaitUntil(ctx, to)
}

// clear hands on what is late, which moves the run's time, and what was to change
// places with what does not come.
func (r *Run) clear(ctx context.Context) error {
	if n := len(r.outbox.late); n > 0 {
		if err := r.advance(ctx, r.outbox.late[n-1].due); err != nil {
			return err
		}
	}
	return r.closeWindows(ctx)
}

// pass hands a delivery on, unless it is in a window.
func (r *Run) pass(ctx context.Context, p planned) error {
	o := &r.outbox
	i := slices.IndexFunc(o.windows, func(w *window) bool { return w.items[0].hook.ID == p.hook.ID })
	switch {
	case i >= 0:
		w := o.windows[i]
		if w.items = append(w.items, p); len(w.items) < w.size {
			return nil
		}
		o.windows = slices.Delete(o.windows, i, i+1)
		return r.shuffle(ctx, w)
	case p.fault.Shuffle > 1:
		o.windows = append(o.windows, &window{p.fault.Shuffle, []planned{p}})
		return nil
	default:
		return r.hand(ctx, p)
	}
}

// closeWindows hands on what was to change places with what does not come.
func (r *Run) closeWindows(ctx context.Context) error {
	windows := r.outbox.windows
	r.outbox.windows = nil
	for _, w := range windows {
		if err := r.shuffle(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// shuffle hands on the deliveries of a window in another order than theirs.
func (r *Run) shuffle(ctx context.Context, w *window) error {
	n := len(w.items)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	draw := w.items[0].key.Str("shuffle").Rand()
	draw.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	if slices.IsSorted(order) && n > 1 {
		order = append(order[1:], order[0]) // or it would be no fault
	}
	for place, i := range order {
		p := w.items[i]
		if n > 1 {
			p.moved = fmt.Sprintf("%d of %d is sent as %d", i+1, n, place+1)
		}
		if err := r.hand(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
