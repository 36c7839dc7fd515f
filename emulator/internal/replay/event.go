package replay

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// ErrNobody is returned for an event that no webhook of the workspace gets.
var ErrNobody = errors.New("no active webhook of the workspace is subscribed to it")

// An Event is a single event outside any scenario: either a faked one of a type,
// or a body of the caller's.
type Event struct {
	Type hirempire.Event
	Set  []scenario.Setting
	Seed *uint64 // nil: drawn
	// Body, if not nil, is sent as it is: to the webhooks subscribed to Type or, if
	// that is empty, to the type that the body names under "event"; to every active
	// one if that is none of the seven.
	Body []byte
	// Fault is what goes wrong with its deliveries, on purpose. Delay and Shuffle are
	// for stories and mean nothing here.
	Fault scenario.DeliveryFault
	// Concurrency is how many deliveries of such events may be on their way to each
	// webhook at once, to [MaxConcurrency]. Default 1: in order.
	Concurrency int
}

// emission is a single event that is being queued.
type emission struct {
	workspace string
	cancel    context.CancelCauseFunc
	queued    chan struct{} // closed when it is
}

// endEmissions interrupts those of a workspace, or all if it is empty, that wait
// at a full queue, and returns when none is left.
func (e *Engine) endEmissions(workspaceID string, cause journal.Cause) {
	var ending []*emission
	e.mu.Lock()
	for em := range e.single {
		if workspaceID == "" || em.workspace == workspaceID {
			em.cancel(deliver.GivenUp(cause))
			ending = append(ending, em)
		}
	}
	e.mu.Unlock()
	for _, em := range ending {
		<-em.queued
	}
}

// begin counts an emission in.
func (e *Engine) begin(ctx context.Context, workspaceID string) (context.Context, func(), error) {
	ctx, cancel := context.WithCancelCause(ctx)
	em := &emission{workspaceID, cancel, make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		cancel(nil)
		return nil, nil, errors.New("the emulator is shutting down")
	}
	e.single[em] = struct{}{}
	return ctx, func() {
		e.mu.Lock()
		delete(e.single, em)
		e.mu.Unlock()
		cancel(nil)
		close(em.queued)
	}, nil
}

