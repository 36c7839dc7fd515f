package emulator_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

// Every shipped story: performed twice, in two emulators, the same bytes arrive.
func TestShippedStoriesRepeat(t *testing.T) {
	t.Parallel()
	library, err := emulator.NewLibrary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(scenarios.Names()) < 10 {
		t.Errorf("there are only %d stories", len(scenarios.Names()))
	}
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := library.Scenario(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := s.NeedsCaller(); ok {
				return // TestShippedStoriesWithACaller
			}
			first, r := perform(t, emulator.Performance{Scenario: s})
			second, _ := perform(t, emulator.Performance{Scenario: s, Seed: &r.Seed, Start: &r.Start})
			if !slices.Equal(first, second) {
				t.Error("two performances differ")
			}
			if !r.OK() {
				t.Errorf("it went wrong: %+v", r)
			}
			if faulty(s) {
				return
			}
			if len(first) != s.Deliveries() {
				t.Errorf("%d of %d events arrived: %+v", len(first), s.Deliveries(), r)
			}
			checkCoherence(t, s, first)
		})
	}
}

// faulty reports whether what arrives is not, event by event, what the cast made.
func faulty(s *scenario.Scenario) bool {
	return slices.ContainsFunc(s.Steps, func(step scenario.Step) bool {
		return !reflect.DeepEqual(step.Delivery, scenario.DeliveryFault{})
	})
}

// A story that waits for a client of the API goes on when one comes, who retries a
// registration that failed.
func TestShippedStoriesWithACaller(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	for _, name := range scenarios.Names() {
		s, err := e.Library().Scenario(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.NeedsCaller(); !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			consumer, token := record(t), "sk-"+name
			var began struct{ Run report.Run }
			if code := control(t, e, "POST", "/runs", `{"scenario":"`+name+`","speed":"max","token":"`+token+`"}`, &began); code != 202 {
				t.Fatalf("it answered %d", code)
			}
			for calls := 1; ; calls++ {
				r := create(t, e, hirempire.Request{Token: token, Body: registration(consumer.URL)})
				if r.status == 200 {
					break
				}
				if calls > 10 {
					t.Fatalf("the last call answered %d %s", r.status, r.body)
				}
			}
			var ended struct{ Run report.Run }
			if code := control(t, e, "GET", "/runs/"+began.Run.ID+"?wait=1m", "", &ended); code != 200 {
				t.Fatalf("it did not end: %+v", ended)
			}
			if !ended.Run.OK() || ended.Run.Deliveries.Delivered == 0 || len(ended.Run.Armed) > 0 {
				t.Errorf("it went wrong: %+v", ended.Run)
			}
		})
	}
}

// Performed twice on one server, every story names other entities, by ids of the
// same form.
func TestShippedStoriesTwiceOnOneServer(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	for _, name := range scenarios.Names() {
		if s, err := e.Library().Scenario(name); err != nil || faulty(s) {
			continue
		} else if _, caller := s.NeedsCaller(); caller {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			consumer := record(t)
			if _, err := e.Register(t.Context(), "sk-"+name, consumer.URL, hirempire.Events()); err != nil {
				t.Fatal(err)
			}
			s, err := e.Library().Scenario(name)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-" + name, Speed: emulator.MaxSpeed}); err != nil || !r.OK() {
					t.Fatal(r, err)
				}
			}
			bodies := consumer.got()
			seen := map[string]bool{}
			for i, body := range bodies {
				step := stepOf(s, i%s.Deliveries())
				if step.Fixture != "" {
					continue // exactly these bytes
				}
				for path, value := range flatten(t, body) {
					id, _ := value.(string)
					if !strings.HasSuffix(path, ".id") || pinnedID(s, id) || isSet(step, path) {
						continue
					}
					if i < s.Deliveries() {
						seen[id] = true
					} else if seen[id] {
						t.Errorf("%s %s is in both performances", path, id)
					}
				}
			}
		})
	}
}

// stepOf returns the step of the nth event of a story.
func stepOf(s *scenario.Scenario, n int) scenario.Step {
	for _, step := range s.Steps {
		if step.Event == "" {
			continue
		}
		if n < step.Repeat {
			return step
		}
		n -= step.Repeat
	}
	panic("the story has fewer events")
}

// pinnedID reports whether the story's cast pins the id.
func pinnedID(s *scenario.Scenario, id string) bool {
	for _, kind := range []map[string]scenario.Member{s.Cast.Companies, s.Cast.Jobs, s.Cast.Applicants, s.Cast.Meetings} {
		for _, member := range kind {
			if strings.Contains(string(member.Pins), `"id":"`+id+`"`) {
				return true
			}
		}
	}
	return false
}

// isSet reports whether the step sets the path, a part of it or what it is part of.
func isSet(step scenario.Step, path string) bool {
	return slices.ContainsFunc(step.Set, func(s scenario.Setting) bool {
		return strings.HasPrefix(path+".", s.Path+".") || strings.HasPrefix(s.Path+".", path+".")
	})
}

// flatten returns the leaves of a payload by path.
func flatten(t *testing.T, body string) map[string]any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	leaves := map[string]any{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				walk(at+"."+key, value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s.%d", at, i), value)
			}
		default:
			leaves[strings.TrimPrefix(at, ".")] = v
		}
	}
	walk("", v)
	return leaves
}

// checkCoherence reads what arrived as a consumer would that joins by id: the
// same applicant, job and company have the same fields in every event, but for
// those that a step sets.
func checkCoherence(t *testing.T, s *scenario.Scenario, bodies []string) {
	t.Helper()
	known := map[string]any{} // by entity, id and path
	for i, body := range bodies {
		step := stepOf(s, i)
		leaves := flatten(t, body)
		for path, value := range leaves {
			entity, field, _ := strings.Cut(path, ".")
			if isSet(step, path) || isSet(step, entity+".id") || entity == "event" || entity == "timestamp" || entity == "meeting" {
				continue
			}
			if entity == "company" && field == "company" {
				field = "name" // two names of one field
			}
			key := fmt.Sprintf("%s %v %s", entity, leaves[entity+".id"], field)
			if entity == "applicant" && field != "id" && field != "name" && field != "email" {
				// Source, evaluation and answers are those of one application.
				key += fmt.Sprint(" for ", leaves["job.id"])
			}
			if before, ok := known[key]; ok && before != value {
				t.Errorf("event %d, %s: %s is %v and was %v", i, step.Event, key, value, before)
			}
			known[key] = value
		}
		if score, ok := leaves["applicant.ai_evaluation.score"].(float64); ok && !isSet(step, "applicant.ai_evaluation.score") && !isSet(step, "applicant.ai_evaluation.decision") && step.Fixture == "" {
			want := "Reject"
			if score >= 50 {
				want = "Review"
			}
			if score >= 75 {
				want = "Shortlist"
			}
			if got := leaves["applicant.ai_evaluation.decision"]; got != want {
				t.Errorf("event %d: a score of %v is a %v", i, score, got)
			}
		}
	}
}
