package scenario_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

func TestNameOfFile(t *testing.T) {
	t.Parallel()
	story := []byte("version: 1\nsteps: [{event: job_added}]\n")
	for file, want := range map[string]string{
		"quiet-day.yaml":           "quiet-day",
		"stories/Quiet Day.v2.yml": "Quiet Day.v2",
		`C:\stories\quiet.yaml`:    "quiet",
		"<stdin>":                  "<stdin>",
	} {
		s, problems := scenario.Parse(file, story)
		if s == nil || s.Name != want || s.File != file {
			t.Errorf("%s: %+v, %v", file, s, problems)
		}
	}
}

func TestWarningsAlone(t *testing.T) {
	t.Parallel()
	s, problems := scenario.Parse("story.yaml", []byte("version: 1\nsteps: [{event: job_added, set: {job.job_type: Fulltime}}]\n"))
	if s == nil || scenario.HasErrors(problems) || len(problems) != 1 {
		t.Fatalf("%v %s", s, lines(problems))
	}
	const want = "story.yaml:2:48: warning: `Fulltime` is not a documented value of `job.job_type`, did you mean `Full-time`?"
	if got := problems[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestEveryPathCanBeSet sets each documented field of each event.
func TestEveryPathCanBeSet(t *testing.T) {
	t.Parallel()
	values := map[hirempire.Kind]string{hirempire.String: `"2026-01-30T09:00:00Z"`, hirempire.Number: "5", hirempire.Boolean: "true", hirempire.Array: "[]", hirempire.Object: "{}"}
	for _, e := range hirempire.Events() {
		for _, f := range hirempire.Fields(e) {
			path := strings.ReplaceAll(f.Path, ".N", ".1")
			for value, good := range map[string]bool{values[f.Kind]: true, "null": f.Nullable} {
				s, problems := scenario.Parse("story.yaml", []byte("version: 1\nsteps: [{event: "+string(e)+", set: {"+path+": "+value+"}}]\n"))
				if (s != nil) != good {
					t.Errorf("%s: %s: %s: %s", e, path, value, lines(problems))
				}
				if s != nil && (len(s.Steps[0].Set) != 1 || string(s.Steps[0].Set[0].Value) != value || s.Steps[0].Set[0].Path != path) {
					t.Errorf("%s: %+v", path, s.Steps[0].Set)
				}
			}
		}
	}
}

func TestSetAlone(t *testing.T) {
	t.Parallel()
	set, problems := scenario.ParseSet(hirempire.ApplicantApplied, []byte(`{"applicant.city": null, "applicant.name": "Lina"}`))
	if len(set) != 2 || set[0].Path != "applicant.city" || string(set[1].Value) != `"Lina"` {
		t.Errorf("%v %s", set, lines(problems))
	}
	if set, problems := scenario.ParseSet(hirempire.JobAdded, []byte(`{"applicant.city": null}`)); set != nil || len(problems) != 1 {
		t.Errorf("%v %s", set, lines(problems))
	}
	set, problems = scenario.ParseSet(hirempire.JobAdded, []byte(`{"job.workplace_type": "Underwater"}`))
	if len(set) != 1 || len(problems) != 1 || problems[0].Code != "undocumented-value" || scenario.HasErrors(problems) {
		t.Errorf("a warning: %v %s", set, lines(problems))
	}
}

// What JSON allows and YAML does not.
func TestSetIsJSON(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"job.title":"\ud83d\ude00"}`:         `"😀"`,
		`{"job.title":"a\/b"}`:                 `"a/b"`,
		"{\"job.title\"\n:\n\"\u2028\u007f\"}": "\"\u2028\u007f\"",
		`{"job.sources":["X",  "Xing"]}`:       `["X","Xing"]`,
		`{"job.hide_salary":true}`:             `true`,
	} {
		set, problems := scenario.ParseSet(hirempire.JobAdded, []byte(data))
		if len(set) != 1 || string(set[0].Value) != want {
			t.Errorf("%s: %s %s", data, set, lines(problems))
		}
	}
	for _, data := range []string{``, ` `, `{}`} {
		if set, problems := scenario.ParseSet(hirempire.JobAdded, []byte(data)); len(set) != 0 || len(problems) != 0 {
			t.Errorf("%q: %v %s", data, set, lines(problems))
		}
	}
	for _, data := range []string{`[]`, `1`, `{"job.title":`, `{"job.title":1}`, `{"job.title":null}`} {
		if set, problems := scenario.ParseSet(hirempire.JobAdded, []byte(data)); set != nil || !scenario.HasErrors(problems) {
			t.Errorf("%q: %v %s", data, set, lines(problems))
		}
	}
}

// TestReaderIsNotEnough keeps the reason for our own scan true: where it has
// become superfluous, it can go.
func TestReaderIsNotEnough(t *testing.T) {
	t.Parallel()
	right, wrong, none := 0, 0, 0
	stories := corpus(t, "syntax")
	for file, data := range stories {
		_, problems := scenario.Parse(file, data)
		decoder := yaml.NewDecoder(strings.NewReader(string(data)))
		var err error
		for err == nil {
			err = decoder.Decode(new(yaml.Node))
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s is YAML", file)
			continue
		}
		_, rest, found := strings.Cut(err.Error(), "line ")
		line, _, _ := strings.Cut(rest, ":")
		switch {
		case !found:
			none++
		case len(problems) == 1 && strings.Contains(problems[0].String(), ":"+line+":"):
			right++
		default:
			wrong++
		}
	}
	t.Logf("of %d broken files, the reader has the right line for %d, a wrong one for %d, none for %d", len(stories), right, wrong, none)
	if len(stories) < 20 || wrong < 10 || none < 2 {
		t.Errorf("the corpus does not show why: %d files, %d wrong, %d without a line", len(stories), wrong, none)
	}
}
