package emulatortest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// good is a consumer that takes everything.
func good() http.Handler { return emulator.NewConsumer(func(emulator.Arrival) {}) }

// answering is a consumer that passes challenges and answers events with a status.
func answering(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Challenge string `json:"challenge"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Challenge == "" {
			w.WriteHeader(status)
		}
		_ = json.NewEncoder(w).Encode(body)
	})
}

// call is what an application does: one call of the vendor's API.
func call(t testing.TB, c *http.Client, base, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

func TestStart(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("a name with spaces, and ünïcode", func(t *testing.T) {
		s := emulatortest.Start(t)
		url = s.BaseURL
		s.Register(s.Serve(good()), "job_added")
		if d := s.Trigger("job_added"); len(d) != 1 || d[0].Event != "job_added" || d[0].Status != "delivered" {
			t.Errorf("%+v", d)
		}
		if status, body := call(t, s.Client(), s.BaseURL, s.Token, "GET", "/webhooks", ""); status != 200 || !strings.Contains(body, "job_added") {
			t.Errorf("%s with %s answered %d %s", s.BaseURL, s.Token, status, body)
		}
	})
	if err := client.New(strings.TrimSuffix(url, "/v1"), nil).Ready(t.Context()); err == nil {
		t.Error("it still serves after its test")
	}
}

// Whatever the name of a test, and however often it is used, its token is its own,
// and is one that the emulator takes.
func TestTokensAreFresh(t *testing.T) {
	t.Parallel()
	one, two := emulatortest.Start(t), emulatortest.Start(t)
	servers := []*emulatortest.Server{one, two, one.For(t), one.For(t)}
	long := strings.Repeat("long ", 200)
	for _, name := range []string{"a b", "a-b", "ünïcode\n", long, long + "er"} {
		servers = append(servers, one.For(&recorder{TB: t, name: name}))
	}
	tokens := map[string]bool{}
	for _, s := range servers {
		tokens[s.Token] = true
		if status, body := call(t, s.Client(), s.BaseURL, s.Token, "GET", "/webhooks", ""); status != 200 || !strings.Contains(body, `"data":[]`) {
			t.Errorf("%.40s answered %d %s", s.Token, status, body)
		}
	}
	if len(tokens) != len(servers) {
		t.Errorf("%d tokens for %d tests", len(tokens), len(servers))
	}
}

// Tests on one emulator see nothing of each other, and leave nothing.
func TestFor(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Register(s.Serve(good()))
	s.Arm("list-webhooks", "token-expired")
	var left string
	t.Run("another", func(t *testing.T) {
		own := s.For(t)
		own.Register(own.Serve(good()))
		own.Trigger("job_deleted")
		left = own.Token
		if status, _ := call(t, own.Client(), own.BaseURL, own.Token, "GET", "/webhooks", ""); status != 200 {
			t.Errorf("the fault of another test answered %d", status)
		}
		if d := own.Deliveries(); len(d) != 1 {
			t.Errorf("%+v", d)
		}
	})
	s.Trigger("job_added")
	if d := s.Deliveries(); len(d) != 1 || d[0].Event != "job_added" {
		t.Errorf("it sees %+v", d)
	}
	if r := s.Requests(); len(r) != 0 {
		t.Errorf("it sees %+v", r)
	}
	if hooks, _, _, err := s.Control.For(left).Webhooks(t.Context(), 0, 0); err != nil || len(hooks) > 0 {
		t.Errorf("the subtest left %+v, %v", hooks, err)
	}
}

func TestTriggerTellsTheOutcome(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Register(s.Serve(answering(503)))
	d := s.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Lina Haddad"), emulatortest.Set("applicant.city", nil))
	if len(d) != 1 || d[0].Status != "failed(non_2xx)" || d[0].Attempts[0].Status != 503 ||
		!strings.Contains(d[0].Body, `"name":"Lina Haddad"`) || !strings.Contains(d[0].Body, `"city":null`) {
		t.Errorf("%+v", d)
	}
	d = s.Trigger("job_added", emulatortest.Fault("corrupt", "empty"), emulatortest.Fault("duplicates", 2))
	if len(d) != 3 || d[0].Body != "" || d[1].DuplicateOf != d[0].ID || d[0].Faults[0].Kind != "corrupt: empty" {
		t.Errorf("%+v", d)
	}
	const body = `{"event":"job_deleted", "of": "the caller"`
	if d = s.Send("job_deleted", body); len(d) != 1 || d[0].Body != body || d[0].Event != "job_deleted" {
		t.Errorf("%+v", d)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Register(s.Serve(good()))
	if run := s.Run("job-lifecycle"); run.State != "finished" || run.Scenario != "job-lifecycle" || run.Deliveries.Delivered == 0 {
		t.Errorf("%+v", run)
	}
	run := s.Run("{version: 1, steps: [{event: job_added, repeat: 150}, {wait: 24h}, {event: job_deleted, expect: {status: 200}}]}")
	if run.State != "finished" || run.Deliveries.Delivered != 151 || run.Checked != 1 {
		t.Errorf("%+v", run)
	}
	// Lists are read to their end.
	if d := s.Deliveries("job_added"); len(d) < 150 {
		t.Errorf("there are %d deliveries", len(d))
	}
	if d := s.Deliveries("job_added", "job_deleted"); len(d) < 151 || len(d) > len(s.Deliveries()) {
		t.Errorf("there are %d of two events", len(d))
	}
}

func TestArmAndRequests(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Arm("list-webhooks", "token-expired")
	s.ArmFault(client.Fault{Operation: "create-webhook", Status: 418, Body: "short and stout", Times: 2})
	list := func() string {
		_, body := call(t, s.Client(), s.BaseURL, s.Token, "GET", "/webhooks", "")
		return body
	}
	if first, second := list(), list(); !strings.Contains(first, "Token is expired") || !strings.Contains(second, `"success":true`) {
		t.Errorf("%s, then %s", first, second)
	}
	if status, body := call(t, s.Client(), s.BaseURL, s.Token, "POST", "/create-webhook", "{}"); status != 418 || body != "short and stout" {
		t.Errorf("%d %s", status, body)
	}
	if r := s.Requests(); len(r) != 3 || r[0].AnsweredBy != "fault" || r[1].AnsweredBy != "success" {
		t.Errorf("%+v", r)
	}
	if r := s.Requests("create-webhook"); len(r) != 1 || r[0].Status != 418 || r[0].Body != "{}" {
		t.Errorf("%+v", r)
	}
	s.Reset()
	if status, _ := call(t, s.Client(), s.BaseURL, s.Token, "POST", "/create-webhook", "{}"); status != 400 || len(s.Requests()) != 1 {
		t.Errorf("after the reset it answered %d, of %d requests", status, len(s.Requests()))
	}
}

func TestRequireDelivered(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Register(s.Serve(good()))
	earlier := s.Trigger("applicant_applied", emulatortest.Set("applicant.spoken_languages.0.language", "Arabic"), emulatortest.Set("applicant.years_of_experience", 6))[0]
	got := s.RequireDelivered("applicant_applied",
		emulatortest.Field("applicant.spoken_languages.0.language", "Arabic"), emulatortest.Field("applicant.years_of_experience", 6.0),
		emulatortest.Field("event", "applicant_applied"), func(d emulatortest.Delivery) error { return nil })
	if got.ID != earlier.ID || got.Body != earlier.Body {
		t.Errorf("%+v", got)
	}
}

// An application with the vendor's address compiled in finds the emulator there, and
// everybody else where they are.
func TestClient(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]emulatortest.Option{"sockets": nil, "memory": {emulatortest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := emulatortest.Start(t, opts...)
			for _, base := range []string{"https://api.hirempire.com/v1", "http://api.hirempire.com/v1", s.BaseURL} {
				if status, body := call(t, s.Client(), base, s.Token, "GET", "/webhooks", ""); status != 200 || body != `{"success":true,"data":[]}` {
					t.Errorf("%s answered %d %s", base, status, body)
				}
			}
			if r := s.Requests("list-webhooks"); len(r) != 3 {
				t.Errorf("the emulator was asked %d times", len(r))
			}
			if _, body := call(t, s.Client(), s.Serve(http.NotFoundHandler()), "", "GET", "/", ""); !strings.Contains(body, "404 page not found") {
				t.Errorf("a server of %s answered %s", name, body)
			}
		})
	}
	// A server of somebody else, with a certificate that nobody signed.
	s, other := emulatortest.Start(t), httptest.NewUnstartedServer(http.NotFoundHandler())
	other.Config.ErrorLog = log.New(io.Discard, "", 0)
	other.StartTLS()
	defer other.Close()
	if res, err := s.Client().Get(other.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a stranger's certificate: %v, %v", res, err)
	}
}

// Connections that the client opened end with the test, also those to others.
func TestClientEndsWithTheTest(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	other.Start()
	defer other.Close()
	t.Run("test", func(t *testing.T) {
		s := emulatortest.Start(t)
		_, _ = call(t, s.Client(), other.URL, "", "GET", "/", "")
	})
	<-closed
}

func TestOptions(t *testing.T) {
	t.Parallel()
	then := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := emulator.NewManualClock(then)
	s := emulatortest.Start(t, emulatortest.WithClock(clock), emulatortest.WithEdition(hirempire.Edition202606))
	s.Register(s.Serve(good()), "job_added")
	s.Register(s.Serve(good()), "job_added") // 2026-02 allows one
	clock.Advance(time.Hour)
	if d := s.Trigger("job_added"); len(d) != 2 || !d[0].OccurredAt.Equal(then.Add(time.Hour)) {
		t.Errorf("%+v", d)
	}
	// A failure is repeated with the seed that it told of.
	story := "{version: 1, start: 2026-01-30T00:00:00Z, steps: [{event: job_added}]}"
	seeded := "{version: 1, seed: 3, start: 2026-01-30T00:00:00Z, steps: [{event: job_added}]}"
	var bodies [3]string
	var seed uint64
	for i := range bodies {
		var opts []emulatortest.Option
		if i > 0 {
			opts = append(opts, emulatortest.WithSeed(seed))
		}
		s := emulatortest.Start(t, opts...)
		_, _ = fmt.Sscanf(s.Token, "sk-TestOptions-%d", &seed)
		s.Register(s.Serve(good()))
		if run := s.Run(seeded); run.Seed != 3 {
			t.Errorf("the story's seed was %d", run.Seed)
		}
		s.Run(story)
		bodies[i] = s.Deliveries()[0].Body + s.Deliveries()[1].Body
		d := s.Trigger("applicant_applied", emulatortest.Set("timestamp", "2026-01-30T00:00:00.000Z"))[0]
		bodies[i] += d.ID + d.Body
	}
	if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
		t.Errorf("one seed gave\n%s\n%s\n%s", bodies[0], bodies[1], bodies[2])
	}
	playing := emulatortest.Start(t, emulatortest.WithOptions(emulator.Options{Play: "job-lifecycle", Speed: emulator.MaxSpeed}))
	playing.Register(playing.Serve(good()))
	playing.RequireDelivered("job_deleted")
	limited := emulatortest.Start(t, emulatortest.WithOptions(emulator.Options{RateLimit: 2, SkipChallenge: true}), emulatortest.WithClock(clock))
	limited.Register("http://127.0.0.1:1/nobody")
	for _, want := range []int{200, 429} { // the registration counts, too
		if status, _ := call(t, limited.Client(), limited.BaseURL, limited.Token, "GET", "/webhooks", ""); status != want {
			t.Errorf("it answered %d, not %d", status, want)
		}
	}
}
