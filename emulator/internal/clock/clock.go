// Package clock is the only room that reads the time or waits for it to pass.
//
// The process has one [Clock], real or manual. A run has a [Timeline] of its
// own, whose time moves only when the scenario waits, at the run's speed.
package clock

import (
	"context"
	"sync"
	"time"
)

// A Clock tells the time and lets it pass. [Real] and [Manual] are the two there are.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// Sleep returns nil once d has passed, at once if d is not positive, or the
	// cause of the context's end if that comes first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real is the machine's clock.
type Real struct{}

// Now returns the machine's time.
func (Real) Now() time.Time { return time.Now() }

// Sleep waits on the machine's clock.
func (Real) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Manual is a clock that stands still until it is advanced. It is safe for
// concurrent use; make it with [NewManual].
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	passed chan struct{} // closed and replaced at each advance
}

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual {
	return &Manual{now: start, passed: make(chan struct{})}
}

// Now returns where the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock and wakes who waited for less. A negative d moves nothing.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(max(d, 0))
	close(m.passed)
	m.passed = make(chan struct{})
}

// Sleep returns once the clock was advanced by d.
func (m *Manual) Sleep(ctx context.Context, d time.Duration) error {
	until := m.Now().Add(d)
	for {
		m.mu.Lock()
		now, passed := m.now, m.passed
		m.mu.Unlock()
		if ctx.Err() != nil || !now.Before(until) {
			return context.Cause(ctx)
		}
		select {
		case <-passed:
		case <-ctx.Done():
		}
	}
}

// A Stopwatch measures how long something took on the machine's clock, whatever
// clock the process was given: a measured figure is never virtual.
type Stopwatch struct{ start time.Time }

// Start starts a stopwatch.
func Start() Stopwatch { return Stopwatch{time.Now()} }

// Elapsed returns the time since the start.
func (s Stopwatch) Elapsed() time.Duration { return time.Since(s.start) }

// After calls f in a goroutine of its own when d has passed on the machine's clock,
// whatever clock the process was given: a time-out is never virtual. Stop it, or
// it is kept until then.
func After(d time.Duration, f func()) *time.Timer { return time.AfterFunc(d, f) }
