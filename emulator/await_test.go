package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// calling calls an operation of the vendor's API without a socket.
func calling(t *testing.T, e *emulator.Emulator, of hirempire.Edition, op hirempire.Operation, token, query, body string) (int, string) {
	t.Helper()
	r := route(of, op)
	path := r.Path
	if query != "" {
		path += "?" + query
	}
	w := ask(t, e, r.Method, path, body, map[string]string{"Authorization": "Bearer " + token})
	return w.Code, w.Body.String()
}

// telling performs a story in the background.
func telling(t *testing.T, e *emulator.Emulator, speed emulator.Speed, steps ...scenario.Step) <-chan report.Run {
	t.Helper()
	ended := make(chan report.Run, 1)
	go func() { ended <- told(t, e, speed, 7, steps...) }()
	return ended
}

func awaiting(a scenario.Await) scenario.Step {
	if a.Count == 0 {
		a.Count = 1
	}
	if a.Within == 0 {
		a.Within = time.Hour
	}
	return scenario.Step{Await: &a}
}

// A story goes on when enough calls have come that are as it says, and not before;
// what came before the event does not count.
func TestAwaitCalls(t *testing.T) {
	t.Parallel()
	type call struct {
		op          hirempire.Operation
		token, body string
	}
	list := call{hirempire.ListWebhooks, "sk-1", ""}
	wrong := call{hirempire.CreateWebhook, "sk-1", "{}"}
	second := call{hirempire.CreateWebhook, "sk-1", registration("http://other/")} // refused: one is active
	foreign := call{hirempire.ListWebhooks, "sk-2", ""}
	for name, c := range map[string]struct {
		await scenario.Await
		not   []call
		then  call
	}{
		"any answer":   {scenario.Await{Operation: hirempire.ListWebhooks}, []call{wrong, foreign}, list},
		"also refused": {scenario.Await{Operation: hirempire.CreateWebhook}, []call{list}, wrong},
		"twice":        {scenario.Await{Operation: hirempire.ListWebhooks, Count: 2}, []call{wrong, list}, list},
		"status":       {scenario.Await{Operation: hirempire.CreateWebhook, Status: 400}, []call{list}, wrong},
		"success":      {scenario.Await{Operation: hirempire.ListWebhooks, AnsweredBy: "success"}, []call{wrong}, list},
		"an error":     {scenario.Await{Operation: hirempire.CreateWebhook, AnsweredBy: hirempire.ActiveWebhook}, []call{wrong}, second},
		"a fault":      {scenario.Await{Operation: hirempire.CreateWebhook, AnsweredBy: "fault"}, []call{list}, wrong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				opts := seeded(1)
				if name == "a fault" {
					opts.Faults = []scenario.APIFault{{Operation: hirempire.CreateWebhook, Status: 503, Times: 1}}
				}
				e := inMemoryEmulator(t, opts, &m, "c")
				ended := telling(t, e, 1, scenario.Step{Event: hirempire.JobAdded, Repeat: 2, Every: 2 * time.Second}, awaiting(c.await), event(hirempire.JobDeleted))
				<-time.After(time.Second)
				if name != "a fault" {
					calling(t, e, hirempire.DefaultEdition, c.then.op, c.then.token, "", c.then.body) // too early
				}
				<-time.After(2 * time.Second)
				synctest.Wait()
				for _, not := range c.not {
					calling(t, e, hirempire.DefaultEdition, not.op, not.token, "", not.body)
					synctest.Wait()
				}
				if len(m.got) != 2 {
					t.Errorf("it went on before: %v", m.got)
				}
				calling(t, e, hirempire.DefaultEdition, c.then.op, c.then.token, "", c.then.body)
				synctest.Wait()
				if r := <-ended; !r.OK() || len(m.got) != 3 {
					t.Errorf("%+v, %v", r, m.got)
				}
			})
		})
	}
}

