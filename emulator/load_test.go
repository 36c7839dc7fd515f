package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// paced is a consumer on connections in memory that takes as long as it is told
// for each answer.
type paced struct {
	takes time.Duration

	mu  sync.Mutex
	got []string // bodies
}

func (p *paced) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		in := bufio.NewReader(theirs)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.got = append(p.got, string(body))
			p.mu.Unlock()
			<-time.After(p.takes)
			if _, err := io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	return ours, nil
}

// perform performs a story in memory, within a bubble, and returns the report.
func (p *paced) perform(t *testing.T, yaml string, how emulator.Performance) report.Run {
	t.Helper()
	seed := uint64(1)
	e, err := emulator.New(emulator.Options{Seed: &seed, DialContext: p.dial, SkipChallenge: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := e.Register(t.Context(), "sk-load", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	story, problems := scenario.Parse("load.yaml", []byte(yaml))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	how.Scenario, how.Token = story, "sk-load"
	r, err := e.Perform(t.Context(), how)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Deliveries.Balanced() || r.Deliveries.Pending() != 0 {
		t.Errorf("the accounting is %+v", r.Deliveries)
	}
	return r
}

const twenty = `
version: 1
name: twenty
start: 2026-01-30T00:00:00Z
seed: 7
steps:
  - event: applicant_applied
    repeat: 20
    every: 1h
`

// An open loop goes by its schedule, and what waits for slow answers is late.
func TestRateWaitsForNoAnswer(t *testing.T) {
	t.Parallel()
	type want struct {
		took, slowest, lag time.Duration
		late               uint64
		kept               float64
	}
	for name, c := range map[string]struct {
		concurrency int
		want        want
	}{
		// The 20th is due after 1.9 s, and leaves when 19 have had a second each.
		"in order": {1, want{20 * time.Second, 18100 * time.Millisecond, 17100 * time.Millisecond, 19, 1}},
		// The third is due after 0.2 s, and leaves when the first is through: 0.8 s late.
		"two at once":    {2, want{10100 * time.Millisecond, 8200 * time.Millisecond, 7200 * time.Millisecond, 18, 19 / 9.1}},
		"enough at once": {10, want{2900 * time.Millisecond, time.Second, 0, 0, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := c
				p := &paced{takes: time.Second}
				r := p.perform(t, twenty, emulator.Performance{Rate: 10, Concurrency: c.concurrency})
				got := want{r.Took, r.Latency.Max.Round(10 * time.Millisecond), r.Schedule.MaxLag, r.Schedule.Late, math.Round(r.Schedule.Kept*1000) / 1000}
				c.want.kept = math.Round(c.want.kept*1000) / 1000
				if got != c.want || r.Schedule.Rate != 10 || r.Concurrency != c.concurrency || r.State != report.Finished {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if r.Schedule.Held() != (c.want.late == 0) {
					t.Errorf("whether it was held: %+v", r.Schedule)
				}
			})
		})
	}
}

// Neither rate nor concurrency changes a byte, nor the times that payloads tell.
func TestLoadSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	const yaml = `
version: 1
name: mixed
start: 2026-01-30T00:00:00Z
seed: 7
steps:
  - event: job_added
  - wait: 24h
  - event: applicant_applied
    repeat: 300
    every: 1m
    jitter: 30s
  - event: cv_upload_completed
    repeat: 30
    delivery: {delay: 1h, chance: 0.5}
  - event: meeting_booked
    repeat: 5
    every: 10s
    delivery: {corrupt: extra_fields}
`
	bytes := func(how emulator.Performance) (sent []string) {
		synctest.Test(t, func(t *testing.T) {
			p := &paced{takes: time.Millisecond}
			if r := p.perform(t, yaml, how); r.Deliveries.Delivered != 336 {
				t.Errorf("%+v: %s", how, r.Deliveries)
			}
			sent = slices.Sorted(slices.Values(p.got))
		})
		return sent
	}
	want := bytes(emulator.Performance{Speed: emulator.MaxSpeed})
	for _, how := range []emulator.Performance{{Speed: 3600}, {Speed: emulator.MaxSpeed, Concurrency: 32}, {Rate: 1000}, {Rate: 333.3, Concurrency: 7}} {
		if got := bytes(how); !slices.Equal(got, want) {
			t.Errorf("%+v sends other bytes", how)
		}
	}
}

// A run that has no rate, and one that was cancelled.
func TestScheduleInReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{}
		r := p.perform(t, twenty, emulator.Performance{Speed: emulator.MaxSpeed})
		if text, err := json.Marshal(r); r.Schedule != nil || err != nil || r.Concurrency != 1 {
			t.Errorf("without a rate: %s, %v", text, err)
		}
	})
	for _, bad := range []emulator.Performance{{Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: emulator.MaxRate + 1}, {Concurrency: -1}, {Concurrency: emulator.MaxConcurrency + 1}} {
		e, err := emulator.New(emulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		bad.Scenario, bad.Token = &scenario.Scenario{Name: "none"}, "sk-load"
		if _, err := e.Perform(t.Context(), bad); err == nil {
			t.Errorf("%+v was performed", bad)
		}
		_ = e.Shutdown(t.Context())
	}
}

