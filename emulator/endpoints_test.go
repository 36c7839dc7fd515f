package emulator_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

// hook registers a consumer and returns its webhook's id.
func hook(t *testing.T, e *emulator.Emulator, url string) string {
	t.Helper()
	id, err := e.Register(t.Context(), "sk-1", url, hirempire.Events())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A webhook is paused, resumed, changed and deleted as its owner would, with the
// challenge and its diagnosis.
func TestChangeWebhooks(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	id := hook(t, e, consumer.URL)
	var changed struct {
		Webhook struct {
			ID     string
			Active bool
			Events []string
		}
	}
	if code := control(t, e, "PATCH", "/webhooks/"+id, `{"active":false}`, &changed); code != 200 || changed.Webhook.Active || changed.Webhook.ID != id {
		t.Errorf("pausing answered %d %+v", code, changed)
	}
	var p problem
	if code := control(t, e, "POST", "/events", `{"event":"job_added"}`, &p); code != 409 || p.Error.Code != "nobody-subscribed" {
		t.Errorf("a paused webhook: %d %+v", code, p)
	}
	if code := control(t, e, "PATCH", "/webhooks/"+id, `{"active":true,"events":["job_added"]}`, &changed); code != 200 || !changed.Webhook.Active || !slices.Equal(changed.Webhook.Events, []string{"job_added"}) {
		t.Errorf("resuming answered %d %+v", code, changed)
	}
	for body, says := range map[string]string{
		`{}`:                   "give active, events, or both",
		`{"events":["hired"]}`: "Invalid event: hired.",
		`{"events":"x"}`:       "Field 'events' is required and must be an array.",
		`{"active":"yes"}`:     "active must be true or false, and is a string",
	} {
		if code := control(t, e, "PATCH", "/webhooks/"+id, body, &p); code != 400 || !strings.Contains(p.Error.Message, says) {
			t.Errorf("%s answered %d %+v", body, code, p)
		}
	}
	// Another suite's token reaches none of it.
	for _, method := range []string{"PATCH", "DELETE"} {
		if w := ask(t, e, method, "/_emulator/webhooks/"+id, `{"active":false}`, map[string]string{"Emulator-Token": "sk-2", "Content-Type": "application/json"}); w.Code != 404 {
			t.Errorf("%s with another token answered %d %s", method, w.Code, w.Body)
		}
	}
	if code := control(t, e, "DELETE", "/webhooks/"+id, "", nil); code != 200 {
		t.Errorf("deleting answered %d", code)
	}
	for _, method := range []string{"PATCH", "DELETE"} {
		if code := control(t, e, method, "/webhooks/"+id, `{"active":true}`, &p); code != 404 || p.Error.Code != "no-such-webhook" {
			t.Errorf("%s of a deleted one answered %d %+v", method, code, p)
		}
	}
}

// A resumed webhook is challenged, and why that failed is explained.
func TestResumeIsChallenged(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	gone := false
	id := hook(t, e, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if gone {
			http.NotFound(w, r)
			return
		}
		echo(w, r)
	}))
	control(t, e, "PATCH", "/webhooks/"+id, `{"active":false}`, nil)
	gone = true
	var p problem
	if code := control(t, e, "PATCH", "/webhooks/"+id, `{"active":true}`, &p); code != 400 || p.Error.Code != "invalid-request-url" || len(p.Error.Problems) != 2 {
		t.Errorf("it answered %d %+v", code, p)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{Clock: emulator.NewManualClock(day)})
	type preview struct {
		Preview struct {
			Event    string
			Seed     uint64
			Body     string
			Warnings []string
		}
	}
	var first, again, other preview
	control(t, e, "POST", "/events/preview", `{"event":"applicant_applied","set":{"applicant.name":"Lina"},"seed":7}`, &first)
	control(t, e, "POST", "/events/preview", `{"event":"applicant_applied","set":{"applicant.name":"Lina"},"seed":7}`, &again)
	control(t, e, "POST", "/events/preview", `{"event":"applicant_applied"}`, &other)
	if first.Preview.Body != again.Preview.Body || !strings.Contains(first.Preview.Body, `"name":"Lina"`) || first.Preview.Seed != 7 {
		t.Errorf("previews are %+v and %+v", first, again)
	}
	if other.Preview.Body == first.Preview.Body || other.Preview.Seed == 7 {
		t.Errorf("without a seed it is %+v", other)
	}
	// What was drawn gives the same again.
	body, _ := json.Marshal(map[string]any{"event": "applicant_applied", "seed": other.Preview.Seed})
	control(t, e, "POST", "/events/preview", string(body), &again)
	if again.Preview.Body != other.Preview.Body {
		t.Error("the seed that it names gives another payload")
	}
	var list struct{ Deliveries []struct{} }
	if control(t, e, "GET", "/deliveries", "", &list); len(list.Deliveries) != 0 {
		t.Error("a preview was sent")
	}
	var p problem
	if code := control(t, e, "POST", "/events/preview", `{"body":{}}`, &p); code != 400 || !strings.Contains(p.Error.Message, "a preview fakes") {
		t.Errorf("a body answered %d %+v", code, p)
	}
}

