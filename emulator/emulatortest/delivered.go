package emulatortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
)

// Deliveries returns what was or is being delivered, in the order in which it was
// sent: of the named events, or of all. The emulator remembers the last thousand of
// deliveries, challenges and requests.
func (s *Server) Deliveries(events ...string) []Delivery {
	s.tb.Helper()
	all, err := s.deliveries()
	if err != nil {
		s.tb.Fatalf("the deliveries are not known: %v", err)
	}
	return slices.DeleteFunc(all, func(d Delivery) bool { return len(events) > 0 && !slices.Contains(events, d.Event) })
}

// Requests returns the calls of the vendor's API with the test's token, in order: of
// the named operations, such as create-webhook, or all.
func (s *Server) Requests(operations ...string) []Request {
	s.tb.Helper()
	all, err := s.requests()
	if err != nil {
		s.tb.Fatalf("the requests are not known: %v", err)
	}
	return slices.DeleteFunc(all, func(r Request) bool { return len(operations) > 0 && !slices.Contains(operations, r.Operation) })
}

func (s *Server) deliveries() ([]Delivery, error) {
	return pages(s, func(ctx context.Context, since uint64) ([]Delivery, uint64, error) {
		return s.Control.Deliveries(ctx, client.DeliveryFilter{}, since, 0)
	})
}

func (s *Server) requests() ([]Request, error) {
	return pages(s, func(ctx context.Context, since uint64) ([]Request, uint64, error) {
		return s.Control.Requests(ctx, client.RequestFilter{}, since, 0)
	})
}

// pages reads a list to its end.
func pages[T any](s *Server, page func(ctx context.Context, since uint64) ([]T, uint64, error)) (all []T, err error) {
	ctx, cancel := s.bounded(0)
	defer cancel()
	for since := uint64(0); ; {
		some, next, err := page(ctx, since)
		if err != nil || len(some) == 0 {
			return all, err
		}
		all, since = append(all, some...), next
	}
}

// A Matcher says what is wrong with a delivery, as "applicant.name is …"; nil if it
// is the one.
type Matcher func(Delivery) error

// Field wants a part of the payload, such as applicant.spoken_languages.0.language,
// to have a value, which is compared as JSON: 5 is 5.0.
func Field(path string, want any) Matcher {
	return func(d Delivery) error {
		var at any
		if err := json.Unmarshal([]byte(d.Body), &at); err != nil {
			return fmt.Errorf("the payload is no JSON: %w", err)
		}
		for part := range strings.SplitSeq(path, ".") {
			var found bool
			switch in := at.(type) {
			case map[string]any:
				at, found = in[part]
			case []any:
				if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(in) {
					at, found = in[i], true
				}
			}
			if !found {
				return fmt.Errorf("there is no %s in it", path)
			}
		}
		text, err := json.Marshal(want)
		var value any
		if err == nil {
			err = json.Unmarshal(text, &value)
		}
		if err != nil {
			return fmt.Errorf("%s cannot be compared: %w", path, err)
		}
		if !reflect.DeepEqual(at, value) {
			is, _ := json.Marshal(at)
			return fmt.Errorf("%s is %s, not %s", path, is, text)
		}
		return nil
	}
}

// RequireDelivered waits until a delivery of an event has succeeded that every
// matcher wants, also one of earlier, and returns it. If none does in time, the test
// ends with the one that comes nearest, why it is not it, and all that was sent.
func (s *Server) RequireDelivered(event string, matchers ...Matcher) Delivery {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	want := append([]Matcher{func(d Delivery) error {
		if d.Event != event {
			return fmt.Errorf("it is %s", d.Event)
		}
		return nil
	}, succeeded}, matchers...)
	found, err := s.await(ctx, event, func(d Delivery) bool { return len(misses(d, want)) == 0 })
	switch {
	case err == nil:
		return found
	case ctx.Err() == nil:
		s.tb.Fatalf("cannot wait for deliveries of %s: %v", event, err)
	default:
		s.told.Store(true)
		s.tb.Fatalf("no such delivery of %s within %s\n%s%s", event, s.timeout, s.nearest(event, want), s.seen())
	}
	return Delivery{}
}

