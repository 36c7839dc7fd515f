package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// sendEvent sends one event to every subscribed webhook of a workspace.
func (s *server) sendEvent(r *request) (answer, error) {
	var body struct {
		Event    hirempire.Event `json:"event"`
		Body     json.RawMessage `json:"body"`
		Set      json.RawMessage `json:"set"`
		Seed     *uint64         `json:"seed"`
		Delivery json.RawMessage `json:"delivery"`
		Token    *string         `json:"token"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	wait, waitErr := r.duration("wait", 0, MaxWait)
	id, err := s.chosen(r, body.Token)
	if err := errors.Join(waitErr, r.queried(), err); err != nil {
		return answer{}, err
	}
	if string(body.Body) == "null" { // left out
		body.Body = nil
	}
	if string(body.Set) == "null" {
		body.Set = nil
	}
	ev := replay.Event{Type: body.Event, Seed: body.Seed, Body: body.Body}
	switch {
	case body.Event == "" && body.Body == nil:
		return answer{}, badRequest("name an event to fake, or give the body to send")
	case body.Event != "" && body.Body != nil:
		return answer{}, badRequest("event fakes a payload and body gives one: send only one of them")
	case body.Body != nil && (body.Set != nil || body.Seed != nil):
		return answer{}, badRequest("set and seed change a faked payload; a body is sent as it is")
	case body.Body == nil && !body.Event.Valid():
		return answer{}, badRequest("event %s is unknown, known: %s", quoted(string(body.Event)), join(hirempire.Events()))
	}
	var warnings []string // about what is legal but odd
	if body.Set != nil {
		settings, problems := scenario.ParseSet(body.Event, body.Set)
		if scenario.HasErrors(problems) {
			return answer{}, fail(http.StatusBadRequest, "bad-set", "set does not fit the payload of "+string(body.Event), messages(problems)...)
		}
		ev.Set, warnings = settings, messages(problems)
	}
	if body.Delivery != nil {
		fault, problems := scenario.ParseDeliveryFault(body.Event, body.Delivery)
		if scenario.HasErrors(problems) {
			return answer{}, fail(http.StatusBadRequest, "bad-delivery", "this cannot go wrong with a delivery", messages(problems)...)
		}
		if fault.Delay > 0 || fault.Shuffle > 0 {
			return answer{}, badRequest("delay and shuffle are for stories: a single event has nothing to be late for, or to change places with")
		}
		ev.Fault, warnings = fault, append(warnings, messages(problems)...)
	}
	if wait > 0 {
		return s.sendAndWait(r, id, ev, wait, warnings)
	}
	ids, err := s.Engine.Emit(r.Context(), id, ev, nil)
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
	return badRequest("%v", err)
}

func (s *server) sendAndWait(r *request, id string, ev replay.Event, wait time.Duration, warnings []string) (answer, error) {
	var deliveries []journal.Delivery
	var emitting error
	waiting := await(r, wait, func(ctx context.Context) error {
		deliveries, emitting = s.Engine.EmitAndWait(ctx, id, ev)
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