// Emit sends a single event now and returns the ids of its deliveries. What
// becomes of each is told to settled, if that is not nil. The error is
// [ErrNobody], or says what is wrong with the event.
func (e *Engine) Emit(ctx context.Context, workspaceID string, ev Event, settled deliver.Outcome) ([]string, error) {
	cfg := e.cfg
	if err := checkConcurrency(ev.Concurrency); err != nil {
		return nil, err
	}
	ctx, end, err := e.begin(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	defer end()
	if ev.Body != nil && ev.Type == "" {
		var head struct {
			Event hirempire.Event `json:"event"`
		}
		_ = json.Unmarshal(ev.Body, &head) // a body need not be JSON
		ev.Type = head.Event
	}
	hooks := e.receivers(workspaceID, ev.Type)
	if len(hooks) == 0 {
		return nil, ErrNobody
	}
	number := cfg.Store.NextEvent(workspaceID)
	key := cfg.Seed.Key("event").Str(workspaceID).Num(number)
	at := cfg.Clock.Now().UTC()
	chosen := seed.Seed(key.Rand().Uint64())
	if ev.Seed != nil {
		chosen = seed.Seed(*ev.Seed)
	}
	body := ev.Body
	if body == nil {
		c := cast.New(cast.Config{Edition: cfg.Edition, Seed: chosen, Run: number})
		if body, err = c.Payload(scenario.Step{Event: ev.Type, Repeat: 1, Set: ev.Set}, at); err != nil {
			return nil, err
		}
	}
	// Planned as a whole before anything is sent, so that an error leaves nothing half done.
	type outgoing struct {
		hook     workspace.Webhook
		delivery journal.Delivery
		fault    scenario.DeliveryFault
	}
	planned := make([]outgoing, 0, 1) // which is what most need
	for i, hook := range hooks {
		f, draw := struck(ev.Fault, chosen.Key("fault").Num(uint64(i)))
		spoilt, faults, err := spoil(body, ev.Type, f, draw)
		if err != nil {
			return nil, err
		}
		d := journal.Delivery{
			ID:         key.Str(hook.ID).ID("dlv_"),
			Workspace:  workspaceID,
			Event:      ev.Type,
			OccurredAt: at,
			Body:       spoilt,
			Faults:     faults,
		}
		for n := range f.Duplicates + 1 {
			planned = append(planned, outgoing{hook, duplicate(d, n, f, cfg.Seed), f})
		}
	}
	ids := make([]string, len(planned))
	for i, p := range planned {
		ids[i] = p.delivery.ID
		handling := deliver.Handling{Done: settled, Headers: p.fault.Headers, Wire: p.fault.Wire, Rate: p.fault.Rate, Concurrency: ev.Concurrency}
		if p.fault.Drop {
			cfg.Deliverer.Skip(p.hook, p.delivery, handling)
		} else {
			cfg.Deliverer.Enqueue(ctx, p.hook, p.delivery, handling)
		}
	}
	return ids, nil
}

// EmitAndWait is [Engine.Emit], and returns the deliveries as [Await] does.
func (e *Engine) EmitAndWait(ctx context.Context, workspaceID string, ev Event) ([]journal.Delivery, error) {
	return Await(ctx, func(ctx context.Context, settled deliver.Outcome) ([]string, error) {
		return e.Emit(ctx, workspaceID, ev, settled)
	})
}

// Await lets something be sent and returns the deliveries in order once each is
// settled. If ctx ends first, it returns those that are, and the context's cause.
func Await(ctx context.Context, send func(context.Context, deliver.Outcome) ([]string, error)) ([]journal.Delivery, error) {
	var mu sync.Mutex
	found := map[string]journal.Delivery{}
	changed := make(chan struct{}, 1)
	ids, err := send(ctx, func(d journal.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		found[d.ID] = d
		select {
		case changed <- struct{}{}:
		default: // the wait looks again anyway
		}
	})
	if err != nil {
		return nil, err
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(found)
	}
	for count() < len(ids) && ctx.Err() == nil {
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	mu.Lock()
	defer mu.Unlock()
	var deliveries []journal.Delivery
	for _, id := range ids {
		if d, ok := found[id]; ok {
			deliveries = append(deliveries, d)
		}
	}
	if len(deliveries) < len(ids) {
		return deliveries, context.Cause(ctx)
	}
	return deliveries, nil
}

// ErrGone is returned where the webhook of a delivery is not there, or paused.
var ErrGone = errors.New("the webhook is not there any more, or paused")

// Redeliver sends the bytes of a delivery to its webhook again, as a delivery of
// its own whose id it returns. The error is [ErrGone].
func (e *Engine) Redeliver(ctx context.Context, d journal.Delivery, settled deliver.Outcome) ([]string, error) {
	ctx, end, err := e.begin(ctx, d.Workspace)
	if err != nil {
		return nil, err
	}
	defer end()
	w, _ := e.cfg.Store.Get(d.Workspace)
	i := slices.IndexFunc(w.Webhooks, func(h workspace.Webhook) bool { return h.ID == d.Webhook && h.Active && !h.Fixed })
	if i < 0 {
		return nil, ErrGone
	}
	again := journal.Delivery{
		ID:           e.cfg.Seed.Key("redelivery").Str(d.ID).Num(e.cfg.Store.NextEvent(d.Workspace)).ID("dlv_"),
		Workspace:    d.Workspace,
		Event:        d.Event,
		OccurredAt:   d.OccurredAt,
		Body:         d.Body,
		RedeliveryOf: d.ID,
	}
	e.cfg.Deliverer.Enqueue(ctx, w.Webhooks[i], again, deliver.Handling{Done: settled})
	return []string{again.ID}, nil
}

// Preview returns the payload that is faked for an event, and the seed that gives
// it again. Ids of entities are those of a workspace's first event.
func (e *Engine) Preview(ev Event) ([]byte, uint64, error) {
	chosen := uint64(seed.Random())
	if ev.Seed != nil {
		chosen = *ev.Seed
	}
	c := cast.New(cast.Config{Edition: e.cfg.Edition, Seed: seed.Seed(chosen), Run: 1})
	body, err := c.Payload(scenario.Step{Event: ev.Type, Repeat: 1, Set: ev.Set}, e.cfg.Clock.Now().UTC())
	return body, chosen, err
}

// receivers returns the subscribers of a documented event, and every active
// webhook for anything else.
func (e *Engine) receivers(workspaceID string, event hirempire.Event) []workspace.Webhook {
	if event.Valid() {
		return e.cfg.Store.Subscribers(workspaceID, event)
	}
	w, _ := e.cfg.Store.Get(workspaceID)
	return slices.DeleteFunc(w.Webhooks, func(h workspace.Webhook) bool { return !h.Active || h.Fixed })
}
