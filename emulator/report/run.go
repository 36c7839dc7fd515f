// Package report turns what happened into what people and programs read: the
// accounting, the summary of a run, the line that repeats it.
//
// It is pure: data in, text out. It reads no clock and calls nobody.
package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// State is where a run stands.
type State string

// The states.
const (
	Running   State = "running"
	Finished  State = "finished"
	Cancelled State = "cancelled" // ended before its last step
	Broken    State = "broken"    // could not be performed to its end
	Stalled   State = "stalled"   // ended by an await that was not met
)

// MaxFailures is how many failures a report lists; all of them are counted.
const MaxFailures = 20

// A Run is what became of one performance of a scenario.
type Run struct {
	ID        string    `json:"id"`
	Workspace string    `json:"workspace"`
	Scenario  string    `json:"scenario"`
	File      string    `json:"file,omitempty"`
	Edition   string    `json:"edition"`
	Seed      uint64    `json:"seed"`
	Start     time.Time `json:"start"` // on the run's clock
	Speed     string    `json:"speed"`
	State     State     `json:"state"`
	Error     string    `json:"error,omitempty"` // of a broken run
	Began     time.Time `json:"began"`
	// Took is measured, to the settling of the last delivery.
	Took      time.Duration `json:"took_ns"`
	Steps     int           `json:"steps"`
	StepsDone int           `json:"steps_done"`
	Events    uint64        `json:"events"`
	// Unheard is how many events had no subscriber.
	Unheard    uint64 `json:"unheard"`
	Deliveries Ledger `json:"deliveries"`
	// Planned is how many of the failed and dropped deliveries a fault on purpose
	// explains: nobody is blamed for them.
	Planned uint64 `json:"planned"`
	// Faults counts what went wrong on purpose, by kind.
	Faults map[string]uint64 `json:"faults,omitempty"`
	// Challenges counts those of challenge steps, Unpassed those of them that were
	// answered wrong, without a reason on purpose.
	Challenges uint64 `json:"challenges"`
	Unpassed   uint64 `json:"unpassed"`
	// Armed are faults of the API that the story armed and nobody met.
	Armed    []Armed           `json:"armed,omitempty"`
	Causes   map[string]uint64 `json:"causes,omitempty"` // settled other than delivered, by status
	Latency  Latency           `json:"latency"`
	Failures []Failure         `json:"failures,omitempty"` // the first MaxFailures
}

// An Armed fault of the API was still there at the end of the run.
type Armed struct {
	ID        string `json:"id"`
	Position  string `json:"position"` // of the step, file:line:col
	Operation string `json:"operation"`
	What      string `json:"what"`
	Times     int    `json:"times"` // that are left
}

// A Failure is one delivery, or challenge, that did not succeed.
type Failure struct {
	Delivery string `json:"delivery"` // its id, or the challenge's
	Event    string `json:"event"`    // or challenge
	Position string `json:"position"` // of the step, file:line:col
	Status   string `json:"status"`   // such as failed(timeout)
	Detail   string `json:"detail,omitempty"`
}

// Latency is how long consumers took to answer, from the start of an attempt to
// the end of its answer; all zero where nothing was answered.
type Latency struct {
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// Latencies collects answer times within 0.1 % of their value, from 1 µs to an
// hour. Its zero value is empty. It is not safe for concurrent use.
type Latencies struct{ h *hdrhistogram.Histogram }

// Add counts one answer time.
func (l *Latencies) Add(d time.Duration) {
	if l.h == nil {
		l.h = hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)
	}
	_ = l.h.RecordValue(min(max(d.Microseconds(), 1), int64(time.Hour/time.Microsecond)))
}

// Summary returns the percentiles.
func (l *Latencies) Summary() Latency {
	if l.h == nil {
		return Latency{}
	}
	at := func(q float64) time.Duration { return time.Duration(l.h.ValueAtQuantile(q)) * time.Microsecond }
	return Latency{at(50), at(99), time.Duration(l.h.Max()) * time.Microsecond}
}

// OK reports whether the run came to its end, and every delivery and challenge
// went well that was not spoilt on purpose.
func (r Run) OK() bool {
	return r.State == Finished && r.Deliveries.Balanced() && r.Deliveries.Delivered+r.Planned == r.Deliveries.Emitted && r.Unpassed == 0
}

// Unsuccessful returns how many deliveries did not succeed without a reason on
// purpose.
func (r Run) Unsuccessful() uint64 { return r.Deliveries.Failed + r.Deliveries.Dropped - r.Planned }

// Rerun returns the command that repeats the run byte for byte against another
// consumer at to, "" for one that registers itself; flags are what it needs beside the run's own choices.
func (r Run) Rerun(to string, flags ...string) string {
	name := r.Scenario
	if r.File != "" {
		name = r.File
	}
	words := []string{"hirempire-emulator", "run", name}
	if to != "" {
		words = append(words, "--to", to)
	}
	words = append(words, "--seed", strconv.FormatUint(r.Seed, 10), "--start", r.Start.UTC().Format(time.RFC3339Nano), "--edition", r.Edition)
	return Command(append(words, flags...)...)
}

// WriteText writes the run's summary for people; rerun is what [Run.Rerun] returns.
func (r Run) WriteText(w io.Writer, rerun string) {
	fmt.Fprintf(w, "%s: %s after %s, %d of %d steps\n", r.Scenario, r.State, Round(r.Took), r.StepsDone, r.Steps)
	if r.Error != "" {
		fmt.Fprintf(w, "  %s\n", r.Error)
	}
	fmt.Fprintf(w, "  events      %d", r.Events)
	if r.Unheard > 0 {
		fmt.Fprintf(w, " (%d without a subscriber)", r.Unheard)
	}
	fmt.Fprintf(w, "\n  deliveries  %d = %s\n", r.Deliveries.Emitted, r.Deliveries)
	writeCounts(w, r.Causes)
	if r.Faults != nil {
		fmt.Fprintf(w, "  on purpose  %d of the failed and dropped are due to these faults:\n", r.Planned)
		writeCounts(w, r.Faults)
	}
	if r.Challenges > 0 {
		fmt.Fprintf(w, "  challenges  %d, %d of them not passed\n", r.Challenges, r.Unpassed)
	}
	if r.Latency.Max > 0 {
		fmt.Fprintf(w, "  answers     p50 %s, p99 %s, max %s\n", Round(r.Latency.P50), Round(r.Latency.P99), Round(r.Latency.Max))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "  %s: %s %s", f.Position, f.Event, f.Status)
		if f.Detail != "" {
			fmt.Fprintf(w, ": %s", f.Detail)
		}
		fmt.Fprintln(w)
	}
	if all, shown := r.Unsuccessful()+r.Unpassed, uint64(len(r.Failures)); all > shown {
		fmt.Fprintf(w, "  … and %d more\n", all-shown)
	}
	if !r.Deliveries.Balanced() {
		fmt.Fprintf(w, "  the accounting does not balance: %d emitted, but %s\n", r.Deliveries.Emitted, r.Deliveries)
	}
	for _, a := range r.Armed {
		fmt.Fprintf(w, "  %s: still armed for %d calls of %s: %s\n", a.Position, a.Times, a.Operation, a.What)
	}
	fmt.Fprintf(w, "  rerun       %s\n", rerun)
}

func writeCounts(w io.Writer, counts map[string]uint64) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "              %s × %s\n", strconv.FormatUint(counts[what], 10), what)
	}
}

// Round returns the duration with about three digits, for people.
func Round(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		if d < 1000*unit || unit >= time.Hour {
			return d.Round(unit)
		}
	}
}
