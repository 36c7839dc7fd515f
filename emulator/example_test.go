package emulator_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// printing returns a consumer that prints the events that reach it.
func printing() *httptest.Server {
	return httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) {
		if a.Challenge == "" {
			fmt.Println("arrived:", a.Event)
		}
	}))
}

// Build an emulator, serve it on a free port, and stop it.
func Example() {
	ctx := context.Background()
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Start(ctx); err != nil {
		log.Fatal(err)
	}

	res, err := http.Get(e.URL() + "/_emulator/readyz")
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()
	fmt.Println(res.Status)

	if err := e.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: 200 OK
}

// Serve both of its APIs with a server of your own.
func ExampleEmulator_Handler() {
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = e.Shutdown(context.Background()) }()
	server := httptest.NewServer(e.Handler())
	defer server.Close()

	res, err := http.Post(server.URL+"/v1/create-webhook", "application/json", strings.NewReader("{}"))
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Printf("%s %s\n", res.Status, read(res.Body))
	// Output: 400 Bad Request {"success":false,"error":"Invalid token"}
}

func read(from io.Reader) string {
	text, err := io.ReadAll(from)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

// Perform a shipped story without any listener; one of your own comes from
// [scenario.Parse].
func ExampleEmulator_Perform() {
	ctx := context.Background()
	e, err := emulator.New(emulator.Options{Speed: emulator.MaxSpeed})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = e.Shutdown(ctx) }()
	consumer := printing()
	defer consumer.Close()
	if _, err := e.Register(ctx, "sk-story", consumer.URL, hirempire.Events()); err != nil {
		log.Fatal(err)
	}

	story, err := e.Library().Scenario("job-lifecycle")
	if err != nil {
		log.Fatal(err)
	}
	run, err := e.Perform(ctx, emulator.Performance{Scenario: story, Token: "sk-story"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.State, run.Deliveries)
	// Output:
	// arrived: job_added
	// arrived: job_activated
	// arrived: job_deactivated
	// arrived: job_activated
	// arrived: job_deactivated
	// arrived: job_deleted
	// finished 6 delivered, 0 failed, 0 dropped
}

// Fake an event and send it; the same seed fakes the same again.
func ExampleEmulator_Send() {
	ctx := context.Background()
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = e.Shutdown(ctx) }()
	consumer := printing()
	defer consumer.Close()
	if _, err := e.Register(ctx, "sk-event", consumer.URL, hirempire.Events()); err != nil {
		log.Fatal(err)
	}

	set, problems := scenario.ParseSet(hirempire.MeetingBooked, []byte(`{"meeting.duration_minutes": 20}`))
	if scenario.HasErrors(problems) {
		log.Fatal(problems)
	}
	step := scenario.Step{Event: hirempire.MeetingBooked, Set: set, Repeat: 1}
	for body, err := range emulator.Fake(hirempire.DefaultEdition, step, 7, time.Date(2026, 1, 30, 9, 0, 0, 0, time.UTC)) {
		if err != nil {
			log.Fatal(err)
		}
		deliveries, err := e.Send(ctx, "sk-event", hirempire.MeetingBooked, body, scenario.DeliveryFault{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(deliveries[0].Status, deliveries[0].Attempts[0].Status)
	}
	// Output:
	// arrived: meeting_booked
	// delivered 200
}

// Examine a consumer: no emulator is needed, and nothing is registered.
func ExampleCheck() {
	consumer := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	defer consumer.Close()

	report, err := emulator.Check(context.Background(), emulator.CheckOptions{
		URL: consumer.URL, Only: []string{"challenge", "nulls", "duplicates"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Verdict != emulator.CheckSkipped {
			fmt.Println(r.Verdict, r.ID)
		}
	}
	// Output:
	// passed challenge
	// passed nulls
	// passed duplicates
}

// A consumer that answers challenges and takes every event.
func ExampleNewConsumer() {
	consumer := httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) {
		fmt.Printf("%q %q\n", a.Challenge, a.Event)
	}))
	defer consumer.Close()

	res, err := http.Post(consumer.URL, "application/json", strings.NewReader(`{"challenge":"a1b2c3d4e5f6g7h8i9j0","type":"url_verification"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Println(read(res.Body))
	// Output:
	// "a1b2c3d4e5f6g7h8i9j0" ""
	// {"challenge":"a1b2c3d4e5f6g7h8i9j0"}
}

// Time passes when the test says so.
func ExampleNewManualClock() {
	ctx := context.Background()
	clock := emulator.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", Clock: clock, RateLimit: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = e.Shutdown(ctx) }()

	list := func() string {
		req, err := http.NewRequest(http.MethodGet, e.URL()+"/v1/webhooks", nil)
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer sk-clock")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close()
		return res.Status
	}
	fmt.Println(list())
	fmt.Println(list())
	clock.Advance(time.Hour)
	fmt.Println(list())
	// Output:
	// 200 OK
	// 429 Too Many Requests
	// 200 OK
}