// However a webhook is registered, the story that awaits it goes on; one that was
// there before does not count.
func TestAwaitRegistration(t *testing.T) {
	t.Parallel()
	const of = hirempire.Edition202606
	body := func(events ...hirempire.Event) string {
		return string(hirempire.Marshal(hirempire.CreateRequest{RequestURL: "http://new/", Events: events}))
	}
	update := func(t *testing.T, e *emulator.Emulator, id string, active bool) {
		t.Helper()
		if status, body := calling(t, e, of, hirempire.UpdateWebhook, "sk-1", "", fmt.Sprintf(`{"id":%q,"active":%v}`, id, active)); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	for name, c := range map[string]struct {
		event hirempire.Event
		does  func(t *testing.T, e *emulator.Emulator, id string)
		found bool
	}{
		"through the API": {"", func(t *testing.T, e *emulator.Emulator, _ string) {
			calling(t, e, of, hirempire.CreateWebhook, "sk-1", "", body(hirempire.JobDeleted))
		}, true},
		"for the event": {hirempire.JobDeleted, func(t *testing.T, e *emulator.Emulator, _ string) {
			calling(t, e, of, hirempire.CreateWebhook, "sk-1", "", body(hirempire.JobAdded, hirempire.JobDeleted))
		}, true},
		"for another event": {hirempire.JobAdded, func(t *testing.T, e *emulator.Emulator, _ string) {
			calling(t, e, of, hirempire.CreateWebhook, "sk-1", "", body(hirempire.JobDeleted))
		}, false},
		"refused": {"", func(t *testing.T, e *emulator.Emulator, _ string) {
			calling(t, e, of, hirempire.CreateWebhook, "sk-1", "", "{}")
		}, false},
		"of another workspace": {"", func(t *testing.T, e *emulator.Emulator, _ string) {
			calling(t, e, of, hirempire.CreateWebhook, "sk-2", "", body(hirempire.JobDeleted))
		}, false},
		"through the control API": {"", func(t *testing.T, e *emulator.Emulator, _ string) {
			in := `{"request_url":"http://new/","events":["job_deleted"],"token":"sk-1"}`
			if w := ask(t, e, "POST", "/_emulator/webhooks", in, map[string]string{"Content-Type": "application/json"}); w.Code/100 != 2 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}, true},
		"reactivated": {"", func(t *testing.T, e *emulator.Emulator, id string) {
			update(t, e, id, false)
			update(t, e, id, true)
		}, true},
		"paused": {"", func(t *testing.T, e *emulator.Emulator, id string) { update(t, e, id, false) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				opts := seeded(1)
				opts.Edition = of
				e := inMemoryEmulator(t, opts, &m)
				id, err := e.Register(t.Context(), "sk-1", "http://old/", hirempire.Events())
				if err != nil {
					t.Fatal(err)
				}
				ended := telling(t, e, emulator.MaxSpeed, awaiting(scenario.Await{Registration: true, Event: c.event, Within: time.Minute}), event(hirempire.JobDeleted))
				synctest.Wait()
				if len(ended) > 0 {
					t.Fatal("an earlier one counts")
				}
				c.does(t, e, id)
				synctest.Wait()
				if (len(ended) > 0) != c.found {
					t.Errorf("it goes on: %v", len(ended) > 0)
				}
				if r := <-ended; (r.State == report.Finished) != c.found {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// Each registration is for one await: two that come at once are for two.
func TestAwaitTwoRegistrations(t *testing.T) {
	t.Parallel()
	for _, many := range []int{1, 2} {
		for range 50 {
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				opts := seeded(1)
				opts.Edition = hirempire.Edition202606
				e := inMemoryEmulator(t, opts, &m)
				await := awaiting(scenario.Await{Registration: true, Within: time.Minute})
				ended := telling(t, e, emulator.MaxSpeed, await, await, event(hirempire.JobAdded))
				synctest.Wait()
				for i := range many {
					calling(t, e, opts.Edition, hirempire.CreateWebhook, "sk-1", "", registration(fmt.Sprintf("http://c%d/", i)))
				}
				if r := <-ended; (r.State == report.Finished) != (many == 2) {
					t.Errorf("after %d: %+v", many, r)
				}
			})
		}
	}
}

// An await of outcomes counts those of the run, also what was settled before it
// began; those of equal awaits add up.
func TestAwaitOutcomes(t *testing.T) {
	t.Parallel()
	three := scenario.Step{Event: hirempire.JobAdded, Repeat: 3}
	drop := faulted(hirempire.JobActivated, scenario.DeliveryFault{Drop: true})
	for name, c := range map[string]struct {
		steps   []scenario.Step
		answers func(a arrival) int
		met     bool
	}{
		"delivered":             {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered", Count: 3})}, nil, true},
		"one too many":          {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered", Count: 4})}, nil, false},
		"what failed is not":    {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered"})}, func(arrival) int { return 500 }, false},
		"failed":                {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "failed", Count: 3})}, func(arrival) int { return 500 }, true},
		"dropped":               {[]scenario.Step{drop, awaiting(scenario.Await{Outcome: "dropped"})}, nil, true},
		"settled":               {[]scenario.Step{three, drop, awaiting(scenario.Await{Outcome: "settled", Count: 4})}, func(a arrival) int { return 200 + 300*(len(a.stamp)%2) }, true},
		"of an event":           {[]scenario.Step{three, event(hirempire.JobDeleted), awaiting(scenario.Await{Outcome: "delivered", Event: hirempire.JobDeleted})}, nil, true},
		"too few of an event":   {[]scenario.Step{three, event(hirempire.JobDeleted), awaiting(scenario.Await{Outcome: "delivered", Event: hirempire.JobDeleted, Count: 2})}, nil, false},
		"settled before":        {[]scenario.Step{three, wait(time.Minute), awaiting(scenario.Await{Outcome: "delivered", Count: 3})}, nil, true},
		"equal ones add up":     {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered", Count: 2}), awaiting(scenario.Await{Outcome: "delivered", Count: 1})}, nil, true},
		"and are not met twice": {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered", Count: 2}), awaiting(scenario.Await{Outcome: "delivered", Count: 2})}, nil, false},
		"other ones do not":     {[]scenario.Step{three, awaiting(scenario.Await{Outcome: "delivered", Count: 3}), awaiting(scenario.Await{Outcome: "settled", Count: 3})}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				if c.answers != nil {
					m.answer = func(a arrival) (int, string) { return c.answers(a), "" }
				}
				e := inMemoryEmulator(t, seeded(1), &m, "c")
				// Those of another run do not count.
				told(t, e, emulator.MaxSpeed, 1, scenario.Step{Event: hirempire.JobAdded, Repeat: 9}, event(hirempire.JobDeleted), drop)
				r := told(t, e, 1, 7, slices.Clone(c.steps)...)
				if (r.State == report.Finished) != c.met || !c.met && r.State != report.Stalled {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// A consumer that calls at once, while it still has the last event of the step
// before, is in time: also with two calls that two awaits are for.
func TestCallsAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	var m mailbox
	var e *emulator.Emulator
	last := ""
	m.answer = func(a arrival) (int, string) {
		if a.event == "job_deleted" && a.body != last {
			last = a.body
			calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
			calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
			calling(t, e, hirempire.DefaultEdition, hirempire.DeleteWebhook, "sk-1", "id=whk_none", "")
		}
		return 200, ""
	}
	opts := seeded(1)
	opts.Limits.QueuedDeliveries = 1 // the step goes on after the consumer has got the first of two
	e = inMemoryEmulator(t, opts, &m, "c")
	for n := range 1000 {
		r := told(t, e, emulator.MaxSpeed, 7, event(hirempire.JobAdded), faulted(hirempire.JobDeleted, scenario.DeliveryFault{Duplicates: 1}),
			awaiting(scenario.Await{Operation: hirempire.ListWebhooks}), awaiting(scenario.Await{Operation: hirempire.ListWebhooks}),
			awaiting(scenario.Await{Operation: hirempire.DeleteWebhook}))
		if !r.OK() {
			t.Fatalf("run %d: %+v", n, r)
		}
	}
}

// The run's clock stands still while it waits: what comes after has the same
// timestamps however long it took, and the schedule does not make up for it.
func TestTimeStandsStillDuringAnAwait(t *testing.T) {
	t.Parallel()
	for _, speed := range []emulator.Speed{1, 60, emulator.MaxSpeed} {
		for _, took := range []time.Duration{0, 10 * time.Second, 50 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				e := inMemoryEmulator(t, seeded(1), &m, "c")
				began := time.Now()
				ended := telling(t, e, speed, event(hirempire.JobAdded), wait(time.Minute), awaiting(scenario.Await{Operation: hirempire.ListWebhooks}), wait(2*time.Minute), event(hirempire.JobDeleted))
				minute := time.Duration(float64(time.Minute) / float64(speed))
				<-time.After(minute + took)
				synctest.Wait()
				calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
				r := <-ended
				want := []string{"job_added 0s 00:00:00.000Z", fmt.Sprintf("job_deleted %v 00:03:00.000Z", took+3*minute)}
				if got := m.at("c", began); !r.OK() || !slices.Equal(got, want) {
					t.Errorf("at %v after %v: %v, want %v", speed, took, got, want)
				}
			})
		}
	}
}

// An await that is not met ends the run in the real time that it has: the report
// names it and what came nearest, and the steps behind it are not performed.
func TestAwaitInVain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		await scenario.Await
		want  string
	}{
		"no call": {scenario.Await{Operation: hirempire.DeleteWebhook},
			"story.yaml:2:1: await: no call of delete-webhook within 1h0m0s; nearest: GET /v1/webhooks, answered with 200 by success (operation)"},
		"too few calls": {scenario.Await{Operation: hirempire.ListWebhooks, Count: 3, Status: 400, AnsweredBy: "incorrect-input"},
			"story.yaml:2:1: await: 0 of 3 calls of list-webhooks answered with 400 answered by incorrect-input within 1h0m0s; nearest: GET /v1/webhooks, answered with 200 by success (status, answered_by)"},
		"no registration":   {scenario.Await{Registration: true}, "story.yaml:2:1: await: no registration of a webhook within 1h0m0s"},
		"none for an event": {scenario.Await{Registration: true, Event: hirempire.JobAdded}, "story.yaml:2:1: await: no registration of a webhook for job_added within 1h0m0s"},
		"no outcome": {scenario.Await{Outcome: "failed", Count: 2, Event: hirempire.JobAdded},
			"story.yaml:2:1: await: fewer than 2 more deliveries of job_added failed within 1h0m0s; nearest: dlv_"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				e := inMemoryEmulator(t, seeded(1), &m, "c")
				began := time.Now()
				ended := telling(t, e, emulator.MaxSpeed, event(hirempire.JobAdded), awaiting(c.await), event(hirempire.JobDeleted), wait(time.Minute))
				synctest.Wait()
				calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
				r := <-ended
				if took := time.Since(began); r.State != report.Stalled || !strings.HasPrefix(r.Error, c.want) || took != time.Hour || r.OK() || r.StepsDone != 1 {
					t.Errorf("after %v: %s\n got %s\nwant %s", took, r.State, r.Error, c.want)
				}
				if len(m.got) != 1 || r.Deliveries.Delivered != 1 || !r.Deliveries.Balanced() {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// What ends a run ends its await and the challenge that waits in a queue.
func TestEndOfAWaitingRun(t *testing.T) {
	t.Parallel()
	for what, steps := range map[string][]scenario.Step{
		"a call":                    {event(hirempire.JobAdded), awaiting(scenario.Await{Operation: hirempire.ListWebhooks})},
		"a registration":            {event(hirempire.JobAdded), awaiting(scenario.Await{Registration: true})},
		"an outcome":                {event(hirempire.JobAdded), awaiting(scenario.Await{Outcome: "failed"})},
		"what is late":              {event(hirempire.JobAdded), faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: time.Hour})},
		"what is to change places":  {faulted(hirempire.JobAdded, scenario.DeliveryFault{Shuffle: 3}), faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: time.Hour})},
		"a challenge that is late":  {event(hirempire.JobAdded), {Challenge: &scenario.ChallengeFault{Delay: 10 * time.Minute}}},
		"a challenge in the queue":  {event(hirempire.MeetingBooked), {Challenge: &scenario.ChallengeFault{}}}, // behind one that hangs
		"a challenge that is slow":  {{Challenge: &scenario.ChallengeFault{Rate: 1}}},
		"a delivery that is slow":   {faulted(hirempire.JobAdded, scenario.DeliveryFault{Wire: scenario.Slow, Rate: 1})},
		"an await behind a late":    {faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: time.Hour}), awaiting(scenario.Await{Registration: true})},
		"a challenge behind a late": {faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: time.Hour}), {Challenge: &scenario.ChallengeFault{}}},
	} {
		for how, end := range map[string]func(t *testing.T, e *emulator.Emulator, cancel func()){
			"cancelled": func(_ *testing.T, _ *emulator.Emulator, cancel func()) { cancel() },
			"reset": func(t *testing.T, e *emulator.Emulator, _ func()) {
				if w := ask(t, e, "POST", "/_emulator/reset", "{}", map[string]string{"Content-Type": "application/json"}); w.Code != 200 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			},
			"shutdown": func(t *testing.T, e *emulator.Emulator, _ func()) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_ = e.Shutdown(ctx)
			},
		} {
			t.Run(what+" "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					gone := make(chan struct{})
					m := mailbox{answer: func(a arrival) (int, string) {
						if a.event == "meeting_booked" {
							<-gone
						}
						return 200, ""
					}}
					e := inMemoryEmulator(t, seeded(1), &m, "c")
					defer close(gone)
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan report.Run, 1)
					s := &scenario.Scenario{Name: "waiting"}
					for _, step := range steps {
						if step.Event != "" {
							step.Repeat = 1
						}
						s.Steps = append(s.Steps, step)
					}
					go func() {
						r, err := e.Perform(ctx, emulator.Performance{Scenario: s, Token: "sk-1", Speed: 1})
						if err != nil {
							t.Error(err)
						}
						ended <- r
					}()
					<-time.After(2 * time.Second)
					synctest.Wait()
					began := time.Now()
					end(t, e, cancel)
					r := <-ended
					cancel()
					if r.State != report.Cancelled || !strings.Contains(r.Error, how) || time.Since(began) != 0 || !r.Deliveries.Balanced() || r.Deliveries.Pending() != 0 {
						t.Errorf("after %v: %+v", time.Since(began), r)
					}
				})
			})
		}
	}
}

