package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// examine performs steps, a YAML list, against consumers that answer the nth event,
// from 1, and returns the report.
func examine(t *testing.T, opts emulator.Options, p emulator.Performance, story string, answers ...func(w http.ResponseWriter, n int)) report.Run {
	t.Helper()
	opts.Edition = "2026-06" // which has several webhooks
	e := start(t, opts)
	for _, answer := range answers {
		var events atomic.Int64
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var body struct{ Challenge string }
			if decode(r, &body); body.Challenge != "" {
				fmt.Fprintf(w, `{"challenge":%q}`, body.Challenge)
				return
			}
			answer(w, int(events.Add(1)))
		})
		if _, err := e.Register(t.Context(), "sk-run", url, []hirempire.Event{"job_added", "job_deleted"}); err != nil {
			t.Fatal(err)
		}
	}
	p.Scenario, p.Token, p.Speed = parse(t, "version: 1\n"+story), "sk-run", emulator.MaxSpeed
	r, err := e.Perform(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func good(w http.ResponseWriter, _ int) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"ok": true, "seen": [1, {"a": 1, "b": 2}], "n": 10}`)
}

func failing(w http.ResponseWriter, _ int) { http.Error(w, "no", http.StatusInternalServerError) }

// unmet lists the expectations that did not hold, as people read them, without
// what differs from run to run.
func unmet(r report.Run) []string {
	var texts []string
	for _, f := range r.Failures {
		if f.Expectation != "" {
			text := f.Expectation
			if f.Expected != "" {
				text += " " + f.Expected
			}
			if f.Got != "" {
				text += ", got " + f.Got
			}
			texts = append(texts, text)
		}
	}
	return texts
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		expect string
		answer func(http.ResponseWriter, int)
		unmet  string // what did not hold; empty: everything did
	}{
		"all of it":             {"{status: 2xx, within: 1m, body: {ok: true}, header: {Content-Type: application/json, X-None: null}}", good, ""},
		"one of two statuses":   {"{status: [404, 2xx]}", good, ""},
		"a status that is not":  {"{status: 204}", good, "status 204, got 200 OK"},
		"no status of several":  {"{status: [404, 5xx]}", good, "status 404 or 5xx, got 200 OK"},
		"an error is expected":  {"{status: 500}", failing, ""},
		"a part of the body":    {"{body: {seen: [1, {b: 2}]}}", good, ""},
		"a number by value":     {"{body: {n: 1e1}}", good, ""},
		"a longer list":         {"{body: {seen: [1]}}", good, "body"},
		"another value":         {"{body: {ok: false}}", good, "body"},
		"a missing field":       {"{body: {other: null}}", good, "body"},
		"no JSON":               {"{body: {ok: true}, status: 500}", failing, "body"},
		"a header that is not":  {"{header: {X-Trace: abc}}", good, "header X-Trace abc, got none"},
		"another header":        {"{header: {content-type: text/plain}}", good, "header content-type text/plain, got application/json"},
		"a header that is":      {"{header: {Content-Type: null}}", good, "header Content-Type none, got application/json"},
		"several do not hold":   {"{status: 404, body: {ok: 1}}", good, "status 404, got 200 OK; body"},
		"an answer that is cut": {"{status: 2xx}", func(http.ResponseWriter, int) { panic(http.ErrAbortHandler) }, "an answer, got none: failed(ambiguous)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := examine(t, emulator.Options{}, emulator.Performance{}, "steps:\n  - event: job_added\n    expect: "+c.expect, c.answer)
			if got := strings.Join(unmet(r), "; "); got != c.unmet {
				t.Errorf("not met: %s\nwant: %s", got, c.unmet)
			}
			if ok := c.unmet == ""; r.OK() != ok || (r.Results[0].State == report.Passed) != ok || r.State != report.Finished {
				t.Errorf("the verdict is %t: %+v", r.OK(), r)
			}
			if r.Checked == 0 {
				t.Error("nothing was checked")
			}
		})
	}
}

// What the consumer takes counts from the last byte of the request.
func TestExpectedWithin(t *testing.T) {
	t.Parallel()
	late := make(chan struct{})
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    expect: {within: 20ms}
`, func(w http.ResponseWriter, _ int) {
		time.AfterFunc(40*time.Millisecond, func() { close(late) })
		<-late
		good(w, 0)
	})
	if got := unmet(r); len(got) != 1 || !strings.HasPrefix(got[0], "within 20ms, got ") {
		t.Errorf("not met: %q", got)
	}
	// A slow body is the emulator's own slowness: about half a second here.
	r = examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    delivery: {wire: {slow: 2000}}
    expect: {within: 300ms}