// A redelivery is a delivery of its own with the same bytes to the same webhook.
func TestRedeliver(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	id := hook(t, e, consumer.URL)
	var sent struct {
		Deliveries []struct {
			ID           string
			Status       string
			RedeliveryOf string `json:"redelivery_of"`
		}
	}
	control(t, e, "POST", "/events?wait=10s", `{"event":"job_added"}`, &sent)
	first := sent.Deliveries[0].ID
	if code := control(t, e, "POST", "/deliveries/"+first+"/redeliver?wait=10s", "", &sent); code != 200 ||
		sent.Deliveries[0].Status != "delivered" || sent.Deliveries[0].RedeliveryOf != first || sent.Deliveries[0].ID == first {
		t.Errorf("it answered %d %+v", code, sent)
	}
	got := consumer.got()
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("the consumer got %q", got)
	}
	var ids struct{ Deliveries []string }
	if code := control(t, e, "POST", "/deliveries/"+first+"/redeliver", "", &ids); code != 202 || len(ids.Deliveries) != 1 || ids.Deliveries[0] == sent.Deliveries[0].ID {
		t.Errorf("a second one answered %d %+v", code, ids)
	}
	var p problem
	if code := control(t, e, "POST", "/deliveries/dlv_1/redeliver", "", &p); code != 404 {
		t.Errorf("an unknown one answered %d %+v", code, p)
	}
	control(t, e, "PATCH", "/webhooks/"+id, `{"active":false}`, nil)
	if code := control(t, e, "POST", "/deliveries/"+first+"/redeliver", "", &p); code != 409 || p.Error.Code != "webhook-gone" {
		t.Errorf("to a paused webhook: %d %+v", code, p)
	}
}

