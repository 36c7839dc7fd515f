package clock

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Speed is how many seconds of a run pass in one second of the process's clock:
// 1 is real time, [Max] does not wait at all.
type Speed float64

// Max waits for nothing.
const Max Speed = Speed(math.MaxFloat64)

// ParseSpeed reads a number from 0.001 to a milliard, or "max"; the empty text is 1.
func ParseSpeed(text string) (Speed, error) {
	switch text {
	case "":
		return 1, nil
	case "max":
		return Max, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < 0.001 || n > 1e9 {
		return 0, fmt.Errorf("speed %q is neither a number from 0.001 to 1000000000 nor max", text)
	}
	return Speed(n), nil
}

// String returns what [ParseSpeed] reads.
func (s Speed) String() string {
	if s == Max {
		return "max"
	}
	return strconv.FormatFloat(float64(s), 'g', -1, 64)
}

// A Timeline is the virtual clock of one run. It moves only by [Timeline.Wait],
// so that what a run writes does not depend on how fast its consumers are. It
// belongs to one goroutine.
type Timeline struct {
	clock   Clock
	speed   Speed
	started time.Time     // on the process's clock
	start   time.Time     // of the run
	elapsed time.Duration // in the run
}

// NewTimeline starts a run's time at start.
func NewTimeline(c Clock, start time.Time, speed Speed) *Timeline {
	return &Timeline{clock: c, speed: speed, started: c.Now(), start: start}
}

// Now returns the run's time.
func (t *Timeline) Now() time.Time { return t.start.Add(t.elapsed) }

// Elapsed returns how far the run's time has moved.
func (t *Timeline) Elapsed() time.Duration { return t.elapsed }

// Wait moves the run's time by d and returns when the process's clock has
// reached it. The schedule counts from the run's start, so that the time which
// the steps themselves take does not add up.
func (t *Timeline) Wait(ctx context.Context, d time.Duration) error {
	return t.WaitUntil(ctx, t.elapsed+max(d, 0))
}

// WaitUntil is [Timeline.Wait] for a time that counts from the run's start. The
// run's time never goes back.
func (t *Timeline) WaitUntil(ctx context.Context, elapsed time.Duration) error {
	t.elapsed = max(t.elapsed, elapsed)
	if t.speed == Max {
		return context.Cause(ctx)
	}
	due := t.started.Add(time.Duration(float64(t.elapsed) / float64(t.speed)))
	return t.clock.Sleep(ctx, due.Sub(t.clock.Now()))
}

// Still lets the run's time stand still while something takes its time: the
// schedule does not make up for it.
func (t *Timeline) Still(something func()) {
	began := t.clock.Now()
	something()
	t.started = t.started.Add(t.clock.Now().Sub(began))
}
