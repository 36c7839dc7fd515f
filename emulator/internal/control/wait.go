package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// MaxWait is the longest time that a blocking call waits.
const MaxWait = 10 * time.Minute

// A waiting is what the two blocking calls have in common: how much they wait
// for, and what they answer when it does not come.
type waiting struct {
	since   uint64
	limit   int
	want    int
	timeout time.Duration
}

func (s *server) waiting(r *request) (waiting, error) {
	since, limit, pageErr := r.page()
	want, countErr := r.number("count", 1, 1, 1<<40)
	timeout, timeoutErr := r.duration("timeout", 10*time.Second, MaxWait)
	return waiting{since, limit, int(want), timeout}, errors.Join(pageErr, countErr, timeoutErr)
}

// block waits; what is nearest to it is asked for only if it does not come.
func (w waiting) block(r *request, things string, wait func(context.Context) (int, error), nearest func() any) (int, error) {
	var got int
	err := await(r, w.timeout, func(ctx context.Context) (err error) {
		got, err = wait(ctx)
		return err
	})
	if err == nil {
		return got, nil
	}
	missed := interrupted(err, fmt.Sprintf("%d of %d %s within %s", got, w.want, things, w.timeout))
	missed.Nearest = nearest()
	return got, missed
}

// interrupted says why a wait ended without what it was for: its time was up, or
// the workspace was reset, or the emulator shuts down.
func interrupted(err error, late string) *failure {
	var given deliver.GivenUp
	switch {
	case errors.Is(err, journal.ErrReset):
		return fail(http.StatusConflict, "reset", "the workspace was reset during the wait")
	case errors.As(err, &given) && journal.Cause(given) == journal.ByShutdown:
		return fail(http.StatusServiceUnavailable, "shutdown", "the emulator is shutting down")
	default:
		return fail(http.StatusConflict, "time-out", late)
	}
}

// nearestShown is how many near misses an answer names.
const nearestShown = 5

// deliveryMiss says which delivery a wait did not count, and why; the rest is
// under its id.
type deliveryMiss struct {
	Why       string          `json:"why"`
	ID        string          `json:"id"`
	Event     hirempire.Event `json:"event"`
	Webhook   string          `json:"webhook"`
	Run       string          `json:"run,omitempty"`
	Workspace string          `json:"workspace"`
	Status    journal.Status  `json:"status"`
}

// awaitDeliveries blocks until enough deliveries are settled.
func (s *server) awaitDeliveries(r *request) (answer, error) {
	f, err := s.filter(r)
	w, waitErr := s.waiting(r)
	if err := errors.Join(err, waitErr, r.queried()); err != nil {
		return answer{}, err
	}
	if f.Status == journal.Queued || f.Status == journal.Sending {
		return answer{}, badRequest("a wait counts settled deliveries: status is delivered, failed or dropped")
	}
	got, err := w.block(r, "deliveries",
		func(ctx context.Context) (int, error) { return s.Journal.Await(ctx, f, w.since, w.want) },
		func() any {
			misses := []deliveryMiss{}
			for _, m := range s.Journal.NearestMisses(f, w.since, nearestShown) {
				misses = append(misses, deliveryMiss{m.Why, m.Of.ID, m.Of.Event, m.Of.Webhook, m.Of.Run, m.Of.Workspace, m.Of.Status})
			}
			return misses
		})
	if err != nil {
		return answer{}, err
	}
	found, next := s.Journal.Settled(f, w.since, w.limit)
	return ok(map[string]any{"count": got, "deliveries": list(found), "next": next})
}

// callMiss is what deliveryMiss is, for a call of the API.
type callMiss struct {
	Why        string              `json:"why"`
	ID         string              `json:"id"`
	Method     string              `json:"method"`
	Path       string              `json:"path"`
	Operation  hirempire.Operation `json:"operation,omitempty"`
	Workspace  string              `json:"workspace,omitempty"`
	Status     int                 `json:"status"`
	AnsweredBy string              `json:"answered_by"`
}

// awaitRequests blocks until enough calls of the vendor's API were answered.
func (s *server) awaitRequests(r *request) (answer, error) {
	f, err := s.callFilter(r)
	w, waitErr := s.waiting(r)
	if err := errors.Join(err, waitErr, r.queried()); err != nil {
		return answer{}, err
	}
	got, err := w.block(r, "requests",
		func(ctx context.Context) (int, error) { return s.Journal.AwaitCalls(ctx, f, w.since, w.want) },
		func() any {
			misses := []callMiss{}
			for _, m := range s.Journal.NearestCalls(f, w.since, nearestShown) {
				c := m.Of
				misses = append(misses, callMiss{m.Why, c.ID, c.Method, c.Path, c.Operation, c.Workspace, c.Status, c.AnsweredBy})
			}
			return misses
		})
	if err != nil {
		return answer{}, err
	}
	found, next := s.Journal.Calls(f, w.since, w.limit)
	return ok(map[string]any{"count": got, "requests": list(found), "next": next})
}
