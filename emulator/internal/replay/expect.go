package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// judge enters whether the answer to a delivery is as its step expects, and
// reports whether the expectation excuses a status that is not 2xx, and whether it
// did not hold.
func (r *Run) judge(step *scenario.Step, d journal.Delivery, a *deliver.Answer) (excused, unmet bool) {
	e := step.Expect
	if d.Status == journal.Dropped.With(journal.ByFault) {
		return false, false // on purpose, there was nothing to answer
	}
	switch d.Status.Cause() {
	case journal.ByCancel, journal.ByReset, journal.ByShutdown:
		return false, false // nothing can be said of it
	}
	checked, failures := judge(e, d, a)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Checked += uint64(checked)
	for _, f := range failures {
		f.Step, f.Iteration, f.Delivery, f.Event, f.Position = d.Step, d.Iteration, d.ID, string(d.Event), e.Pos.String()
		r.report.Unmet++
		r.fail(f, &d)
	}
	return a != nil && e.Status != nil && e.Expects(a.Status), failures != nil
}

// judge compares an answer with what is expected of it.
func judge(e *scenario.Expectation, d journal.Delivery, a *deliver.Answer) (checked int, failures []report.Failure) {
	if a == nil {
		return 1, []report.Failure{{Expectation: "an answer", Got: "none: " + string(d.Status), Detail: d.Detail}}
	}
	check := func(holds bool, f report.Failure) {
		if checked++; !holds {
			failures = append(failures, f)
		}
	}
	if e.Status != nil {
		wanted := make([]string, len(e.Status))
		for i, s := range e.Status {
			wanted[i] = s.String()
		}
		got := strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)))
		check(e.Expects(a.Status), report.Failure{Expectation: "status", Expected: strings.Join(wanted, " or "), Got: got})
	}
	if e.Within > 0 {
		check(a.After <= e.Within, report.Failure{Expectation: "within", Expected: e.Within.String(), Got: report.Round(a.After).String()})
	}
	if e.Body != nil {
		diff := contains(e.Body, a)
		check(diff == "", report.Failure{Expectation: "body", Diff: diff})
	}
	for _, h := range e.Headers {
		values := a.Header.Values(h.Name)
		f := report.Failure{Expectation: "header " + h.Name, Expected: h.Value, Got: strings.Join(values, ", ")}
		if f.Got == "" {
			f.Got = "none"
		}
		if h.Remove {
			f.Expected = "none"
			check(len(values) == 0, f)
		} else {
			check(slices.Contains(values, h.Value), f)
		}
	}
	return checked, failures
}

// contains returns in which way the answer does not contain the expected JSON, ""
// if it does.
func contains(expected json.RawMessage, a *deliver.Answer) string {
	want, err := decode(expected)
	if err != nil {
		return "- " + string(expected) + "\n" // checked when the story was read
	}
	got, err := decode(a.Body)
	if err != nil {
		what := "nothing"
		if len(a.Body) > 0 {
			what = strconv.Quote(string(a.Body[:min(len(a.Body), 200)])) + ", which is no JSON"
		}
		return line("- ", "", want, 0) + "+ " + what + "\n"
	}
	if subset(want, got) {
		return ""
	}
	return diff(want, got, "", 0)
}

func decode(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

// subset reports whether a value contains the expected one: an object its fields,
// a list as many elements that each contain theirs; everything else is equal,
// numbers by value.
func subset(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		for key, value := range want {
			other, has := got[key]
			ok = ok && has && subset(value, other)
		}
		return ok
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return false
		}
		for i := range want {
			if !subset(want[i], got[i]) {
				return false
			}
		}
		return true
	case json.Number:
		got, ok := got.(json.Number)
		if !ok {
			return false
		}
		a, errA := want.Float64()
		b, errB := got.Float64()
		return want == got || errA == nil && errB == nil && a == b
	default:
		return want == got
	}
}