`, good)
	if d := r.Timeline[0]; len(unmet(r)) > 0 || d.Took < 300*time.Millisecond {
		t.Errorf("not met: %q, after %s", unmet(r), d.Took)
	}
}

// An expectation holds for all iterations at all webhooks, duplicates included, and
// the step waits for each, late and shuffled ones too.
func TestExpectationsHoldForEveryDelivery(t *testing.T) {
	t.Parallel()
	third := func(w http.ResponseWriter, n int) {
		if n == 3 {
			failing(w, n)
		} else {
			good(w, n)
		}
	}
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    repeat: 2
    delivery: {duplicates: 1, delay: 1h, shuffle: 4}
    expect: {status: 2xx, body: {ok: true}}
  - event: job_deleted
`, good, third)
	if r.Checked != 2*2*2*2 {
		t.Errorf("%d checks", r.Checked)
	}
	if got := unmet(r); len(got) != 2 || got[0] != "status 2xx, got 500 Internal Server Error" || got[1] != "body" {
		t.Errorf("not met: %q", got)
	}
	for i, p := range r.Timeline[:8] {
		if p.Step != 1 {
			t.Errorf("delivery %d is of step %d: the story went on before every delivery had ended", i+1, p.Step)
		}
	}
	if r.AllFailures != 2 || r.Deliveries.Failed != 1 || r.Results[0].Failures != 2 || r.Results[1].State != report.Passed {
		t.Errorf("a delivery that is not as expected is listed twice, or elsewhere: %+v", r)
	}
}

func TestExpectationsWithoutASubscriber(t *testing.T) {
	t.Parallel()
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: meeting_booked
    expect: {status: 2xx}
`, good)
	if got := strings.Join(unmet(r), "; "); got != "an answer, got none: no active webhook is subscribed to the event" {
		t.Errorf("not met: %s", got)
	}
}

// With retries the last answer is judged; an expected error is retried all the same.
func TestExpectationsWithRetries(t *testing.T) {
	t.Parallel()
	first := func(w http.ResponseWriter, n int) {
		if n == 1 {
			failing(w, n)
		} else {
			good(w, n)
		}
	}
	r := examine(t, emulator.Options{Retries: 1}, emulator.Performance{}, "steps:\n  - event: job_added\n    expect: {status: 2xx}", first)
	if !r.OK() || r.Checked != 1 {
		t.Errorf("not met: %q of %d", unmet(r), r.Checked)
	}
	r = examine(t, emulator.Options{Retries: 1}, emulator.Performance{}, "steps:\n  - event: job_added\n    expect: {status: 500}", first)
	if got := unmet(r); len(got) != 1 || got[0] != "status 500, got 200 OK" {
		t.Errorf("not met: %q", got)
	}
}

// What is spoilt or dropped on purpose can be expected to be answered, or not.
func TestExpectationsOfFaults(t *testing.T) {
	t.Parallel()
	strict := func(w http.ResponseWriter, n int) { http.Error(w, "not JSON", http.StatusBadRequest) }
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
expect: {no_failures: true}
steps:
  - event: job_added
    delivery: {corrupt: not_json}
    expect: {status: 4xx}
  - event: job_added
    delivery: {drop: true, chance: 0.999999999}
    expect: {status: 2xx}
`, strict)
	if !r.OK() || r.Checked != 2 || r.Planned != 2 || r.Expected != 0 {
		t.Errorf("not met: %q: %+v", unmet(r), r)
	}
	r = examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    delivery: {corrupt: not_json}
    expect: {status: 4xx}
`, good)
	if got := unmet(r); r.OK() || len(got) != 1 {
		t.Errorf("a broken payload that was answered 200 passed: %q", got)
	}
}

func TestExpectationsOfTheRun(t *testing.T) {
	t.Parallel()
	r := examine(t, emulator.Options{}, emulator.Performance{}, "expect: {no_failures: true, max_p99: 1m}\nsteps:\n  - event: job_added", good)
	if !r.OK() || r.Checked != 2 {
		t.Errorf("not met: %q of %d", unmet(r), r.Checked)
	}
	r = examine(t, emulator.Options{}, emulator.Performance{}, "expect: {no_failures: true, max_p99: 1ns}\nsteps:\n  - event: job_added", failing)
	got := unmet(r)
	if len(got) != 2 || got[0] != "no_failures, got deliveries: 1, challenges: 0 that did not succeed" || !strings.HasPrefix(got[1], "max_p99 1ns, got ") {
		t.Errorf("not met: %q", got)
	}
	if r.Failures[1].Step != 0 || r.Failures[1].Position != "story.yaml:2:1" {
		t.Errorf("it is %+v", r.Failures[1])
	}
	// One that is expected to fail is no failure.
	r = examine(t, emulator.Options{}, emulator.Performance{}, "expect: {no_failures: true}\nsteps:\n  - event: job_added\n    expect: {status: 5xx}", failing)
	if !r.OK() || r.Expected != 1 || r.Deliveries.Failed != 1 {
		t.Errorf("not met: %q: %+v", unmet(r), r)
	}
}

func TestFailFast(t *testing.T) {
	t.Parallel()
	const story = `
steps:
  - event: job_added
    expect: {status: 204}
  - event: job_deleted
