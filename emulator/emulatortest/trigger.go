package emulatortest

import (
	"context"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Register registers an endpoint, with its challenge, for applications that do not
// do so themselves, and returns the webhook's id. No events means all seven.
func (s *Server) Register(requestURL string, events ...string) (id string) {
	s.tb.Helper()
	ctx, cancel := s.bounded(s.timeout)
	defer cancel()
	hook, err := s.Control.Register(ctx, requestURL, events...)
	if err != nil {
		s.tb.Fatalf("%s was not registered: %v", requestURL, err)
	}
	return hook.ID
}

// A Change is something about an event of [Server.Trigger].
type Change func(*client.Event)

// Set sets a part of the payload, such as applicant.ai_evaluation.score, of which
// the documented type is kept. A path that hits nothing is refused.
func Set(path string, value any) Change {
	return func(e *client.Event) {
		if e.Set == nil {
			e.Set = map[string]any{}
		}
		e.Set[path] = value
	}
}

// Fault lets the delivery go wrong on purpose, as under `delivery` of a story:
// Fault("corrupt", "truncated"), Fault("duplicates", 2).
func Fault(key string, value any) Change {
	return func(e *client.Event) {
		if e.Delivery == nil {
			e.Delivery = map[string]any{}
		}
		e.Delivery[key] = value
	}
}

// A Delivery is one event on its way to one webhook.
type Delivery = client.Delivery

// A Request is a call of the vendor's API, and its answer.
type Request = client.Request

// Trigger sends a faked event to the webhooks that are subscribed to it and returns
// its deliveries, duplicates behind their originals, once each is settled. What a
// consumer answered is told there, and is for the test to judge.
func (s *Server) Trigger(event string, changes ...Change) []Delivery {
	s.tb.Helper()
	e := client.Event{Type: event}
	for _, change := range changes {
		change(&e)
	}
	wait := min(s.timeout, 10*time.Minute) // which is all that the control API waits
	ctx, cancel := s.bounded(wait)
	defer cancel()
	deliveries, err := s.Control.SendAndWait(ctx, e, wait)
	if err != nil {
		s.tb.Fatalf("the event was not sent: %v", err)
	}
	return deliveries
}

// Send is [Server.Trigger] for a body, which is sent as it is, whatever it is, to the
// webhooks that are subscribed to the event: to all of them if it is not one of the
// seven. An empty event is the one that the body names.
func (s *Server) Send(event, body string) []Delivery {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	sent, err := s.process.emulator.Send(ctx, s.Token, hirempire.Event(event), []byte(body), scenario.DeliveryFault{})
	deliveries := make([]Delivery, len(sent))
	for i := range sent {
		if err == nil {
			deliveries[i], err = s.Control.Delivery(ctx, sent[i].ID)
		}
	}
	if err != nil {
		s.tb.Fatalf("the body was not sent: %v", err)
	}
	return deliveries
}

// Run performs a story, a shipped one by its name or one in YAML, and returns its
// report. If the consumer did not do what it had to, by the expectations of the story
// or, where it has none, with any success, the test fails and goes on.
func (s *Server) Run(story string) report.Run {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	var parsed *scenario.Scenario
	var err error
	if strings.ContainsAny(story, "\n:") { // which are in no name
		var problems []scenario.Problem
		if parsed, problems = scenario.Parse("story.yaml", []byte(story)); parsed == nil {
			err = &emulator.InvalidScenarioError{Problems: problems}
		}
	} else {
		parsed, err = s.process.emulator.Library().Scenario(story)
	}
	var run report.Run
	if err == nil {
		run, err = s.process.emulator.Perform(ctx, emulator.Performance{Scenario: parsed, Token: s.Token})
	}
	if err != nil {
		s.tb.Fatalf("no story was performed: %v", err)
	}
	verdict, why := run.Verdict(false)
	switch {
	case verdict == report.VerdictCancelled:
		why += " after " + s.timeout.String() + ", which WithTimeout can make longer"
		fallthrough
	case verdict != report.VerdictPassed:
		var text strings.Builder
		run.WriteText(&text, "")
		s.tb.Errorf("%s\n%s", why, text.String())
	}
	return run
}

// Arm makes the next call of an operation, such as create-webhook, fail with a
// documented error, such as token-expired.
func (s *Server) Arm(operation, code string) {
	s.tb.Helper()
	s.ArmFault(client.Fault{Operation: operation, Error: code})
}

// ArmFault makes the next calls of an operation fail in any way.
func (s *Server) ArmFault(f client.Fault) {
	s.tb.Helper()
	ctx, cancel := s.bounded(0)
	defer cancel()
	if _, err := s.Control.Arm(ctx, f); err != nil {
		s.tb.Fatalf("the fault was not armed: %v", err)
	}
}

// Reset gives the workspace the state of a fresh start: no webhooks, no faults, no
// deliveries, no requests. It returns when nothing of the old is under way.
func (s *Server) Reset() {
	s.tb.Helper()
	ctx, cancel := s.bounded(0)
	defer cancel()
	if err := s.Control.Reset(ctx); err != nil {
		s.tb.Fatalf("the workspace was not reset: %v", err)
	}
}