func TestManualClock(t *testing.T) {
	t.Parallel()
	clock := emulator.NewManualClock(day)
	e := start(t, emulator.Options{Clock: clock})
	var now struct {
		Clock struct {
			Now    time.Time
			Manual bool
		}
	}
	if control(t, e, "GET", "/clock", "", &now); !now.Clock.Now.Equal(day) || !now.Clock.Manual {
		t.Errorf("it stands at %+v", now)
	}
	if control(t, e, "POST", "/clock", `{"advance":"90s"}`, &now); !now.Clock.Now.Equal(day.Add(90 * time.Second)) {
		t.Errorf("then at %+v", now)
	}
	to := day.Add(time.Hour)
	if control(t, e, "POST", "/clock", `{"to":"`+to.Format(time.RFC3339)+`"}`, &now); !now.Clock.Now.Equal(to) || !clock.Now().Equal(to) {
		t.Errorf("then at %+v", now)
	}
	for body, says := range map[string]string{
		`{}`:                            "give advance",
		`{"advance":"-1s"}`:             "it only goes forward, at most 366 days at once",
		`{"advance":"9000h"}`:           "at most 366 days at once",
		`{"to":"2020-01-01T00:00:00Z"}`: "it only goes forward",
		`{"to":"tomorrow"}`:             `a moment is a string such as "2026-01-30T09:00:00Z", and this is`,
		`{"advance":"soon"}`:            `a duration is a string such as "2s", and this is`,
		`{"advance":"1s","to":"2030-01-01T00:00:00Z"}`: "give one of them",
		`{"advance":5}`: "a duration is a string",
	} {
		var p problem
		if code := control(t, e, "POST", "/clock", body, &p); code != 400 || !strings.Contains(p.Error.Message, says) {
			t.Errorf("%s answered %d %+v", body, code, p)
		}
	}
	var p problem
	if code := control(t, start(t, emulator.Options{}), "POST", "/clock", `{"advance":"1s"}`, &p); code != 409 || p.Error.Code != "real-clock" {
		t.Errorf("a real clock answered %d %+v", code, p)
	}
}

func TestCatalogues(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{Edition: "2026-06"})
	var stories struct {
		Scenarios []struct {
			Name        string
			Description string
			NeedsCaller bool `json:"needs_caller"`
		}
		Next uint64
	}
	control(t, e, "GET", "/scenarios", "", &stories)
	if len(stories.Scenarios) != len(scenarios.Names()) || stories.Scenarios[0].Description == "" {
		t.Errorf("the stories are %+v", stories)
	}
	for _, s := range stories.Scenarios {
		if s.NeedsCaller != (s.Name == "expired-then-works") {
			t.Errorf("%s needs a caller: %t", s.Name, s.NeedsCaller)
		}
	}
	if control(t, e, "GET", "/scenarios?limit=2", "", &stories); len(stories.Scenarios) != 2 || stories.Next != 2 {
		t.Errorf("a page is %+v", stories)
	}
	var one struct{ Scenario struct{ Name, YAML string } }
	if code := control(t, e, "GET", "/scenarios/quiet-day", "", &one); code != 200 || !strings.Contains(one.Scenario.YAML, "name: quiet-day") {
		t.Errorf("it answered %d %+v", code, one)
	}
	if code := control(t, e, "GET", "/scenarios/nobody", "", nil); code != 404 {
		t.Errorf("an unknown one answered %d", code)
	}
	var events struct {
		Events []struct {
			Name   string
			Fields []struct{ Path string }
			Sample map[string]any
		}
	}
	if control(t, e, "GET", "/events", "", &events); len(events.Events) != 7 || events.Events[4].Sample["event"] != "applicant_applied" || len(events.Events[4].Fields) < 30 {
		t.Errorf("the events are %+v", events)
	}
	var errors struct {
		Edition string
		Errors  []struct{ Code, Curl, Body string }
	}
	control(t, e, "GET", "/errors", "", &errors)
	if errors.Edition != "2026-06" || len(errors.Errors) != len(hirempire.Errors("2026-06")) || !strings.Contains(errors.Errors[0].Curl, e.URL()) {
		t.Errorf("the errors are %+v", errors)
	}
	if control(t, e, "GET", "/errors?edition=2026-02", "", &errors); len(errors.Errors) != len(hirempire.Errors("2026-02")) {
		t.Errorf("those of another edition are %d", len(errors.Errors))
	}
	if code := control(t, e, "GET", "/errors?edition=2025-01", "", nil); code != 400 {
		t.Errorf("an unknown edition answered %d", code)
	}
}

