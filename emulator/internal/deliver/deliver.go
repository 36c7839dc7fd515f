// Package deliver is the only room that calls out: it challenges endpoints, and
// brings events to them through a queue for each webhook.
//
// A queue is ordered and has a goroutine of its own while it holds anything, so
// that a hung consumer delays nobody else. What is decided elsewhere: whether an
// endpoint is registered, what is sent, and when.
package deliver

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// Config says how consumers are called. Zero values are the defaults.
type Config struct {
	// Standing, if not nil, returns whether a webhook still is there, and is
	// active. It is asked before each delivery leaves its queue.
	Standing func(workspace, webhook string) (exists, active bool)
	Clock    clock.Clock
	Journal  *journal.Journal
	// Dial opens connections; nil means the network. Addresses that are never
	// called are refused either way, but names only where Dial is nil.
	Dial             DialFunc
	Header           http.Header    // added to every request
	RootCAs          *x509.CertPool // trusted for https; nil: those of the system
	Insecure         bool           // accepts any certificate
	ChallengeTimeout time.Duration  // default 5 s (our decision)
	Timeout          time.Duration  // of an attempt, default 10 s (our decision)
	// QueueSize is how many deliveries wait at one webhook before who emits
	// waits too. Default 10,000.
	QueueSize int
	// InContainer makes hints speak of the container's localhost.
	InContainer bool
}

// Deliverer is safe for concurrent use; make it with [New], end it with [Deliverer.Close].
type Deliverer struct {
	cfg    Config
	client *client

	mu     sync.Mutex
	queues map[string]*queue // by webhook, while they hold anything
	closed bool
	idle   sync.WaitGroup // of the queues' goroutines
}

// An Outcome is told how a delivery ended.
type Outcome func(journal.Delivery)

// An item is a delivery on its way.
type item struct {
	journal.Delivery
	done    Outcome // called once, when it is settled; may be nil
	settled chan struct{}
}

// queue is what waits at one webhook. All of it is guarded by Deliverer.mu, but
// for room.
type queue struct {
	waiting []*item
	current *item
	cancel  context.CancelCauseFunc // of current
	room    chan struct{}           // holds a token for every item
}

// New returns a deliverer without queues.
func New(cfg Config) *Deliverer {
	cfg.ChallengeTimeout = cmp.Or(cfg.ChallengeTimeout, 5*time.Second)
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	cfg.QueueSize = cmp.Or(cfg.QueueSize, 10_000)
	return &Deliverer{cfg: cfg, client: newClient(cfg), queues: map[string]*queue{}}
}

// GivenUp is the cause of a context whose deliveries are given up, for
// [context.CancelCauseFunc].
type GivenUp journal.Cause

// Error returns the cause in words.
func (e GivenUp) Error() string { return "given up: " + string(e) }

// causeOf returns why deliveries under an ended context are dropped.
func causeOf(err error) journal.Cause {
	var given GivenUp
	if errors.As(err, &given) {
		return journal.Cause(given)
	}
	return journal.ByCancel
}

// Enqueue records a delivery and puts it at the end of its webhook's queue. It
// waits while the queue is full; if the context ends first, the delivery is
// dropped with the cause that a [GivenUp] names. Whatever happens, done (if not
// nil) is called once with the outcome.
func (d *Deliverer) Enqueue(ctx context.Context, hook workspace.Webhook, delivery journal.Delivery, done Outcome) {
	delivery.Webhook, delivery.RequestURL = hook.ID, hook.RequestURL
	delivery.At = d.cfg.Clock.Now()
	d.cfg.Journal.Emitted(delivery)
	it := &item{delivery, done, make(chan struct{})}
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			d.settle(it, journal.Dropped.With(journal.ByShutdown), "")
			return
		}
		q, ok := d.queues[hook.ID]
		if !ok {
			q = &queue{room: make(chan struct{}, d.cfg.QueueSize)}
			d.queues[hook.ID] = q
		}
		select {
		case q.room <- struct{}{}:
			q.waiting = append(q.waiting, it)
			if !ok {
				d.idle.Go(func() { d.work(hook.ID, q) })
			}
			d.mu.Unlock()
			return
		default:
		}
		d.mu.Unlock()
		// Full: wait for room, give it back and try again under the lock.
		select {
		case q.room <- struct{}{}:
			<-q.room
		case <-ctx.Done():
			d.settle(it, journal.Dropped.With(causeOf(context.Cause(ctx))), "")
			return
		}
	}
}

