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
	"strings"
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

// What a report keeps at most; all of it is counted.
const (
	// MaxFailures is how many failures a report lists, MaxOfStep how many of one
	// step, so that one does not hide the others.
	MaxFailures, MaxOfStep = 10_000, 100
	// MaxExamined is how many of them have their payload and answer.
	MaxExamined = 100
	// MaxPoints is how many deliveries the timeline has; of more, every second or
	// fourth and so on.
	MaxPoints = 2000
	// shownFailures is how many failures the summary for people lists.
	shownFailures = 20
)

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
	// Expected is how many of the failed deliveries their step expected to fail.
	Expected uint64 `json:"expected"`
	// Checked counts the expectations that were looked at, Unmet those that did not
	// hold; of steps, of the run, and awaits.
	Checked uint64 `json:"checked"`
	Unmet   uint64 `json:"unmet"`
	// Armed are faults of the API that the story armed and nobody met.
	Armed  []Armed           `json:"armed,omitempty"`
	Causes map[string]uint64 `json:"causes,omitempty"` // settled other than delivered, by status
	// Retries is how many attempts were made beyond the first of each delivery.
	Retries uint64 `json:"retries"`
	// Concurrency is how many deliveries could be on their way to each webhook at once.
	Concurrency int `json:"concurrency"`
	// Schedule is what became of a rate; nil: the run had the story's times. With one,
	// answer times count from when the event was due.
	Schedule *Schedule `json:"schedule,omitempty"`
	Latency  Latency   `json:"latency"`
	Failures []Failure `json:"failures,omitempty"` // at most MaxFailures
	// AllFailures is how many there are, listed or not.
	AllFailures uint64 `json:"all_failures"`
	// Coverage is what the run exercised, and what clients did in its workspace
	// meanwhile; empty until it has ended.
	Coverage Coverage `json:"coverage"`
	// Results are what became of the steps, in order.
	Results []Step `json:"results"`
	// Timeline is at most MaxPoints of the deliveries, evenly taken, in the order in
	// which they ended.
	// It is in the full report only.
	Timeline []Point `json:"-"`
	// Histogram counts answer times; in the full report only.
	Histogram []Bucket `json:"-"`
}

// A Step is what became of one step of the story.
type Step struct {
	Position string    `json:"position"` // file:line:col
	What     string    `json:"what"`     // in a few words
	State    StepState `json:"state"`
	// Began and Took are measured: since the run began, and until the story moved on,
	// which is before the last delivery has ended unless something was awaited.
	Began      time.Duration `json:"began_ns"`
	Took       time.Duration `json:"took_ns"`
	Deliveries Ledger        `json:"deliveries"`
	Failures   uint64        `json:"failures"` // all of them, as listed in the run
}

// StepState is what became of a step.
type StepState string

// The states.
const (
	Waiting StepState = "waiting" // not reached yet or, once the run has ended, at all
	Going   StepState = "going"   // under way, or some of its deliveries are
	Passed  StepState = "passed"
	Failing StepState = "failed" // a delivery, a challenge or an expectation of it failed
	Errored StepState = "error"  // could not be performed
)

// A Point is one delivery on the timeline.
type Point struct {
	At      time.Duration `json:"at_ns"`   // when it ended, since the run began
	Took    time.Duration `json:"took_ns"` // its last attempt
	Step    int           `json:"step"`    // from 1
	Webhook string        `json:"webhook"`
	Event   string        `json:"event"`
	Status  string        `json:"status"`
	OK      bool          `json:"ok"` // delivered, planned or expected
}

// A Bucket counts the answer times above that of the bucket before it, up to its own.
type Bucket struct {
	UpTo  time.Duration `json:"up_to_ns"`
	Count int64         `json:"count"`
}

// An Armed fault of the API was still there at the end of the run.
type Armed struct {
	ID        string `json:"id"`
	Position  string `json:"position"` // of the step, file:line:col
	Operation string `json:"operation"`
	What      string `json:"what"`
	Times     int    `json:"times"` // that are left
}

// A Failure is one delivery or challenge that did not succeed, or an expectation
// that did not hold.
type Failure struct {
	Step      int    `json:"step"`                // from 1; zero: of the run
	Iteration int    `json:"iteration,omitempty"` // from 1
	Delivery  string `json:"delivery,omitempty"`  // its id, or the challenge's
	Event     string `json:"event,omitempty"`     // or challenge
	Position  string `json:"position"`            // of the step or its expectation, file:line:col
	Status    string `json:"status,omitempty"`    // such as failed(timeout)
	Detail    string `json:"detail,omitempty"`
	// Of an expectation: what was looked at (status, within, body, header NAME,
	// no_failures, max_p99, await), and the difference line by line where that is
	// longer than a word, each line after "- " (expected), "+ " (got) or "  ".
	Expectation string `json:"expectation,omitempty"`
	Expected    string `json:"expected,omitempty"`
	Got         string `json:"got,omitempty"`
	Diff        string `json:"diff,omitempty"`
	// Payload and Answer are the first bytes of what was sent and came back, of the
	// first MaxExamined failures.
	Payload string `json:"payload,omitempty"`
	Answer  string `json:"answer,omitempty"`
}

