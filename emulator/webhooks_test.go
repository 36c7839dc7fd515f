package emulator_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// What waits for a webhook that is paused or deleted is dropped with that
// reason; what is being sent may end.
func TestPausedAndDeletedWebhooksGetNothingMore(t *testing.T) {
	t.Parallel()
	for reason, end := range map[string]func(id string) (hirempire.Operation, hirempire.Request){
		"deactivated": func(id string) (hirempire.Operation, hirempire.Request) {
			return hirempire.UpdateWebhook, hirempire.Request{Token: "sk-1", Body: `{"id":"` + id + `","active":false}`}
		},
		"deleted": func(id string) (hirempire.Operation, hirempire.Request) {
			return hirempire.DeleteWebhook, hirempire.Request{Token: "sk-1", Query: "id=" + id}
		},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			e := start(t, seeded(1))
			arrived, release := make(chan struct{}, 10), make(chan struct{})
			consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var p struct{ Event string }
				answer := decode(r, &p)
				if p.Event != "" {
					arrived <- struct{}{}
					<-release
				}
				fmt.Fprint(w, answer)
			})
			id, err := e.Register(t.Context(), "sk-1", consumer, hirempire.Events())
			if err != nil {
				t.Fatal(err)
			}
			var run struct{ Run struct{ ID string } }
			control(t, e, "POST", "/runs", `{"token":"sk-1","speed":"max","yaml":"version: 1\nname: five\nsteps:\n  - event: job_added\n    repeat: 5\n"}`, &run)
			<-arrived                  // the first is being answered
			for sent := 0; sent < 5; { // until the others are queued
				var r struct{ Run struct{ Events int } }
				control(t, e, "GET", "/runs/"+run.Run.ID, "", &r)
				sent = r.Run.Events
			}
			op, r := end(id)
			if got := send(t, e, route(hirempire.DefaultEdition, op), r); got.status != 200 {
				t.Fatal(got.body)
			}
			var waited struct{ Deliveries []struct{ Status string } }
			if status := control(t, e, "GET", "/deliveries/wait?timeout=1m&count=4&run="+run.Run.ID+"&status=dropped("+reason+")", "", nil); status != 200 {
				t.Errorf("waiting for the dropped ones answered %d", status)
			}
			close(release)
			if status := control(t, e, "GET", "/deliveries/wait?timeout=1m&count=5&run="+run.Run.ID, "", &waited); status != 200 || waited.Deliveries[0].Status != "delivered" {
				t.Errorf("the one under way: %d %+v", status, waited)
			}
			if len(arrived) > 0 {
				t.Error("another one arrived")
			}
		})
	}
}

// A hundred clients create, list, patch and delete in one workspace: at every
// observation at most one webhook is active.
func TestAtMostOneActive(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.SkipChallenge = true
	e := start(t, opts)
	observe := func() []string {
		var list struct {
			Data []struct {
				ID     string
				Active bool
			}
		}
		got := send(t, e, route(hirempire.Edition202602, hirempire.ListWebhooks), hirempire.Request{Token: "sk-1"})
		if err := json.Unmarshal([]byte(got.body), &list); err != nil {
			t.Error(err)
		}
		active := 0
		ids := []string{"no-such-id"}
		for _, w := range list.Data {
			ids = append(ids, w.ID)
			if w.Active {
				active++
			}
		}
		if active > 1 {
			t.Errorf("%d webhooks are active", active)
		}
		return ids
	}
	var clients sync.WaitGroup
	for n := range 100 {
		clients.Go(func() {
			draw := rand.New(rand.NewPCG(1, uint64(n)))
			for range 6 {
				ids := observe()
				id := ids[draw.IntN(len(ids))]
				r, op := hirempire.Request{Token: "sk-1"}, hirempire.CreateWebhook
				switch draw.IntN(4) {
				case 0:
					r.Body = registration("http://consumer.invalid/webhook")
				case 1:
					op, r.Body = hirempire.UpdateWebhook, fmt.Sprintf(`{"id":%q,"active":%v}`, id, draw.IntN(2) == 0)
				case 2:
					op, r.Body = hirempire.UpdateWebhook, fmt.Sprintf(`{"id":%q,"events":["job_added"]}`, id)
				default:
					op, r.Query = hirempire.DeleteWebhook, "id="+id
				}
				if got := send(t, e, route(hirempire.Edition202602, op), r); got.status >= 500 {
					t.Errorf("%s answered %d %s", op, got.status, got.body)
				}
			}
		})
	}
	clients.Wait()
	observe()
}

