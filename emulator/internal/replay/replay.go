// Package replay performs scenarios: it walks through the steps on the run's own
// clock, asks the cast for payloads, and hands a delivery for each subscribed
// webhook to its queue. It owns the runs and their casts.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// ErrBusy is returned where too many runs are under way.
var ErrBusy = errors.New("too many runs are under way")

// Config says what an engine works with.
type Config struct {
	Edition   hirempire.Edition
	Clock     clock.Clock
	Seed      seed.Seed // of ids, and of runs that have no seed of their own
	Store     *workspace.Store
	Deliverer *deliver.Deliverer
	Journal   *journal.Journal
	Logger    *slog.Logger
	// Runs is how many may be under way, and how many that have ended are
	// remembered. Default 100.
	Runs int
}

// Engine is safe for concurrent use; make it with [New], end it with [Engine.Close].
type Engine struct {
	cfg Config

	mu     sync.Mutex
	runs   []*Run                 // oldest first
	single map[*emission]struct{} // that are being queued
	closed bool
	busy   sync.WaitGroup
}

// New returns an engine without runs.
func New(cfg Config) *Engine {
	cfg.Runs = cmp.Or(cfg.Runs, 100)
	return &Engine{cfg: cfg, single: map[*emission]struct{}{}}
}

// Options of a run. Zero values leave the choice to the scenario.
type Options struct {
	Seed  *uint64    // beats the scenario's; where neither says, it is drawn
	Start *time.Time // beats the scenario's; where neither says, it is now
	Speed clock.Speed
	// Concurrency is how many deliveries may be on their way to each webhook at once.
	// Default 1: in order.
	Concurrency int
	// Rate is how many events leave in a second, whatever the story's times are and
	// however slow the answers come; then Speed is [clock.Max]. Zero: the story's times.
	Rate float64
	// Fixtures are looked through in this order.
	Fixtures []fs.FS
	// Hold, if not nil, keeps the run from its first step until it is closed.
	Hold <-chan struct{}
	// FailFast ends the run at the first expectation that does not hold.
	FailFast bool
	// Stepped, if not nil, is called as each step begins, from the run's goroutine.
	Stepped func(index int, step scenario.Step)
	// Settled, if not nil, is called for each delivery that has ended, one at a time.
	Settled func(journal.Delivery)
}

// A Run is one performance of a scenario.
type Run struct {
	engine   *Engine
	scenario *scenario.Scenario
	fixtures map[string][]byte
	stepped  func(int, scenario.Step)
	settled  func(journal.Delivery)
	speed    clock.Speed
	line     *clock.Timeline
	schedule schedule
	abreast  int // deliveries of it that may be on their way to each webhook
	cast     *cast.Cast
	outbox   outbox
	armed    []string // ids of the faults that its steps armed
	// What an await counts from: positions at the last event, fault or challenge step,
	// moved on by what awaits have counted.
	calls, registrations uint64
	counted              map[scenario.Await]int // outcomes that awaits have counted, by what they ask for
	watch                clock.Stopwatch
	cancel               context.CancelCauseFunc
	prepared             chan struct{}  // closed when the faults of the first steps are armed
	emitted              chan struct{}  // closed when nothing more is emitted
	pending              sync.WaitGroup // deliveries that are not settled
	done                 chan struct{}  // closed when all is settled

	before report.Exercised // in the workspace
	fast   bool             // ends at the first expectation that does not hold

	mu              sync.Mutex
	idle            idle
	report          report.Run
	latencies       report.Latencies
	listed          map[int]int // failures by step
	plotted, stride int         // deliveries that were, and how many stand for one point
	// Of a run with a rate: first attempts, and when the first and the last were made.
	leavings            int
	firstLeft, lastLeft time.Time
}

// idle is closed when no delivery of a step is under way any more.
type idle struct {
	step    int
	reached chan struct{} // nil: nobody waits for that
}

// Bounds of [Options].
const (
	MaxConcurrency = 1000
	MaxRate        = 1_000_000
)

