package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// speed is a number or "max".
type speed clock.Speed

func (s *speed) UnmarshalJSON(b []byte) error {
	if string(b) == "null" { // left out
		return nil
	}
	text := string(b)
	if err := json.Unmarshal(b, &text); err != nil {
		text = string(b)
	}
	parsed, err := clock.ParseSpeed(text)
	*s = speed(parsed)
	return err
}

// startRun performs a scenario in a workspace.
func (s *server) startRun(r *request) (answer, error) {
	var body struct {
		Scenario    string     `json:"scenario"`
		YAML        string     `json:"yaml"`
		Seed        *uint64    `json:"seed"`
		Start       *time.Time `json:"start"`
		Speed       speed      `json:"speed"`
		Concurrency int        `json:"concurrency"`
		Rate        float64    `json:"rate"`
		Token       *string    `json:"token"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if speed := clock.Speed(body.Speed); body.Rate > 0 && speed != 0 && speed != clock.Max {
		return answer{}, badRequest("speed scales the times of the story, and rate goes by none of them: send only one of them")
	}
	wait, waitErr := r.duration("wait", 0, MaxWait)
	story, storyErr := s.story(body.Scenario, body.YAML)
	if err := errors.Join(waitErr, storyErr); err != nil {
		return answer{}, err
	}
	id, err := s.chosen(r, body.Token)
	if err := errors.Join(r.queried(), err); err != nil {
		return answer{}, err
	}
	fixtures := s.Sent
	if body.Scenario != "" {
		fixtures = s.FixturesOf(story)
	}
	// A story that waits for somebody who calls the API may wait for a registration.
	if _, later := story.NeedsCaller(); later {
	} else if w, _ := s.Store.Get(id); !slices.ContainsFunc(w.Webhooks, func(h workspace.Webhook) bool { return h.Active && !h.Fixed }) {
		return answer{}, fail(http.StatusConflict, "nobody-subscribed", "the workspace has no active webhook, so nobody would get an event: register one first")
	}
	run, err := s.Engine.Start(id, story, replay.Options{
		Seed: cmp.Or(body.Seed, s.Seed), Start: body.Start, Speed: cmp.Or(clock.Speed(body.Speed), s.Speed), Fixtures: fixtures,
		Concurrency: body.Concurrency, Rate: body.Rate,
	})
	switch {
	case errors.Is(err, replay.ErrBusy):
		return answer{}, fail(http.StatusConflict, "too-many-runs", err.Error()+": wait for one to end, or cancel it")
	case err != nil:
		return answer{}, badRequest("%v", err)
	case wait == 0:
		return answer{status: http.StatusAccepted, body: map[string]report.Run{"run": run.Report()}}, nil
	}
	return ended(r, run, wait)
}

// ended answers with the report of a run once that has ended, within some time.
func ended(r *request, run *replay.Run, wait time.Duration) (answer, error) {
	err := await(r, wait, func(ctx context.Context) error {
		select {
		case <-run.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err != nil {
		late := interrupted(err, "the run did not end within "+wait.String()+"; it goes on")
		late.Nearest = run.Report()
		return answer{}, late
	}
	return ok(map[string]report.Run{"run": run.Report()})
}

// story returns the scenario that the request names or brings.
func (s *server) story(name, yaml string) (*scenario.Scenario, error) {
	switch {
	case name == "" && yaml == "":
		return nil, badRequest("name a scenario, or give one as yaml")
	case name != "" && yaml != "":
		return nil, badRequest("scenario names a story and yaml gives one: send only one of them")
	case name != "":
		story, err := s.Library.Scenario(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, s.noScenario(name)
		}
		if err != nil {
			return nil, badRequest("%v", err)
		}
		return story, nil
	default:
		story, problems := scenario.Parse("yaml", []byte(yaml))
		if story == nil {
			texts := make([]string, len(problems))
			for i, p := range problems {
				texts[i] = p.String()
			}
			return nil, fail(http.StatusBadRequest, "invalid-scenario", "the scenario is invalid", texts...)
		}
		return story, nil
	}
}

func (s *server) listRuns(r *request) (answer, error) {
	id, err := s.named(r, nil)
	since, limit, pageErr := r.page()
	if err := errors.Join(err, pageErr, r.queried()); err != nil {
		return answer{}, err
	}
	reports := []report.Run{}
	for _, run := range s.Engine.Runs(id) {
		one := run.Report()
		one.Coverage.Items = []report.Covered{} // GET of a single one has them
		reports = append(reports, one)
	}
	page, next := slicePage(reports, since, limit)
	return ok(map[string]any{"runs": page, "next": next})
}

// showRun answers with a run's report as it stands or, with wait, once it has ended.
func (s *server) showRun(r *request) (answer, error) {
	wait, err := r.duration("wait", 0, MaxWait)
	if err != nil {
		return answer{}, err
	}
	run, err := s.run(r)
	switch {
	case err != nil:
		return answer{}, err
	case wait > 0:
		return ended(r, run, wait)
	default:
		return ok(map[string]report.Run{"run": run.Report()})
	}
}

func (s *server) cancelRun(r *request) (answer, error) {
	run, err := s.run(r)
	if err != nil {
		return answer{}, err
	}
	run.Cancel(journal.ByCancel)
	return ok(map[string]report.Run{"run": run.Report()})
}

// run returns the run that the path names.
func (s *server) run(r *request) (*replay.Run, error) {
	if err := r.queried(); err != nil {
		return nil, err
	}
	run, found := s.Engine.Run(r.path("id"))
	if !found {
		return nil, fail(http.StatusNotFound, "no-such-run", "no run "+quoted(r.path("id"))+": it was never started, was reset, or made room for newer ones")
	}
	return run, nil
}
