package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// problem is an error answer of the control API.
type problem struct {
	Error struct {
		Code, Message string
		Problems      []string
		Nearest       json.RawMessage
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	if w := ask(t, e, "GET", "/_emulator/livez", "", nil); w.Code != 200 {
		t.Errorf("livez answered %d", w.Code)
	}
	if w := ask(t, e, "GET", "/_emulator/readyz", "", nil); w.Code != 503 {
		t.Errorf("before Start readyz answered %d", w.Code)
	}
	if w := ask(t, start(t, emulator.Options{}), "GET", "/_emulator/readyz", "", nil); w.Code != 200 {
		t.Errorf("after Start readyz answered %d", w.Code)
	}
}

// Every malformed request gets an explanation, and nothing happens.
func TestControlRefusesBadRequests(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "?a=b", "", 400, `unknown query parameter \"a\"`},
		{"GET", "/?a=b", "", 400, `unknown query parameter \"a\"`},
		{"GET", "/dashboard/none.js", "", 404, "the dashboard has no file"},
		{"GET", "/nothing", "", 404, "no such path"},
		{"GET", "/lint", "", 405, "that path takes POST"},
		{"GET", "/deliveries?evnt=job_added", "", 400, `unknown query parameter \"evnt\", known: event, limit`},
		{"GET", "/deliveries?event=hired", "", 400, "known: job_added"},
		{"GET", "/deliveries?status=lost", "", 400, "known: queued"},
		{"GET", "/deliveries?limit=0", "", 400, "from 1 to 1000"},
		{"GET", "/deliveries?limit=1&limit=2", "", 400, "given twice"},
		{"GET", "/deliveries?token=sk-1", "", 400, "does not belong in a URL"},
		{"GET", "/deliveries/dlv_1", "", 404, "no delivery"},
		{"GET", "/deliveries/wait?timeout=10", "", 400, "such as 10s"},
		{"GET", "/deliveries/wait?timeout=1h", "", 400, "to 10m0s"},
		{"GET", "/deliveries/wait?count=0", "", 400, "from 1 on"},
		{"GET", "/deliveries/wait?status=queued", "", 400, "settled"},
		{"GET", "/runs/run_1", "", 404, "no run"},
		{"DELETE", "/runs/run_1", "", 404, "no run"},
		{"POST", "/events", ``, 400, "no workspace has a webhook"},
		{"POST", "/events", `{"token":"sk-1"}`, 400, "name an event"},
		{"POST", "/events", `{"token":"sk-1","event":"hired"}`, 400, "known: job_added"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","body":{}}`, 400, "only one of them"},
		{"POST", "/events", `{"token":"sk-1","body":{},"seed":1}`, 400, "sent as it is"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","set":{"job.titel":"x"}}`, 400, "did you mean `job.title`?"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","set":{"job.hide_salary":"yes"}}`, 400, "job.hide_salary"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added"}`, 409, "no active webhook"},
		{"POST", "/events", `{"token":"sk 1","event":"job_added"}`, 400, "visible ASCII"},
		{"POST", "/events", `{"event":1}`, 400, "event must be a string, and is a number"},
		{"POST", "/events", `{"event":"job_added","seed":"x"}`, 400, "seed must be a whole number from 0 to 18446744073709551615, and is a string"},
		{"POST", "/events", `{"event":"job_added","seed":-1.5}`, 400, "and is a number -1.5"},
		{"POST", "/events", `{"evnt":"job_added"}`, 400, "evnt"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","concurrency":1001}`, 400, "concurrency 1001 is not from 1 to 1000"},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","concurrency":-1}`, 400, "concurrency -1 is not from 1 to 1000"},
		{"POST", "/events/preview", `{"event":"job_added","concurrency":2}`, 400, "a preview fakes an event"},
		{"POST", "/events", `{"event":"job_added"`, 400, "the body is not JSON: unexpected EOF"},
		{"POST", "/events", `{} {}`, 400, "more than one"},
		{"POST", "/events", `[]`, 400, "the body must be an object, and is an array"},
		{"GET", "/requests?operation=nope", "", 400, "known: create-webhook, list-webhooks, update-webhook, delete-webhook\""},
		{"POST", "/events", strings.Repeat(" ", 1<<20+1), 400, "too large"},
		{"POST", "/runs", `{}`, 400, "name a scenario"},
		{"POST", "/runs", `{"scenario":"x","yaml":"y"}`, 400, "only one of them"},
		{"POST", "/runs", `{"scenario":"no-such-story"}`, 404, "there is no scenario"},
		{"POST", "/runs", `{"scenario":"job-lifecycel"}`, 404, "did you mean job-lifecycle?"},
		{"GET", "/scenarios/job_lifecycle", "", 404, "did you mean job-lifecycle?"},
		{"POST", "/runs", `{"scenario":"../README"}`, 404, "there is no scenario"},
		{"POST", "/runs", `{"yaml":"version: 1\nsteps:\n  - evnt: job_added\n"}`, 400, "yaml:3:5: "},
		{"POST", "/runs", `{"scenario":"job-lifecycle","speed":"fast"}`, 400, "not as expected"},
		{"POST", "/runs", `{"scenario":"job-lifecycle","speed":-1}`, 400, "not as expected"},
		{"POST", "/runs", `{"scenario":"job-lifecycle"}`, 400, "no workspace has a webhook"},
		{"POST", "/webhooks", `{}`, 400, "name the token"},
		{"POST", "/webhooks", `{"token":"sk-expired"}`, 401, "Token is expired"},
		{"POST", "/webhooks", `{"token":"mine"}`, 400, "no such token is accepted: one begins with sk, or is in --tokens FILE"},
		{"POST", "/webhooks", `{"token":"sk-1","request_url":"x","events":["hired"]}`, 400, "Invalid event: hired."},
		{"POST", "/webhooks", `{"token":"sk-1","request_url":"x","events":[]}`, 401, "not an absolute http or https URL"},
	} {
		header := map[string]string{}
		if c.body != "" {
			header["Content-Type"] = "application/json"
		}
		w := ask(t, e, c.method, "/_emulator"+c.path, c.body, header)
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Error.Code == "" || p.Error.Problems == nil {
			t.Errorf("%s %s %.60s: not in the envelope: %s", c.method, c.path, c.body, w.Body)
		}
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s %.60s answered %d %s, want %d %s", c.method, c.path, c.body, w.Code, w.Body, c.status, c.says)
		}
	}
}

// The life of an event: sent, waited for, listed, shown.
func TestEventsAndDeliveries(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	var registered struct {
		Webhook struct{ ID, Workspace string }
	}
	if status := control(t, e, "POST", "/webhooks", `{"token":"sk-1","request_url":"`+consumer.URL+`","events":["job_added","meeting_booked"]}`, &registered); status != 201 {
		t.Fatalf("the registration answered %d", status)
	}
	type delivery struct{ ID, Event, Status, Webhook, Body string }
	var sent struct{ Deliveries []delivery }
	status := control(t, e, "POST", "/events?wait=1m", `{"event":"job_added","seed":5,"set":{"job.title":"Night Porter","job.sources.1":"Xing"}}`, &sent)
	if status != 200 || len(sent.Deliveries) != 1 || sent.Deliveries[0].Status != "delivered" || sent.Deliveries[0].Webhook != registered.Webhook.ID {
		t.Fatalf("the event answered %d %+v", status, sent)
	}
	if got := consumer.got(); len(got) != 1 || got[0] != sent.Deliveries[0].Body || !strings.Contains(got[0], `"title":"Night Porter"`) || !strings.Contains(got[0], `"Xing"]`) {
		t.Errorf("the consumer got %s", got)
	}
	var ids struct{ Deliveries []string }
	if status := control(t, e, "POST", "/events", `{"body":{"event":"meeting_booked","x":[1, 2]}}`, &ids); status != 202 || len(ids.Deliveries) != 1 {
		t.Fatalf("the body answered %d", status)
	}
	var waited struct {
		Count      int
		Deliveries []delivery
	}
	if status := control(t, e, "GET", "/deliveries/wait?count=2&timeout=1m", "", &waited); status != 200 || waited.Count != 2 {
		t.Fatalf("the wait answered %d", status)
	}
	if got := consumer.got(); got[1] != `{"event":"meeting_booked","x":[1, 2]}` {
		t.Errorf("the body arrived as %s", got[1])
	}
	var list struct {
		Deliveries []delivery
		Next       uint64
	}
	control(t, e, "GET", "/deliveries?limit=1", "", &list)
	if len(list.Deliveries) != 1 || list.Deliveries[0].ID != sent.Deliveries[0].ID {
		t.Errorf("the first page is %+v", list)
	}
	control(t, e, "GET", fmt.Sprintf("/deliveries?since=%d", list.Next), "", &list)
	if len(list.Deliveries) != 1 || list.Deliveries[0].ID != ids.Deliveries[0] {
		t.Errorf("the second page is %+v", list)
	}
	var one delivery
	if status := control(t, e, "GET", "/deliveries/"+ids.Deliveries[0], "", &one); status != 200 || one.Status != "delivered" {
		t.Errorf("the delivery answered %d %+v", status, one)
	}
	// A wait that is not fulfilled says what came nearest.
	var p problem
	if status := control(t, e, "GET", "/deliveries/wait?event=job_deleted&timeout=1ms", "", &p); status != 409 || p.Error.Code != "time-out" || !strings.Contains(string(p.Error.Nearest), `"why":"event"`) {
		t.Errorf("an unfulfilled wait answered %d %+v", status, p)
	}
	var spaces struct {
		Workspaces []struct {
			ID, Token  string
			Deliveries struct{ Emitted, Delivered int }
		}
	}
	control(t, e, "GET", "/workspaces", "", &spaces)
	for _, w := range spaces.Workspaces {
		if w.ID == registered.Webhook.Workspace && (w.Deliveries.Emitted != 2 || w.Deliveries.Delivered != 2 || w.Token == "sk-1") {
			t.Errorf("the workspace is %+v", w)
		}
	}
}

// Two workspaces have webhooks: a call that names neither is refused, one that
// names one is for that one, and its reset leaves the other alone.
func TestWorkspacesAreIsolated(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	one, two := record(t), record(t)
	for token, url := range map[string]string{"sk-1": one.URL, "sk-2": two.URL} {
		if got := create(t, e, hirempire.Request{Token: token, Body: registration(url)}); got.status != 200 {
			t.Fatal(got.body)
		}
	}
	var p problem
	if status := control(t, e, "POST", "/events", `{"event":"job_added"}`, &p); status != 400 || p.Error.Code != "which-workspace" {
		t.Errorf("a call for neither answered %d %+v", status, p)
	}
	if status := control(t, e, "POST", "/events?wait=1m", `{"event":"job_added","token":"sk-2"}`, nil); status != 200 || len(one.got()) != 0 || len(two.got()) != 1 {
		t.Errorf("%d; the first got %d, the second %d", status, len(one.got()), len(two.got()))
	}
	var reset struct{ Reset []string }
	if status := control(t, e, "POST", "/reset", `{"token":"sk-1"}`, &reset); status != 200 || len(reset.Reset) != 1 {
		t.Errorf("the reset answered %d %+v", status, reset)
	}
	if n := len(webhooksOf(t, e, "sk-1").Webhooks); n != 0 {
		t.Errorf("after the reset there are %d webhooks", n)
	}
	if status := control(t, e, "POST", "/events?wait=1m", `{"event":"job_added"}`, nil); status != 200 || len(two.got()) != 2 {
		t.Errorf("the other workspace answered %d after it", status)
	}
}

// A run over HTTP: started, waited for, reported, and a second one cancelled.
func TestRuns(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(consumer.URL)}); got.status != 200 {
		t.Fatal(got.body)
	}
	type run struct {
		Run struct {
			ID, State, Scenario, Speed string
			Seed                       uint64
			Deliveries                 struct{ Emitted, Delivered int }
		}
	}
	var first run
	if status := control(t, e, "POST", "/runs?wait=1m", `{"scenario":"hiring-happy-path","speed":"max","seed":9}`, &first); status != 200 {
		t.Fatalf("the run answered %d", status)
	}
	if r := first.Run; r.State != "finished" || r.Seed != 9 || r.Speed != "max" || r.Deliveries.Delivered != 9 || len(consumer.got()) != 9 {
		t.Errorf("the run is %+v", r)
	}
	var second, cancelled run
	if status := control(t, e, "POST", "/runs", `{"yaml":"version: 1\nname: slow\nsteps:\n  - event: job_added\n  - wait: 24h\n  - event: job_deleted\n"}`, &second); status != 202 || second.Run.State != "running" {
		t.Fatalf("the run answered %d %+v", status, second)
	}
	if status := control(t, e, "GET", "/deliveries/wait?run="+second.Run.ID+"&timeout=1m", "", nil); status != 200 {
		t.Errorf("the wait answered %d", status)
	}
	if status := control(t, e, "DELETE", "/runs/"+second.Run.ID, "", &cancelled); status != 200 || cancelled.Run.State != "cancelled" || cancelled.Run.Deliveries.Delivered != 1 {
		t.Errorf("the cancellation answered %d %+v", status, cancelled)
	}
	var list struct{ Runs []struct{ ID string } }
	control(t, e, "GET", "/runs", "", &list)
	if len(list.Runs) != 2 || list.Runs[1].ID != second.Run.ID {
		t.Errorf("the runs are %+v", list)
	}
}

// Reset in the middle of everything: a run, a delivery that hangs, a challenge
// that hangs, a blocked wait. It returns when all of it has ended.
func TestResetEndsEverything(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	hung := make(chan struct{}, 10)
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" || r.URL.RawQuery == "hang" {
			hung <- struct{}{}
			<-r.Context().Done()
		}
		fmt.Fprint(w, answer)
	})
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(consumer)}); got.status != 200 {
		t.Fatal(got.body)
	}
	control(t, e, "POST", "/runs", `{"scenario":"burst-of-applications","speed":"max"}`, nil)
	<-hung
	registering, waiting := make(chan string), make(chan int)
	go func() {
		// A workspace with an active webhook is refused before any challenge.
		registering <- create(t, e, hirempire.Request{Token: "sk-2", Body: registration(consumer + "?hang")}).body
	}()
	<-hung
	go func() { waiting <- control(t, e, "GET", "/deliveries/wait?timeout=10m&count=1000", "", nil) }()
	for { // until the wait is there to be ended; bounded by the test's own time-out
		if status := control(t, e, "POST", "/reset", "", nil); status != 200 {
			t.Fatalf("the reset answered %d", status)
		}
		select {
		case status := <-waiting:
			if status != 409 {
				t.Errorf("the wait answered %d", status)
			}
			if body := <-registering; body != `{"success":false,"error":"Invalid request url"}` {
				t.Errorf("the registration answered %s", body)
			}
			var all struct{ Deliveries, Runs, Webhooks []json.RawMessage }
			for _, path := range []string{"/deliveries", "/runs"} {
				control(t, e, "GET", path, "", &all)
			}
			if len(all.Deliveries) != 0 || len(all.Runs) != 0 {
				t.Errorf("%d deliveries and %d runs are left", len(all.Deliveries), len(all.Runs))
			}
			// The fixed fates are as they were.
			if got := create(t, e, hirempire.Request{Token: "sk-active-webhook", Body: registration(consumer)}); !strings.Contains(got.body, "already have an active webhook") {
				t.Errorf("sk-active-webhook answered %s", got.body)
			}
			return
		default:
		}
	}
}