// In 2026-06 a workspace has many active webhooks, and each gets every event it
// is subscribed to.
func TestManyWebhooksOfOneWorkspace(t *testing.T) {
	t.Parallel()
	e := edition(t, hirempire.Edition202606)
	consumers := []*recorder{record(t), record(t), record(t)}
	for _, c := range consumers {
		if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(c.URL)}); got.status != 200 {
			t.Fatal(got.body)
		}
	}
	if status := control(t, e, "POST", "/events?wait=1m", `{"event":"applicant_applied"}`, nil); status != 200 {
		t.Fatal(status)
	}
	first := consumers[0].got()
	for _, c := range consumers {
		if got := c.got(); len(got) != 1 || !slices.Equal(got, first) {
			t.Errorf("a consumer got %s", got)
		}
	}
	var p struct{ Applicant struct{ ID string } }
	if err := json.Unmarshal([]byte(first[0]), &p); err != nil || len(p.Applicant.ID) != 36 || p.Applicant.ID[14] != '4' {
		t.Errorf("the applicant's id is %q, want a UUID", p.Applicant.ID)
	}
	// The token that starts with an active webhook may have another one, too.
	if got := create(t, e, hirempire.Request{Token: "sk-active-webhook", Body: registration(consumers[0].URL)}); got.status != 200 {
		t.Errorf("sk-active-webhook: %s", got.body)
	}
}

// What the vendor's n8n node asks when credentials are entered.
func TestVerifyCredentials(t *testing.T) {
	t.Parallel()
	e := edition(t, hirempire.Edition202606)
	for token, want := range map[string]string{
		"sk-1":        `{"ok":true}`,
		"sk-no-scope": `{"ok":true}`,
		"":            `{"ok":false,"reason":"invalid_token"}`,
		"junk":        `{"ok":false,"reason":"invalid_token"}`,
		"sk-invalid":  `{"ok":false,"reason":"invalid_token"}`,
		"sk-deleted":  `{"ok":false,"reason":"invalid_token"}`,
		"sk-expired":  `{"ok":false,"reason":"expired"}`,
		"sk-no-n8n":   `{"ok":false,"reason":"forbidden"}`,
	} {
		got := send(t, e, route(hirempire.Edition202606, hirempire.VerifyCredentials), hirempire.Request{Token: token})
		if got.status != 200 || got.body != want {
			t.Errorf("%q: %d %s, want %s", token, got.status, got.body, want)
		}
	}
}

// The vendor's n8n node lists, creates, reactivates and deletes at its own path.
func TestN8NNode(t *testing.T) {
	t.Parallel()
	e := edition(t, hirempire.Edition202606)
	consumer := record(t)
	at := func(method string) hirempire.Route { return hirempire.Route{Method: method, Path: "/v1/n8n/webhook"} }
	created := send(t, e, at("POST"), hirempire.Request{Token: "sk-no-n8n", Body: registration(consumer.URL)})
	if created.status != 200 {
		t.Fatal(created.body)
	}
	id := strings.Split(created.body, `"`)[7]
	if got := send(t, e, at("PATCH"), hirempire.Request{Token: "sk-no-n8n", Body: `{"id":"` + id + `","active":false}`}); got.status != 200 {
		t.Error(got.body)
	}
	if got := send(t, e, at("GET"), hirempire.Request{Token: "sk-no-n8n"}); !strings.Contains(got.body, `"request_url":"`+consumer.URL+`"`) || !strings.Contains(got.body, `"active":false`) {
		t.Error(got.body)
	}
	if got := send(t, e, at("PATCH"), hirempire.Request{Token: "sk-no-n8n", Body: `{"id":"` + id + `","events":["job_added"],"active":true}`}); got.status != 200 {
		t.Error(got.body)
	}
	if got := send(t, e, at("DELETE"), hirempire.Request{Token: "sk-no-n8n", Query: "id=" + id}); got.status != 200 {
		t.Error(got.body)
	}
}

