package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// edition serves an emulator of an edition.
func edition(t *testing.T, e hirempire.Edition) *emulator.Emulator {
	t.Helper()
	opts := seeded(1)
	opts.Edition = e
	return start(t, opts)
}

// send makes a request to a route.
func send(t *testing.T, e *emulator.Emulator, route hirempire.Route, r hirempire.Request) reply {
	t.Helper()
	url := e.URL() + route.Path
	if r.Query != "" {
		url += "?" + r.Query
	}
	req, err := http.NewRequestWithContext(t.Context(), route.Method, url, strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	return do(t, req)
}

// Every row of the error table is reached over a socket, at every route of its
// operation, by the request that the table itself gives, and answers to the byte.
func TestEveryDocumentedError(t *testing.T) {
	t.Parallel()
	for _, of := range hirempire.Editions() {
		e := edition(t, of)
		reached := map[hirempire.Operation]int{}
		for _, route := range hirempire.Routes(of) {
			for _, row := range hirempire.Errors(of) {
				if row.Operation != route.Operation {
					continue
				}
				reached[row.Operation]++
				got := send(t, e, route, row.Try)
				want := `{"success":false,"error":"` + strings.ReplaceAll(row.Message, "<name>", "applicant_hired") + `"}`
				if got.status != row.Status || got.body != want || got.header.Get("Content-Type") != jsonType {
					t.Errorf("edition %s, %s %s, %s: %+v\n got %d %s %s\nwant %d %s", of, route.Method, route.Path, row.Code, row.Try,
						got.status, got.header.Get("Content-Type"), got.body, row.Status, want)
				}
			}
		}
		for _, op := range hirempire.Operations(of) {
			if reached[op] == 0 && op != hirempire.VerifyCredentials { // which always answers 200
				t.Errorf("edition %s: no error of %s is reached", of, op)
			}
		}
	}
}

// What one edition serves and the other does not is a 404 there.
func TestRoutesOfTheOtherEdition(t *testing.T) {
	t.Parallel()
	for _, of := range hirempire.Editions() {
		e := edition(t, of)
		own := map[string]bool{}
		paths := map[string]bool{}
		for _, route := range hirempire.Routes(of) {
			own[route.Method+route.Path] = true
			paths[route.Path] = true
		}
		for _, other := range hirempire.Editions() {
			for _, route := range hirempire.Routes(other) {
				if own[route.Method+route.Path] {
					continue
				}
				want := http.StatusNotFound
				if paths[route.Path] {
					want = http.StatusMethodNotAllowed
				}
				if got := send(t, e, route, hirempire.Request{Token: "sk-1"}); got.status != want {
					t.Errorf("edition %s: %s %s of %s answered %d, want %d", of, route.Method, route.Path, other, got.status, want)
				}
			}
		}
	}
}

// A method that a path does not take names those that it does.
func TestAllowNamesEveryMethod(t *testing.T) {
	t.Parallel()
	for of, want := range map[hirempire.Edition]string{hirempire.Edition202602: "GET, PATCH, DELETE", hirempire.Edition202606: "GET"} {
		got := send(t, edition(t, of), hirempire.Route{Method: "PUT", Path: "/v1/webhooks"}, hirempire.Request{})
		if got.status != 405 || got.header.Get("Allow") != want {
			t.Errorf("edition %s: %d, Allow %q, want %q", of, got.status, got.header.Get("Allow"), want)
		}
	}
}

func route(of hirempire.Edition, op hirempire.Operation) hirempire.Route {
	for _, r := range hirempire.Routes(of) {
		if r.Operation == op {
			return r
		}
	}
	panic(fmt.Sprintf("%s has no %s", of, op))
}

// A webhook's life, as an application sees it: registered, listed, paused,
// nothing arrives, resumed with a new challenge, other events, deleted, nothing
// arrives.
func TestLifeOfAWebhook(t *testing.T) {
	t.Parallel()
	for _, of := range hirempire.Editions() {
		t.Run(string(of), func(t *testing.T) {
			t.Parallel()
			opts := seeded(1)
			opts.Edition = of
			clock := emulator.NewManualClock(day)
			opts.Clock = clock
			e := start(t, opts)
			challenges := make(chan string, 10)
			events := make(chan string, 10)
			consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var p struct{ Event, Challenge string }
				answer := decode(r, &p)
				if p.Event != "" {
					events <- p.Event
				} else {
					challenges <- p.Challenge
				}
				fmt.Fprint(w, answer)
			})
			call := func(op hirempire.Operation, query, body string) reply {
				t.Helper()
				return send(t, e, route(of, op), hirempire.Request{Token: "sk-life", Query: query, Body: body})
			}
			arrives := func(event string, want bool) {
				t.Helper()
				status := control(t, e, "POST", "/events?wait=1m", `{"token":"sk-life","event":"`+event+`"}`, nil)
				if !want {
					if status != 409 {
						t.Errorf("%s: sending it answered %d", event, status)
					}
				} else if got := <-events; status != 200 || got != event {
					t.Errorf("%s: %d, %s arrived", event, status, got)
				}
				if len(events) > 0 {
					t.Errorf("%s arrived, too", <-events)
				}
			}

			if got := call(hirempire.ListWebhooks, "", ""); got.status != 200 || got.body != `{"success":true,"data":[]}` {
				t.Errorf("an empty list: %d %s", got.status, got.body)
			}
			created := call(hirempire.CreateWebhook, "", `{"request_url":"`+consumer+`","events":["job_added"]}`)
			if created.status != 200 {
				t.Fatal(created.body)
			}
			id := strings.Split(created.body, `"`)[7]
			if len(<-challenges) != 20 {
				t.Error("the registration was not challenged")
			}
			arrives("job_added", true)
			arrives("job_deleted", false)

			clock.Advance(minute)
			got := call(hirempire.UpdateWebhook, "", `{"id":"`+id+`","active":false}`)
			if want := `{"success":true,"data":{"id":"` + id + `","active":false,"modified_at":"2026-01-30T00:01:00.000Z"}}`; got.body != want {
				t.Errorf("pausing answered %s, want %s", got.body, want)
			}
			arrives("job_added", false)
			updated := ""
			if of == hirempire.Edition202606 {
				updated = `"updated_at":"2026-01-30T00:01:00.000Z",`
			}
			want := `{"success":true,"data":[{"id":"` + id + `","request_url":"` + consumer + `","created_at":"2026-01-30T00:00:00.000Z",` + updated + `"active":false,"events":["job_added"]}]}`
			if got := call(hirempire.ListWebhooks, "", ""); got.body != want {
				t.Errorf("the list is %s\nwant %s", got.body, want)
			}
			if len(challenges) > 0 {
				t.Error("pausing was challenged")
			}

			clock.Advance(minute)
			got = call(hirempire.UpdateWebhook, "", `{"id":"`+id+`","active":true,"request_url":"http://elsewhere.invalid/","events":["job_deleted","meeting_booked"]}`)
			if want := `{"success":true,"data":{"id":"` + id + `","active":true,"modified_at":"2026-01-30T00:02:00.000Z"}}`; got.body != want {
				t.Errorf("resuming answered %s, want %s", got.body, want)
			}
			if len(<-challenges) != 20 {
				t.Error("resuming was not challenged")
			}
			arrives("job_deleted", true)
			arrives("job_added", false)
			if got := call(hirempire.UpdateWebhook, "", `{"id":"`+id+`","events":[]}`); got.status != 200 {
				t.Errorf("removing all events answered %s", got.body)
			}
			<-challenges
			arrives("job_deleted", false)

			// Another workspace neither sees nor changes it.
			for op, r := range map[hirempire.Operation]hirempire.Request{
				hirempire.UpdateWebhook: {Token: "sk-stranger", Body: `{"id":"` + id + `","active":false}`},
				hirempire.DeleteWebhook: {Token: "sk-stranger", Query: "id=" + id},
			} {
				if got := send(t, e, route(of, op), r); got.status != 401 && got.status != 404 {
					t.Errorf("a stranger's %s answered %d %s", op, got.status, got.body)
				}
			}

			got = call(hirempire.DeleteWebhook, "id="+id, "ignored")
			if want := `{"success":true,"id":"` + id + `","message":"Webhook deleted successfully","deleted":"2026-01-30T00:02:00.000Z"}`; got.status != 200 || got.body != want {
				t.Errorf("deleting answered %d %s, want %s", got.status, got.body, want)
			}
			arrives("job_deleted", false)
			if got := call(hirempire.DeleteWebhook, "id="+id, ""); got.status != 404 {
				t.Errorf("deleting again answered %d %s", got.status, got.body)
			}
			if got := call(hirempire.ListWebhooks, "", ""); got.body != `{"success":true,"data":[]}` {
				t.Errorf("the list is %s", got.body)
			}
		})
	}
}
