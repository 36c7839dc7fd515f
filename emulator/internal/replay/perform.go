package replay

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// perform walks through the steps.
func (r *Run) perform(ctx context.Context, hold <-chan struct{}) error {
	defer close(r.emitted)
	prepare := sync.OnceFunc(func() { close(r.prepared) })
	defer prepare()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for i := range r.scenario.Steps {
		step := &r.scenario.Steps[i]
		if step.Fault == nil {
			prepare()
		}
		if r.stepped != nil {
			r.stepped(i, *step)
		}
		r.mu.Lock()
		result := &r.report.Results[i]
		result.State, result.Began = report.Going, r.watch.Elapsed()
		r.mu.Unlock()
		err := r.step(ctx, i, step)
		r.mu.Lock()
		result.Took = r.watch.Elapsed() - result.Began
		if err == nil {
			r.report.StepsDone++
		}
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return r.clear(ctx)
}

func (r *Run) step(ctx context.Context, i int, step *scenario.Step) error {
	if step.Event != "" {
		if err := r.events(ctx, i, step); err != nil || step.Expect == nil {
			return err
		}
		// What is expected of late and shuffled deliveries, too.
		if err := r.clear(ctx); err != nil {
			return err
		}
		if err := r.settle(ctx, i); err != nil {
			return err
		}
		return r.failFast(step)
	}
	// What is no event ends what was to change places.
	if err := r.closeWindows(ctx); err != nil {
		return err
	}
	switch {
	case step.Fault != nil:
		r.mark() // before it is armed, or the call that it meets might come before the mark
		return r.arm(step)
	case step.Await != nil:
		if err := r.clear(ctx); err != nil {
			return err
		}
		return r.await(ctx, i, step)
	case step.Challenge != nil:
		if err := r.clear(ctx); err != nil {
			return err
		}
		r.mark()
		return r.challenge(ctx, i, step)
	default:
		// It ends nothing for awaits: what a consumer does at once it does before or
		// after a wait, depending on the speed.
		return r.advance(ctx, r.line.Elapsed()+step.Wait)
	}
}

// events emits every iteration of a step.
func (r *Run) events(ctx context.Context, i int, step *scenario.Step) error {
	begins := r.line.Elapsed()
	next, stop := r.payloads(step, i)
	defer stop()
	for n := range step.Repeat {
		if err := r.advance(ctx, r.due(i, n, step, begins)); err != nil {
			return err
		}
		scheduled, err := r.schedule.wait(ctx)
		if err != nil {
			return err
		}
		if n == step.Repeat-1 {
			r.mark() // before the last event, to which somebody may react at once
		}
		at := r.line.Now()
		body, err := next(at)
		if err != nil {
			return err
		}
		if err := r.emit(ctx, i, n, step, event{at, scheduled, body}); err != nil {
			return err
		}
	}
	return nil
}

// An event is one iteration of a step.
type event struct {
	at        time.Time // on the run's clock
	scheduled time.Time // on the process's clock; zero: the run has no rate
	body      []byte
}

func (r *Run) key(kind string, step, iteration int) seed.Key {
	return seed.Seed(r.report.Seed).Key(kind).Num(uint64(step)).Num(uint64(iteration))
}

func (r *Run) jitter(step, iteration int, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(r.key("jitter", step, iteration).Rand().Int64N(int64(most) + 1))
}

// emit plans the deliveries of one event, one for every subscribed webhook and its
// duplicates, and lets them go.
func (r *Run) emit(ctx context.Context, i, n int, step *scenario.Step, ev event) error {
	elapsed := r.line.Elapsed()
	cfg := r.engine.cfg
	hooks := cfg.Store.Subscribers(r.report.Workspace, step.Event)
	r.mu.Lock()
	r.report.Events++
	if len(hooks) == 0 {
		r.report.Unheard++
	}
	r.mu.Unlock()
	if len(hooks) == 0 {
		r.unheard(i, n, step)
	}
	for h, hook := range hooks {
		p := planned{
			hook: hook,
			step: step,
			delivery: journal.Delivery{
				ID:         cfg.Seed.Key("delivery").Str(r.report.ID).Num(uint64(i)).Num(uint64(n)).Str(hook.ID).ID("dlv_"),
				Workspace:  r.report.Workspace,
				Run:        r.report.ID,
				Step:       i + 1,
				Iteration:  n + 1,
				Event:      step.Event,
				OccurredAt: ev.at,
				Body:       ev.body,
			},
			scheduled: ev.scheduled,
			leads:     h == 0,
		}
		p.fault, p.key = struck(step.Delivery, r.key("fault", i, n).Num(uint64(h)))
		p.due = elapsed + p.fault.Delay
		if err := r.send(ctx, p); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// struck returns the fault if it falls on the delivery of that key, and the key of
// its draws. The key has the place of the webhook, not its id, so that the same
// deliveries are struck on every server.
func struck(f scenario.DeliveryFault, key seed.Key) (scenario.DeliveryFault, seed.Key) {
	if f.Chance != 0 && key.Str("chance").Rand().Float64() >= f.Chance {
		return scenario.DeliveryFault{}, key
	}
	return f, key
}

// Payload returns what the first webhook would get of an iteration of a story's
// first step, if that has a fault.
func Payload(body []byte, step scenario.Step, n int, of seed.Seed) ([]byte, error) {
	f, key := struck(step.Delivery, of.Key("fault").Num(0).Num(uint64(n)).Num(0))
	body, _, err := spoil(body, step.Event, f, key)
	return body, err
}

// hand gives a delivery, and its duplicates, to the queue of its webhook.
func (r *Run) hand(ctx context.Context, p planned) error {
	var err error
	d := p.delivery
	if d.Body, d.Faults, err = spoil(p.delivery.Body, p.delivery.Event, p.fault, p.key); err != nil {
		return fmt.Errorf("%s: %w", p.step.Pos, err)
	}
	if p.fault.Delay > 0 {
		d.Faults = append(d.Faults, journal.Fault{Kind: "delay", Detail: p.fault.Delay.String()})
	}
	if p.moved != "" {
		d.Faults = append(d.Faults, journal.Fault{Kind: "shuffle", Detail: p.moved})
	}
	at := d.Step - 1
	for n := range p.fault.Duplicates + 1 {
		d := duplicate(d, n, p.fault, r.engine.cfg.Seed)
		r.pending.Add(1)
		r.mu.Lock()
		for _, l := range []*report.Ledger{&r.report.Deliveries, &r.report.Results[at].Deliveries} {
			l.Emitted++
			l.Queued++
		}
		for _, f := range d.Faults {
			if r.report.Faults == nil {
				r.report.Faults = map[string]uint64{}
			}
			r.report.Faults[f.Kind]++
		}
		r.mu.Unlock()
		step, o := p.step, outcome{step: p.step} // for what is called later, which would keep all of p
		if p.fault.Delay == 0 && p.moved == "" { // or it is late on purpose
			o.scheduled, o.leads = p.scheduled, p.leads && n == 0
		}
		handling := deliver.Handling{
			Done: func(d journal.Delivery) { r.account(o, d) },
			Left: func() {
				o.left = true
				r.left(at)
			},
			Pause:       r.pause,
			Concurrency: r.abreast,
			Headers:     p.fault.Headers, Wire: p.fault.Wire, Rate: p.fault.Rate,
		}
		if step.Expect != nil {
			handling.Judge = func(d journal.Delivery, a *deliver.Answer) { o.excused, o.unmet = r.judge(step, d, a) }
		}
		if p.fault.Drop {
			r.engine.cfg.Deliverer.Skip(p.hook, d, handling)
		} else {
			r.engine.cfg.Deliverer.Enqueue(ctx, p.hook, d, handling)
		}
	}
	return context.Cause(ctx)
}

// spoil returns the payload as it is sent, and names what is wrong with the
// delivery on purpose, but for what only a story can do.
func spoil(body []byte, event hirempire.Event, f scenario.DeliveryFault, key seed.Key) ([]byte, []journal.Fault, error) {
	var faults []journal.Fault
	if f.Drop {
		faults = append(faults, journal.Fault{Kind: "drop"})
	}
	if f.Corrupt != "" {
		spoilt, detail, err := cast.Corrupt(body, event, f, key.Str("corrupt"))
		if err != nil {
			return nil, nil, fmt.Errorf("corrupt: %s: %w", f.Corrupt, err)
		}
		body = spoilt
		faults = append(faults, journal.Fault{Kind: "corrupt: " + string(f.Corrupt), Detail: detail})
	}
	if len(f.Headers) > 0 {
		names := make([]string, len(f.Headers))
		for i, h := range f.Headers {
			names[i] = h.Name
		}
		faults = append(faults, journal.Fault{Kind: "headers", Detail: strings.Join(names, ", ")})
	}
	if f.Wire != "" {
		w := journal.Fault{Kind: "wire: " + string(f.Wire)}
		if f.Wire == scenario.Slow {
			w.Detail = fmt.Sprintf("%d bytes a second", f.Rate)
		}
		faults = append(faults, w)
	}
	return body, faults, nil
}

// duplicate returns the nth delivery of the same bytes; the first, zero, is the
// delivery itself.
func duplicate(d journal.Delivery, n int, f scenario.DeliveryFault, ids seed.Seed) journal.Delivery {
	if n == 0 {
		return d
	}
	d.DuplicateOf = d.ID
	d.ID = ids.Key("duplicate").Str(d.ID).Num(uint64(n)).ID("dlv_")
	d.Faults = append(slices.Clone(d.Faults), journal.Fault{Kind: "duplicates", Detail: fmt.Sprintf("%d of %d", n, f.Duplicates)})
	return d
}

// pause lets the time between two attempts pass at the run's speed. The run's own
// timeline goes on meanwhile: a retry delays the events behind it in its queue
// and changes no timestamp.
func (r *Run) pause(ctx context.Context, d time.Duration) error {
	speed := r.speed
	if r.schedule.rate > 0 { // which is in real time
		speed = 1
	}
	return clock.NewTimeline(r.engine.cfg.Clock, r.report.Start, speed).Wait(ctx, d)
}

// An outcome is what the report needs to know of a delivery that has ended.
type outcome struct {
	step      *scenario.Step
	scheduled time.Time // zero: the run has no rate
	leads     bool      // it stands for its event, and is neither another webhook's nor a duplicate
	left      bool      // it left its queue
	excused   bool      // by the step's expectation
	unmet     bool      // an expectation did not hold, which is listed already
}

// left enters that a delivery of a step is on its way.
func (r *Run) left(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range []*report.Ledger{&r.report.Deliveries, &r.report.Results[i].Deliveries} {
		l.Queued--
		l.Sending++
	}
}

// account enters the outcome of a delivery in the report.
func (r *Run) account(o outcome, d journal.Delivery) {
	defer r.pending.Done()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled != nil {
		r.settled(d)
	}
	result := &r.report.Results[d.Step-1]
	for _, l := range []*report.Ledger{&r.report.Deliveries, &result.Deliveries} {
		if o.left {
			l.Sending--
		} else {
			l.Queued--
		}
		switch d.Status.Word() {
		case journal.Delivered:
			l.Delivered++
		case journal.Failed:
			l.Failed++
		default:
			l.Dropped++
		}
	}
	if r.idle.reached != nil && r.idle.step == d.Step-1 && result.Deliveries.Pending() == 0 {
		close(r.idle.reached)
		r.idle.reached = nil
	}
	var last journal.Attempt
	if n := len(d.Attempts); n > 0 {
		last = d.Attempts[n-1]
	}
	latency := last.Took
	if !o.scheduled.IsZero() {
		// What waits for a slow consumer has it answer later still, which is missed by
		// who counts from when it left.
		latency = r.departed(o, d)
	}
	if last.Status != 0 {
		r.latencies.Add(latency)
	}
	r.report.Retries += uint64(max(0, len(d.Attempts)-1))
	delivered, planned := d.Status.Word() == journal.Delivered, d.Planned()
	r.plot(report.Point{
		At: r.watch.Elapsed(), Took: latency, Step: d.Step, Webhook: d.Webhook, Event: string(d.Event), Status: string(d.Status),
		OK: (delivered || planned || o.excused) && !o.unmet,
	})
	if delivered {
		return
	}
	if r.report.Causes == nil {
		r.report.Causes = map[string]uint64{}
	}
	r.report.Causes[string(d.Status)]++
	switch {
	case planned:
		r.report.Planned++
	case o.excused:
		r.report.Expected++
	case !o.unmet:
		r.fail(report.Failure{
			Step: d.Step, Iteration: d.Iteration, Delivery: d.ID, Event: string(d.Event), Position: o.step.Pos.String(), Status: string(d.Status), Detail: d.Detail,
		}, &d)
	}
}

// plot adds a delivery to the timeline, with the lock held. When that is full, every
// second one goes, and from then on only every second one comes.
func (r *Run) plot(p report.Point) {
	if r.plotted++; (r.plotted-1)%max(1, r.stride) != 0 {
		return
	}
	if len(r.report.Timeline) >= report.MaxPoints {
		for i := range report.MaxPoints / 2 {
			r.report.Timeline[i] = r.report.Timeline[2*i]
		}
		r.report.Timeline = r.report.Timeline[:report.MaxPoints/2]
		r.stride = 2 * max(1, r.stride)
	}
	r.report.Timeline = append(r.report.Timeline, p)
}

// fail lists a failure, of a delivery if that is not nil, with the lock held.
func (r *Run) fail(f report.Failure, d *journal.Delivery) {
	if f.Step > 0 {
		r.report.Results[f.Step-1].Failures++
	}
	r.report.AllFailures++
	if r.listed == nil {
		r.listed = map[int]int{}
	}
	if r.listed[f.Step] >= report.MaxOfStep || len(r.report.Failures) >= report.MaxFailures {
		return
	}
	r.listed[f.Step]++
	if d != nil && len(r.report.Failures) < report.MaxExamined {
		f.Payload = strings.ToValidUTF8(string(d.Body[:min(len(d.Body), maxExamined)]), "\ufffd")
		if n := len(d.Attempts); n > 0 {
			f.Answer = d.Attempts[n-1].Body
		}
	}
	r.report.Failures = append(r.report.Failures, f)
}

// maxExamined is how many bytes of a payload a failure keeps.
const maxExamined = 8 << 10

// challenge sends one to every active webhook, in its queue.
func (r *Run) challenge(ctx context.Context, i int, step *scenario.Step) error {
	cfg := r.engine.cfg
	w, _ := cfg.Store.Get(r.report.Workspace)
	for _, hook := range w.Webhooks {
		if !hook.Active || hook.Fixed {
			continue
		}
		value := cfg.Seed.Key("challenge").Str(r.report.ID).Num(uint64(i)).Str(hook.ID).Text(20)
		r.pending.Add(1)
		of := journal.Delivery{Workspace: r.report.Workspace, Run: r.report.ID}
		cfg.Deliverer.EnqueueChallenge(ctx, hook, of, value, *step.Challenge, r.pause, func(c journal.Challenge, err error) {
			r.challenged(i, step, c, err)
		})
	}
	return context.Cause(ctx)
}

// challenged records what became of the challenge of a step.
func (r *Run) challenged(i int, step *scenario.Step, c journal.Challenge, err error) {
	defer r.pending.Done()
	cfg := r.engine.cfg
	c.ID, c.Workspace, c.Run = cfg.Seed.Key("challenge id").Str(c.Expected).ID("chl_"), r.report.Workspace, r.report.ID
	if err != nil {
		c.Received.Cause, c.Received.Detail = deliver.CauseOf(err), "given up before it ended"
	}
	cfg.Journal.Challenged(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Challenges++
	if c.Passed || err != nil || slices.ContainsFunc(c.Faults, journal.Fault.Spoils) {
		return // nothing can be said of one that was given up
	}
	r.report.Unpassed++
	r.fail(report.Failure{
		Step: i + 1, Delivery: c.ID, Event: "challenge", Position: step.Pos.String(), Status: string(journal.Failed.With(c.Received.Cause)),
		Detail: c.Received.Detail, Answer: c.Received.Body,
	}, nil)
}