// work sends what waits at a webhook, in order, until nothing does.
func (d *Deliverer) work(id string, q *queue) {
	for {
		d.mu.Lock()
		if len(q.waiting) == 0 {
			delete(d.queues, id)
			d.mu.Unlock()
			return
		}
		it := q.waiting[0]
		q.waiting[0] = nil // the queue's array outlives its items
		q.waiting = q.waiting[1:]
		ctx, cancel := context.WithCancelCause(context.Background())
		q.current, q.cancel = it, cancel
		d.mu.Unlock()

		if dropped := d.unwanted(it); dropped != "" {
			d.settle(it, dropped, "")
		} else {
			status, detail, attempts := d.send(ctx, it)
			d.settle(it, status, detail, attempts...)
		}
		cancel(nil)

		d.mu.Lock()
		q.current, q.cancel = nil, nil
		d.mu.Unlock()
		<-q.room
	}
}

// unwanted returns how a delivery is dropped whose webhook was paused or deleted
// since it was queued, "" if it was not.
func (d *Deliverer) unwanted(it *item) journal.Status {
	if d.cfg.Standing == nil {
		return ""
	}
	switch exists, active := d.cfg.Standing(it.Workspace, it.Webhook); {
	case !exists:
		return journal.Dropped.With(journal.ByDeletion)
	case !active:
		return journal.Dropped.With(journal.ByDeactivation)
	default:
		return ""
	}
}

// send makes the attempts of a delivery.
func (d *Deliverer) send(ctx context.Context, it *item) (journal.Status, string, []journal.Attempt) {
	d.cfg.Journal.Sending(it.Workspace, it.ID)
	at := d.cfg.Clock.Now()
	a, err := d.client.post(ctx, it.RequestURL, it.Body, d.cfg.Timeout)
	if err != nil {
		return journal.Dropped.With(causeOf(err)), "given up while it was being sent: it may have arrived", nil
	}
	attempt := journal.Attempt{At: at, Exchange: a.Exchange}
	d.cfg.Journal.Attempted(it.Workspace, it.ID, attempt)
	if a.Cause != "" {
		return journal.Failed.With(a.Cause), a.Detail, []journal.Attempt{attempt}
	}
	return journal.Delivered, a.Detail, []journal.Attempt{attempt}
}

// settle tells the journal and who asked. The item stays as it was queued: Drop
// may look at it meanwhile.
func (d *Deliverer) settle(it *item, status journal.Status, detail string, attempts ...journal.Attempt) {
	ended, open := d.cfg.Journal.Finished(it.Workspace, it.ID, status, detail)
	if !open { // the journal was reset meanwhile
		ended = it.Delivery
		ended.Status, ended.Detail, ended.Attempts = status, detail, attempts
	}
	if it.done != nil {
		it.done(ended)
	}
	close(it.settled)
}

// Drop gives up what is queued or being sent and matches, and returns when all
// of it is settled as dropped with the cause.
func (d *Deliverer) Drop(cause journal.Cause, match func(journal.Delivery) bool) {
	for _, it := range d.giveUp(cause, match, true) {
		<-it.settled
	}
}

// DropWaiting gives up what is queued and matches; what is being sent goes on.
func (d *Deliverer) DropWaiting(cause journal.Cause, match func(journal.Delivery) bool) {
	d.giveUp(cause, match, false)
}

// giveUp settles what waits and matches, and interrupts what is being sent, if
// told so; those it returns, for they are settled later.
func (d *Deliverer) giveUp(cause journal.Cause, match func(journal.Delivery) bool, sendingToo bool) (interrupted []*item) {
	var dropped []*item
	d.mu.Lock()
	for _, q := range d.queues {
		kept := make([]*item, 0, len(q.waiting))
		for _, it := range q.waiting {
			if match(it.Delivery) {
				dropped = append(dropped, it)
				<-q.room
			} else {
				kept = append(kept, it)
			}
		}
		q.waiting = kept
		if sendingToo && q.current != nil && match(q.current.Delivery) {
			q.cancel(GivenUp(cause))
			interrupted = append(interrupted, q.current)
		}
	}
	d.mu.Unlock()
	for _, it := range dropped {
		d.settle(it, journal.Dropped.With(cause), "")
	}
	return interrupted
}

// Close refuses new deliveries, drops those that wait, and returns when nothing
// is on its way. What is being sent may end on its own until the context ends;
// then it is given up too.
func (d *Deliverer) Close(ctx context.Context) {
	everything := func(journal.Delivery) bool { return true }
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.giveUp(journal.ByShutdown, everything, false)
	idle := make(chan struct{})
	go func() {
		d.idle.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		d.giveUp(journal.ByShutdown, everything, true)
		<-idle
	}
	d.client.transport.CloseIdleConnections()
}