// What is late or missing on purpose is none of the schedule's.
func TestScheduleLeavesFaultsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{}
		r := p.perform(t, `
version: 1
name: faulty
steps:
  - event: job_added
    repeat: 10
    every: 1s
    delivery: {delay: 5s}
  - event: job_added
    repeat: 10
    every: 1s
    delivery: {drop: true}
  - event: job_deleted
    repeat: 10
    every: 1s
    delivery: {shuffle: 10}
`, emulator.Performance{Rate: 10})
		if r.Schedule.Late != 0 || r.Deliveries.Delivered != 20 || r.Deliveries.Dropped != 10 {
			t.Errorf("%+v, %s", r.Schedule, r.Deliveries)
		}
	})
}

// Over HTTP, too.
func TestLoadOverHTTP(t *testing.T) {
	t.Parallel()
	e, consumer := start(t, seeded(1)), record(t)
	create(t, e, hirempire.Request{Token: "sk-load", Body: registration(consumer.URL)})
	const story = `"yaml":"{version: 1, name: load, steps: [{event: job_added, repeat: 50, every: 1h}]}"`
	var out struct{ Run report.Run }
	control(t, e, "POST", "/runs?wait=60s", `{`+story+`,"rate":500,"concurrency":8}`, &out)
	if r := out.Run; r.Deliveries.Delivered != 50 || r.Concurrency != 8 || r.Schedule == nil || r.Schedule.Rate != 500 || r.Speed != "max" {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{`"rate":-1`, `"rate":1000001`, `"concurrency":-1`, `"concurrency":1001`, `"rate":5,"speed":2`, `"rate":"fast"`} {
		if status := control(t, e, "POST", "/runs", `{`+story+`,`+bad+`}`, nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
}

// However many webhooks and duplicates there are, a rate is of events.
func TestRateIsOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{}
		r := p.perform(t, "{version: 1, name: twice, steps: [{event: job_added, repeat: 21, delivery: {duplicates: 2}}]}", emulator.Performance{Rate: 10, Concurrency: 10})
		if r.Deliveries.Delivered != 63 || math.Round(r.Schedule.Kept*100)/100 != 10 || !r.Schedule.Held() {
			t.Errorf("%s, %+v", r.Deliveries, r.Schedule)
		}
	})
}

// What a story waits for is not made up for by a burst.
func TestScheduleStandsStillWhileTheStoryWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{takes: 5 * time.Second}
		r := p.perform(t, "{version: 1, name: waits, steps: [{event: job_added, expect: {status: 2xx}}, {event: job_deleted, repeat: 20}]}", emulator.Performance{Rate: 10, Concurrency: 100})
		if r.Took != 12*time.Second || !r.Schedule.Held() || r.Schedule.MaxLag != 0 {
			t.Errorf("took %s, %+v", r.Took, r.Schedule)
		}
	})
}

// What is cancelled before its answer was not late.
func TestCancelledRunsWereNotLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{takes: time.Hour}
		seed := uint64(1)
		e, err := emulator.New(emulator.Options{Seed: &seed, DialContext: p.dial, SkipChallenge: true, DeliveryTimeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Shutdown(context.Background()) }()
		if _, err := e.Register(t.Context(), "sk-load", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		r, err := e.Perform(ctx, emulator.Performance{Scenario: parse(t, twenty), Token: "sk-load", Rate: 10, Concurrency: 20})
		if err != nil || r.State != report.Cancelled || !r.Schedule.Held() {
			t.Errorf("%s, %+v, %v", r.State, r.Schedule, err)
		}
		<-time.After(2 * time.Hour) // for the consumer to notice
	})
}

