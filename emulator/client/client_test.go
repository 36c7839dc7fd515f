package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func consumer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(s.Close)
	return s.URL + "/webhook"
}

const patience = time.Minute // of waits that are fulfilled at once

// The whole control API, through the client, against a real emulator.
func TestClientCoversTheControlAPI(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := emulatortest.Start(t)
	s := server.Control
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Alive(ctx); err != nil {
		t.Error(err)
	}
	hook, err := s.Register(ctx, consumer(t))
	if err != nil || !hook.Active || len(hook.Events) != 7 || hook.Challenge == nil || !hook.Challenge.Passed {
		t.Fatalf("Register: %+v, %v", hook, err)
	}
	hooks, failed, _, err := s.Webhooks(ctx, 0, 0)
	if err != nil || len(hooks) != 1 || hooks[0].ID != hook.ID || len(failed) != 0 {
		t.Errorf("Webhooks: %+v %+v, %v", hooks, failed, err)
	}
	seed := uint64(3)
	sent, err := s.SendAndWait(ctx, client.Event{Type: "applicant_applied", Seed: &seed, Set: map[string]any{"applicant.city": nil}}, patience)
	if err != nil || len(sent) != 1 || sent[0].Status != "delivered" || !strings.Contains(sent[0].Body, `"city":null`) || sent[0].Attempts[0].Status != 200 {
		t.Fatalf("SendAndWait: %+v, %v", sent, err)
	}
	ids, err := s.Send(ctx, client.Event{Body: json.RawMessage(`{"event":"job_added"}`)})
	if err != nil || len(ids) != 1 {
		t.Fatalf("Send: %v, %v", ids, err)
	}
	waited, err := s.AwaitDeliveries(ctx, client.DeliveryFilter{Event: "job_added", Status: "delivered", Webhook: hook.ID}, 1, patience)
	if err != nil || len(waited) != 1 || waited[0].ID != ids[0] {
		t.Errorf("AwaitDeliveries: %+v, %v", waited, err)
	}
	one, err := s.Delivery(ctx, ids[0])
	if err != nil || one.Body != `{"event":"job_added"}` {
		t.Errorf("Delivery: %+v, %v", one, err)
	}
	page, next, err := s.Deliveries(ctx, client.DeliveryFilter{}, 0, 1)
	if err != nil || len(page) != 1 || page[0].ID != sent[0].ID {
		t.Errorf("Deliveries: %+v, %v", page, err)
	}
	if page, _, err = s.Deliveries(ctx, client.DeliveryFilter{}, next, 0); err != nil || len(page) != 1 || page[0].ID != ids[0] {
		t.Errorf("Deliveries after %d: %+v, %v", next, page, err)
	}

	run, err := s.Perform(ctx, client.Performance{Scenario: "hiring-happy-path"}, patience)
	if err != nil || run.State != "finished" || run.Deliveries.Delivered != 9 || run.Seed != 42 {
		t.Errorf("Perform: %+v, %v", run, err)
	}
	started, err := s.Start(ctx, client.Performance{YAML: "version: 1\nname: slow\nsteps:\n  - wait: 1h\n", Speed: "1"})
	if err != nil || started.State != "running" {
		t.Fatalf("Start: %+v, %v", started, err)
	}
	if got, err := s.Run(ctx, started.ID); err != nil || got.State != "running" {
		t.Errorf("Run: %+v, %v", got, err)
	}
	if got, err := s.Cancel(ctx, started.ID); err != nil || got.State != "cancelled" {
		t.Errorf("Cancel: %+v, %v", got, err)
	}
	if runs, _, err := s.Runs(ctx, 1, 0); err != nil || len(runs) != 1 || runs[0].ID != started.ID {
		t.Errorf("Runs: %+v, %v", runs, err)
	}

	// What the application under test does at the vendor's API is seen, too.
	res, err := http.Post(server.BaseURL+"/create-webhook", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	all := s.For("") // the call had no token
	calls, err := all.AwaitRequests(ctx, client.RequestFilter{Operation: "create-webhook", Status: 400, AnsweredBy: "invalid-token"}, 1, patience)
	if err != nil || len(calls) != 1 || calls[0].Answer != `{"success":false,"error":"Invalid token"}` {
		t.Errorf("AwaitRequests: %+v, %v", calls, err)
	}
	if calls, _, err := all.Requests(ctx, client.RequestFilter{}, 0, 0); err != nil || len(calls) != 1 {
		t.Errorf("Requests: %+v, %v", calls, err)
	}
	spaces, _, err := all.Workspaces(ctx, 0, 0)
	if err != nil || !slices.ContainsFunc(spaces, func(w client.Workspace) bool { return w.ID == hook.Workspace && w.Deliveries.Delivered == 11 }) {
		t.Errorf("Workspaces: %+v, %v", spaces, err)
	}
	fault, err := s.Arm(ctx, client.Fault{Operation: "list-webhooks", Error: "token-expired", Times: 2})
	if err != nil || fault.ID == "" {
		t.Errorf("Arm: %+v, %v", fault, err)
	}
	if faults, err := s.Faults(ctx); err != nil || len(faults) != 1 || faults[0] != fault || fault.Times != 2 {
		t.Errorf("Faults: %+v, %v", faults, err)
	}
	if err := s.Disarm(ctx, fault.ID); err != nil {
		t.Error(err)
	}
	again, err := s.Redeliver(ctx, ids[0], patience)
	if err != nil || again.RedeliveryOf != ids[0] || again.Status != "delivered" {
		t.Errorf("Redeliver: %+v, %v", again, err)
	}
	off := false
	if changed, err := s.UpdateWebhook(ctx, hook.ID, client.WebhookChange{Active: &off}); err != nil || changed.Active {
		t.Errorf("UpdateWebhook: %+v, %v", changed, err)
	}
	if err := s.DeleteWebhook(ctx, hook.ID); err != nil {
		t.Error(err)
	}
	if p, err := s.Preview(ctx, client.Event{Type: "job_added", Set: map[string]any{"job.title": "Cook"}}); err != nil || !strings.Contains(p.Body, `"title":"Cook"`) {
		t.Errorf("Preview: %+v, %v", p, err)
	}
	if c, err := s.Clock(ctx); err != nil || c.Manual || c.Now.IsZero() {
		t.Errorf("Clock: %+v, %v", c, err)
	}
	if _, err := s.Advance(ctx, time.Second); err == nil || err.(*client.Error).Code != "real-clock" {
		t.Errorf("Advance: %v", err)
	}
	if all, next, err := s.Scenarios(ctx, 1, 2); err != nil || len(all) != 2 || next != 3 {
		t.Errorf("Scenarios: %+v, %d, %v", all, next, err)
	}
	if one, err := s.Scenario(ctx, "quiet-day"); err != nil || !strings.Contains(one.YAML, "quiet-day") {
		t.Errorf("Scenario: %+v, %v", one, err)
	}
	if problems, valid, err := s.Lint(ctx, "version: 2"); err != nil || valid || len(problems) != 2 || problems[0].Line != 1 {
		t.Errorf("Lint: %+v, %t, %v", problems, valid, err)
	}
	if events, err := s.Events(ctx); err != nil || len(events) != 7 || events[0].Name != "job_added" || len(events[0].Sample) == 0 {
		t.Errorf("Events: %+v, %v", events, err)
	}
	if errs, err := s.Errors(ctx, "2026-06"); err != nil || len(errs) == 0 || errs[0].Edition != "2026-06" {
		t.Errorf("Errors: %+v, %v", errs, err)
	}
	if c, err := s.Coverage(ctx); err != nil || c.Covered < 5 {
		t.Errorf("Coverage: %+v, %v", c, err)
	}
	if err := s.ForgetCoverage(ctx); err != nil {
		t.Error(err)
	}
	if ended, err := s.AwaitRun(ctx, run.ID, patience); err != nil || ended.State != "finished" || ended.Checked != 0 {
		t.Errorf("AwaitRun: %+v, %v", ended, err)
	}
	if err := s.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	if hooks, _, _, err := s.Webhooks(ctx, 0, 0); err != nil || len(hooks) != 0 {
		t.Errorf("after Reset: %+v, %v", hooks, err)
	}
}

// A body of the caller's goes as it is, and one that is none goes nowhere.
func TestBodiesAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	e := emulatortest.Start(t)
	s := e.Control
	e.Register(e.Serve(emulator.NewConsumer(func(emulator.Arrival) {})))
	for _, body := range []string{`{"event":"job_added", "text": "<b>&amp;\u003c</b>",  "n":1.0, "n":2e+5}`, " [1,\n2] ", `"\u2028"`} {
		sent, err := s.SendAndWait(t.Context(), client.Event{Body: json.RawMessage(body)}, time.Minute)
		if err != nil || len(sent) != 1 || sent[0].Body != strings.TrimSpace(body) {
			t.Errorf("%s was sent as %+v, %v", body, sent, err)
		}
	}
	if _, err := s.Send(t.Context(), client.Event{Body: json.RawMessage(`{"event":`)}); err == nil || err.Error() != "the body of the event is no JSON" {
		t.Errorf("what is no JSON: %v", err)
	}
}

