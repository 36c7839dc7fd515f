package replay

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

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
}

// Emit sends a single event now and returns the ids of its deliveries. The error
// is [ErrNobody], or says what is wrong with Set.
func (e *Engine) Emit(ctx context.Context, workspaceID string, ev Event) ([]string, error) {
	cfg := e.cfg
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
	body := ev.Body
	if body == nil {
		chosen := seed.Seed(key.Rand().Uint64())
		if ev.Seed != nil {
			chosen = seed.Seed(*ev.Seed)
		}
		var err error
		c := cast.New(cast.Config{Edition: cfg.Edition, Seed: chosen, Run: number})
		if body, err = c.Payload(scenario.Step{Event: ev.Type, Repeat: 1, Set: ev.Set}, at); err != nil {
			return nil, err
		}
	}
	ids := make([]string, len(hooks))
	for i, hook := range hooks {
		ids[i] = key.Str(hook.ID).ID("dlv_")
		cfg.Deliverer.Enqueue(ctx, hook, journal.Delivery{
			ID:         ids[i],
			Workspace:  workspaceID,
			Event:      ev.Type,
			OccurredAt: at,
			Body:       body,
		}, deliver.Handling{})
	}
	return ids, nil
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