// lastChallenge returns what the journal has of the last challenge of sk-1's only
// webhook.
func lastChallenge(t *testing.T, e *emulator.Emulator) (c struct {
	ID, Run, Expected string
	Passed            bool
	Faults            []struct{ Kind, Detail string }
	Received          struct{ Cause string }
}) {
	t.Helper()
	var list struct {
		Webhooks []struct{ Challenge json.RawMessage }
	}
	w := ask(t, e, "GET", "/_emulator/webhooks", "", map[string]string{"Emulator-Token": "sk-1"})
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Webhooks) != 1 {
		t.Fatal(err, w.Body)
	}
	if err := json.Unmarshal(list.Webhooks[0].Challenge, &c); err != nil {
		t.Fatal(err, w.Body)
	}
	return c
}

// A challenge among events: in its place, as odd as the step says, on record, and
// none of the deliveries.
func TestChallengeSteps(t *testing.T) {
	t.Parallel()
	type oddly = scenario.ChallengeFault
	for name, c := range map[string]struct {
		odd    oddly
		answer string // to challenges; empty: the right one
		speed  emulator.Speed
		want   []string // when challenges arrive, between the events
		kind   string
		passed bool
		blamed bool
	}{
		"plain":             {oddly{}, "", 1, []string{"0s"}, "url_verification", true, false},
		"twice":             {oddly{Twice: true}, "", 1, []string{"0s", "0s"}, "url_verification", true, false},
		"late":              {oddly{Delay: time.Minute}, "", 1, []string{"1m0s"}, "url_verification", true, false},
		"late, in a hurry":  {oddly{Delay: time.Minute}, "", 60, []string{"1s"}, "url_verification", true, false},
		"late, at once":     {oddly{Delay: time.Minute}, "", emulator.MaxSpeed, []string{"0s"}, "url_verification", true, false},
		"slow":              {oddly{Rate: 2}, "", emulator.MaxSpeed, []string{"31s"}, "url_verification", true, false},
		"of another type":   {oddly{Type: "url_check"}, "", 1, []string{"0s"}, "url_check", true, false},
		"answered wrong":    {oddly{}, "OK", 1, []string{"0s"}, "url_verification", false, true},
		"once of two wrong": {oddly{Twice: true}, "OK", 1, []string{"0s"}, "url_verification", false, true},
		"excused":           {oddly{Type: "url_check"}, "OK", 1, []string{"0s"}, "url_check", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m mailbox
				m.answer = func(a arrival) (int, string) {
					var p struct{ Challenge string }
					_ = json.Unmarshal([]byte(a.body), &p)
					if c.answer != "" {
						return 200, c.answer
					}
					return 200, fmt.Sprintf(`{"challenge":%q}`, p.Challenge)
				}
				e := inMemoryEmulator(t, seeded(1), &m, "c")
				began := time.Now()
				r := told(t, e, c.speed, 7, scenario.Step{Event: hirempire.JobAdded, Repeat: 2}, scenario.Step{Challenge: &c.odd}, event(hirempire.JobDeleted))
				last := c.want[len(c.want)-1]
				want := []string{"job_added 0s", "job_added 0s"}
				for _, at := range c.want {
					want = append(want, "challenge "+at)
				}
				want = append(want, "job_deleted "+last)
				var got []string
				for _, line := range m.at("c", began) {
					words := strings.Fields(line)
					got = append(got, words[0]+" "+words[1])
				}
				if !slices.Equal(got, want) {
					t.Errorf("arrived %v, want %v", got, want)
				}
				on := lastChallenge(t, e)
				if body := fmt.Sprintf(`{"challenge":"%s","type":"%s"}`, on.Expected, c.kind); m.got[2].body != body || m.got[1+len(c.want)].body != body {
					t.Errorf("the challenge is %s, want %s", m.got[2].body, body)
				}
				if on.Run != r.ID || on.Passed != c.passed || !strings.HasPrefix(on.ID, "chl_") || len(on.Expected) != 20 {
					t.Errorf("on record is %+v", on)
				}
				if odd := c.odd != (oddly{}); odd != (len(on.Faults) > 0) {
					t.Errorf("of its faults the journal knows %v", on.Faults)
				}
				if r.Challenges != 1 || (r.Unpassed == 1) != c.blamed || r.OK() == c.blamed || r.Deliveries != (report.Ledger{Emitted: 3, Delivered: 3}) {
					t.Errorf("%+v", r)
				}
				if c.blamed {
					f := r.Failures[0]
					if len(r.Failures) != 1 || f.Delivery != on.ID || f.Event != "challenge" || f.Status != "failed(not_json)" || f.Position != "story.yaml:2:1" {
						t.Errorf("%+v", r.Failures)
					}
				}
			})
		})
	}
}

