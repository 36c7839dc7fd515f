// Package deliver is the only room that calls out: it challenges endpoints, and
// brings events to them through a queue for each webhook.
//
// A queue is ordered, unless its deliveries may go several at a time, and has
// workers of its own while it holds anything, so that a hung consumer delays
// nobody else. A worker writes a request and reads its answer by itself, on
// connections that are kept for a while. What is decided elsewhere: whether an
// endpoint is registered, what is sent, and when.
package deliver

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Config says how consumers are called. Zero values are the defaults.
type Config struct {
	// Standing, if not nil, returns whether a webhook still is there, and is
	// active. It is asked before each delivery leaves its queue.
	Standing func(workspace, webhook string) (exists, active bool)
	Clock    clock.Clock
	Logger   *slog.Logger // default: nothing is logged
	Journal  *journal.Journal
	// Dial opens connections; nil means the network. Addresses that are never
	// called are refused either way, but names only where Dial is nil.
	Dial             DialFunc
	Header           http.Header    // added to every request
	RootCAs          *x509.CertPool // trusted for https; nil: those of the system
	Insecure         bool           // accepts any certificate
	ChallengeTimeout time.Duration  // default 5 s (our decision)
	Timeout          time.Duration  // of an attempt, default 10 s (our decision)
	// Retries is how many attempts follow one that was not successful. Default none,
	// since the vendor documents none.
	Retries int
	Seed    seed.Seed // of the backoff
	// Gone, if not nil, is told of a webhook whose consumer answered 410 while
	// there are retries: it is to be deactivated.
	Gone func(workspace, webhook string)
	// QueueSize is how many deliveries wait at one webhook before who emits
	// waits too, QueueBytes how many bytes of payload. Default 10,000, and 64 MiB.
	QueueSize, QueueBytes int
	// InContainer makes hints speak of the container's localhost.
	InContainer bool
}

// Deliverer is safe for concurrent use; make it with [New], end it with [Deliverer.Close].
type Deliverer struct {
	cfg    Config
	client *client
	watch  clock.Stopwatch

	mu      sync.Mutex
	queues  map[string]*queue // by webhook, while they hold anything
	resting []*worker         // that have nothing to do; who was called last is the last
	// dismisses those that were not called for long; nil: nobody rests.
	dismisses *time.Timer
	closed    bool
	idle      sync.WaitGroup // of the workers

	// closing ends the pauses between attempts.
	closing context.Context
	stop    context.CancelFunc
}

// An Outcome is told how a delivery ended.
type Outcome func(journal.Delivery)

// Handling is what the emitter of a delivery wants. Its zero value is fine.
type Handling struct {
	Done Outcome // called once, when the delivery is settled
	// Left, if not nil, is called when the delivery leaves its queue to be sent.
	Left func()
	// Judge, if not nil, is called just before Done with what the last attempt was
	// answered; nil: nothing.
	Judge func(journal.Delivery, *Answer)
	// Pause lets the time between two attempts pass; default: that of the clock.
	Pause func(context.Context, time.Duration) error
	// Concurrency is how many of the webhook's deliveries may be on their way at once.
	// Default 1: one after the other. Those that say something else wait for each other.
	Concurrency int
	// Headers replace those of every request.
	Headers []scenario.Header
	// Wire disturbs the connection of the first attempt, at Rate bytes a second if
	// that is slow; empty: it does not.
	Wire scenario.Wire
	Rate int
}

// An item is a delivery, or a challenge between deliveries, on its way.
type item struct {
	*journal.Delivery // as it was queued; of a challenge: what it is matched by, no more
	Handling
	challenge func(context.Context) // makes it; nil: this is a delivery
	attempts  []journal.Attempt
	told      int                     // of them the journal
	answer    *Answer                 // of the last attempt
	cancel    context.CancelCauseFunc // while it is current
	givenUp   error                   // why; nil: it is not
	settled   chan struct{}           // closed when it is; nil: nobody waits for that
}

// queue is what waits at one webhook. All of it is guarded by Deliverer.mu.
type queue struct {
	waiting []*item
	current map[*item]struct{} // which agree in their concurrency
	workers int                // goroutines, which have a current item or look for one
	held    int                // items that wait or are current
	bytes   int                // of their bodies
	freed   chan struct{}      // closed when an item leaves; nil: nobody waits for that
}

// ready reports whether the first that waits may go beside those that are current.
func (q *queue) ready() bool {
	if len(q.waiting) == 0 {
		return false
	}
	limit := q.waiting[0].Concurrency
	for it := range q.current {
		return limit == it.Concurrency && len(q.current) < limit
	}
	return true
}

// leave makes room in the queue. Who waits for that is told once there is some, and
// not for each item, which would cost more than to send it.
func (d *Deliverer) leave(q *queue, it *item) {
	q.held--
	q.bytes -= len(it.Body)
	if q.freed != nil && q.held <= d.cfg.QueueSize-min(64, d.cfg.QueueSize/4) && q.bytes <= d.cfg.QueueBytes*15/16 {
		close(q.freed)
		q.freed = nil
	}
}

// New returns a deliverer without queues.
func New(cfg Config) *Deliverer {
	cfg.ChallengeTimeout = cmp.Or(cfg.ChallengeTimeout, 5*time.Second)
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	cfg.QueueSize = cmp.Or(cfg.QueueSize, 10_000)
	cfg.QueueBytes = cmp.Or(cfg.QueueBytes, 64<<20)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	closing, stop := context.WithCancel(context.Background())
	return &Deliverer{closing: closing, stop: stop, cfg: cfg, watch: clock.Start(), client: newClient(cfg), queues: map[string]*queue{}}
}