// checkConcurrency says what is wrong with how many deliveries may be on their way at
// once. Zero is the default.
func checkConcurrency(n int) error {
	if n < 0 || n > MaxConcurrency {
		return fmt.Errorf("concurrency %d is not from 1 to %d", n, MaxConcurrency)
	}
	return nil
}

// Start begins to perform a scenario in a workspace and returns at once, with the
// faults armed that its first steps arm. The error says what keeps it from
// starting; nothing was sent then.
func (e *Engine) Start(workspaceID string, s *scenario.Scenario, o Options) (*Run, error) {
	if err := checkConcurrency(o.Concurrency); err != nil {
		return nil, err
	}
	if !(o.Rate >= 0 && o.Rate <= MaxRate) {
		return nil, fmt.Errorf("rate %g is not above 0 and at most %d", o.Rate, MaxRate)
	}
	fixtures, err := readFixtures(s, o.Fixtures)
	if err != nil {
		return nil, err
	}
	if err := e.hasFaults(s); err != nil {
		return nil, err
	}
	now := e.cfg.Clock.Now()
	start := now.UTC().Truncate(time.Millisecond) // as precise as a payload says it
	if p := cmp.Or(o.Start, s.Start); p != nil {
		start = *p
	}
	if end := start.UTC().Add(s.Span()); start.UTC().Year() < 1970 || end.Year() > 9999 {
		return nil, fmt.Errorf("the run would go from %s to %s, which is not within the years 1970 to 9999", start.UTC().Format(time.DateTime), end.Format(time.DateTime))
	}
	r, err := e.launch(workspaceID, s, o, fixtures, start, now)
	if err != nil {
		return nil, err
	}
	if o.Hold == nil {
		<-r.prepared
	}
	return r, nil
}

// launch makes the run and its goroutine.
func (e *Engine) launch(workspaceID string, s *scenario.Scenario, o Options, fixtures map[string][]byte, start, now time.Time) (*Run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errors.New("the emulator is shutting down")
	}
	if under := len(slices.DeleteFunc(slices.Clone(e.runs), (*Run).ended)); under >= e.cfg.Runs {
		return nil, fmt.Errorf("%w: %d", ErrBusy, under)
	}
	number := e.cfg.Store.NextRun(workspaceID)
	id := e.cfg.Seed.Key("run").Str(workspaceID).Num(number).ID("run_")
	chosen := uint64(e.cfg.Seed.Key("run seed").Str(id).Rand().Uint32())
	if p := cmp.Or(o.Seed, s.Seed); p != nil {
		chosen = *p
	}
	speed := cmp.Or(o.Speed, 1)
	if o.Rate > 0 {
		speed = clock.Max
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &Run{
		engine:   e,
		scenario: s,
		fixtures: fixtures,
		stepped:  o.Stepped,
		settled:  o.Settled,
		fast:     o.FailFast,
		speed:    speed,
		line:     clock.NewTimeline(e.cfg.Clock, start, speed),
		schedule: schedule{clock: e.cfg.Clock, rate: o.Rate},
		abreast:  o.Concurrency,
		cast:     cast.New(cast.Config{Edition: e.cfg.Edition, Seed: seed.Seed(chosen), Run: number, Pins: s.Cast}),
		watch:    clock.Start(),
		cancel:   cancel,
		counted:  map[scenario.Await]int{},
		prepared: make(chan struct{}),
		emitted:  make(chan struct{}),
		done:     make(chan struct{}),
		report: report.Run{
			ID: id, Workspace: workspaceID, Scenario: s.Name, File: s.File, Edition: string(e.cfg.Edition),
			Coverage: report.Coverage{Edition: string(e.cfg.Edition), Items: []report.Covered{}},
			Seed:     chosen, Start: start, Speed: speed.String(), Concurrency: max(o.Concurrency, 1), State: report.Running, Began: now, Steps: len(s.Steps),
		},
	}
	if o.Rate > 0 {
		r.report.Schedule = &report.Schedule{Rate: o.Rate}
	}
	for _, step := range s.Steps {
		r.report.Results = append(r.report.Results, report.Step{Position: step.Pos.String(), What: step.String(), State: report.Waiting})
	}
	r.before = e.cfg.Journal.Exercised(workspaceID)
	r.mark()
	e.remember(r)
	r.announce()
	e.busy.Go(func() {
		defer cancel(nil)
		err := r.perform(ctx, o.Hold)
		r.pending.Wait()
		r.close(cmp.Or(err, context.Cause(ctx)))
	})
	return r, nil
}

