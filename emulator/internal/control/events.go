package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

type eventBody struct {
	Event    hirempire.Event `json:"event"`
	Body     json.RawMessage `json:"body"`
	Set      json.RawMessage `json:"set"`
	Seed     *uint64         `json:"seed"`
	Delivery json.RawMessage `json:"delivery"`
	// Concurrency is how many deliveries may be on their way to each webhook at once.
	Concurrency int     `json:"concurrency"`
	Token       *string `json:"token"`
}

// event reads what is to be sent, and what is odd about it.
func (b eventBody) event() (ev replay.Event, warnings []string, err error) {
	if string(b.Body) == "null" { // left out
		b.Body = nil
	}
	if string(b.Set) == "null" {
		b.Set = nil
	}
	ev = replay.Event{Type: b.Event, Seed: b.Seed, Body: b.Body, Concurrency: b.Concurrency}
	switch {
	case b.Event == "" && b.Body == nil:
		return ev, nil, badRequest("name an event to fake, or give the body to send")
	case b.Event != "" && b.Body != nil:
		return ev, nil, badRequest("event fakes a payload and body gives one: send only one of them")
	case b.Body != nil && (b.Set != nil || b.Seed != nil):
		return ev, nil, badRequest("set and seed change a faked payload; a body is sent as it is")
	case b.Body == nil && !b.Event.Valid():
		return ev, nil, badRequest("event %s is unknown, known: %s", quoted(string(b.Event)), join(hirempire.Events()))
	}
	if b.Set != nil {
		settings, problems := scenario.ParseSet(b.Event, b.Set)
		if scenario.HasErrors(problems) {
			return ev, nil, fail(http.StatusBadRequest, "bad-set", "set does not fit the payload of "+string(b.Event), messages(problems)...)
		}
		ev.Set, warnings = settings, messages(problems)
	}
	if b.Delivery != nil {
		fault, problems := scenario.ParseDeliveryFault(b.Event, b.Delivery)
		if scenario.HasErrors(problems) {
			return ev, nil, fail(http.StatusBadRequest, "bad-delivery", "this cannot go wrong with a delivery", messages(problems)...)
		}
		if fault.Delay > 0 || fault.Shuffle > 0 {
			return ev, nil, badRequest("delay and shuffle are for stories: a single event has nothing to be late for, or to change places with")
		}
		ev.Fault, warnings = fault, append(warnings, messages(problems)...)
	}
	return ev, warnings, nil
}

type previewView struct {
	Event    hirempire.Event `json:"event"`
	Seed     uint64          `json:"seed"` // that gives the same again
	Body     string          `json:"body"`
	Warnings []string        `json:"warnings,omitempty"`
}

// previewEvent fakes a payload and sends it to nobody.
func (s *server) previewEvent(r *request) (answer, error) {
	var body eventBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	if body.Body != nil || body.Token != nil || body.Delivery != nil || body.Concurrency != 0 {
		return answer{}, badRequest("a preview fakes an event: give it event, set and seed")
	}
	ev, warnings, err := body.event()
	if err != nil {
		return answer{}, err
	}
	payload, chosen, err := s.Engine.Preview(ev)
	if err != nil {
		return answer{}, badRequest("%v", err)
	}
	return ok(map[string]previewView{"preview": {ev.Type, chosen, string(payload), warnings}})
}

// sendEvent sends one event to every subscribed webhook of a workspace.
func (s *server) sendEvent(r *request) (answer, error) {
	var body eventBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	wait, waitErr := r.duration("wait", 0, MaxWait)
	id, err := s.chosen(r, body.Token)
	if err := errors.Join(waitErr, r.queried(), err); err != nil {
		return answer{}, err
	}
	ev, warnings, err := body.event()
	if err != nil {
		return answer{}, err
	}
	return s.emit(r, wait, warnings, func(ctx context.Context, settled deliver.Outcome) ([]string, error) {
		return s.Engine.Emit(ctx, id, ev, settled)
	})
}

// redeliver sends the bytes of a delivery to its webhook again.
func (s *server) redeliver(r *request) (answer, error) {
	if err := r.decode(&struct{}{}); err != nil {
		return answer{}, err
	}
	wait, err := r.duration("wait", 0, MaxWait)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	d, err := s.delivery(r)
	if err != nil {
		return answer{}, err
	}
	return s.emit(r, wait, nil, func(ctx context.Context, settled deliver.Outcome) ([]string, error) {
		return s.Engine.Redeliver(ctx, d, settled)
	})
}

// emit answers with the ids of the deliveries or, after some time, with what became
// of them.
func (s *server) emit(r *request, wait time.Duration, warnings []string, send func(context.Context, deliver.Outcome) ([]string, error)) (answer, error) {
	if wait > 0 {
		return s.sendAndWait(r, wait, warnings, send)
	}
	ids, err := send(r.Context(), nil)
	if err != nil {
		return answer{}, notSent(err)
	}
	return answer{status: http.StatusAccepted, body: sent[string]{ids, warnings}}, nil
}

// notSent says why an event was not.
func notSent(err error) error {
	if errors.Is(err, replay.ErrNobody) {
		return fail(http.StatusConflict, "nobody-subscribed", "no active webhook of the workspace is subscribed to it: register one first")
	}
	if errors.Is(err, replay.ErrGone) {
		return fail(http.StatusConflict, "webhook-gone", "the webhook of the delivery was deleted or is paused: register or resume it first")
	}
	return badRequest("%v", err)
}

func (s *server) sendAndWait(r *request, wait time.Duration, warnings []string, send func(context.Context, deliver.Outcome) ([]string, error)) (answer, error) {
	var deliveries []journal.Delivery
	var emitting error
	waiting := await(r, wait, func(ctx context.Context) error {
		deliveries, emitting = replay.Await(ctx, send)
		return ctx.Err()
	})
	reset := slices.ContainsFunc(deliveries, func(d journal.Delivery) bool { return d.Status.Cause() == journal.ByReset })
	switch {
	case reset:
		return answer{}, interrupted(journal.ErrReset, "")
	case emitting != nil && waiting == nil:
		return answer{}, notSent(emitting)
	case emitting != nil:
		late := interrupted(context.Cause(r.Context()), "not every delivery was settled within "+wait.String())
		late.Nearest = list(deliveries)
		return answer{}, late
	default:
		return ok(sent[journal.Delivery]{list(deliveries), warnings})
	}
}

// sent is the answer to an event: ids, or whole deliveries if they were waited for.
type sent[T any] struct {
	Deliveries []T      `json:"deliveries"`
	Warnings   []string `json:"warnings,omitempty"`
}
