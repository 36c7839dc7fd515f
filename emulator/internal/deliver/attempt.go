package deliver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// Backoff, between the first attempt and the second at most a second, doubles to
// an hour. A consumer that asks for more with Retry-After gets it, to a day.
const (
	firstBackoff  = time.Second
	longestPause  = time.Hour
	mostRetryWait = 24 * time.Hour
)

// send makes the attempts of a delivery. It holds the queue meanwhile, so that
// the order of events is kept.
func (d *Deliverer) send(w *worker, it *item) (journal.Status, string) {
	d.cfg.Journal.Sending(it.Workspace, it.ID)
	if it.Left != nil {
		it.Left()
	}
	for {
		at := d.cfg.Clock.Now()
		r := request{url: it.RequestURL, body: it.Body, headers: it.Headers, timeout: d.cfg.Timeout}
		if len(it.attempts) == 0 { // what disturbs a connection has passed when it is tried again
			r.wire, r.rate = it.Wire, it.Rate
		}
		a, err := d.client.attempt(w, r)
		if err != nil {
			return journal.Dropped.With(CauseOf(err)), "given up while it was being sent: it may have arrived"
		}
		it.attempts = append(it.attempts, journal.Attempt{At: at, Exchange: a.Exchange})
		if it.Judge != nil {
			it.answer = a.whole()
		}
		switch {
		case a.Cause == "":
			return journal.Delivered, a.Detail
		case d.cfg.Retries > 0 && a.Status == http.StatusGone:
			if d.cfg.Gone != nil {
				d.cfg.Gone(it.Workspace, it.Webhook)
			}
			return journal.Failed.With(journal.Gone), "answered 410: the webhook was deactivated"
		case len(it.attempts) > d.cfg.Retries:
			return journal.Failed.With(a.Cause), a.Detail
		}
		// The last one is told with the outcome.
		d.cfg.Journal.Attempted(it.Workspace, it.ID, it.attempts[it.told])
		it.told++
		d.renew(w, it)
		if err := d.pause(w.ctx, it, max(d.backoff(it.ID, len(it.attempts)), a.retryAfter)); err != nil {
			return journal.Dropped.With(CauseOf(err)), "given up between two attempts"
		}
		if dropped := d.unwanted(it); dropped != "" {
			return dropped, ""
		}
	}
}

// renew gives what comes after an attempt another context, if a time-out ended that of
// the attempt.
func (d *Deliverer) renew(w *worker, it *item) {
	if !errors.Is(context.Cause(w.ctx), errTimeout) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	it.cancel = w.begin()
	if it.givenUp != nil { // after the time-out, which is the cause that the other one has
		it.cancel(it.givenUp)
	}
}

// pause waits between two attempts, or before a challenge, on the clock of who
// emitted it.
func (d *Deliverer) pause(ctx context.Context, it *item, wait time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(d.closing, func() { cancel(GivenUp(journal.ByShutdown)) })
	defer stop()
	return it.Pause(ctx, wait)
}

// backoff returns the pause after the nth attempt, from 1: at least half of a cap
// that doubles each time, so that consumers that were away together are not
// called together again.
func (d *Deliverer) backoff(id string, n int) time.Duration {
	most := longestPause
	if n < 13 { // beyond it the doubling would exceed the cap
		most = min(most, firstBackoff<<(n-1))
	}
	draw := d.cfg.Seed.Key("backoff").Str(id).Num(uint64(n)).Rand()
	return most/2 + time.Duration(draw.Int64N(int64(most/2)+1))
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, mostRetryWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), mostRetryWait)
	}
	return 0
}
