package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// A run that would leave the years that a payload can name does not start.
func TestRunsStayInTheirYears(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(record(t).URL)}); got.status != 200 {
		t.Fatal(got.body)
	}
	for start, want := range map[string]int{"9999-12-31T23:59:59Z": 400, "0001-01-01T00:00:00Z": 400, "9999-12-31T23:59:57Z": 202, "1970-01-01T00:00:00Z": 202} {
		body := `{"start":"` + start + `","speed":"max","yaml":"version: 1\nname: late\nsteps:\n  - wait: 2s\n  - event: job_added\n"}`
		if status := control(t, e, "POST", "/runs", body, nil); status != want {
			t.Errorf("a start at %s answered %d, want %d", start, status, want)
		}
	}
}

// A reset right after the answer to a registration finds the run that --play has
// prepared: none begins in the workspace afterwards.
func TestResetFindsThePlayedRun(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Play, opts.SkipChallenge = "quiet-day", true
	e := start(t, opts)
	for range 50 {
		if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration("http://consumer.invalid/")}); got.status != 200 {
			t.Fatal(got.body)
		}
		control(t, e, "POST", "/reset", `{"token":"sk-1"}`, nil)
		var list struct{ Runs []json.RawMessage }
		if control(t, e, "GET", "/runs", "", &list); len(list.Runs) != 0 {
			t.Fatalf("after the reset there is %s", list.Runs)
		}
	}
}

// What waits for an event is told of a reset, and of a shutdown.
func TestWaitsSayWhyTheyEnded(t *testing.T) {
	t.Parallel()
	for end, want := range map[string]string{"reset": "reset", "shutdown": "shutdown"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			opts := seeded(1)
			opts.Addr = "127.0.0.1:0"
			e, err := emulator.New(opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			down, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			defer func() { _ = e.Shutdown(down) }()
			hung := make(chan struct{}, 1)
			consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
				var p struct{ Event string }
				answer := decode(r, &p)
				if p.Event != "" {
					hung <- struct{}{}
					<-r.Context().Done()
				}
				fmt.Fprint(w, answer)
			})
			if _, err := e.Register(t.Context(), "sk-1", consumer, hirempire.Events()); err != nil {
				t.Fatal(err)
			}
			answered := make(chan problem)
			go func() {
				var p problem
				control(t, e, "POST", "/events?wait=1m", `{"event":"job_added"}`, &p)
				answered <- p
			}()
			<-hung
			if end == "reset" {
				control(t, e, "POST", "/reset", "", nil)
			} else {
				go func() { _ = e.Shutdown(down) }()
			}
			if p := <-answered; p.Error.Code != want {
				t.Errorf("it was told %+v", p)
			}
		})
	}
}

// An emulator starts once, and not after its end; both may be asked for at once.
func TestStartsOnce(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	if err := e.Start(t.Context()); err == nil {
		t.Error("it started twice")
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := e.Start(t.Context()); err == nil {
		t.Error("it started after its end")
	}
	for range 20 {
		e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { _ = e.Start(t.Context()) })
		both.Go(func() { _ = e.Shutdown(t.Context()) })
		both.Wait()
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// After Shutdown nothing is registered any more, and what was being challenged
// has ended.
func TestShutdownEndsRegistrations(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	hung := make(chan struct{}, 1)
	consumer := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		decode(r, &struct{}{})
		hung <- struct{}{}
		<-r.Context().Done()
	})
	failed := make(chan error)
	go func() {
		_, err := e.Register(context.Background(), "sk-1", consumer, hirempire.Events())
		failed <- err
	}()
	<-hung
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "shutdown") {
		t.Errorf("the registration under way: %v", err)
	}
	if _, err := e.Register(context.Background(), "sk-2", consumer, hirempire.Events()); err == nil || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("a registration afterwards: %v", err)
	}
}

// Names of workspaces are checked: an empty or a wrong one is no “all”, and no
// token is repeated.
func TestWorkspacesAreNamedRightly(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/reset?workspace=", "", 404},
		{"POST", "/reset?workspace=sk-secret-token", "", 404},
		{"POST", "/reset", `{"token":""}`, 400},
		{"POST", "/reset", `{"token":null}`, 200},
		{"GET", "/deliveries?workspace=ws_nope", "", 404},
		{"POST", "/runs", `{"token":"junk","scenario":"job-lifecycle"}`, 400},
		{"POST", "/runs", `{"token":"sk-1","scenario":"job-lifecycle"}`, 409},
		{"POST", "/runs", `{"token":"sk-1","scenario":"job-lifecycle","speed":null,"seed":null}`, 409},
		{"POST", "/events", `{"token":"sk-1","event":"job_added","body":null,"set":null}`, 409},
		{"HEAD", "/livez", "", 200},
	} {
		header := map[string]string{}
		if c.body != "" {
			header["Content-Type"] = "application/json"
		}
		w := ask(t, e, c.method, "/_emulator"+c.path, c.body, header)
		if w.Code != c.want || strings.Contains(w.Body.String(), "sk-secret-token") {
			t.Errorf("%s %s %s answered %d %s, want %d", c.method, c.path, c.body, w.Code, w.Body, c.want)
		}
	}
	header := map[string]string{"Content-Type": "application/json", "Emulator-Token": "sk-2"}
	if w := ask(t, e, "POST", "/_emulator/webhooks", `{"token":"sk-1","request_url":"x","events":[]}`, header); w.Code != 400 {
		t.Errorf("two tokens answered %d %s", w.Code, w.Body)
	}
	if w := ask(t, e, "GET", "/_emulator/reset", "", nil); w.Header().Get("Allow") != "POST" {
		t.Errorf("Allow is %q", w.Header().Get("Allow"))
	}
}

