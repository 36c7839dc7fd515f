package emulator_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// The built-in consumer gets full marks, over HTTPS too, and each result is told.
func TestCheck(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(server.Close)
	seed, told := uint64(7), 0
	r, err := emulator.Check(t.Context(), emulator.CheckOptions{
		URL: server.URL, Seed: &seed, Skip: []string{"slow-body"}, InsecureConsumers: true, Within: time.Minute, DeliveryTimeout: time.Minute,
		Told: func(emulator.CheckResult) { told++ },
	})
	earned, of := r.Points()
	if err != nil || earned != of || r.Seed != seed || r.Count(emulator.CheckPassed) != len(emulator.Checks())-1 || told != len(r.Results) || r.Start.IsZero() {
		t.Errorf("%v, %d of %d points, %d told, %+v", err, earned, of, told, r)
	}
}

func TestCheckSaysWhatItCannotDo(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(server.Close)
	_, err := emulator.Check(t.Context(), emulator.CheckOptions{URL: server.URL})
	if _, ok := errors.AsType[*emulator.UnreachableError](err); !ok { // nobody knows who signed its certificate
		t.Error(err)
	}
	_, err = emulator.Check(t.Context(), emulator.CheckOptions{URL: server.URL, Only: []string{"null"}})
	if e, ok := errors.AsType[*emulator.UnknownCheckError](err); !ok || e.ID != "null" {
		t.Error(err)
	}
	if _, err = emulator.Check(t.Context(), emulator.CheckOptions{URL: server.URL, Edition: "2020-01"}); err == nil {
		t.Error("an edition that there is not was taken")
	}
	ended, end := context.WithCancelCause(t.Context())
	end(context.Canceled)
	if _, err = emulator.Check(ended, emulator.CheckOptions{URL: server.URL}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
