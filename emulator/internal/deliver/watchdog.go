package deliver

import (
	"context"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

// A watchdog ends attempts whose time is up, one after the other. It keeps one timer
// for all of them, which looks now and then whether it is time: to set one for each
// attempt costs more than the rest of the bookkeeping, as the runtime wakes a thread
// for it. Its zero value watches nothing; stop it in the end.
type watchdog struct {
	watch clock.Stopwatch // since the first attempt

	mu      sync.Mutex
	timer   *time.Timer
	looks   time.Duration           // on the watch, when the timer does; zero: it does not
	until   time.Duration           // on the watch, when the time of the attempt is up
	attempt context.CancelCauseFunc // ends it; nil: there is none
}

// begin gives an attempt its time, after which it is ended as timed out.
func (w *watchdog) begin(within time.Duration, attempt context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempt = attempt
	if w.timer == nil {
		w.watch, w.timer = clock.Start(), clock.After(within, w.look)
		w.until, w.looks = within, within
		return
	}
	w.until = w.watch.Elapsed() + within
	if w.looks == 0 || w.until < w.looks {
		w.timer.Reset(within)
		w.looks = w.until
	}
}

// over says that the attempt has ended.
func (w *watchdog) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempt = nil
}

func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.attempt == nil {
		w.looks = 0
		return
	}
	if left := w.until - w.watch.Elapsed(); left > 0 {
		w.timer.Reset(left)
		w.looks = w.until
		return
	}
	w.attempt(errTimeout)
	w.attempt, w.looks = nil, 0
}

// stop ends the watchdog, between two attempts.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}