// Every active webhook gets a challenge of its own; whoever is hung delays nobody.
func TestChallengeStepsOfManyWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		var hung atomic.Bool
		gone := make(chan struct{})
		m.answer = func(a arrival) (int, string) {
			if a.host == "c1" && hung.CompareAndSwap(false, true) {
				<-gone
			}
			var p struct{ Challenge string }
			_ = json.Unmarshal([]byte(a.body), &p)
			return 200, fmt.Sprintf(`{"challenge":%q}`, p.Challenge)
		}
		e := inMemoryEmulator(t, seeded(1), &m, "c0", "c1", "c2")
		defer close(gone)
		began := time.Now()
		r := told(t, e, emulator.MaxSpeed, 7, event(hirempire.JobAdded), scenario.Step{Challenge: &scenario.ChallengeFault{}})
		if r.Challenges != 3 || r.Unpassed != 0 || r.Deliveries.Failed != 1 {
			t.Errorf("%+v", r)
		}
		values := map[string]bool{}
		for _, a := range m.got {
			if a.event == "" {
				values[a.body] = true
			}
		}
		if len(values) != 3 {
			t.Errorf("the challenges are %v", values)
		}
		if got := m.at("c2", began); len(got) != 2 || got[1] != "challenge 0s" {
			t.Errorf("beside a hung one: %v", got)
		}
	})
}