// remember adds a run; the oldest that has ended makes room.
func (e *Engine) remember(r *Run) {
	if len(e.runs) >= e.cfg.Runs {
		if i := slices.IndexFunc(e.runs, (*Run).ended); i >= 0 {
			e.runs = slices.Delete(e.runs, i, i+1)
		}
	}
	e.runs = append(e.runs, r)
}

func readFixtures(s *scenario.Scenario, from []fs.FS) (map[string][]byte, error) {
	read := map[string][]byte{}
	for _, step := range s.Steps {
		if step.Fixture == "" {
			continue
		}
		body, done := read[step.Fixture]
		if !done {
			var err error
			if body, err = readFixture(step.Fixture, from); err != nil {
				return nil, fmt.Errorf("%s: fixture: %w", step.FixturePos, err)
			}
			read[step.Fixture] = body
		}
		if err := spoilable(step, body); err != nil {
			return nil, fmt.Errorf("%s: fixture: %w", step.FixturePos, err)
		}
	}
	return read, nil
}

// CheckFixture says what is wrong with the fixture of a step; the error wraps
// [fs.ErrNotExist] if it is nowhere.
func CheckFixture(step scenario.Step, from []fs.FS) error {
	body, err := readFixture(step.Fixture, from)
	if err != nil {
		return err
	}
	return spoilable(step, body)
}

// spoilable says why a payload cannot be spoilt as the step wants. What is drawn
// makes no difference to that.
func spoilable(step scenario.Step, body []byte) error {
	_, _, err := spoil(body, step.Event, step.Delivery, seed.Seed(0).Key("try"))
	return err
}

