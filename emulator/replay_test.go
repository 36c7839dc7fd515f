package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// parse reads a story that must be valid.
func parse(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	s, problems := scenario.Parse("story.yaml", []byte(text))
	if s == nil {
		t.Fatal(problems)
	}
	return s
}

// perform performs a story at full speed against a new consumer, in a new
// emulator, and returns the bodies that arrived.
func perform(t *testing.T, p emulator.Performance) ([]string, report.Run) {
	t.Helper()
	e := start(t, emulator.Options{})
	consumer := record(t)
	if _, err := e.Register(t.Context(), "sk-run", consumer.URL, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	p.Token, p.Speed = "sk-run", emulator.MaxSpeed
	r, err := e.Perform(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return consumer.got(), r
}

const story = `
version: 1
name: story
seed: 7
start: 2026-01-30T09:00:00Z
steps:
  - event: job_added
    job: backend
  - wait: 90s
  - event: applicant_applied
    job: backend
    applicant: lina
  - event: applicant_applied
    job: backend
    repeat: 3
    every: 10s
  - event: meeting_booked
    job: backend
    applicant: lina
`

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	s := parse(t, story)
	first, r := perform(t, emulator.Performance{Scenario: s})
	second, _ := perform(t, emulator.Performance{Scenario: s})
	if len(first) != 6 || !slices.Equal(first, second) {
		t.Errorf("two runs with one seed differ:\n%s\n%s", strings.Join(first, "\n"), strings.Join(second, "\n"))
	}
	if r.Seed != 7 || !r.OK() || r.Deliveries.Delivered != 6 || r.StepsDone != 5 {
		t.Errorf("the report is %+v", r)
	}
	other := uint64(8)
	if third, r := perform(t, emulator.Performance{Scenario: s, Seed: &other}); slices.Equal(first, third) || r.Seed != 8 {
		t.Error("another seed gave the same bytes")
	}
	later := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if fourth, r := perform(t, emulator.Performance{Scenario: s, Start: &later}); slices.Equal(first, fourth) || !r.Start.Equal(later) {
		t.Error("another start gave the same bytes")
	}
}

// Timestamps are those of the story, however fast it is performed.
func TestRunHasItsOwnTime(t *testing.T) {
	t.Parallel()
	bodies, _ := perform(t, emulator.Performance{Scenario: parse(t, story)})
	var got []string
	for _, b := range bodies {
		var p struct{ Event, Timestamp string }
		if err := json.Unmarshal([]byte(b), &p); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Event+" "+p.Timestamp)
	}
	want := []string{
		"job_added 2026-01-30T09:00:00.000Z",
		"applicant_applied 2026-01-30T09:01:30.000Z",
		"applicant_applied 2026-01-30T09:01:30.000Z",
		"applicant_applied 2026-01-30T09:01:40.000Z",
		"applicant_applied 2026-01-30T09:01:50.000Z",
		"meeting_booked 2026-01-30T09:01:50.000Z",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Performed twice on one server, a story keeps its people and gets new ids; after
// a reset it starts anew.
func TestSecondPerformanceHasNewIDs(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	if _, err := e.Register(t.Context(), "sk-run", consumer.URL, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	s := parse(t, "version: 1\nname: one\nseed: 1\nstart: 2026-01-30T09:00:00Z\nsteps:\n  - event: applicant_applied\n    applicant: lina\n")
	play := func() {
		t.Helper()
		if r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-run"}); err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	}
	play()
	play()
	control(t, e, "POST", "/reset", "", nil)
	if _, err := e.Register(t.Context(), "sk-run", consumer.URL, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	play()
	got := consumer.got()
	var people [3]struct{ Applicant struct{ ID, Name string } }
	for i := range people {
		if err := json.Unmarshal([]byte(got[i]), &people[i]); err != nil {
			t.Fatal(err)
		}
	}
	if people[0].Applicant.Name != people[1].Applicant.Name || people[0].Applicant.ID == people[1].Applicant.ID {
		t.Errorf("first %+v, then %+v", people[0], people[1])
	}
	if got[0] != got[2] {
		t.Errorf("after a reset the first performance differs:\n%s\n%s", got[0], got[2])
	}
}

// Only active webhooks subscribed to the event get it; an event that nobody gets
// is counted.
func TestOnlySubscribersGetAnEvent(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	if _, err := e.Register(t.Context(), "sk-run", consumer.URL, []hirempire.Event{hirempire.MeetingBooked}); err != nil {
		t.Fatal(err)
	}
	other := record(t)
	if _, err := e.Register(t.Context(), "sk-other", other.URL, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	r, err := e.Perform(t.Context(), emulator.Performance{Scenario: parse(t, story), Token: "sk-run", Speed: emulator.MaxSpeed})
	if err != nil || r.Events != 6 || r.Unheard != 5 || r.Deliveries.Emitted != 1 || len(consumer.got()) != 1 || len(other.got()) != 0 {
		t.Errorf("%+v, %v; the consumer got %d, another workspace's %d", r, err, len(consumer.got()), len(other.got()))
	}
}

// Ctrl-C: the context ends in the middle of a story; what was sent stays sent,
// and the report balances.
func TestCancelledRunReports(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	ctx, cancel := context.WithCancel(t.Context())
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		body := decode(r, &p)
		if p.Event == "meeting_booked" {
			cancel()
			<-r.Context().Done()
		}
		fmt.Fprint(w, body)
	})
	if _, err := e.Register(t.Context(), "sk-run", consumer, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	s := parse(t, "version: 1\nname: one\nsteps:\n  - event: job_added\n  - event: meeting_booked\n    repeat: 3\n  - wait: 1h\n  - event: job_deleted\n")
	r, err := e.Perform(ctx, emulator.Performance{Scenario: s, Token: "sk-run"})
	if err != nil {
		t.Fatal(err)
	}
	if r.State != report.Cancelled || r.Deliveries != (report.Ledger{Emitted: 4, Delivered: 1, Dropped: 3}) || r.Causes["dropped(cancelled)"] != 3 || r.StepsDone != 2 {
		t.Errorf("the report is %+v", r)
	}
}

// decode decodes a body and returns what a consumer answers it with: the
// challenge, if it is one.
func decode(r *http.Request, into any) string {
	var raw json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&raw)
	_ = json.Unmarshal(raw, into)
	var c struct{ Challenge string }
	_ = json.Unmarshal(raw, &c)
	return fmt.Sprintf(`{"challenge":%q}`, c.Challenge)
}

func TestPlayAfterRegistration(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Play, opts.Speed = "hiring-happy-path", emulator.MaxSpeed
	e := start(t, opts)
	consumer := record(t)
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(consumer.URL)}); got.status != 200 {
		t.Fatal(got.body)
	}
	if status := control(t, e, "GET", "/deliveries/wait?count=9&status=delivered&timeout=1m", "", nil); status != 200 {
		t.Errorf("the wait answered %d", status)
	}
}

// The first event leaves after the answer to the registration was written and
// flushed: while the answer is being written everything else comes to rest, so
// that an event which left too early would be there.
func TestPlayBeginsAfterTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 100)
		opts := seeded(1)
		opts.Play, opts.Speed, opts.DialContext = "hiring-happy-path", emulator.MaxSpeed, inMemory(events)
		e, err := emulator.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		w := &watchedWriter{ResponseRecorder: httptest.NewRecorder(), look: func(when string) {
			synctest.Wait()
			if n := len(events); n > 0 {
				t.Errorf("%d events arrived %s", n, when)
			}
		}}
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/create-webhook", strings.NewReader(registration("http://consumer/")))
		req.Header.Set("Authorization", "Bearer sk-1")
		e.Handler().ServeHTTP(w, req)
		if w.Code != 200 || !w.Flushed {
			t.Errorf("%d %s, flushed: %v", w.Code, w.Body, w.Flushed)
		}
		for range 9 {
			<-events
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// watchedWriter looks around while an answer is written.
type watchedWriter struct {
	*httptest.ResponseRecorder
	look func(when string)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	w.look("before the answer was written")
	return w.ResponseRecorder.Write(b)
}

func (w *watchedWriter) Flush() {
	w.look("before the answer was flushed")
	w.ResponseRecorder.Flush()
}

// inMemory dials a good consumer that needs no socket, for bubbles of virtual
// time. It tells of each event.
func inMemory(events chan<- string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for in := bufio.NewReader(theirs); ; {
				req, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				var p struct{ Event string }
				answer := decode(req, &p)
				if p.Event != "" {
					events <- p.Event
				}
				if _, err := fmt.Fprintf(theirs, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}
}

func TestUnknownPlayIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := emulator.New(emulator.Options{Play: "no-such-story"}); err == nil || !strings.Contains(err.Error(), "hiring-happy-path") {
		t.Errorf("New said %v", err)
	}
}