func TestLintOverHTTP(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	for story, want := range map[string]string{
		"version: 1\nsteps:\n  - event: job_added\n":                                                                                       "",
		"version: 1\nsteps:\n  - event: job_aded\n":                                                                                        "unknown-event",
		"version: 1\nsteps:\n  - event: job_added\n    fixture: nowhere.json\n":                                                            "missing-fixture",
		"version: 1\nsteps:\n  - fault: {operation: verify-credentials, status: 500}\n":                                                    "not-in-edition",
		"version: 1\nsteps:\n  - event: job_added\n    fixture: payloads/job_added.json\n    delivery: {corrupt: {missing_field: nope}}\n": "bad-fixture",
		"": "empty-file",
	} {
		body, _ := json.Marshal(map[string]string{"yaml": story})
		var out struct {
			Valid    bool
			Problems []struct {
				Line int
				Code string
			}
		}
		if code := control(t, e, "POST", "/lint", string(body), &out); code != 200 || out.Valid != (want == "") {
			t.Errorf("%q answered %d %+v", story, code, out)
		}
		if want != "" && (len(out.Problems) != 1 || out.Problems[0].Code != want || out.Problems[0].Line == 0) {
			t.Errorf("%q has %+v, want %s", story, out.Problems, want)
		}
	}
	if code := control(t, e, "POST", "/lint", "{}", nil); code != http.StatusBadRequest {
		t.Errorf("nothing answered %d", code)
	}
}

// Coverage counts what was exercised, whatever was reset meanwhile.
func TestCoverageOverHTTP(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	hook(t, e, record(t).URL)
	control(t, e, "POST", "/events?wait=10s", `{"event":"job_added","delivery":{"corrupt":"truncated"}}`, nil)
	create(t, e, hirempire.Request{Token: "sk-expired"})
	arm(t, e, `{"operation":"create-webhook","error":"missing-scope"}`)
	create(t, e, hirempire.Request{Token: "sk-2"})
	control(t, e, "POST", "/reset", "", nil)
	var out struct {
		Coverage struct {
			Items []struct {
				Kind, Name string
				Times      uint64
			}
			Covered int
			Percent float64
		}
	}
	covered := func() []string {
		control(t, e, "GET", "/coverage", "", &out)
		var names []string
		for _, item := range out.Coverage.Items {
			if item.Times > 0 {
				names = append(names, item.Name)
			}
		}
		return names
	}
	want := []string{"job_added", "create-webhook token-expired", "create-webhook missing-scope", "corrupt: truncated"}
	if got := covered(); !slices.Equal(got, want) || out.Coverage.Covered != 4 || out.Coverage.Percent <= 0 {
		t.Errorf("covered are %q: %+v", got, out)
	}
	control(t, e, "DELETE", "/coverage", "", nil)
	if got := covered(); got != nil {
		t.Errorf("forgotten, %q are covered", got)
	}
}

// The headers of an attempt and its answer are kept, but for what may be secret.
func TestHeadersAreKept(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Header = http.Header{"X-Gateway-Key": {"secret"}}
	e := start(t, opts)
	hook(t, e, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace", "abc")
		w.Header().Set("Set-Cookie", "secret")
		echo(w, r)
	}))
	var sent struct {
		Deliveries []struct {
			Attempts []struct {
				Sent map[string]string `json:"sent_headers"`
				Got  map[string]string `json:"headers"`
			}
		}
	}
	control(t, e, "POST", "/events?wait=10s", `{"event":"job_added","delivery":{"headers":{"X-Odd":"1","User-Agent":null}}}`, &sent)
	a := sent.Deliveries[0].Attempts[0]
	if want := map[string]string{"Content-Type": "application/json", "X-Gateway-Key": "…", "X-Odd": "1"}; !maps.Equal(a.Sent, want) {
		t.Errorf("sent are %v, want %v", a.Sent, want)
	}
	if a.Got["X-Trace"] != "abc" || a.Got["Set-Cookie"] != "…" {
		t.Errorf("got are %v", a.Got)
	}
}
