package emulatortest_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

// Two hundred emulators, one after the other and each used: TestMain sees to it that
// nothing of them is left.
func TestTwoHundredEmulators(t *testing.T) {
	const many = 200
	began := time.Now()
	for n := range many {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := emulatortest.Start(t)
			s.Register(s.Serve(good()), "job_added")
			s.Trigger("job_added")
		})
	}
	t.Logf("%s each, with a registration and an event", (time.Since(began) / many).Round(10*time.Microsecond))
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		var cleanups []func()
		emulatortest.Start(&recorder{TB: b, name: "Benchmark", cleanups: &cleanups})
		for _, cleanup := range slices.Backward(cleanups) {
			cleanup()
		}
	}
}

// Fifty tests with tokens of their own on one process: none sees anything of another,
// and resets all the time change nothing for the others.
func TestFiftyTestsOnOneEmulator(t *testing.T) {
	t.Parallel()
	emulator50 := emulatortest.Start(t, emulatortest.WithTimeout(time.Minute))
	for n := range 50 {
		t.Run("the same name", func(t *testing.T) {
			t.Parallel()
			s := emulator50.For(t)
			var mu sync.Mutex
			var got []string
			url := s.Serve(emulator.NewConsumer(func(a emulator.Arrival) {
				mu.Lock()
				defer mu.Unlock()
				if a.Challenge == "" {
					got = append(got, string(a.Body))
				}
			}))
			for round := range 3 {
				s.Register(url)
				mark := fmt.Sprintf("Test %d, round %d", n, round)
				s.Arm("list-webhooks", "token-expired")
				for range 4 {
					if _, err := s.Control.Send(t.Context(), client.Event{Type: "job_added", Set: map[string]any{"job.title": mark}}); err != nil {
						t.Error(err)
					}
				}
				s.Run("{version: 1, steps: [{event: job_added, set: {job.title: " + `"` + mark + `"` + "}}]}")
				s.RequireDelivered("job_added", emulatortest.Field("job.title", mark))
				for want := 401; want >= 200; want -= 201 {
					if status, body := call(t, s.Client(), s.BaseURL, s.Token, "GET", "/webhooks", ""); status != want || want == 200 && strings.Count(body, "request_url") != 1 {
						t.Errorf("%d %s", status, body)
					}
				}
				if deliveries, requests := s.Deliveries(), s.Requests(); len(deliveries) != 5 || len(requests) != 2 {
					t.Errorf("%s: %d deliveries, %d requests", mark, len(deliveries), len(requests))
				}
				s.Reset()
				if left := len(s.Deliveries()) + len(s.Requests()); left > 0 {
					t.Errorf("%d are left after a reset", left)
				}
				mu.Lock()
				for _, body := range got {
					if !strings.Contains(body, mark) {
						t.Errorf("%s got %s", mark, body)
					}
				}
				if len(got) != 5 {
					t.Errorf("%s got %d events", mark, len(got))
				}
				got = nil
				mu.Unlock()
			}
		})
	}
}
