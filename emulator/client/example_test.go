package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
)

// serving returns an emulator for the examples, and a consumer's URL.
func serving() (base, consumer string, stop func()) {
	seed := uint64(1)
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", Seed: &seed})
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	return e.URL(), server.URL, func() {
		server.Close()
		_ = e.Shutdown(context.Background())
	}
}

// Register, send an event, and see what became of it.
func Example() {
	base, consumer, stop := serving()
	defer stop()
	ctx := context.Background()

	suite := client.New(base, nil).For("sk-suite") // a workspace of this suite's own
	if _, err := suite.Register(ctx, consumer, "applicant_applied"); err != nil {
		log.Fatal(err)
	}
	sent, err := suite.SendAndWait(ctx, client.Event{
		Type: "applicant_applied",
		Set:  map[string]any{"applicant.name": "Lina Haddad"},
	}, 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent[0].Event, sent[0].Status, sent[0].Attempts[0].Status)
	// Output: applicant_applied delivered 200
}

// Perform a story, and read its report.
func ExampleClient_Perform() {
	base, consumer, stop := serving()
	defer stop()
	ctx := context.Background()

	suite := client.New(base, nil).For("sk-suite")
	if _, err := suite.Register(ctx, consumer, "job_added", "applicant_applied", "meeting_booked"); err != nil {
		log.Fatal(err)
	}
	run, err := suite.Perform(ctx, client.Performance{Scenario: "hiring-happy-path", Speed: "max"}, time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.State, run.Deliveries.Delivered == run.Deliveries.Emitted)
	// Output: finished true
}

// Make the application's next call fail, and wait for it.
func ExampleClient_Arm() {
	base, _, stop := serving()
	defer stop()
	ctx := context.Background()

	suite := client.New(base, nil).For("sk-suite")
	if _, err := suite.Arm(ctx, client.Fault{Operation: "list-webhooks", Error: "token-expired"}); err != nil {
		log.Fatal(err)
	}
	go call(base+"/v1/webhooks", "sk-suite") // the application under test
	calls, err := suite.AwaitRequests(ctx, client.RequestFilter{Operation: "list-webhooks"}, 1, 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(calls[0].Status, calls[0].AnsweredBy, calls[0].Answer)
	// Output: 401 fault {"success":false,"error":"Token is expired"}
}

// Break a delivery on purpose.
func ExampleEvent() {
	base, consumer, stop := serving()
	defer stop()
	ctx := context.Background()

	suite := client.New(base, nil).For("sk-suite")
	if _, err := suite.Register(ctx, consumer, "job_added"); err != nil {
		log.Fatal(err)
	}
	sent, err := suite.SendAndWait(ctx, client.Event{Type: "job_added", Delivery: map[string]any{"corrupt": "empty"}}, 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent[0].Faults[0].Kind, sent[0].Status, sent[0].Attempts[0].Status)
	// Output: corrupt: empty failed(non_2xx) 400
}

// A call that the emulator refuses says why.
func ExampleError() {
	base, _, stop := serving()
	defer stop()

	_, err := client.New(base, nil).For("sk-suite").Send(context.Background(), client.Event{Type: "job_added"})
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code)
	}
	// Output: 409 nobody-subscribed
}

// call is what an application would do.
func call(url, token string) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
}
