package emulator_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// With a run, a hung delivery, a blocked wait and a challenge under way, nothing
// is left after Shutdown.
func TestShutdownLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	hung := make(chan struct{}, 10)
	release := make(chan struct{})
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" || strings.HasSuffix(r.URL.RawQuery, "hang") {
			hung <- struct{}{}
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}
		_, _ = io.WriteString(w, answer)
	})
	opts := seeded(1)
	opts.Addr = "127.0.0.1:0"
	e, err := emulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Register(t.Context(), "sk-1", consumer, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	done := make(chan report.Run)
	go func() {
		r, _ := e.Perform(context.Background(), emulator.Performance{Scenario: parse(t, story), Token: "sk-1", Speed: emulator.MaxSpeed})
		done <- r
	}()
	<-hung
	c := &http.Client{Transport: &http.Transport{}}
	waited := make(chan struct{}, 2)
	for _, call := range []func() (*http.Response, error){
		func() (*http.Response, error) {
			return c.Get(e.URL() + "/_emulator/deliveries/wait?count=100&timeout=10m")
		},
		func() (*http.Response, error) {
			req, _ := http.NewRequest(http.MethodPost, e.URL()+"/v1/create-webhook", strings.NewReader(registration(consumer+"?hang")))
			req.Header.Set("Authorization", "Bearer sk-2")
			return c.Do(req)
		},
	} {
		go func() {
			if res, err := call(); err == nil {
				res.Body.Close()
			}
			waited <- struct{}{}
		}()
	}
	<-hung // the second registration is being challenged

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_ = e.Shutdown(ctx)
	if err := e.Shutdown(context.Background()); err != nil {
		t.Errorf("a second Shutdown said %v", err)
	}
	r := <-done
	if !r.Deliveries.Balanced() || r.Deliveries.Pending() != 0 || r.Causes["dropped(shutdown)"] == 0 || r.State != report.Cancelled {
		t.Errorf("the report of the run is %+v", r)
	}
	<-waited
	<-waited
	close(release)
	c.CloseIdleConnections()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("net/http/httptest.(*Server).goServe.func1"),
		goleak.IgnoreAnyFunction("net/http.(*Server).Serve"), goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}

func TestShutdownWithoutStart(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.URL() != "" {
		t.Errorf("it listens at %s", e.URL())
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTakenAddressIsAnError(t *testing.T) {
	t.Parallel()
	first := start(t, emulator.Options{})
	second, err := emulator.New(emulator.Options{Addr: strings.TrimPrefix(first.URL(), "http://")})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot listen on 127.0.0.1:") {
		t.Errorf("Start said %v", err)
	}
	if err := second.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