func TestClientFetchesTheCA(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", TLSAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = e.Shutdown(context.Background())
	})
	if pem, err := client.New(e.URL(), &http.Client{Transport: transport}).CA(t.Context()); err != nil || string(pem) != string(e.CAPEM()) {
		t.Errorf("%s, %v", pem, err)
	}
}

// An error says what the answer says.
func TestErrorsExplain(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t).Control
	if _, err := s.Register(t.Context(), consumer(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SendAndWait(t.Context(), client.Event{Type: "job_added"}, patience); err != nil {
		t.Fatal(err)
	}
	_, err := s.AwaitDeliveries(t.Context(), client.DeliveryFilter{Event: "job_deleted"}, 1, time.Millisecond)
	explained, ok := errors.AsType[*client.Error](err)
	if !ok || explained.Status != 409 || explained.Code != "time-out" || !strings.Contains(err.Error(), `"event":"job_added"`) {
		t.Errorf("the wait said %v", err)
	}
	_, err = s.Perform(t.Context(), client.Performance{YAML: "version: 1\nsteps: []\n"}, patience)
	if explained, ok := errors.AsType[*client.Error](err); !ok || explained.Status != 400 || len(explained.Problems) == 0 {
		t.Errorf("the story said %v", err)
	}
	plain, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0"})
	if err == nil {
		err = plain.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Shutdown(context.Background()) })
	if _, err := client.New(plain.URL(), nil).CA(t.Context()); err == nil || !strings.Contains(err.Error(), "--tls-addr") {
		t.Errorf("without HTTPS CA said %v", err)
	}
	// Something else listens there.
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	if err := client.New(other.URL, other.Client()).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "404 Not Found") {
		t.Errorf("another server said %v", err)
	}
}