// diff shows where the values differ, a line each: what was expected after "- ",
// what came after "+ ", and what is around it. label stands before the value.
func diff(want, got any, label string, depth int) string {
	indent := strings.Repeat("  ", depth)
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			var b strings.Builder
			fmt.Fprintf(&b, "  %s%s{\n", indent, label)
			for _, key := range slices.Sorted(maps.Keys(want)) {
				name := string(hirempire.Marshal(key)) + ": "
				other, has := got[key]
				switch {
				case !has:
					b.WriteString(line("- ", name, want[key], depth+1))
				case subset(want[key], other):
					b.WriteString(line("  ", name, other, depth+1))
				default:
					b.WriteString(diff(want[key], other, name, depth+1))
				}
			}
			fmt.Fprintf(&b, "  %s}\n", indent)
			return b.String()
		}
	case []any:
		if got, ok := got.([]any); ok {
			var b strings.Builder
			fmt.Fprintf(&b, "  %s%s[\n", indent, label)
			for i := range max(len(want), len(got)) {
				switch {
				case i >= len(want):
					b.WriteString(line("+ ", "", got[i], depth+1))
				case i >= len(got):
					b.WriteString(line("- ", "", want[i], depth+1))
				case subset(want[i], got[i]):
					b.WriteString(line("  ", "", got[i], depth+1))
				default:
					b.WriteString(diff(want[i], got[i], "", depth+1))
				}
			}
			fmt.Fprintf(&b, "  %s]\n", indent)
			return b.String()
		}
	}
	return line("- ", label, want, depth) + line("+ ", label, got, depth)
}

// line is a value on one line, which is cut where it gets too long.
func line(mark, label string, value any, depth int) string {
	text := []rune(string(hirempire.Marshal(value)))
	if len(text) > maxLine {
		text = append(text[:maxLine], '…')
	}
	return mark + strings.Repeat("  ", depth) + label + string(text) + "\n"
}

// maxLine is how many characters of a value a line of a difference shows.
const maxLine = 200

// unheard enters that an event of a step with an expectation had no subscriber.
func (r *Run) unheard(i, n int, step *scenario.Step) {
	if step.Expect == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Checked++
	r.report.Unmet++
	r.fail(report.Failure{
		Step: i + 1, Iteration: n + 1, Event: string(step.Event), Position: step.Expect.Pos.String(),
		Expectation: "an answer", Got: "none: no active webhook is subscribed to the event",
	}, nil)
}

// settle waits until every delivery of a step has ended. The run's time stands
// still meanwhile.
func (r *Run) settle(ctx context.Context, i int) error {
	reached := make(chan struct{})
	r.mu.Lock()
	if r.report.Results[i].Deliveries.Pending() == 0 {
		close(reached)
	} else {
		r.idle = idle{i, reached}
	}
	r.mu.Unlock()
	var err error
	r.still(func() {
		select {
		case <-reached:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	})
	return err
}

// failFast returns the error that ends a run whose expectation did not hold.
func (r *Run) failFast(step *scenario.Step) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fast || r.report.Unmet == 0 {
		return nil
	}
	return unmetError(fmt.Sprintf("%s: an expectation did not hold, and the run was to end at the first", step.Expect.Pos))
}

// conclude checks what is expected of the whole run, with the lock held.
func (r *Run) conclude() {
	e := r.scenario.Expect
	if e == nil || r.report.State != report.Finished {
		return
	}
	check := func(wanted, holds bool, f report.Failure) {
		if !wanted {
			return
		}
		r.report.Checked++
		if !holds {
			f.Position = e.Pos.String()
			r.report.Unmet++
			r.fail(f, nil)
		}
	}
	check(e.NoFailures, r.report.Unsuccessful()+r.report.Unpassed == 0, report.Failure{
		Expectation: "no_failures",
		Got:         fmt.Sprintf("deliveries: %d, challenges: %d that did not succeed", r.report.Unsuccessful(), r.report.Unpassed),
	})
	check(e.MaxP99 > 0, r.report.Latency.P99 <= e.MaxP99, report.Failure{
		Expectation: "max_p99", Expected: e.MaxP99.String(), Got: report.Round(r.report.Latency.P99).String(),
	})
}
