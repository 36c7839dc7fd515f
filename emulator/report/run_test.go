package report_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRound(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]time.Duration{
		0:                                0,
		400 * time.Nanosecond:            0,
		999 * time.Microsecond:           999 * time.Microsecond,
		1234567 * time.Nanosecond:        1230 * time.Microsecond,
		12345 * time.Microsecond:         12300 * time.Microsecond,
		1234567 * time.Microsecond:       1230 * time.Millisecond,
		59_996 * time.Millisecond:        time.Minute,
		90*time.Minute + 4*time.Second:   90 * time.Minute,
		100*time.Hour + 29*time.Minute:   100*time.Hour + 33*time.Minute + 20*time.Second,
		-3 * time.Second:                 -3 * time.Second,
		time.Duration(math.MaxInt64):     time.Duration(math.MaxInt64),
		time.Duration(math.MinInt64 + 1): time.Duration(math.MinInt64 + 1),
	} {
		got := report.Round(d)
		if d > math.MaxInt64/2 || d < -math.MaxInt64/2 { // it only has to return
			continue
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}

func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= float64(want)/1000
}

func TestLatenciesAreAccurate(t *testing.T) {
	t.Parallel()
	// From the smallest to the largest, in uneven steps.
	for d := 2 * time.Microsecond; d <= time.Hour; d = d*17/10 + time.Microsecond {
		d = d.Truncate(time.Microsecond)
		var l report.Latencies
		l.Add(d)
		if got := l.Summary(); !near(got.P50, d) || !near(got.P99, d) || !near(got.Max, d) {
			t.Errorf("%s is %+v", d, got)
		}
	}
	var l report.Latencies
	for i := 1000; i >= 1; i-- { // the order does not matter
		l.Add(time.Duration(i) * time.Millisecond)
	}
	got := l.Summary()
	if !near(got.P50, 500*time.Millisecond) || !near(got.P99, 990*time.Millisecond) || !near(got.Max, time.Second) {
		t.Errorf("of 1 to 1000 ms: %+v", got)
	}
	if l.Summary() != got {
		t.Error("a second summary differs")
	}
}

func TestLatenciesAreClamped(t *testing.T) {
	t.Parallel()
	var empty report.Latencies
	if got := empty.Summary(); got != (report.Latency{}) {
		t.Errorf("of nothing: %+v", got)
	}
	for d, want := range map[time.Duration]time.Duration{
		-time.Second:    time.Microsecond,
		0:               time.Microsecond,
		1:               time.Microsecond,
		100 * time.Hour: time.Hour,
	} {
		var l report.Latencies
		l.Add(d)
		if got := l.Summary(); !near(got.Max, want) || !near(got.P50, want) {
			t.Errorf("%s: %+v, want about %s", d, got, want)
		}
	}
}

// base is a run in which all went well.
func base() report.Run {
	return report.Run{
		ID: "run_1", Workspace: "ws_1", Scenario: "story", Edition: "2026-02", Seed: 42,
		Start: time.Date(2026, 1, 30, 9, 0, 0, 5e6, time.FixedZone("", 3600)),
		Speed: "1", State: report.Finished, Took: 1234567 * time.Microsecond,
		Steps: 4, StepsDone: 4, Events: 3, Deliveries: report.Ledger{Emitted: 3, Delivered: 3},
		Latency: report.Latency{P50: 1111 * time.Microsecond, P99: 2222 * time.Microsecond, Max: 3333 * time.Microsecond},
	}
}

func with(change func(*report.Run)) report.Run {
	r := base()
	change(&r)
	return r
}

