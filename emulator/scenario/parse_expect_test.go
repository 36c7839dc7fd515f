package scenario_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

func TestExpect(t *testing.T) {
	t.Parallel()
	at := scenario.Position{File: "story.yaml", Line: 3, Col: 24}
	for text, want := range map[string]scenario.Expectation{
		`{status: 204}`:        {Status: []scenario.StatusRange{{204, 204}}},
		`{status: 200}`:        {Status: []scenario.StatusRange{{200, 200}}},
		`{status: 599}`:        {Status: []scenario.StatusRange{{599, 599}}},
		`{status: 2xx}`:        {Status: []scenario.StatusRange{{200, 299}}},
		`{status: "3xx"}`:      {Status: []scenario.StatusRange{{300, 399}}},
		`{status: [4xx]}`:      {Status: []scenario.StatusRange{{400, 499}}},
		`{status: [5xx, 409]}`: {Status: []scenario.StatusRange{{500, 599}, {409, 409}}},
		`{status: [200, 2xx]}`: {Status: []scenario.StatusRange{{200, 200}, {200, 299}}},
		`{within: 24h}`:        {Within: 24 * time.Hour},
		// Null is a value; what is left out is none.
		`{body: null}`:                         {Body: []byte(`null`)},
		`{body: }`:                             {Body: []byte(`null`)},
		`{body: ok}`:                           {Body: []byte(`"ok"`)},
		`{body: {}}`:                           {Body: []byte(`{}`)},
		`{body: {b: [1.50, TRUE, ~], a: "<"}}`: {Body: []byte(`{"b":[1.50,true,null],"a":"<"}`)},
		`{status: [204, 200], body: 0}`:        {Status: []scenario.StatusRange{{204, 204}, {200, 200}}, Body: []byte(`0`)},
		`{header: {etag: null, Content-Length: "2", Host: ""}}`: {Headers: []scenario.Header{
			{Name: "etag", Remove: true}, {Name: "Content-Length", Value: "2"}, {Name: "Host"}}},
	} {
		s, problems := scenario.Parse("story.yaml", []byte("version: 1\nsteps:\n  - {event: job_added, expect: "+text+"}\n"))
		want.Pos = at
		if s == nil || len(problems) > 0 || !reflect.DeepEqual(s.Steps[0].Expect, &want) {
			t.Errorf("%s: %+v %s", text, s, lines(problems))
		}
	}
}

// A status that is listed twice is odd, and counts once.
func TestExpectTwice(t *testing.T) {
	t.Parallel()
	s, problems := scenario.Parse("story.yaml", []byte("version: 1\nsteps: [{event: job_added, expect: {status: [2xx, 204, 404, 2xx, 404]}}]\n"))
	if s == nil || len(problems) != 3 || !reflect.DeepEqual(s.Steps[0].Expect.Status, []scenario.StatusRange{{200, 299}, {404, 404}}) {
		t.Errorf("%+v %s", s, lines(problems))
	}
}

func TestExpectOfTheRun(t *testing.T) {
	t.Parallel()
	at := scenario.Position{File: "story.yaml", Line: 2, Col: 1}
	for text, want := range map[string]*scenario.RunExpectation{
		`{no_failures: true}`:                   {Pos: at, NoFailures: true},
		`{max_p99: 1ns}`:                        {Pos: at, MaxP99: 1},
		`{no_failures: false, max_p99: 24h}`:    {Pos: at, MaxP99: 24 * time.Hour},
		`{max_p99: 250ms, no_failures: True}`:   {Pos: at, NoFailures: true, MaxP99: 250 * time.Millisecond},
		`{no_failures: false} # with a warning`: nil,
	} {
		s, problems := scenario.Parse("story.yaml", []byte("version: 1\nexpect: "+text+"\nsteps: [{event: job_added}]\n"))
		if s == nil || !reflect.DeepEqual(s.Expect, want) || (len(problems) > 0) != (want == nil) {
			t.Errorf("%s: %+v %s", text, s, lines(problems))
		}
	}
}

// TestExpectWithDrop: only what is sent is answered. What is wrong itself says
// nothing about that.
func TestExpectWithDrop(t *testing.T) {
	t.Parallel()
	for delivery, want := range map[string]string{
		`{drop: true}`:              "misplaced-key",
		`{drop: true, chance: 1}`:   "misplaced-key",
		`{drop: true, chance: 1.0}`: "misplaced-key",
		`{drop: true, chance: 0.5}`: "",
		`{drop: true, chance: 2}`:   "bad-value",
		`{drop: false, delay: 1s}`:  "",
		`{duplicates: 1}`:           "",
	} {
		_, problems := scenario.Parse("story.yaml", []byte("version: 1\nsteps: [{event: job_added, expect: {status: 2xx}, delivery: "+delivery+"}]\n"))
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || problems[0].Code != want) {
			t.Errorf("%s: %s", delivery, lines(problems))
		}
	}
}

// TestExpectingStory holds the story of expectations to what it promises: any
// sensible consumer passes, and one that takes everything for JSON does not.
func TestExpectingStory(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("expectations.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Parse("expectations.yaml", data)
	if s == nil {
		t.Fatalf("%s", lines(problems))
	}
	if s.Expect == nil || !s.Expect.NoFailures {
		t.Errorf("of the run it expects %+v", s.Expect)
	}
	refused := false
	for _, step := range s.Steps {
		e := step.Expect
		if e == nil {
			t.Errorf("%v: nothing is expected", step.Pos)
			continue
		}
		if spoilt := step.Delivery.Corrupt == scenario.NotJSON; spoilt != e.Expects(400) || spoilt == e.Expects(200) {
			t.Errorf("%v expects %v", step.Pos, e)
		} else if spoilt {
			refused = true
		}
		if e.Within > 0 && e.Within < 5*time.Second || e.Body != nil && string(e.Body) != "{}" || e.Headers != nil {
			t.Errorf("%v expects what not every consumer does: %v", step.Pos, e)
		}
	}
	if at, needed := s.NeedsCaller(); needed || !refused {
		t.Errorf("%v: it needs a caller: %v; nonsense is refused: %v", at, needed, refused)
	}
}
