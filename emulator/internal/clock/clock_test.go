package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

func TestRealSleepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reset := errors.New("reset")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			_ = clock.Real{}.Sleep(t.Context(), time.Second)
			cancel(reset)
		}()
		before := clock.Real{}.Now()
		if err := (clock.Real{}).Sleep(ctx, time.Hour); !errors.Is(err, reset) {
			t.Errorf("Sleep = %v, want the cause of the context's end", err)
		}
		if took := (clock.Real{}).Now().Sub(before); took != time.Second {
			t.Errorf("the sleep took %v, want 1s", took)
		}
	})
}

func TestManualWakesWhoIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := clock.NewManual(time.Unix(0, 0))
		woke := make([]bool, 3)
		for i := range woke {
			go func() {
				if m.Sleep(t.Context(), time.Duration(i+1)*time.Minute) == nil {
					woke[i] = true
				}
			}()
		}
		synctest.Wait()
		m.Advance(90 * time.Second)
		synctest.Wait()
		if woke[0] != true || woke[1] || woke[2] {
			t.Errorf("after 90s woke %v", woke)
		}
		m.Advance(90 * time.Second)
		synctest.Wait()
		if !woke[1] || !woke[2] {
			t.Errorf("after 180s woke %v", woke)
		}
	})
}

func TestTimelineKeepsItsSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)
		began := time.Now()
		line := clock.NewTimeline(clock.Real{}, start, 2)
		for range 10 {
			// The work of a step is not added to its wait.
			_ = clock.Real{}.Sleep(t.Context(), 100*time.Millisecond)
			if err := line.Wait(t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if got := line.Now().Sub(start); got != 10*time.Second {
			t.Errorf("the run's time moved %v, want 10s", got)
		}
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("ten seconds at speed 2 took %v, want 5s", got)
		}
	})
}

func TestTimelineAtMaxDoesNotWait(t *testing.T) {
	t.Parallel()
	m := clock.NewManual(time.Unix(0, 0))
	line := clock.NewTimeline(m, time.Unix(0, 0), clock.Max)
	if err := line.Wait(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if line.Elapsed() != 24*time.Hour {
		t.Errorf("elapsed %v", line.Elapsed())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if line.Wait(ctx, time.Second) == nil {
		t.Error("a wait after the context's end said nothing")
	}
}

func TestParseSpeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "1", "1": "1", "2.5": "2.5", "max": "max"} {
		got, err := clock.ParseSpeed(text)
		if err != nil || got.String() != want {
			t.Errorf("ParseSpeed(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "1e-12", "0.0009", "MAX", "NaN", "Inf", "fast", "1e300"} {
		if got, err := clock.ParseSpeed(text); err == nil {
			t.Errorf("ParseSpeed(%q) = %v, want an error", text, got)
		}
	}
}
