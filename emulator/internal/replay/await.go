package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// An unmetError says what an await waited for in vain.
type unmetError string

// Error returns the sentence.
func (e unmetError) Error() string { return string(e) }

var errLate = errors.New("the time of the await is over")

// hasFaults says which armed fault of a story the edition does not have.
func (e *Engine) hasFaults(s *scenario.Scenario) error {
	for _, step := range s.Steps {
		if step.Fault == nil {
			continue
		}
		if _, err := workspace.NewFault(e.cfg.Edition, *step.Fault, ""); err != nil {
			return fmt.Errorf("%s: %w", step.Fault.Pos, err)
		}
	}
	return nil
}

// arm arms the fault of a step for the run's workspace, or for that of its token.
func (r *Run) arm(step *scenario.Step) error {
	cfg := r.engine.cfg
	of := r.report.Workspace
	if step.Fault.Token != "" {
		of = cfg.Store.ID(step.Fault.Token)
	}
	f, err := workspace.NewFault(cfg.Edition, *step.Fault, of)
	if err == nil {
		f, err = cfg.Store.Arm(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step.Pos, err)
	}
	r.armed = append(r.armed, f.ID)
	return nil
}

// stillArmed lists the run's faults that are not used up.
func (r *Run) stillArmed() []report.Armed {
	var left []report.Armed
	if r.armed == nil {
		return nil
	}
	for _, f := range r.engine.cfg.Store.Faults("") {
		if slices.Contains(r.armed, f.ID) {
			left = append(left, report.Armed{
				ID: f.ID, Position: f.Pos.String(), Operation: string(f.Operation), What: f.String(), Times: f.Times,
			})
		}
	}
	return left
}

// mark ends a step for awaits: they count what comes after it. An await does not
// end one in this sense, but moves on behind what it counted: what comes next may
// have come already when it returns.
func (r *Run) mark() {
	r.calls = r.engine.cfg.Journal.Position()
	r.registrations = r.engine.cfg.Store.Registrations()
}

// await returns when what the step waits for has come. The run's time stands
// still meanwhile, and the time that it may take is real.
func (r *Run) await(ctx context.Context, i int, step *scenario.Step) error {
	a := *step.Await
	bounded, cancel := context.WithTimeoutCause(ctx, a.Within, errLate)
	defer cancel()
	var err error
	r.still(func() { err = r.awaitOne(bounded, a) })
	late := errors.Is(err, errLate)
	if err != nil && !late {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Checked++
	if !late {
		return nil
	}
	what := r.unmet(a)
	r.report.Unmet++
	r.fail(report.Failure{Step: i + 1, Position: step.Pos.String(), Expectation: "await", Expected: a.String(), Detail: what}, nil)
	return unmetError(fmt.Sprintf("%s: await: %s", step.Pos, what))
}

func (r *Run) awaitOne(ctx context.Context, a scenario.Await) error {
	cfg := r.engine.cfg
	switch {
	case a.Registration:
		number, err := cfg.Store.AwaitRegistration(ctx, r.report.Workspace, a.Event, r.registrations)
		if err == nil {
			r.registrations = number
		}
		return err
	case a.Operation != "":
		_, err := cfg.Journal.AwaitCalls(ctx, r.callsOf(a), r.calls, a.Count)
		if err == nil {
			_, r.calls = cfg.Journal.Calls(r.callsOf(a), r.calls, a.Count)
		}
		return err
	default:
		// Counts add up, so that two awaits for the same need twice as many.
		kind := scenario.Await{Outcome: a.Outcome, Event: a.Event}
		want := r.counted[kind] + a.Count
		_, err := cfg.Journal.Await(ctx, r.outcomesOf(a), 0, want)
		if err == nil {
			r.counted[kind] = want
		}
		return err
	}
}

func (r *Run) callsOf(a scenario.Await) journal.CallFilter {
	return journal.CallFilter{Workspace: r.report.Workspace, Operation: a.Operation, Status: a.Status, AnsweredBy: a.AnsweredBy}
}

func (r *Run) outcomesOf(a scenario.Await) journal.Filter {
	f := journal.Filter{Workspace: r.report.Workspace, Run: r.report.ID, Event: a.Event, Status: journal.Status(a.Outcome)}
	if a.Outcome == "settled" {
		f.Status = ""
	}
	return f
}

// unmet says what did not come, and what came nearest.
func (r *Run) unmet(a scenario.Await) string {
	j := r.engine.cfg.Journal
	var nearest []string
	what := "no registration of a webhook"
	switch {
	case a.Registration:
		if a.Event != "" {
			what += " for " + string(a.Event)
		}
	case a.Operation != "":
		got, _ := j.Calls(r.callsOf(a), r.calls, a.Count)
		what = fmt.Sprintf("%d of %d calls of %s", len(got), a.Count, a.Operation)
		if a.Count == 1 {
			what = "no call of " + string(a.Operation)
		}
		if a.Status != 0 {
			what += fmt.Sprintf(" answered with %d", a.Status)
		}
		if a.AnsweredBy != "" {
			what += " answered by " + a.AnsweredBy
		}
		for _, m := range j.NearestCalls(r.callsOf(a), r.calls, 3) {
			nearest = append(nearest, fmt.Sprintf("%s %s, answered with %d by %s (%s)", m.Of.Method, m.Of.Path, m.Of.Status, m.Of.AnsweredBy, m.Why))
		}
	default:
		of := "deliveries"
		if a.Event != "" {
			of += " of " + string(a.Event)
		}
		what = fmt.Sprintf("fewer than %d more %s %s", a.Count, of, a.Outcome)
		if a.Count == 1 {
			what = fmt.Sprintf("no more %s %s", of, a.Outcome)
		}
		for _, m := range j.NearestMisses(r.outcomesOf(a), 0, 3) {
			nearest = append(nearest, fmt.Sprintf("%s %s, %s (%s)", m.Of.ID, m.Of.Event, m.Of.Status, m.Why))
		}
	}
	what += " within " + a.Within.String()
	if nearest != nil {
		what += "; nearest: " + strings.Join(nearest, "; ")
	}
	return what
}
