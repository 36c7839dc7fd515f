package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

// maxResting is how many workers are kept that have nothing to do, for as long as an
// unused connection is: to start one costs a good part of a delivery, for it grows its
// stack and sets its timer.
const maxResting = 8

// A worker brings deliveries to consumers, one at a time. Its zero value can; to be
// called for more it has to have the channel.
type worker struct {
	called chan task // closed when it is to go
	dog    watchdog
	ctx    context.Context // of what it does
	cancel context.CancelCauseFunc
	to     *target       // where it was sent last
	url    string        // which leads there
	rests  time.Duration // since when, on the watch of the deliverer
}

// A task is a queue that is to be worked off.
type task struct {
	webhook string
	queue   *queue
}

// begin returns what ends the context of what the worker does next.
func (w *worker) begin() context.CancelCauseFunc {
	if w.ctx == nil || w.ctx.Err() != nil {
		w.ctx, w.cancel = context.WithCancelCause(context.Background())
	}
	return w.cancel
}

// target returns where a URL leads, which is mostly where the last one did.
func (w *worker) target(url string) (*target, error) {
	if w.to != nil && w.url == url {
		return w.to, nil
	}
	to, err := targetOf(url)
	if err == nil {
		w.to, w.url = to, url
	}
	return to, err
}

func (w *worker) stop() { w.dog.stop() }

// hire puts another worker to a queue if there is something to do for it.
func (d *Deliverer) hire(id string, q *queue) {
	if !q.ready() || q.workers >= q.waiting[0].Concurrency {
		return
	}
	q.workers++
	if n := len(d.resting); n > 0 {
		d.resting[n-1].called <- task{id, q}
		d.resting = d.resting[:n-1]
		return
	}
	w := &worker{called: make(chan task, 1)}
	w.called <- task{id, q}
	d.idle.Go(func() { d.employ(w) })
}

// employ has a worker do what it is called for, and lets it go if enough others rest.
func (d *Deliverer) employ(w *worker) {
	defer w.stop()
	for t := range w.called {
		d.work(w, t.webhook, t.queue)
		if !d.rest(w) {
			return
		}
	}
}

// rest lets a worker wait to be called, if there is room for it.
func (d *Deliverer) rest(w *worker) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.resting) == maxResting {
		return false
	}
	w.rests = d.watch.Elapsed()
	d.resting = append(d.resting, w)
	if d.dismisses == nil {
		d.dismisses = clock.After(idleTimeout, d.dismiss)
	}
	return true
}

// dismiss lets go who was not called for long, and comes again when it is time for more.
func (d *Deliverer) dismiss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.watch.Elapsed()
	for len(d.resting) > 0 && d.resting[0].rests+idleTimeout <= now {
		close(d.resting[0].called)
		d.resting = slices.Delete(d.resting, 0, 1)
	}
	if len(d.resting) == 0 {
		d.dismisses = nil
	} else {
		d.dismisses.Reset(d.resting[0].rests + idleTimeout - now)
	}
}

// work sends what waits at a webhook, one after the other, until nothing does that
// may go. A webhook has as many workers as deliveries are on their way to it.
func (d *Deliverer) work(w *worker, id string, q *queue) {
	d.mu.Lock()
	for q.ready() {
		it := q.waiting[0]
		q.waiting[0] = nil // the queue's array outlives its items
		q.waiting = q.waiting[1:]
		it.cancel = w.begin()
		q.current[it] = struct{}{}
		d.hire(id, q) // for the next
		d.mu.Unlock()

		if dropped := d.unwanted(it); dropped != "" {
			d.settle(it, dropped, "")
		} else if it.challenge != nil {
			it.challenge(w.ctx)
		} else {
			status, detail := d.send(w, it)
			d.settle(it, status, detail)
		}

		d.mu.Lock()
		delete(q.current, it)
		if it.settled != nil {
			close(it.settled)
		}
		d.leave(q, it)
	}
	q.workers--
	if q.held == 0 && d.queues[id] == q {
		delete(d.queues, id)
	}
	d.mu.Unlock()
}
