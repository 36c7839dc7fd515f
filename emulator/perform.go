package emulator

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A RegistrationError says why an endpoint was not registered: the answer of the
// vendor's API, and what it does not say.
type RegistrationError struct {
	Answer *hirempire.Error
	Note   string // such as the cause of a failed challenge; often empty
	Hint   string // what to do about it; often empty
}

// Error returns everything that is known.
func (e *RegistrationError) Error() string {
	text := e.Answer.Message
	if e.Note != "" {
		text += " (" + e.Note + ")"
	}
	if e.Hint != "" {
		text += "\n" + e.Hint
	}
	return text
}

// Register registers an endpoint for events as a client of the vendor's API
// would, with its challenge, and returns the webhook's id. The error is a
// [*RegistrationError].
func (e *Emulator) Register(ctx context.Context, token, requestURL string, events []hirempire.Event) (string, error) {
	_, out, failure := e.registrar.Create(ctx, registration.Call{
		Authorization: []string{"Bearer " + token},
		Body:          hirempire.Marshal(hirempire.CreateRequest{RequestURL: requestURL, Events: events}),
	})
	if failure != nil {
		err := &RegistrationError{Answer: failure, Note: out.Note}
		if c, ok := e.journal.LastChallenge(out.Workspace, requestURL); ok && !c.Passed {
			err.Hint = c.Hint
		}
		return "", err
	}
	return out.Webhook.ID, nil
}

// Library returns the stories that the emulator knows by name.
func (e *Emulator) Library() *Library { return e.library }

// Bounds of a [Performance].
const (
	MaxConcurrency = replay.MaxConcurrency
	MaxRate        = replay.MaxRate
)

// A Performance says how to perform a scenario. What is left out is the
// scenario's choice; what that leaves out has the default that its comment names.
type Performance struct {
	Scenario *scenario.Scenario
	Token    string     // of the workspace whose webhooks get the events
	Seed     *uint64    // default: drawn
	Start    *time.Time // of the run's clock; default: now
	Speed    Speed      // default: that of the emulator
	// Concurrency is how many deliveries may be on their way to each webhook at once,
	// to [MaxConcurrency]. Default 1: in order.
	Concurrency int
	// Rate is how many events leave in a second, to [MaxRate], whatever the story's
	// times are and however slow the answers come; Speed means nothing then, and the
	// report tells how the schedule was held. Default: the story's times.
	Rate   float64
	Beside fs.FS // where the scenario's fixtures are looked for first; nil: nowhere
	// FailFast ends the run at the first expectation that does not hold.
	FailFast bool
	// Stepped is called as each step begins, from the run's goroutine; nil is fine.
	Stepped func(index int, step scenario.Step)
	// Settled is called for each delivery that has ended, one at a time; nil is fine.
	Settled func(Delivery)
}

// Delivery is one event on its way to one webhook, and the attempts made.
type Delivery = journal.Delivery

// Fault is something that went wrong with a delivery on purpose.
type Fault = journal.Fault

// Delivered is the [Delivery] status of success.
const Delivered = journal.Delivered

// Send sends a body to the webhooks of a token's workspace that are subscribed to
// the event, or to the one that the body names if event is empty, and returns when
// each delivery has ended. The body goes as it is, but for what the fault does to
// it; its Delay and Shuffle mean nothing here. If ctx ends first, it returns the
// deliveries as they are, and the context's cause.
func (e *Emulator) Send(ctx context.Context, token string, event hirempire.Event, body []byte, fault scenario.DeliveryFault) ([]Delivery, error) {
	sent, err := e.engine.EmitAndWait(ctx, e.store.ID(token), replay.Event{Type: event, Body: slices.Clone(body), Fault: fault})
	for i := range sent {
		sent[i] = sent[i].Copy()
	}
	return sent, err
}

// Perform performs a scenario to its end. If ctx ends first, the run is
// cancelled and its report is returned all the same. The error says why nothing
// was performed.
func (e *Emulator) Perform(ctx context.Context, p Performance) (report.Run, error) {
	if p.Speed == 0 {
		p.Speed = e.opts.Speed
	}
	fixtures := e.fixturesOf(p.Scenario)
	if p.Beside != nil {
		fixtures = e.fixtures(p.Beside)
	}
	settled := p.Settled
	if settled != nil {
		settled = func(d Delivery) { p.Settled(d.Copy()) }
	}
	run, err := e.engine.Start(e.store.ID(p.Token), p.Scenario, replay.Options{
		Seed: p.Seed, Start: p.Start, Speed: p.Speed, Fixtures: fixtures, Stepped: p.Stepped, Settled: settled, FailFast: p.FailFast,
		Concurrency: p.Concurrency, Rate: p.Rate,
	})
	if err != nil {
		return report.Run{}, fmt.Errorf("cannot perform %s: %w", p.Scenario.Name, err)
	}
	select {
	case <-run.Done():
	case <-ctx.Done():
		run.Cancel(journal.ByCancel)
	}
	return run.Report(), nil
}