// A fault that a story arms disturbs the handshake of the next registrations, and
// both challenges of two are to be answered.
func TestArmedChallenges(t *testing.T) {
	t.Parallel()
	for wrong := range 3 { // which of a registration's challenges is answered wrong; 0: none
		synctest.Test(t, func(t *testing.T) {
			var m mailbox
			opts := seeded(1)
			opts.DialContext = m.dial
			challenges := 0
			m.answer = func(a arrival) (int, string) {
				if challenges++; challenges == wrong {
					return 200, "OK"
				}
				var p struct{ Challenge string }
				_ = json.Unmarshal([]byte(a.body), &p)
				return 200, fmt.Sprintf(`{"challenge":%q}`, p.Challenge)
			}
			e, err := emulator.New(opts)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Shutdown(t.Context())
			odd := scenario.ChallengeFault{Twice: true, Delay: time.Second, Type: "url_check"}
			r := told(t, e, emulator.MaxSpeed, 7,
				scenario.Step{Fault: &scenario.APIFault{Operation: hirempire.CreateWebhook, Challenge: &odd, Times: 1, Token: "sk-1"}},
				scenario.Step{Fault: &scenario.APIFault{Operation: hirempire.UpdateWebhook, Challenge: &scenario.ChallengeFault{Twice: true}, Times: 2, Token: "sk-1"}})
			if !r.OK() || len(r.Armed) != 2 || r.Armed[1].Times != 2 || r.Armed[1].Position != "story.yaml:2:1" || r.Armed[1].Operation != "update-webhook" || r.Armed[1].What != "an odd challenge" {
				t.Errorf("%+v", r)
			}
			began := time.Now()
			status, body := calling(t, e, hirempire.DefaultEdition, hirempire.CreateWebhook, "sk-1", "", registration("http://c/"))
			want := []string{"challenge 1s", "challenge 1s"}
			if wrong == 1 {
				want = want[:1]
			}
			if got := m.at("c", began); !slices.Equal(got, want) || (status == 200) != (wrong == 0) {
				t.Errorf("number %d wrong: %d %s, %v", wrong, status, body, got)
			}
			if !strings.Contains(m.got[0].body, `"type":"url_check"`) {
				t.Errorf("the challenge is %s", m.got[0].body)
			}
			// Then the rules do again.
			status, body = calling(t, e, hirempire.DefaultEdition, hirempire.CreateWebhook, "sk-1", "", registration("http://d/"))
			if want := map[bool]int{true: 401, false: 200}[wrong == 0]; status != want || wrong > 0 && len(m.at("d", began)) != 1 {
				t.Errorf("the next answered %d %s", status, body)
			}
			if wrong != 0 {
				return
			}
			hook := webhookIn(t, e)
			if status, body := calling(t, e, hirempire.DefaultEdition, hirempire.UpdateWebhook, "sk-1", "", fmt.Sprintf(`{"id":%q,"events":["job_added"]}`, hook)); status != 200 || challenges != 4 {
				t.Errorf("the update answered %d %s after %d challenges", status, body, challenges)
			}
		})
	}
}