// Suites that clean up with DELETE do not use up the workspaces.
func TestWorkspacesAreUsedAgain(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Limits.Workspaces, opts.SkipChallenge = 2, true
	e := start(t, opts)
	for n := range 20 {
		token := fmt.Sprintf("sk-%d", n)
		got := create(t, e, hirempire.Request{Token: token, Body: registration("http://consumer.invalid/")})
		if got.status != 200 {
			t.Fatalf("suite %d: %s", n, got.body)
		}
		id := strings.Split(got.body, `"`)[7]
		send(t, e, route(hirempire.DefaultEdition, hirempire.DeleteWebhook), hirempire.Request{Token: token, Query: "id=" + id})
	}
}

// A seed of the process beats that of a story, for runs over HTTP and for --play.
func TestProcessSeedBeatsTheStory(t *testing.T) {
	t.Parallel()
	opts := seeded(9)
	opts.Play, opts.Speed = "job-lifecycle", emulator.MaxSpeed
	e := start(t, opts)
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(record(t).URL)}); got.status != 200 {
		t.Fatal(got.body)
	}
	var r struct{ Run struct{ Seed uint64 } }
	if control(t, e, "POST", "/runs?wait=1m", `{"scenario":"hiring-happy-path"}`, &r); r.Run.Seed != 9 {
		t.Errorf("the run's seed is %d", r.Run.Seed)
	}
	if control(t, e, "POST", "/runs?wait=1m", `{"scenario":"hiring-happy-path","seed":3}`, &r); r.Run.Seed != 3 {
		t.Errorf("the run's seed is %d", r.Run.Seed)
	}
	var list struct{ Runs []struct{ Seed uint64 } }
	if control(t, e, "GET", "/runs", "", &list); list.Runs[0].Seed != 9 {
		t.Errorf("the seed of the played run is %d", list.Runs[0].Seed)
	}
}

// A wait's position does not pass what is not settled yet.
func TestWaitsMissNothing(t *testing.T) {
	t.Parallel()
	e := edition(t, hirempire.Edition202606)
	release := make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" {
			<-release
		}
		fmt.Fprint(w, answer)
	})
	for _, url := range []string{slow, record(t).URL} {
		if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(url)}); got.status != 200 {
			t.Fatal(got.body)
		}
	}
	control(t, e, "POST", "/events", `{"event":"job_added"}`, nil)
	var first struct {
		Deliveries []struct{ Status string }
		Next       uint64
	}
	if status := control(t, e, "GET", "/deliveries/wait?timeout=1m", "", &first); status != 200 || len(first.Deliveries) != 1 {
		t.Fatalf("%d %+v", status, first)
	}
	close(release)
	if status := control(t, e, "GET", fmt.Sprintf("/deliveries/wait?timeout=1m&count=2&since=%d", first.Next), "", nil); status != 200 {
		t.Errorf("the slow one was missed: %d", status)
	}
}

// What New refuses leaves no journal open.
func TestJournalIsOpenedLast(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	if _, err := emulator.New(emulator.Options{Journal: file, TLSAddr: "127.0.0.1:0", TLSHosts: []string{"no host"}}); err == nil {
		t.Fatal("a host that is none was accepted")
	}
	if matches, _ := filepath.Glob(file); matches != nil {
		t.Error("the journal was opened although the emulator was refused")
	}
}

// With retries, a consumer that refuses every fifth delivery for a day gets all of
// them, at full speed without waiting: the clock stands still, so that whoever
// waited would wait for ever.
func TestRunWithRetries(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Retries, opts.Clock = 8, emulator.NewManualClock(day)
	e := start(t, opts)
	var n atomic.Int64
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if n.Add(1)%5 == 0 {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, answer)
	})
	if _, err := e.Register(t.Context(), "sk-1", consumer, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	s := parse(t, "version: 1\nname: many\nsteps:\n  - event: applicant_applied\n    repeat: 200\n")
	r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed})
	if err != nil || !r.OK() || r.State != report.Finished || r.Deliveries.Delivered != 200 {
		t.Errorf("%+v, %v", r, err)
	}
}

// An event that waits at a full queue is in no queue that a reset could empty: the
// reset ends it all the same, and says so.
func TestResetEndsWhoWaitsAtAFullQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := seeded(1)
		opts.Limits.QueuedDeliveries, opts.SkipChallenge = 1, true
		opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { // reads and never answers
				_, _ = io.Copy(io.Discard, theirs)
				theirs.Close()
			}()
			return ours, nil
		}
		e, err := emulator.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Register(t.Context(), "sk-1", "http://consumer/", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
		asJSON := map[string]string{"Content-Type": "application/json"}
		answers := make(chan string, 2)
		for range 2 { // the first fills the queue, the second waits for room
			go func() {
				answers <- ask(t, e, "POST", "/_emulator/events?wait=1s", `{"event":"job_added"}`, asJSON).Body.String()
			}()
			synctest.Wait()
		}
		if w := ask(t, e, "POST", "/_emulator/reset", "", nil); w.Code != 200 {
			t.Errorf("the reset answered %d %s", w.Code, w.Body)
		}
		for range 2 {
			if got := <-answers; !strings.Contains(got, `"code":"reset"`) {
				t.Errorf("an event answered %s", got)
			}
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