func succeeded(d Delivery) error {
	if d.Status == "delivered" {
		return nil
	}
	if d.Detail != "" {
		return fmt.Errorf("it is %s: %s", d.Status, d.Detail)
	}
	return fmt.Errorf("it is %s", d.Status)
}

// await returns the first delivery that is it.
func (s *Server) await(ctx context.Context, event string, is func(Delivery) bool) (Delivery, error) {
	// Followed first, so that nothing happens between the list and the stream.
	stream, err := s.Control.Follow(ctx, client.StreamFilter{Kinds: []string{"delivery"}, Event: event})
	if err != nil {
		return Delivery{}, err
	}
	defer stream.Close()
	for {
		all, err := s.deliveries()
		if err != nil {
			return Delivery{}, err
		}
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i], nil
		}
		for {
			next, err := stream.Next()
			if err != nil {
				return Delivery{}, err
			}
			if next.Kind == "gap" {
				break // the list has what was missed
			}
			var d Delivery
			if err := next.Decode(&d); err != nil {
				return d, err
			}
			if is(d) {
				return d, nil
			}
		}
	}
}

// misses says what is wrong with a delivery, all of it.
func misses(d Delivery, want []Matcher) (wrong []string) {
	for _, matcher := range want {
		if err := matcher(d); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return wrong
}

// nearest tells which delivery was least wrong, the newest of several: one of the
// event, if there is any.
func (s *Server) nearest(event string, want []Matcher) string {
	all, _ := s.deliveries() // seen says what is wrong
	of := func(d Delivery) bool { return d.Event == event }
	if slices.ContainsFunc(all, of) {
		all = slices.DeleteFunc(all, func(d Delivery) bool { return !of(d) })
	}
	var nearest Delivery
	var wrong []string
	for i, d := range slices.Backward(all) {
		if w := misses(d, want); i == len(all)-1 || len(w) < len(wrong) {
			nearest, wrong = d, w
		}
	}
	if wrong == nil { // there is none, or it came just now
		return ""
	}
	return fmt.Sprintf("nearest is %s: %s\n  payload   %s\n", nearest.ID, strings.Join(wrong, ", "), clip(nearest.Body, 2000))
}

// seenMost is how many deliveries, and calls, are told; the last ones are.
const seenMost = 20

// seen tells what came from the test's application and what went to it.
func (s *Server) seen() string {
	requests, err := s.requests()
	deliveries, failed := s.deliveries()
	ctx, cancel := s.bounded(0)
	defer cancel()
	hooks, challenges, _, unknown := s.Control.Webhooks(ctx, 0, 0)
	if err := errors.Join(err, failed, unknown); err != nil {
		return "  nothing is known: " + err.Error()
	}
	var b strings.Builder
	for _, h := range hooks {
		state := ""
		if !h.Active {
			state = ", paused"
		}
		fmt.Fprintf(&b, "  webhook   %s  for %s%s\n", h.RequestURL, strings.Join(h.Events, ", "), state)
	}
	for _, c := range challenges {
		fmt.Fprintf(&b, "  challenge of %s failed: %s\n    %s\n", c.RequestURL, c.Received.Detail, c.Hint)
	}
	if len(hooks)+len(challenges) == 0 {
		b.WriteString("  no webhook is registered\n")
	}
	for _, r := range last(&b, requests, "calls") {
		fmt.Fprintf(&b, "  call      %s %s  %d %s\n", r.Method, clip(r.Path, 200), r.Status, r.AnsweredBy)
	}
	for _, d := range last(&b, deliveries, "deliveries") {
		fmt.Fprintf(&b, "  delivery  %s  %s  %s", d.ID, d.Event, d.Status)
		if d.Detail != "" {
			fmt.Fprintf(&b, "  %s", d.Detail)
		}
		for _, f := range d.Faults {
			fmt.Fprintf(&b, "  on purpose: %s", f.Kind)
		}
		b.WriteByte('\n')
	}
	if len(deliveries) == 0 {
		b.WriteString("  nothing was sent\n")
	}
	return b.String()
}

func last[T any](b *strings.Builder, all []T, things string) []T {
	if more := len(all) - seenMost; more > 0 {
		fmt.Fprintf(b, "  %d %s before\n", more, things)
		return all[more:]
	}
	return all
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
