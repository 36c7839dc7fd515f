package replay

import (
	"context"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// At most so many payloads of a step are faked before they are due: twice what goes
// from one goroutine to the other at a time.
const mostAhead = 128

// Faked payloads, and why there are no more.
type faked struct {
	bodies [][]byte
	err    error
}

// payloads returns what gives the payloads of a step, one iteration after the
// other. Where there are many they are faked ahead, so that what that takes
// delays none of them; until stop has returned, the cast belongs to that.
func (r *Run) payloads(step *scenario.Step, i int) (next func(at time.Time) ([]byte, error), stop func()) {
	if step.Fixture != "" {
		return func(time.Time) ([]byte, error) { return r.fixtures[step.Fixture], nil }, func() {}
	}
	// What is late on purpose may move the run's time on by itself, and a payload
	// says when it is from.
	if step.Repeat == 1 || step.Delivery.Delay > 0 {
		return func(at time.Time) ([]byte, error) { return r.cast.Payload(*step, at) }, func() {}
	}
	ahead, stopped, ended := make(chan faked), make(chan struct{}), make(chan struct{})
	begins, now := r.line.Elapsed(), r.line.Now()
	go func() {
		defer close(ended)
		elapsed := begins
		var f faked
		for n := range step.Repeat {
			elapsed = max(elapsed, r.due(i, n, step, begins))
			body, err := r.cast.Payload(*step, now.Add(elapsed-begins))
			if f.err = err; err == nil {
				f.bodies = append(f.bodies, body)
			}
			// The first goes at once, so that nobody waits for those behind it.
			if err == nil && n > 0 && len(f.bodies) < mostAhead/2 && n < step.Repeat-1 {
				continue
			}
			select {
			case ahead <- f:
			case <-stopped:
				return
			}
			if err != nil {
				return
			}
			f = faked{bodies: make([][]byte, 0, mostAhead/2)}
		}
	}()
	var f faked
	next = func(time.Time) ([]byte, error) {
		if len(f.bodies) == 0 && f.err == nil {
			f = <-ahead
		}
		if len(f.bodies) == 0 {
			return nil, f.err
		}
		body := f.bodies[0]
		f.bodies[0] = nil // the array outlives it
		f.bodies = f.bodies[1:]
		return body, nil
	}
	return next, func() {
		close(stopped)
		<-ended
	}
}

// due returns when an iteration of a step is due that begins then.
func (r *Run) due(i, n int, step *scenario.Step, begins time.Duration) time.Duration {
	return begins + time.Duration(n)*step.Every + r.jitter(i, n, step.Jitter)
}

// A schedule says when the events of a run leave that has a rate: an open loop,
// which waits for no answer. It belongs to the run's goroutine.
type schedule struct {
	clock  clock.Clock
	rate   float64 // a second; zero: there is none
	events int
	began  time.Time
}

// wait returns when the next event is due, once it is.
func (s *schedule) wait(ctx context.Context) (due time.Time, err error) {
	if s.rate == 0 {
		return time.Time{}, nil
	}
	if s.events == 0 {
		s.began = s.clock.Now()
	}
	after := float64(s.events) / s.rate * float64(time.Second)
	due = s.began.Add(time.Duration(min(after, 1<<62))) // centuries, and no overflow
	s.events++
	if ahead := due.Sub(s.clock.Now()); ahead > 0 {
		return due, s.clock.Sleep(ctx, ahead)
	}
	return due, context.Cause(ctx)
}

// still lets the run's time, and its schedule, stand still while something takes its
// time that the run waits for.
func (r *Run) still(something func()) {
	began := r.schedule.clock.Now()
	r.line.Still(something)
	if r.schedule.events > 0 {
		r.schedule.began = r.schedule.began.Add(r.schedule.clock.Now().Sub(began))
	}
}

// departed enters when a delivery left that was due then, with the run's lock held,
// and returns how long after that its last answer was there. One that was given up
// or dropped before its first answer tells nothing.
func (r *Run) departed(o outcome, d journal.Delivery) time.Duration {
	if len(d.Attempts) == 0 {
		return 0
	}
	s, due := r.report.Schedule, o.scheduled
	left := d.Attempts[0].At
	lag := max(0, left.Sub(due))
	if lag > report.LateAfter {
		s.Late++
	}
	s.MaxLag = max(s.MaxLag, lag)
	if o.leads {
		if r.firstLeft.IsZero() || left.Before(r.firstLeft) {
			r.firstLeft = left
		}
		if left.After(r.lastLeft) {
			r.lastLeft = left
		}
		if took := r.lastLeft.Sub(r.firstLeft); took > 0 {
			s.Kept = float64(r.leavings) / took.Seconds()
		}
		r.leavings++
	}
	last := d.Attempts[len(d.Attempts)-1]
	return last.At.Sub(due) + last.Took
}