// Fixed hour windows on the emulator's clock, after the token, before the body;
// refused calls are not counted; each workspace has its own.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	clock := emulator.NewManualClock(day.Add(20 * time.Minute))
	opts := seeded(1)
	opts.RateLimit, opts.Clock = 2, clock
	e := start(t, opts)
	list := func(token string) reply {
		return send(t, e, route(hirempire.Edition202602, hirempire.ListWebhooks), hirempire.Request{Token: token})
	}
	for i, want := range []int{200, 200, 429, 429} {
		if got := list("sk-1"); got.status != want {
			t.Errorf("call %d answered %d %s", i+1, got.status, got.body)
		}
	}
	got := create(t, e, hirempire.Request{Token: "sk-1", Body: "nonsense"})
	if got.status != 429 || got.body != `{"success":false,"error":"Too many requests"}` || got.header.Get("Retry-After") != "2400" {
		t.Errorf("over the limit: %d %s, Retry-After %s", got.status, got.body, got.header.Get("Retry-After"))
	}
	if got := list("sk-expired"); got.status != 401 {
		t.Errorf("a bad token over the limit answered %d", got.status)
	}
	if got := list("sk-2"); got.status != 200 {
		t.Errorf("another workspace answered %d", got.status)
	}
	clock.Advance(39*time.Minute + 59*time.Second)
	if got := list("sk-1"); got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("a second before the hour: %d, Retry-After %s", got.status, got.header.Get("Retry-After"))
	}
	clock.Advance(time.Second)
	if got := list("sk-1"); got.status != 200 {
		t.Errorf("in the next hour: %d", got.status)
	}
}

func TestRequirePublicURL(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.RequirePublicURL, opts.SkipChallenge = true, true
	e := start(t, opts)
	for url, want := range map[string]int{
		"http://localhost/":          401,
		"http://LOCALHOST.:3000/":    401,
		"http://api.localhost/":      401,
		"http://127.0.0.1/":          401,
		"http://[::1]/":              401,
		"http://[::ffff:127.0.0.1]/": 401,
		"http://0.0.0.0/":            401,
		"http://10.1.2.3/":           401,
		"http://172.16.0.1/":         401,
		"http://192.168.0.1/":        401,
		"http://[fd00::1]/":          401,
		"http://169.254.1.1/":        401,
		"http://[fe80::1]/":          401,
		"http://consumer/":           401,
		"http://8.8.8.8/":            200,
		"https://example.com/hook":   200,
		"https://example.com./hook":  200,
	} {
		got := create(t, e, hirempire.Request{Token: "sk-" + fmt.Sprintf("%x", url), Body: registration(url)})
		if got.status != want {
			t.Errorf("%s answered %d %s, want %d", url, got.status, got.body, want)
		}
	}
}

// A call to an unknown path is marked in the journal, with what was probably meant.
func TestTyposAreMarked(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for path, meant := range map[string]string{
		"/v1/create_webhook":  "did you mean /v1/create-webhook?",
		"/create-webhook":     "did you mean /v1/create-webhook?",
		"/v1/create-webhook/": "did you mean /v1/create-webhook?",
		"/v1/Webhook":         "did you mean /v1/webhook",
		"/v1/delete-webhook":  "did you mean /v1/delete-webhook of edition 2026-06?",
		"/v1/nothing":         "edition 2026-02 has no such path",
	} {
		send(t, e, hirempire.Route{Method: "POST", Path: path}, hirempire.Request{})
		var calls struct{ Requests []struct{ Path, Note string } }
		control(t, e, "GET", "/requests?answered_by=not-found", "", &calls)
		last := calls.Requests[len(calls.Requests)-1]
		if last.Path != path || !strings.Contains(last.Note, meant) {
			t.Errorf("%s is noted as %+v, want %s", path, last, meant)
		}
	}
}