func readFixture(path string, from []fs.FS) ([]byte, error) {
	for _, fsys := range from {
		body, err := fs.ReadFile(fsys, path)
		if !errors.Is(err, fs.ErrNotExist) {
			return body, err
		}
	}
	return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

// close closes the report; the error says what ended the run early, before its
// last step or before its last delivery was settled.
func (r *Run) close(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Took = r.watch.Elapsed()
	r.report.Latency, r.report.Histogram = r.latencies.Summary(), r.latencies.Histogram()
	r.report.Armed = r.stillArmed()
	exercised := r.engine.cfg.Journal.Exercised(r.report.Workspace).Since(r.before)
	r.report.Coverage = report.NewCoverage(r.report.Edition, Exercisable(r.engine.cfg.Edition), exercised)
	r.latencies = report.Latencies{} // its counts are large
	var given deliver.GivenUp
	var unmet unmetError
	switch {
	case errors.As(err, &unmet):
		r.report.State, r.report.Error = report.Stalled, unmet.Error()
	case errors.As(err, &given):
		r.report.State, r.report.Error = report.Cancelled, given.Error()
	case err != nil:
		r.report.State, r.report.Error = report.Broken, err.Error()
	default:
		r.report.State = report.Finished
	}
	r.conclude()
	for i := range r.report.Results {
		switch step := &r.report.Results[i]; {
		case step.Failures > 0:
			step.State = report.Failing
		case step.State == report.Going && i >= r.report.StepsDone && r.report.State == report.Broken:
			step.State = report.Errored
		case step.State == report.Going && i >= r.report.StepsDone && r.report.State == report.Cancelled:
			// It did not come to its end.
		case step.State == report.Going:
			step.State = report.Passed
		}
	}
	level := slog.LevelInfo
	if r.report.Error != "" && r.report.State != report.Cancelled {
		level = slog.LevelWarn
	}
	r.engine.cfg.Logger.Log(context.Background(), level, "run ended", "run", r.report.ID, "scenario", r.report.Scenario,
		"state", string(r.report.State), "error", r.report.Error, "deliveries", r.report.Deliveries.String(), "seed", r.report.Seed)
	r.announce()
	close(r.done)
}

// toldFailures is how many failures of a run a stream tells.
const toldFailures = 20

// announce tells the streams of the run as it stands.
func (r *Run) announce() {
	told := r.report
	told.Results, told.Failures = slices.Clone(told.Results), slices.Clone(told.Failures[:min(toldFailures, len(told.Failures))])
	told.Causes, told.Faults = maps.Clone(told.Causes), maps.Clone(told.Faults)
	told.Timeline, told.Histogram = nil, nil
	if told.Schedule != nil {
		told.Schedule = new(*told.Schedule)
	}
	r.engine.cfg.Journal.Announce(journal.OfRun, told.Workspace, 4096+256*(len(told.Results)+len(told.Failures)), told)
}

func (r *Run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// ID returns the run's id.
func (r *Run) ID() string { return r.report.ID }

// Done is closed when the last delivery of the run is settled.
func (r *Run) Done() <-chan struct{} { return r.done }

// Report returns what has happened so far; it is complete once Done is closed.
func (r *Run) Report() report.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.report
	out.Failures = slices.Clone(out.Failures)
	out.Results, out.Timeline = slices.Clone(out.Results), slices.Clone(out.Timeline)
	out.Causes, out.Faults = maps.Clone(out.Causes), maps.Clone(out.Faults)
	if out.Schedule != nil {
		out.Schedule = new(*out.Schedule)
	}
	if out.State == report.Running {
		out.Took = r.watch.Elapsed()
		out.Latency = r.latencies.Summary()
	}
	return out
}

// Cancel ends the run: nothing more is emitted, what is on its way is dropped
// with the cause. It returns when all is settled.
func (r *Run) Cancel(cause journal.Cause) {
	r.cancel(deliver.GivenUp(cause))
	<-r.emitted
	r.engine.cfg.Deliverer.Drop(cause, func(d journal.Delivery) bool { return d.Run == r.report.ID })
	<-r.done
}

// Runs returns the remembered runs of a workspace, or of all if it is empty,
// oldest first.
func (e *Engine) Runs(workspaceID string) []*Run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.runs), func(r *Run) bool {
		return workspaceID != "" && r.report.Workspace != workspaceID
	})
}

// Usage returns how many runs are under way, and how many may be.
func (e *Engine) Usage() (underWay, most int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.runs {
		if !r.ended() {
			underWay++
		}
	}
	return underWay, e.cfg.Runs
}

// Run returns the remembered run of that id.
func (e *Engine) Run(id string) (*Run, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.runs, func(r *Run) bool { return r.report.ID == id })
	if i < 0 {
		return nil, false
	}
	return e.runs[i], true
}

// Reset cancels the runs of a workspace, or of all if it is empty, and forgets
// them. Single events that are being queued end, too.
func (e *Engine) Reset(workspaceID string) {
	e.endEmissions(workspaceID, journal.ByReset)
	runs := e.Runs(workspaceID)
	for _, r := range runs {
		r.Cancel(journal.ByReset)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.runs = slices.DeleteFunc(e.runs, func(r *Run) bool { return slices.Contains(runs, r) })
}

// Close lets nothing start, ends what is under way as shut down, and returns
// when no run emits any more. Their deliveries are settled by the deliverer.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	runs := slices.Clone(e.runs)
	e.mu.Unlock()
	e.endEmissions("", journal.ByShutdown)
	for _, r := range runs {
		r.cancel(deliver.GivenUp(journal.ByShutdown))
		<-r.emitted
	}
}

// Wait returns when every run is settled, after [Engine.Close].
func (e *Engine) Wait() { e.busy.Wait() }
