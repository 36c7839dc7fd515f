package control

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// filter reads the parameters that select deliveries.
func (s *server) filter(r *request) (journal.Filter, error) {
	id, err := s.named(r, nil)
	f := journal.Filter{
		Workspace: id,
		Event:     hirempire.Event(r.query("event")),
		Webhook:   r.query("webhook"),
		Run:       r.query("run"),
		Status:    journal.Status(r.query("status")),
	}
	words := []journal.Status{journal.Queued, journal.Sending, journal.Delivered, journal.Failed, journal.Dropped}
	switch {
	case err != nil:
		return f, err
	case f.Event != "" && !f.Event.Valid():
		return f, badRequest("event=%s: no such event, known: %s", quoted(string(f.Event)), join(hirempire.Events()))
	case f.Status != "" && !slices.Contains(words, f.Status.Word()):
		return f, badRequest("status=%s: no such status, known: %s", quoted(string(f.Status)), join(words))
	default:
		return f, nil
	}
}

func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

func (s *server) listDeliveries(r *request) (answer, error) {
	f, err := s.filter(r)
	since, limit, pageErr := r.page()
	if err := errors.Join(err, pageErr, r.queried()); err != nil {
		return answer{}, err
	}
	found, next := s.Journal.Deliveries(f, since, limit)
	return ok(map[string]any{"deliveries": list(found), "next": next})
}

func (s *server) showDelivery(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	d, err := s.delivery(r)
	if err != nil {
		return answer{}, err
	}
	return ok(d)
}

// delivery returns the delivery that the path names.
func (s *server) delivery(r *request) (journal.Delivery, error) {
	d, found := s.Journal.Delivery(r.path("id"))
	if !found {
		return d, fail(http.StatusNotFound, "no-such-delivery",
			"no delivery "+quoted(r.path("id"))+": it was never made, was reset, or made room for newer ones")
	}
	return d, nil
}
