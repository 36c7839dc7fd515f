package control

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// MaxWait is the longest time that a blocking call waits.
const MaxWait = 10 * time.Minute

type deliveryView struct {
	journal.Delivery
	Cause journal.Cause `json:"cause,omitempty"`
	Body  string        `json:"body"` // exactly what was sent
	// BodyBase64 stands for Body where that is not UTF-8.
	BodyBase64 string            `json:"body_base64,omitempty"`
	Attempts   []journal.Attempt `json:"attempts"`
}

func viewDelivery(d journal.Delivery) deliveryView {
	v := deliveryView{Delivery: d, Cause: d.Status.Cause(), Attempts: d.Attempts}
	if v.Attempts == nil {
		v.Attempts = []journal.Attempt{}
	}
	if utf8.Valid(d.Body) {
		v.Body = string(d.Body)
	} else {
		v.BodyBase64 = base64.StdEncoding.EncodeToString(d.Body)
	}
	return v
}

func viewDeliveries(all []journal.Delivery) []deliveryView {
	views := make([]deliveryView, len(all))
	for i, d := range all {
		views[i] = viewDelivery(d)
	}
	return views
}

// filter reads the parameters that select deliveries.
func (s *server) filter(r *request) (journal.Filter, error) {
	id, err := s.named(r, "")
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
	return ok(map[string]any{"deliveries": viewDeliveries(found), "next": next})
}

func (s *server) showDelivery(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	d, found := s.Journal.Delivery(r.path("id"))
	if !found {
		return answer{}, fail(http.StatusNotFound, "no-such-delivery",
			"no delivery "+quoted(r.path("id"))+": it was never made, was reset, or made room for newer ones")
	}
	return ok(viewDelivery(d))
}

// awaitDeliveries blocks until enough deliveries are settled.
func (s *server) awaitDeliveries(r *request) (answer, error) {
	f, err := s.filter(r)
	since, limit, pageErr := r.page()
	want, countErr := r.number("count", 1, 1, 1<<40)
	timeout, timeoutErr := r.duration("timeout", 10*time.Second, MaxWait)
	if err := errors.Join(err, pageErr, countErr, timeoutErr, r.queried()); err != nil {
		return answer{}, err
	}
	if f.Status == journal.Queued || f.Status == journal.Sending {
		return answer{}, badRequest("a wait counts settled deliveries: status is delivered, failed or dropped")
	}
	var got int
	err = await(r, timeout, func(ctx context.Context) (err error) {
		got, err = s.Journal.Await(ctx, f, since, int(want))
		return err
	})
	if err != nil {
		why := "time-out"
		if errors.Is(err, journal.ErrReset) {
			why = "reset"
		}
		missed := fail(http.StatusConflict, why, fmt.Sprintf("%d of %d deliveries within %s", got, want, timeout))
		missed.Nearest = viewMisses(s.Journal.NearestMisses(f, since, 5))
		return answer{}, missed
	}
	found, next := s.Journal.Deliveries(f, since, limit)
	found = slices.DeleteFunc(found, func(d journal.Delivery) bool { return !d.Status.Finished() })
	return ok(map[string]any{"count": got, "deliveries": viewDeliveries(found), "next": next})
}

// missView says what a wait did not count, and why; the rest is under its id.
type missView struct {
	Why       string          `json:"why"`
	ID        string          `json:"id"`
	Event     hirempire.Event `json:"event"`
	Webhook   string          `json:"webhook"`
	Run       string          `json:"run,omitempty"`
	Workspace string          `json:"workspace"`
	Status    journal.Status  `json:"status"`
}

func viewMisses(misses []journal.Miss) []missView {
	views := make([]missView, len(misses))
	for i, m := range misses {
		d := m.Delivery
		views[i] = missView{m.Why, d.ID, d.Event, d.Webhook, d.Run, d.Workspace, d.Status}
	}
	return views
}