`
	r := examine(t, emulator.Options{}, emulator.Performance{}, story, good)
	if r.State != report.Finished || r.StepsDone != 2 || r.Unmet != 1 {
		t.Errorf("without it: %+v", r)
	}
	r = examine(t, emulator.Options{}, emulator.Performance{FailFast: true}, story, good)
	if r.State != report.Stalled || r.StepsDone != 0 || r.Events != 1 || r.Results[0].State != report.Failing || r.Results[1].State != report.Waiting {
		t.Errorf("with it: %+v", r)
	}
}

// A failure says what differs, and keeps what was sent and answered.
func TestFailuresAreExamined(t *testing.T) {
	t.Parallel()
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    expect: {body: {ok: false, seen: [1, {a: 2, c: 3}, 4], n: 10}}
`, good)
	f := r.Failures[0]
	want := `  {
    "n": 10
-   "ok": false
+   "ok": true
    "seen": [
      1
      {
-       "a": 2
+       "a": 1
-       "c": 3
      }
-     4
    ]
  }
`
	if f.Diff != want {
		t.Errorf("the difference is\n%swant\n%s", f.Diff, want)
	}
	if !strings.HasPrefix(f.Payload, `{"event":"job_added",`) || !strings.HasPrefix(f.Answer, `{"ok": true`) || f.Step != 1 || f.Iteration != 1 || f.Position != "story.yaml:5:5" {
		t.Errorf("it is %+v", f)
	}
}

// A connection that was reset on purpose was not answered, which an expectation
// does not take for granted.
func TestExpectationsOfAReset(t *testing.T) {
	t.Parallel()
	const story = `
steps:
  - event: job_added
    delivery: {wire: reset}
    expect: {status: 2xx}
`
	r := examine(t, emulator.Options{}, emulator.Performance{}, story, good)
	if got := strings.Join(unmet(r), "; "); r.OK() || got != "an answer, got none: failed(fault)" {
		t.Errorf("not met: %s", got)
	}
	if r = examine(t, emulator.Options{Retries: 1}, emulator.Performance{}, story, good); !r.OK() || r.Checked != 1 || r.Retries != 1 {
		t.Errorf("with a retry: %+v", r)
	}
}

// One step that fails often does not hide the others, in the list or in words.
func TestFailuresOfEveryStep(t *testing.T) {
	t.Parallel()
	r := examine(t, emulator.Options{}, emulator.Performance{}, `
steps:
  - event: job_added
    repeat: 150
    expect: {status: 202, body: {ok: 1}}
  - event: job_deleted
    repeat: 150
  - event: job_added
    expect: {status: 418}
`, func(w http.ResponseWriter, n int) {
		if n > 150 && n <= 300 {
			failing(w, n)
		} else {
			good(w, n)
		}
	})
	byStep := map[int]int{}
	for _, f := range r.Failures {
		byStep[f.Step]++
	}
	if byStep[1] != report.MaxOfStep || byStep[2] != report.MaxOfStep || byStep[3] != 1 || r.AllFailures != 300+150+1 {
		t.Errorf("%d failures are listed: %v", r.AllFailures, byStep)
	}
	var text strings.Builder
	r.WriteText(&text, "")
	for _, want := range []string{
		"expected status 202, got 200 OK (job_added dlv_", ") (50 times)\n", "expected body (job_added dlv_", "[- expected, + got] (50 times)\n",
		"job_deleted failed(non_2xx): answered 500 Internal Server Error (100 times)\n", "expected status 418, got 200 OK (job_added", "… and 250 more\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

// A timeline is of the whole run, however many deliveries it has.
func TestTimelineIsThinned(t *testing.T) {
	t.Parallel()
	r := examine(t, emulator.Options{}, emulator.Performance{}, "steps:\n  - event: job_added\n    repeat: 9000", good)
	if n := len(r.Timeline); n <= report.MaxPoints/2 || n > report.MaxPoints {
		t.Errorf("it has %d points", n)
	}
	if first, last := r.Timeline[0].At, r.Timeline[len(r.Timeline)-1].At; first > r.Took/4 || last < r.Took*3/4 {
		t.Errorf("it goes from %s to %s of %s", first, last, r.Took)
	}
}

// The step that was under way when a run was cancelled did not pass.
func TestCancelledStep(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e := start(t, emulator.Options{})
	consumer := record(t)
	if _, err := e.Register(t.Context(), "sk-run", consumer.URL, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	story := parse(t, "version: 1\nsteps:\n  - event: job_added\n  - event: job_added\n    repeat: 1000\n    every: 1h\n  - event: job_added")
	r, err := e.Perform(ctx, emulator.Performance{Scenario: story, Token: "sk-run", Settled: func(d emulator.Delivery) {
		if d.Step == 2 {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if states := []report.StepState{r.Results[0].State, r.Results[1].State, r.Results[2].State}; !slices.Equal(states, []report.StepState{report.Passed, report.Going, report.Waiting}) {
		t.Errorf("the steps are %q", states)
	}
}
