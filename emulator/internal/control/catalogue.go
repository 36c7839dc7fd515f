package control

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

type scenarioView struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Steps       int               `json:"steps"`
	Deliveries  int               `json:"deliveries"` // to each webhook that is subscribed to everything
	Events      []hirempire.Event `json:"events"`
	// NeedsCaller: it waits for somebody who calls the API, or arms faults for them.
	NeedsCaller bool   `json:"needs_caller"`
	YAML        string `json:"yaml,omitempty"` // of a single one
}

func (s *server) viewScenario(name string) (scenarioView, error) {
	story, err := s.Library.Scenario(name)
	if err != nil {
		return scenarioView{}, err
	}
	_, caller := story.NeedsCaller()
	return scenarioView{
		Name: story.Name, Description: story.Description, Steps: len(story.Steps), Deliveries: story.Deliveries(), Events: list(story.Events()), NeedsCaller: caller,
	}, nil
}

func (s *server) listScenarios(r *request) (answer, error) {
	since, limit, err := r.page()
	if err != nil {
		return answer{}, err
	}
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	names, next := slicePage(s.Library.Names(), since, limit)
	views := []scenarioView{}
	for _, name := range names {
		v, err := s.viewScenario(name)
		if err != nil {
			return answer{}, err
		}
		views = append(views, v)
	}
	return ok(map[string]any{"scenarios": views, "next": next})
}

// noScenario says that no story has a name, and which was probably meant.
func (s *server) noScenario(name string) error {
	message := "there is no scenario " + quoted(name)
	if near := scenario.Nearest(name, s.Library.Names()); near != "" {
		message += ", did you mean " + near + "?"
	}
	return fail(http.StatusNotFound, "no-such-scenario", message)
}

func (s *server) showScenario(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	name := r.path("name")
	if !slices.Contains(s.Library.Names(), name) {
		return answer{}, s.noScenario(name)
	}
	v, err := s.viewScenario(name)
	if err != nil {
		return answer{}, err
	}
	text, err := s.Library.Source(name)
	if err != nil {
		return answer{}, err
	}
	v.YAML = string(text)
	return ok(map[string]scenarioView{"scenario": v})
}

// lint lists what is wrong with a story, and what keeps this emulator from
// performing it.
func (s *server) lint(r *request) (answer, error) {
	var body struct {
		YAML *string `json:"yaml"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	if body.YAML == nil {
		return answer{}, badRequest("give the story as yaml")
	}
	story, problems := scenario.Draft("yaml", []byte(*body.YAML))
	if story != nil {
		problems = append(problems, s.Library.Obstacles(story, s.Sent...)...)
		slices.SortStableFunc(problems, scenario.Problem.Compare)
	}
	return ok(map[string]any{"valid": !scenario.HasErrors(problems), "problems": list(problems)})
}

type fieldView struct {
	Path     string         `json:"path"`
	Type     hirempire.Kind `json:"type"`
	Nullable bool           `json:"nullable"`
	Values   []string       `json:"values,omitempty"`
	Note     string         `json:"note,omitempty"`
}

type eventView struct {
	Name   hirempire.Event `json:"name"`
	Fires  string          `json:"fires"`
	Fields []fieldView     `json:"fields"`
	Sample json.RawMessage `json:"sample"` // documented
}

func (s *server) listEvents(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	views := []eventView{}
	for _, e := range hirempire.Events() {
		sample, err := fs.ReadFile(fixtures.FS, fmt.Sprintf("%s/payloads/%s.json", s.Edition, e))
		if err != nil {
			return answer{}, err
		}
		v := eventView{Name: e, Fires: e.Fires(), Fields: []fieldView{}, Sample: sample}
		for _, f := range hirempire.Fields(e) {
			v.Fields = append(v.Fields, fieldView{f.Path, f.Kind, f.Nullable, f.Values, f.Doc})
		}
		views = append(views, v)
	}
	return ok(map[string]any{"events": views})
}

func (s *server) listErrors(r *request) (answer, error) {
	asked := r.query("edition")
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	edition := s.Edition
	if asked != "" {
		var err error
		if edition, err = hirempire.ParseEdition(asked); err != nil {
			return answer{}, badRequest("%v", err)
		}
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return ok(map[string]any{"edition": edition, "errors": report.Errors(edition, scheme+"://"+r.Host)})
}