// GivenUp is the cause of a context whose deliveries are given up, for
// [context.CancelCauseFunc].
type GivenUp journal.Cause

// Error returns the cause in words.
func (e GivenUp) Error() string { return "given up: " + string(e) }

// CauseOf returns why what is under an ended context is given up.
func CauseOf(err error) journal.Cause {
	var given GivenUp
	if errors.As(err, &given) {
		return journal.Cause(given)
	}
	return journal.ByCancel
}

// Enqueue records a delivery and puts it at the end of its webhook's queue. It
// waits while the queue is full; if the context ends first, the delivery is
// dropped with the cause that a [GivenUp] names.
func (d *Deliverer) Enqueue(ctx context.Context, hook workspace.Webhook, delivery journal.Delivery, handling Handling) {
	d.enqueue(ctx, d.emit(hook, delivery, handling))
}

// Skip records a delivery that is dropped on purpose.
func (d *Deliverer) Skip(hook workspace.Webhook, delivery journal.Delivery, handling Handling) {
	d.settle(d.emit(hook, delivery, handling), journal.Dropped.With(journal.ByFault), "not sent, on purpose")
}

// emit records a delivery.
func (d *Deliverer) emit(hook workspace.Webhook, delivery journal.Delivery, handling Handling) *item {
	delivery.Webhook, delivery.RequestURL = hook.ID, hook.RequestURL
	delivery.At = d.cfg.Clock.Now()
	if handling.Pause == nil {
		handling.Pause = d.cfg.Clock.Sleep
	}
	handling.Concurrency = max(handling.Concurrency, 1)
	return &item{Delivery: d.cfg.Journal.Emitted(delivery), Handling: handling}
}

// enqueue puts an item at the end of its webhook's queue, or settles it.
func (d *Deliverer) enqueue(ctx context.Context, it *item) {
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			d.settle(it, journal.Dropped.With(journal.ByShutdown), "")
			return
		}
		q, ok := d.queues[it.Webhook]
		if !ok {
			q = &queue{current: map[*item]struct{}{}}
			d.queues[it.Webhook] = q
		}
		// What is larger than the bound has to go alone. Nobody overtakes who waits.
		if q.freed == nil && q.held < d.cfg.QueueSize && (q.held == 0 || q.bytes+len(it.Body) <= d.cfg.QueueBytes) {
			q.held++
			q.bytes += len(it.Body)
			q.waiting = append(q.waiting, it)
			d.hire(it.Webhook, q)
			d.mu.Unlock()
			return
		}
		if q.freed == nil {
			q.freed = make(chan struct{})
		}
		freed := q.freed
		d.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			d.settle(it, journal.Dropped.With(CauseOf(context.Cause(ctx))), "")
			return
		}
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

// settle tells the journal and who asked.
func (d *Deliverer) settle(it *item, status journal.Status, detail string) {
	if it.challenge != nil { // which is not counted: it tells who asked by itself
		ended, cancel := context.WithCancelCause(context.Background())
		cancel(GivenUp(status.Cause()))
		it.challenge(ended)
		return
	}
	ended, open := d.cfg.Journal.Finished(it.Workspace, it.ID, status, detail, it.attempts[it.told:]...)
	if !open { // the journal was reset meanwhile
		ended = *it.Delivery
		ended.Status, ended.Detail, ended.Attempts = status, detail, it.attempts
	}
	if status.Word() == journal.Failed {
		d.cfg.Logger.Warn("delivery failed", "workspace", it.Workspace, "webhook", it.Webhook, "url", it.RequestURL,
			"event", string(it.Event), "status", string(status), "detail", detail, "delivery", it.ID)
	}
	if it.Judge != nil {
		it.Judge(ended, it.answer)
	}
	if it.Done != nil {
		it.Done(ended)
	}
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
	for id, q := range d.queues {
		kept := make([]*item, 0, len(q.waiting))
		for _, it := range q.waiting {
			if match(*it.Delivery) {
				dropped = append(dropped, it)
				d.leave(q, it)
			} else {
				kept = append(kept, it)
			}
		}
		q.waiting = kept
		d.hire(id, q) // what was dropped may have held up the rest
		for it := range q.current {
			if sendingToo && match(*it.Delivery) {
				it.givenUp = GivenUp(cause)
				it.cancel(it.givenUp)
				if it.settled == nil {
					it.settled = make(chan struct{})
				}
				interrupted = append(interrupted, it)
			}
		}
	}
	d.mu.Unlock()
	for _, it := range dropped {
		d.settle(it, journal.Dropped.With(cause), "")
	}
	return interrupted
}

// Limits returns how many deliveries, and bytes of payload, wait at one webhook at most.
func (d *Deliverer) Limits() (size, bytes int) { return d.cfg.QueueSize, d.cfg.QueueBytes }

// Close refuses new deliveries, drops those that wait, and returns when nothing
// is on its way. What is being sent may end on its own until the context ends;
// then it is given up too.
func (d *Deliverer) Close(ctx context.Context) {
	everything := func(journal.Delivery) bool { return true }
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		for _, w := range d.resting {
			close(w.called)
		}
		d.resting = nil
		if d.dismisses != nil {
			d.dismisses.Stop()
		}
	}
	d.mu.Unlock()
	d.stop()
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
	d.client.close()
}