// String says what failed, as file:line:col: message; a difference follows on lines
// of its own.
func (f Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", f.Position)
	if f.Expectation == "" {
		fmt.Fprintf(&b, "%s %s", f.Event, f.Status)
		if f.Detail != "" {
			fmt.Fprintf(&b, ": %s", f.Detail)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "expected %s", f.Expectation)
	if f.Expected != "" {
		fmt.Fprintf(&b, " %s", f.Expected)
	}
	if f.Got != "" {
		fmt.Fprintf(&b, ", got %s", f.Got)
	}
	if f.Delivery != "" {
		fmt.Fprintf(&b, " (%s %s", f.Event, f.Delivery)
		if f.Iteration > 1 {
			fmt.Fprintf(&b, ", iteration %d", f.Iteration)
		}
		b.WriteString(")")
	}
	if f.Detail != "" {
		fmt.Fprintf(&b, ": %s", f.Detail)
	}
	if f.Diff != "" {
		fmt.Fprintf(&b, " [- expected, + got]\n%s", strings.TrimSuffix(f.Diff, "\n"))
	}
	return b.String()
}

// Latency is how long consumers took to answer, from the start of an attempt, or
// from when its event was due if the run had a rate, to the end of its answer; all
// zero where nothing was answered.
type Latency struct {
	Count uint64        `json:"count"`
	Min   time.Duration `json:"min_ns"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
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
	at := func(q float64) time.Duration { return µs(l.h.ValueAtQuantile(q)) }
	return Latency{
		uint64(l.h.TotalCount()), µs(l.h.Min()), time.Duration(l.h.Mean() * float64(time.Microsecond)),
		at(50), at(90), at(95), at(99), at(99.9), µs(l.h.Max()),
	}
}

func µs(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// Histogram returns the counts in buckets whose bounds are 1, 2 and 5 times the
// powers of ten, from the first that holds any to the last.
func (l *Latencies) Histogram() []Bucket {
	if l.h == nil {
		return nil
	}
	var buckets []Bucket
	bars := l.h.Distribution()
	i := 0
	for decade := int64(1); i < len(bars); decade *= 10 {
		for _, step := range []int64{1, 2, 5} {
			b := Bucket{UpTo: µs(decade * step)}
			for ; i < len(bars) && bars[i].From <= decade*step; i++ {
				b.Count += bars[i].Count
			}
			if b.Count > 0 || buckets != nil {
				buckets = append(buckets, b)
			}
		}
	}
	for len(buckets) > 0 && buckets[len(buckets)-1].Count == 0 {
		buckets = buckets[:len(buckets)-1]
	}
	return buckets
}

// OK reports whether the run came to its end, everything that was expected held,
// and every delivery and challenge went well that was not spoilt on purpose or
// expected to fail.
func (r Run) OK() bool {
	return r.State == Finished && r.Deliveries.Balanced() && r.Unmet == 0 && r.Unpassed == 0 &&
		r.Deliveries.Delivered+r.Planned+r.Expected == r.Deliveries.Emitted
}

// Unsuccessful returns how many deliveries did not succeed, and neither on purpose
// nor as expected.
func (r Run) Unsuccessful() uint64 {
	return r.Deliveries.Failed + r.Deliveries.Dropped - r.Planned - r.Expected
}

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

// WriteText writes the run's summary for people; rerun is what [Run.Rerun] returns, or
// empty.
func (r Run) WriteText(w io.Writer, rerun string) { r.WriteStyled(w, rerun, Plain) }

// WriteStyled is [Run.WriteText] in a style.
func (r Run) WriteStyled(w io.Writer, rerun string, style Style) {
	fmt.Fprintf(w, "%s, %d of %d steps\n", r.headline(style), r.StepsDone, r.Steps)
	if r.Error != "" {
		fmt.Fprintf(w, "  %s\n", style.paint(r.ink(), printable(r.Error)))
	}
	r.writeAccounting(w, style)
	if r.Checked > 0 {
		fmt.Fprintf(w, "  expected    %d checks, %s\n", r.Checked, style.bad(r.Unmet, "%d of them failed", r.Unmet))
	}
	alike := r.alike()
	shown := 0 // failures
	for _, g := range alike[:min(shownFailures, len(alike))] {
		shown += g.Times
		for n, line := range strings.Split(printable(g.Failure.String()), "\n") {
			switch {
			case n > 0:
				fmt.Fprintf(w, "    %s\n", style.paintDiff(line))
			case g.Times > 1:
				fmt.Fprintf(w, "  %s (%d times)\n", line, g.Times)
			default:
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
		if with := firstLine(g.Answer); with != "" && g.Expectation == "" {
			fmt.Fprintf(w, "    with  %s\n", with)
		}
	}
	if all := r.AllFailures; all > uint64(shown) {
		fmt.Fprintf(w, "  … and %d more\n", all-uint64(shown))
	}
	if !r.Deliveries.Balanced() {
		fmt.Fprintf(w, "  the accounting does not balance: %d emitted, but %s\n", r.Deliveries.Emitted, r.Deliveries)
	}
	for _, a := range r.Armed {
		fmt.Fprintf(w, "  %s: still armed for %d calls of %s: %s\n", printable(a.Position), a.Times, a.Operation, printable(a.What))
	}
	if r.Coverage.Covered > 0 {
		fmt.Fprintf(w, "  exercised   %s\n", r.Coverage.text(false))
	}
	if rerun != "" {
		fmt.Fprintf(w, "  rerun       %s\n", style.paint(dim, rerun))
	}
}

// WriteTotals writes the part of [Run.WriteStyled] that counts, for who tells
// failures by itself and has no steps worth counting.
func (r Run) WriteTotals(w io.Writer, style Style) {
	fmt.Fprintln(w, r.headline(style))
	r.writeAccounting(w, style)
}

// headline says what the run came to, and when.
func (r Run) headline(style Style) string {
	return fmt.Sprintf("%s: %s after %s", style.paint(bold, printable(r.Scenario)), style.paint(r.ink(), string(r.State)), Round(r.Took))
}

// ink is that of the run's verdict.
func (r Run) ink() ink {
	v, _ := r.Verdict(false)
	return v.ink()
}

// writeAccounting writes what became of events and deliveries.
func (r Run) writeAccounting(w io.Writer, style Style) {
	fmt.Fprintf(w, "  events      %d", r.Events)
	if r.Unheard > 0 {
		fmt.Fprintf(w, " (%d without a subscriber)", r.Unheard)
	}
	fmt.Fprintf(w, "\n  deliveries  %d = %s\n", r.Deliveries.Emitted, style.bad(r.Unsuccessful(), "%s", r.Deliveries))
	writeCounts(w, r.Causes)
	if r.Faults != nil {
		switch r.Planned {
		case 0:
			fmt.Fprintln(w, "  on purpose  these faults, because of which nothing failed:")
		default:
			fmt.Fprintf(w, "  on purpose  %d of the failed and dropped are due to these faults:\n", r.Planned)
		}
		writeCounts(w, r.Faults)
	}
	if r.Challenges > 0 {
		fmt.Fprintf(w, "  challenges  %d, %s\n", r.Challenges, style.bad(r.Unpassed, "%d passed", r.Challenges-r.Unpassed))
	}
	if r.Retries > 0 {
		fmt.Fprintf(w, "  retries     %d\n", r.Retries)
	}
	if r.Latency.Max > 0 {
		from := ""
		if r.Schedule != nil {
			from = ", from when each was due"
		}
		fmt.Fprintf(w, "  answers     p50 %s, p99 %s, max %s%s\n", Round(r.Latency.P50), Round(r.Latency.P99), Round(r.Latency.Max), from)
	}
	if r.Schedule != nil {
		late := uint64(0)
		if r.State != Running {
			late = r.Schedule.Late
		}
		fmt.Fprintf(w, "  schedule    %s\n", style.bad(late, "%s", r.Schedule.Text(r.Deliveries.Emitted)))
	}
}

// firstLine returns the beginning of an answer, which tells what went wrong.
func firstLine(answer string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(answer), "\n")
	if runes := []rune(strings.TrimSpace(line)); len(runes) > 120 {
		line, rest = strings.TrimSpace(string(runes[:120])), "more"
	}
	if rest != "" {
		line += " …"
	}
	return printable(line)
}

// A group is failures that differ in their delivery only.
type group struct {
	Failure     // the first
	Times   int // that are listed
}

// alike groups the listed failures, or a consumer that is down would hide what
// else is wrong.
func (r Run) alike() []group {
	var groups []group
	seen := map[Failure]int{}
	for _, f := range r.Failures {
		key := f
		key.Iteration, key.Delivery, key.Payload, key.Answer = 0, "", "", ""
		if key.Expectation == "within" {
			key.Got = "" // which is another time each time
		}
		i, ok := seen[key]
		if !ok {
			i = len(groups)
			seen[key] = i
			groups = append(groups, group{Failure: f})
		}
		groups[i].Times++
	}
	return groups
}

func writeCounts(w io.Writer, counts map[string]uint64) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "              %s × %s\n", strconv.FormatUint(counts[what], 10), printable(what))
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