func TestOK(t *testing.T) {
	t.Parallel()
	if !base().OK() {
		t.Error("a run in which all went well is not OK")
	}
	for name, r := range map[string]report.Run{
		"running":    with(func(r *report.Run) { r.State = report.Running }),
		"cancelled":  with(func(r *report.Run) { r.State = report.Cancelled }),
		"broken":     with(func(r *report.Run) { r.State = report.Broken }),
		"failed":     with(func(r *report.Run) { r.Deliveries = report.Ledger{Emitted: 2, Delivered: 1, Failed: 1} }),
		"dropped":    with(func(r *report.Run) { r.Deliveries = report.Ledger{Emitted: 2, Delivered: 1, Dropped: 1} }),
		"pending":    with(func(r *report.Run) { r.Deliveries = report.Ledger{Emitted: 2, Delivered: 1, Queued: 1} }),
		"unbalanced": with(func(r *report.Run) { r.Deliveries = report.Ledger{Emitted: 1, Delivered: 1, Failed: 1} }),
	} {
		if r.OK() {
			t.Errorf("a %s run is OK", name)
		}
	}
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	failure := report.Failure{Delivery: "dlv_1", Event: "job_added", Position: "story.yaml:4:5", Status: "failed(non_2xx)", Detail: "answered 500 Internal Server Error"}
	for name, r := range map[string]report.Run{
		"finished": base(),
		"answered": with(func(r *report.Run) {
			r.Deliveries = report.Ledger{Emitted: 3, Delivered: 1, Failed: 2}
			f := failure
			f.Answer = "\n oops: the database is down \x1b[31m\nat line 1"
			g := failure
			g.Position, g.Answer = "story.yaml:9:5", strings.Repeat("long ", 100)
			r.Failures, r.AllFailures = []report.Failure{f, g}, 2
		}),
		"schedule_held": with(func(r *report.Run) {
			r.Schedule = &report.Schedule{Rate: 250, Kept: 250.04, MaxLag: 1234 * time.Microsecond}
		}),
		"schedule_not_held": with(func(r *report.Run) {
			r.Schedule = &report.Schedule{Rate: 0.5, Kept: 0.123456, Late: 2, MaxLag: 12345 * time.Millisecond}
		}),
		"cancelled": with(func(r *report.Run) {
			r.State, r.StepsDone, r.Error, r.Latency = report.Cancelled, 1, "cancelled", report.Latency{}
			r.Deliveries = report.Ledger{Emitted: 2, Dropped: 2}
			r.Causes = map[string]uint64{"dropped(cancel)": 2}
			undetailed := failure
			undetailed.Status, undetailed.Detail = "dropped(cancel)", ""
			r.Failures = []report.Failure{undetailed, undetailed}
		}),
		"broken": with(func(r *report.Run) {
			r.State, r.StepsDone, r.Error = report.Broken, 2, "story.yaml:5:5: job.title is not in the payload"
		}),
		"failures": with(func(r *report.Run) {
			r.Deliveries = report.Ledger{Emitted: 30, Delivered: 5, Failed: 22, Dropped: 3}
			r.Causes = map[string]uint64{"failed(timeout)": 2, "failed(non_2xx)": 20, "dropped(reset)": 3}
			r.AllFailures = 25
			for range 20 {
				r.Failures = append(r.Failures, failure)
			}
		}),
		"unheard": with(func(r *report.Run) { r.Events, r.Unheard = 5, 2 }),
		"unbalanced": with(func(r *report.Run) {
			r.Deliveries = report.Ledger{Emitted: 9, Delivered: 5, Queued: 1, Sending: 1}
		}),
	} {
		var got bytes.Buffer
		r.WriteText(&got, r.Rerun("http://localhost:3000/webhook"))
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got.Bytes(), want)
		}
	}
}

// The totals are the accounting of the summary, without what is about steps.
func TestWriteTotals(t *testing.T) {
	t.Parallel()
	r := with(func(r *report.Run) {
		r.Schedule = &report.Schedule{Rate: 0.5, Kept: 0.123456, Late: 2, MaxLag: 12345 * time.Millisecond}
		r.Failures, r.AllFailures = []report.Failure{{Event: "job_added", Status: "failed(timeout)"}}, 1
	})
	var all, totals bytes.Buffer
	r.WriteText(&all, "again")
	r.WriteTotals(&totals, report.Plain)
	headline, rest, _ := strings.Cut(totals.String(), "\n")
	first, text, _ := strings.Cut(all.String(), "\n")
	if headline+", 4 of 4 steps" != first || !strings.HasPrefix(text, rest) || !strings.Contains(rest, "\n  schedule    0.5 a second, not held: ") {
		t.Errorf("got\n%s\nof\n%s", &totals, &all)
	}
	if strings.Contains(rest, "job_added") || strings.Contains(rest, "rerun") {
		t.Errorf("more than totals:\n%s", rest)
	}
	totals.Reset()
	r.WriteTotals(&totals, report.Colour)
	if !strings.Contains(totals.String(), "\x1b[31m0.5 a second, not held: ") {
		t.Errorf("what is bad does not stand out: %q", &totals)
	}
}

// A rate that was required is judged once all else is well, and never excused.
func TestRequiredRate(t *testing.T) {
	t.Parallel()
	late := func(required bool, n uint64) func(*report.Run) {
		return func(r *report.Run) { r.Schedule = &report.Schedule{Rate: 5, Late: n, Required: required} }
	}
	for _, c := range []struct {
		what string
		run  report.Run
		want report.Verdict
		why  string
	}{
		{"no rate", base(), report.VerdictPassed, ""},
		{"held", with(late(true, 0)), report.VerdictPassed, ""},
		{"not held", with(late(false, 3)), report.VerdictPassed, ""},
		{"required", with(late(true, 3)), report.VerdictFailed, "story: the required rate was not held: 3 of 3 deliveries left late"},
		{"cancelled", with(func(r *report.Run) { late(true, 3)(r); r.State = report.Cancelled }), report.VerdictCancelled, "story was cancelled"},
	} {
		for _, allowFailures := range []bool{false, true} {
			if got, why := c.run.Verdict(allowFailures); got != c.want || why != c.why {
				t.Errorf("%s, failures allowed %t: %s, %q", c.what, allowFailures, got, why)
			}
		}
	}
}

func TestRerun(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"hirempire-emulator run story --to http://x/ --seed 42 --start 2026-01-30T08:00:00.005Z --edition 2026-02": base().Rerun("http://x/"),
		"hirempire-emulator run my.yaml --to http://x/ --seed 18446744073709551615 --start 2026-01-30T08:00:00.005Z --edition 2026-02 --fixtures dir": with(func(r *report.Run) {
			r.File, r.Seed = "my.yaml", math.MaxUint64
		}).Rerun("http://x/", "--fixtures", "dir"),
	} {
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