// webhookIn returns the id of the only webhook of sk-1.
func webhookIn(t *testing.T, e *emulator.Emulator) string {
	t.Helper()
	var list struct{ Webhooks []struct{ ID string } }
	w := ask(t, e, "GET", "/_emulator/webhooks", "", map[string]string{"Emulator-Token": "sk-1"})
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Webhooks) != 1 {
		t.Fatal(err, w.Body)
	}
	return list.Webhooks[0].ID
}

// Faults of the API that a story arms are for its own workspace, in order, and used
// up are not reported; the summary for people names what is left.
func TestArmedByAStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		e := inMemoryEmulator(t, seeded(1), &m, "c")
		ended := telling(t, e, emulator.MaxSpeed,
			scenario.Step{Fault: &scenario.APIFault{Operation: hirempire.ListWebhooks, Error: "token-expired", Times: 2}},
			scenario.Step{Fault: &scenario.APIFault{Operation: hirempire.ListWebhooks, Status: 503, Body: []byte("later"), Times: 3}},
			awaiting(scenario.Await{Operation: hirempire.ListWebhooks, AnsweredBy: "fault", Count: 3}),
			event(hirempire.JobAdded))
		synctest.Wait()
		for i, want := range []int{401, 401, 503} {
			if status, body := calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-2", "", ""); status != 200 {
				t.Errorf("another workspace got %d %s", status, body)
			}
			if status, body := calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", ""); status != want {
				t.Errorf("call %d answered %d %s", i+1, status, body)
			}
		}
		r := <-ended
		if !r.OK() || len(r.Armed) != 1 || r.Armed[0].Times != 2 || r.Armed[0].Position != "story.yaml:2:1" || r.Armed[0].What != "answered 503" {
			t.Errorf("%+v", r)
		}
		var text strings.Builder
		r.WriteText(&text, "again")
		if want := "  story.yaml:2:1: still armed for 2 calls of list-webhooks: answered 503\n"; !strings.Contains(text.String(), want) {
			t.Errorf("the summary is\n%s", text.String())
		}
	})
}
