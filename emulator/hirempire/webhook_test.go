package hirempire_test

import (
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Every class of update body, and which row of the table it deserves, in order.
func TestParseUpdate(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"id":"x","active":true}`:                          "",
		`{"id":"x","active":false,"events":[]}`:             "",
		`{"id":"x","events":["job_added"]}`:                 "",
		`{"id":"x","active":true,"request_url":"anything"}`: "",
		`{"id":"x","active":true,"created_at":1}`:           "",
		``:                             hirempire.IncorrectInput,
		`[]`:                           hirempire.IncorrectInput,
		`{"active":true}`:              hirempire.IncorrectInput,
		`{"id":null,"active":true}`:    hirempire.IncorrectInput,
		`{"id":"","active":true}`:      hirempire.IncorrectInput,
		`{"id":7,"active":true}`:       hirempire.IncorrectInput,
		`{"ID":"x","active":true}`:     hirempire.IncorrectInput,
		`{"id":"x"}`:                   hirempire.IncorrectInput,
		`{"id":"x","request_url":"y"}`: hirempire.IncorrectInput,
		`{"id":"x","active":"true"}`:   hirempire.IncorrectInput,
		`{"id":"x","active":1}`:        hirempire.IncorrectInput,
		`{"id":"x","active":null}`:     hirempire.IncorrectInput,
		`{"id":"x","active":null,"events":["x"]}`:         hirempire.IncorrectInput,
		`{"id":"x","active":true,"request_url":null}`:     hirempire.RequestURLRequired,
		`{"id":"x","events":7,"request_url":7}`:           hirempire.RequestURLRequired,
		`{"id":"x","events":null}`:                        hirempire.EventsRequired,
		`{"id":"x","events":"job_added","active":true}`:   hirempire.EventsRequired,
		`{"id":"x","events":["job_added","job_created"]}`: hirempire.InvalidEvent,
	} {
		for _, e := range hirempire.Editions() {
			r, err := hirempire.ParseUpdate(e, "", []byte(body))
			got := ""
			if err != nil {
				got = err.Code
			}
			if got != want {
				t.Errorf("edition %s: %s deserves %q, got %q (%+v)", e, body, want, got, r)
			}
		}
	}
	if _, err := hirempire.ParseUpdate(hirempire.Edition202602, "a", []byte(`{"id":"x","active":true}`)); err == nil || err.Code != hirempire.IncorrectInput {
		t.Errorf("a query: %v", err)
	}
	if r, _ := hirempire.ParseUpdate(hirempire.Edition202602, "", []byte(`{"id":"x","events":[]}`)); r.Events == nil || len(r.Events) != 0 || r.Active != nil {
		t.Errorf("no events: %+v", r)
	}
}

func TestParseDelete(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"id=x":         "",
		"id=x%20y":     "",
		"":             hirempire.IDRequired,
		"id":           hirempire.IDRequired,
		"id=":          hirempire.IDRequired,
		"ID=x":         hirempire.IDRequired,
		"other=x":      hirempire.IDRequired,
		"id=x&id=y":    hirempire.OnlyID,
		"id=x&id=x":    hirempire.OnlyID,
		"id=x&force":   hirempire.OnlyID,
		"force=1&id=x": hirempire.OnlyID,
		"id=x&%zz":     hirempire.OnlyID,
		"id=x;y=z":     hirempire.IDRequired,
	} {
		_, err := hirempire.ParseDelete(hirempire.Edition202606, query)
		got := ""
		if err != nil {
			got = err.Code
		}
		if got != want {
			t.Errorf("%q deserves %q, got %q", query, want, got)
		}
	}
}

// In the documented sample of the list every key is there, in order.
func TestAnswersAreTheFixtures(t *testing.T) {
	t.Parallel()
	at := func(text string) hirempire.Time {
		var parsed hirempire.Time
		if err := parsed.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	const id = "9b2f7c1e-4d3a-4e8b-a1f6-0c5d9e7b3a24"
	events := []hirempire.Event{"applicant_applied", "meeting_booked"}
	updated := at("2025-07-02T09:30:00.000Z")
	for _, e := range hirempire.Editions() {
		item := hirempire.ListedWebhook{ID: id, RequestURL: "https://example.com/webhook", CreatedAt: at("2025-07-01T04:27:13.000Z"), Active: true, Events: events}
		if e.Rules().ListsUpdatedAt {
			item.UpdatedAt = &updated
		}
		for op, answer := range map[hirempire.Operation]any{
			hirempire.CreateWebhook: hirempire.NewCreateAnswer(id, events),
			hirempire.ListWebhooks:  hirempire.NewListAnswer([]hirempire.ListedWebhook{item}),
			hirempire.UpdateWebhook: hirempire.NewUpdateAnswer(id, false, updated),
			hirempire.DeleteWebhook: hirempire.NewDeleteAnswer(id, at("2025-07-03T18:00:00.000Z")),
		} {
			if got, want := string(hirempire.Marshal(answer)), fixture(t, e, op); got != want {
				t.Errorf("edition %s, %s:\n got %s\nwant %s", e, op, got, want)
			}
		}
	}
}