// A backoff is in real time where there is a rate.
func TestRetriesKeepTheirPausesUnderARate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{takes: 20 * time.Second} // over the time-out
		seed := uint64(1)
		e, err := emulator.New(emulator.Options{Seed: &seed, DialContext: p.dial, SkipChallenge: true, Retries: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Shutdown(context.Background()) }()
		if _, err := e.Register(t.Context(), "sk-load", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
		r, err := e.Perform(t.Context(), emulator.Performance{Scenario: parse(t, "{version: 1, name: one, steps: [{event: job_added}]}"), Token: "sk-load", Rate: 10})
		// Four time-outs of 10 s, and pauses of at least half a second, one, and two.
		if err != nil || r.Retries != 3 || r.Took < 43500*time.Millisecond || r.Took > 47*time.Second {
			t.Errorf("%d retries, took %s, %v", r.Retries, r.Took, err)
		}
		<-time.After(time.Minute)
	})
}

// What a caller does with the deliveries that it is told of is its own business.
func TestToldDeliveriesAreCopies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{}
		r := p.perform(t, "{version: 1, name: copies, steps: [{event: job_added, repeat: 3, delivery: {duplicates: 1}}]}", emulator.Performance{Speed: emulator.MaxSpeed, Settled: func(d emulator.Delivery) {
			clear(d.Body)
			for _, a := range d.Attempts {
				clear(a.SentHeaders)
				clear(a.Headers)
			}
			clear(d.Attempts)
		}})
		for _, body := range p.got {
			if !json.Valid([]byte(body)) {
				t.Errorf("%q was sent", body)
			}
		}
		if r.Deliveries.Delivered != 6 {
			t.Error(r.Deliveries)
		}
	})
}

// A run that goes on tells what waits from what is on its way.
func TestRunningReportsTellWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &paced{takes: 8 * time.Second}
		e, err := emulator.New(emulator.Options{DialContext: p.dial, SkipChallenge: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Shutdown(context.Background()) }()
		if _, err := e.Register(t.Context(), "sk-load", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
		ended := make(chan report.Run, 1)
		go func() {
			r, _ := e.Perform(t.Context(), emulator.Performance{Scenario: parse(t, twenty), Token: "sk-load", Speed: emulator.MaxSpeed, Concurrency: 4})
			ended <- r
		}()
		<-time.After(9 * time.Second)
		w := httptest.NewRecorder()
		e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/_emulator/runs", nil))
		var out struct{ Runs []report.Run }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Runs) != 1 {
			t.Fatalf("%s, %v", w.Body, err)
		}
		want := report.Ledger{Emitted: 20, Delivered: 4, Sending: 4, Queued: 12}
		if r := out.Runs[0]; r.Deliveries != want || r.Results[0].Deliveries != want {
			t.Errorf("%+v, and of its step %+v", r.Deliveries, r.Results[0].Deliveries)
		}
		if r := <-ended; r.Deliveries.Delivered != 20 || r.Deliveries.Pending() != 0 {
			t.Errorf("in the end %+v", r.Deliveries)
		}
	})
}

// Single events go one after the other, also those that are sent together, unless
// they say that they need not.
func TestConcurrencyOfSingleEvents(t *testing.T) {
	t.Parallel()
	for concurrency, want := range map[string]time.Duration{"": 6 * time.Second, `,"concurrency":null`: 6 * time.Second, `,"concurrency":1`: 6 * time.Second, `,"concurrency":3`: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := &paced{takes: time.Second}
			e, err := emulator.New(emulator.Options{DialContext: p.dial, SkipChallenge: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Register(t.Context(), "sk-load", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for i := range 6 {
				wait, want := "", http.StatusAccepted
				if i == 5 {
					wait, want = "?wait=1m", http.StatusOK
				}
				if w := ask(t, e, "POST", "/_emulator/events"+wait, `{"event":"job_added"`+concurrency+`}`, map[string]string{"Content-Type": "application/json"}); w.Code != want {
					t.Errorf("event %d answered %d %s", i, w.Code, w.Body)
				}
			}
			if took := time.Since(began); took != want || len(p.got) != 6 {
				t.Errorf("with %q %d events took %v, want %v", concurrency, len(p.got), took, want)
			}
			if err := e.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
