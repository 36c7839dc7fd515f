package main

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is the application's real configuration but for the emulator's token, client
// and listener: it calls https://api.hirempire.com, and gets there no further than the
// emulator.
func config(t *testing.T, emulator *emulatortest.Server) Config {
	return Config{
		Token:    emulator.Token,
		Client:   emulator.Client(),
		Listener: emulator.Listen(),
		Database: filepath.Join(t.TempDir(), "test.db"),
	}
}

// start starts the application, which registers itself, and stops it with the test.
func start(t *testing.T, emulator *emulatortest.Server) *App {
	t.Helper()
	app, err := Start(t.Context(), config(t, emulator))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app
}

// applicants returns what the application knows.
func applicants(t *testing.T, app *App) []Applicant {
	t.Helper()
	all, err := app.store.applicants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A whole story: a job, three who apply for it, a meeting.
func TestStory(t *testing.T) {
	emulator := emulatortest.Start(t)
	app := start(t, emulator)

	emulator.Run("hiring-happy-path")

	all := applicants(t, app)
	if len(all) != 3 {
		t.Fatalf("%d applicants, not 3: %+v", len(all), all)
	}
	for _, a := range all {
		if a.Job != "Backend Engineer" || a.JobState != "deleted" {
			t.Errorf("%s applied for %q, which is %q", a.Name, a.Job, a.JobState)
		}
	}
	if lina := all[0]; lina.Name != "Lina Haddad" || lina.Score != 91 || lina.Meeting == nil {
		t.Errorf("Lina is %+v", lina)
	}
}

// What the application serves beside.
func TestServer(t *testing.T) {
	emulator := emulatortest.Start(t)
	start(t, emulator)
	hook := emulator.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Lina Haddad"))[0].RequestURL
	for path, want := range map[string]string{"/applicants": `[{"name":"Lina Haddad",`, "/webhook": "Method Not Allowed", "/": "404"} {
		res, err := emulator.Client().Get(strings.TrimSuffix(hook, "/webhook") + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.HasPrefix(string(body), want) {
			t.Errorf("%s answered %s, %v", path, body, err)
		}
	}
}

// What comes twice is there once.
func TestDuplicates(t *testing.T) {
	emulator := emulatortest.Start(t)
	app := start(t, emulator)

	for _, event := range subscribed {
		for _, d := range emulator.Trigger(event, emulatortest.Fault("duplicates", 2)) {
			if d.Status != "delivered" {
				t.Errorf("%s is %s: %s", event, d.Status, d.Detail)
			}
		}
	}
	if all := applicants(t, app); len(all) != 2 { // one applied, the CV of another was read
		t.Errorf("%d applicants: %+v", len(all), all)
	}
}

// What happened last counts, not what comes last.
func TestOutOfOrder(t *testing.T) {
	emulator := emulatortest.Start(t)
	app := start(t, emulator)
	id, job := emulatortest.Set("applicant.id", "app_lina0000000000000000"), emulatortest.Set("job.id", "job_backend00000000000")
	at := func(clock string) emulatortest.Change {
		return emulatortest.Set("timestamp", "2026-01-30T"+clock+".000Z")
	}

	emulator.Trigger("meeting_booked", id, job, at("12:00:00"), emulatortest.Set("meeting.scheduled_at", "2026-02-03T10:00:00.000Z"))
	emulator.Trigger("job_deleted", job, at("13:00:00"), emulatortest.Set("job.title", "Gone"))
	emulator.Trigger("cv_upload_completed", id, job, at("11:00:00"), emulatortest.Set("applicant.ai_evaluation.score", 91))
	emulator.Trigger("applicant_applied", id, job, at("10:00:00"), emulatortest.Set("applicant.ai_evaluation.score", 38))
	emulator.Trigger("job_added", job, at("09:00:00"), emulatortest.Set("job.title", "Backend Engineer"))

	all := applicants(t, app)
	if len(all) != 1 || all[0].Score != 91 || all[0].JobState != "deleted" || all[0].Job != "Gone" {
		t.Fatalf("%+v", all)
	}
	if m := all[0].Meeting; m == nil || !m.Equal(time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("the meeting is at %v", m)
	}
}

// What is broken is refused, what is merely new is not, and neither does harm.
func TestFaults(t *testing.T) {
	emulator := emulatortest.Start(t, emulatortest.WithSeed(1)) // what is drawn is broken at the same place each time
	app := start(t, emulator)
	const stored, passedOver = true, false
	for _, c := range []struct {
		key    string
		value  any
		status int
		stored bool
	}{
		{"corrupt", "truncated", 400, passedOver},
		{"corrupt", "not_json", 400, passedOver},
		{"corrupt", "empty", 400, passedOver},
		{"corrupt", "bad_utf8", 400, passedOver},
		{"corrupt", map[string]any{"wrong_type": "applicant.name"}, 400, passedOver},
		{"corrupt", map[string]any{"missing_field": "applicant.email"}, 422, passedOver},
		{"corrupt", map[string]any{"missing_field": "timestamp"}, 422, passedOver},
		{"corrupt", "huge", 413, passedOver},
		{"corrupt", "unknown_event", 200, passedOver},
		{"corrupt", "extra_fields", 200, stored},
		{"corrupt", map[string]any{"missing_field": "applicant.phone"}, 200, stored},
		{"headers", map[string]any{"Content-Type": "text/plain", "User-Agent": nil}, 200, stored},
		{"wire", map[string]any{"slow": 5000}, 200, stored},
		{"wire", "half_close", 200, stored},
		{"wire", "reset", 0, passedOver},
	} {
		before := len(applicants(t, app))
		d := emulator.Trigger("applicant_applied", emulatortest.Fault(c.key, c.value))[0]
		if got := d.Attempts[0].Status; got != c.status {
			t.Errorf("%s: %v was answered %d, not %d", c.key, c.value, got, c.status)
		}
		if got := len(applicants(t, app)) > before; got != c.stored {
			t.Errorf("%s: %v was stored: %v", c.key, c.value, got)
		}
	}
	emulator.Run("faulty-deliveries") // all of it again, in a row
}

// Nothing is lost of a sender that closes its side as soon as it has sent.
func TestHalfClosed(t *testing.T) {
	emulator := emulatortest.Start(t)
	app := start(t, emulator)

	emulator.Run("{version: 1, steps: [{event: applicant_applied, repeat: 50, delivery: {wire: half_close}}]}")

	if all := applicants(t, app); len(all) != 50 {
		t.Errorf("%d of 50 are stored", len(all))
	}
}

// A restart registers nothing twice, and wakes a webhook that was paused meanwhile.
func TestRestart(t *testing.T) {
	emulator := emulatortest.Start(t)
	cfg := config(t, emulator)
	address := cfg.Listener.Addr().String()
	for n := range 3 {
		if n > 0 {
			var err error
			if cfg.Listener, err = net.Listen("tcp", address); err != nil {
				t.Fatal(err)
			}
		}
		app, err := Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		emulator.Trigger("applicant_applied")
		if all := applicants(t, app); len(all) != n+1 {
			t.Errorf("start %d knows %d applicants", n+1, len(all))
		}
		hooks, _, _, err := emulator.Control.Webhooks(t.Context(), 0, 0)
		if err == nil && n == 1 {
			_, err = emulator.Control.UpdateWebhook(t.Context(), hooks[0].ID, client.WebhookChange{Active: new(false)})
		}
		if err = errors.Join(err, app.Shutdown(t.Context())); err != nil {
			t.Error(err)
		}
	}
	if calls := emulator.Requests("create-webhook"); len(calls) != 1 {
		t.Errorf("it registered %d times", len(calls))
	}
}

// What passes is tried again, in virtual time; what does not pass is told at once.
func TestAPIFaults(t *testing.T) {
	for what, c := range map[string]struct {
		fault client.Fault
		want  string        // in the error; empty: it starts
		took  time.Duration // of all tries
	}{
		"down":         {client.Fault{Operation: "list-webhooks", Status: 503, Body: "<html>down</html>", Times: 2}, "", 3 * time.Second},
		"rate limited": {client.Fault{Operation: "create-webhook", Status: 429}, "", time.Second},
		"cut off":      {client.Fault{Operation: "create-webhook", Drop: "close", Times: 3}, "", 7 * time.Second},
		"slow":         {client.Fault{Operation: "create-webhook", Delay: "20s"}, "", 20 * time.Second},
		"for good":     {client.Fault{Operation: "create-webhook", Status: 500, Times: 9}, "500 Internal Server Error", 15 * time.Second},
		"challenged":   {client.Fault{Operation: "create-webhook", Challenge: &client.OddChallenge{Twice: true, Delay: "2s"}}, "", 2 * time.Second},
		"expired":      {client.Fault{Operation: "create-webhook", Error: "token-expired"}, "Token is expired (401)", 0},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				emulator := emulatortest.Start(t, emulatortest.InMemory())
				emulator.ArmFault(c.fault)
				began := time.Now()
				app, err := Start(t.Context(), config(t, emulator))
				if took := time.Since(began); took.Round(time.Second) != c.took {
					t.Errorf("it took %s", took)
				}
				if err == nil {
					err = app.Shutdown(t.Context())
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

// An event that has come is stored, though the application is asked to stop.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		emulator := emulatortest.Start(t, emulatortest.InMemory())
		cfg := config(t, emulator)
		app, err := Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error)
		go func() {
			time.Sleep(5 * time.Second)
			stopped <- app.Shutdown(context.Background())
		}()
		d := emulator.Trigger("applicant_applied", emulatortest.Fault("wire", map[string]any{"slow": 200}))[0] // takes some 10 s
		if d.Status != "delivered" {
			t.Errorf("the event is %s: %s", d.Status, d.Detail)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		cfg.Listener = emulator.Listen()
		emulator.Reset() // of the webhook at the former address
		app, err = Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if all := applicants(t, app); len(all) != 1 {
			t.Errorf("%d applicants are stored", len(all))
		}
		if err := app.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
