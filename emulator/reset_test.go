package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Reset under load: ten workspaces run stories at full speed while one of them
// is reset again and again. Once a reset has returned, nothing of before it
// is there or comes back; the other workspaces lose nothing.
func TestResetUnderLoad(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	const bursts = "version: 1\nname: burst\nsteps:\n  - event: applicant_applied\n    repeat: 500\n"
	story, err := json.Marshal(bursts)
	if err != nil {
		t.Fatal(err)
	}

	var others sync.WaitGroup
	for n := range 9 {
		others.Go(func() {
			consumer := record(t)
			token := fmt.Sprintf("sk-other-%d", n)
			if _, err := e.Register(t.Context(), token, consumer.URL, hirempire.Events()); err != nil {
				t.Errorf("%s: %v", token, err)
				return
			}
			r, err := e.Perform(t.Context(), emulator.Performance{Scenario: parse(t, bursts), Token: token, Speed: emulator.MaxSpeed})
			if err != nil || !r.OK() || len(consumer.got()) != 500 {
				t.Errorf("%s: %d events arrived, %+v, %v", token, len(consumer.got()), r.Deliveries, err)
			}
		})
	}

	arrived := make(chan struct{}, 1)
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" {
			select {
			case arrived <- struct{}{}:
			default:
			}
		}
		fmt.Fprint(w, answer)
	})
	left := func() {
		t.Helper()
		if w := webhooksOf(t, e, "sk-reset"); len(w.Webhooks) != 0 {
			t.Errorf("%d webhooks are left", len(w.Webhooks))
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/_emulator/deliveries", nil)
		req.Header.Set("Emulator-Token", "sk-reset")
		if body := do(t, req).body; !strings.HasPrefix(body, `{"deliveries":[],`) {
			t.Errorf("deliveries are left: %.200s", body)
		}
	}
	for range 10 {
		if got := create(t, e, hirempire.Request{Token: "sk-reset", Body: registration(consumer)}); got.status != 200 {
			t.Fatal(got.body)
		}
		select { // an event of the last round
		case <-arrived:
		default:
		}
		if status := control(t, e, "POST", "/runs", `{"token":"sk-reset","speed":"max","yaml":`+string(story)+`}`, nil); status != 202 {
			t.Fatalf("the run answered %d", status)
		}
		<-arrived
		if status := control(t, e, "POST", "/reset", `{"token":"sk-reset"}`, nil); status != 200 {
			t.Fatalf("the reset answered %d", status)
		}
		left()
	}
	others.Wait()
	left() // late answers have not come back meanwhile
}
