package emulatortest_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStart(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("a name with spaces, and ünïcode", func(t *testing.T) {
		s := emulatortest.Start(t)
		url = s.BaseURL
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		arrived := make(chan emulator.Arrival, 10)
		c := httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) { arrived <- a }))
		defer c.Close()
		if _, err := s.Register(t.Context(), c.URL, "job_added"); err != nil {
			t.Fatal(err)
		}
		<-arrived // the challenge
		if _, err := s.Send(t.Context(), client.Event{Type: "job_added"}); err != nil {
			t.Fatal(err)
		}
		if a := <-arrived; a.Event != "job_added" {
			t.Errorf("%q arrived", a.Event)
		}
	})
	if err := client.New(strings.TrimSuffix(url, "/v1"), nil).Ready(t.Context()); err == nil {
		t.Error("it still serves after its test")
	}
}

// Fifty suites with tokens of their own against one process: none sees anything
// of another, and resets all the time change nothing for the others.
func TestFiftySuitesOnOneEmulator(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	var suites sync.WaitGroup
	for n := range 50 {
		suites.Go(func() {
			token := fmt.Sprintf("sk-suite-%d", n)
			own := s.For(token)
			var mu sync.Mutex
			var got []string
			c := httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) {
				mu.Lock()
				defer mu.Unlock()
				if a.Challenge == "" {
					got = append(got, string(a.Body))
				}
			}))
			defer c.Close()
			for round := range 3 {
				if _, err := own.Register(t.Context(), c.URL); err != nil {
					t.Errorf("%s: %v", token, err)
					return
				}
				mark := fmt.Sprintf("Suite %d, round %d", n, round)
				for range 4 {
					if _, err := own.Send(t.Context(), client.Event{Type: "job_added", Set: map[string]any{"job.title": mark}}); err != nil {
						t.Errorf("%s: %v", token, err)
					}
				}
				deliveries, err := own.AwaitDeliveries(t.Context(), client.DeliveryFilter{Status: "delivered"}, 4, time.Minute)
				if err != nil || len(deliveries) != 4 {
					t.Errorf("%s: %d deliveries, %v", token, len(deliveries), err)
				}
				if err := own.Reset(t.Context()); err != nil {
					t.Errorf("%s: %v", token, err)
				}
				mu.Lock()
				for _, body := range got {
					if !strings.Contains(body, mark) {
						t.Errorf("%s got %s", mark, body)
					}
				}
				if len(got) != 4 {
					t.Errorf("%s got %d events", mark, len(got))
				}
				got = nil
				mu.Unlock()
				if left, _, _, err := own.Webhooks(t.Context(), 0, 0); err != nil || len(left) != 0 {
					t.Errorf("%s: after its reset there are %d webhooks, %v", token, len(left), err)
				}
			}
		})
	}
	suites.Wait()
}
