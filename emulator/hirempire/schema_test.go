package hirempire_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// compiled returns the event's schema as a validator reads it that is not ours,
// and for which formats count.
func compiled(t *testing.T, edition hirempire.Edition, e hirempire.Event) *jsonschema.Schema {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(hirempire.Schema(edition, e)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func payload(t *testing.T, edition hirempire.Edition, e hirempire.Event) any {
	t.Helper()
	b, err := fs.ReadFile(fixtures.FS, fmt.Sprintf("%s/payloads/%s.json", edition, e))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// The documented sample of an event fits its schema, and no other one: neither of
// another event nor of another edition.
func TestSamplesFitTheirSchemasOnly(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		for _, e := range hirempire.Events() {
			schema := compiled(t, edition, e)
			for _, other := range hirempire.Editions() {
				for _, event := range hirempire.Events() {
					err := schema.Validate(payload(t, other, event))
					if fits := other == edition && event == e; (err == nil) != fits {
						t.Errorf("%s of %s, held to the schema of %s of %s: %v", event, other, e, edition, err)
					}
				}
			}
		}
	}
	if s := hirempire.Schema(hirempire.DefaultEdition, "job_paused"); s != nil {
		t.Errorf("the schema of an unknown event is %s", s)
	}
	if s := hirempire.Schema("2027-01", hirempire.JobAdded); s != nil {
		t.Errorf("the schema of an unknown edition is %s", s)
	}
}

// nullable is what the documentation marks as possibly null.
var nullable = []string{".applicant.city", ".applicant.media_questions.audio_url", ".applicant.media_questions.video_url"}

// A sample with one thing wrong about it does not fit, whatever and wherever it is.
func TestSchemasRefuseWhatIsNotDocumented(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		tried := map[string]int{}
		for _, e := range hirempire.Events() {
			schema := compiled(t, edition, e)
			mutate(payload(t, edition, e), "", func(kind, at string, mutant any) {
				tried[kind]++
				err := schema.Validate(mutant)
				if legal := kind == "null" && slices.Contains(nullable, at); (err == nil) != legal {
					t.Errorf("%s, %s: %s at %q: %v", edition, e, kind, at, err)
				}
			})
		}
		for _, kind := range []string{"missing key", "extra key", "wrong type", "null"} {
			if tried[kind] < 30 {
				t.Errorf("%s was tried %d times", kind, tried[kind])
			}
		}
	}
}

// mutate yields the value with one thing wrong about it, or about something in it.
func mutate(value any, at string, yield func(kind, at string, mutant any)) {
	yield("null", at, nil)
	other := any("text")
	if _, ok := value.(string); ok {
		other = true
	}
	yield("wrong type", at, other)
	switch v := value.(type) {
	case map[string]any:
		extra := maps.Clone(v)
		extra["unheard_of"] = "text"
		yield("extra key", at, extra)
		yield("wrong type", at, []any{})
		for key, element := range v {
			missing := maps.Clone(v)
			delete(missing, key)
			yield("missing key", at+"."+key, missing)
			mutate(element, at+"."+key, func(kind, at string, mutant any) {
				if kind == "null" && element == nil {
					return // nothing changed
				}
				changed := maps.Clone(v)
				changed[key] = mutant
				yield(kind, at, changed)
			})
		}
	case []any:
		yield("wrong type", at, map[string]any{})
		for i, element := range v {
			mutate(element, fmt.Sprintf("%s.%d", at, i), func(kind, at string, mutant any) {
				changed := slices.Clone(v)
				changed[i] = mutant
				yield(kind, at, changed)
			})
		}
	}
}

// with returns a sample with another value at a path.
func with(t *testing.T, sample any, path string, value any) any {
	t.Helper()
	key, rest, deeper := strings.Cut(path, ".")
	object, ok := sample.(map[string]any)
	if _, there := object[key]; !ok || !there {
		t.Fatalf("there is no %s", path)
	}
	changed := maps.Clone(object)
	if changed[key] = value; deeper {
		changed[key] = with(t, object[key], rest, value)
	}
	return changed
}

// What a value of the right type may be.
func TestSchemasKnowValues(t *testing.T) {
	t.Parallel()
	applied, added, booked, cv := hirempire.ApplicantApplied, hirempire.JobAdded, hirempire.MeetingBooked, hirempire.CVUploadCompleted
	for _, c := range []struct {
		event hirempire.Event
		path  string
		value any
		fits  bool
	}{
		{added, "event", "job_activated", false},
		{added, "timestamp", "2026-01-30T00:00:00Z", false},
		{added, "timestamp", "2026-01-30T00:00:00.000+02:00", false},
		{added, "timestamp", "2026-13-30T00:00:00.000Z", false},
		{booked, "meeting.scheduled_at", "tomorrow", false},
		{added, "job.id", "job_1", false},
		{added, "job.id", "app_l2mmg3wl3edp2ol0wq", false},
		{booked, "company.id", "", false},
		{booked, "meeting.id", "8d31bd5fce8341b08b11be047e4d942f", false},
		{applied, "applicant.id", "8D31BD5F-CE83-41B0-8B11-BE047E4D942F", false},
		{applied, "applicant.email", "nobody", false},
		{booked, "meeting.organizer.email", "a b@example.org", false},
		{applied, "applicant.phone", "0170 123456", false},
		{cv, "applicant.phone", "+0170123456", false},
		{applied, "applicant.linkedin_url", "linkedin", false},
		{applied, "applicant.photo", "/photo.jpg", false},
		{applied, "applicant.media_questions.video_url", "video.mp4", false},
		{cv, "applicant.cv_url", "", false},
		{booked, "meeting.meeting_link", "not a link", false},
		{applied, "applicant.source", "Monster", false},
		{added, "job.sources", []any{"LinkedIn", "linkedin"}, false},
		{added, "job.sources", []any{}, true},
		{added, "job.career_level", "Boss", false},
		{added, "job.salary_range", "8000", false},
		{added, "job.salary_range", "8000 USD", true},
		{added, "job.salary_currency", "US$", false},
		{added, "job.salary_period", "Per decade", false},
		{added, "job.job_type", "full-time", false},
		{added, "job.workplace_type", "Onsite", false},
		{added, "job.job_description", "No newline", false},
		{added, "job.job_description", "One.\nTwo.\n", true},
		{applied, "applicant.ai_evaluation.score", 101, false},
		{applied, "applicant.ai_evaluation.score", 100, true},
		{applied, "applicant.ai_evaluation.score", 49.5, true},
		{cv, "applicant.ai_evaluation.score", -1, false},
		{applied, "applicant.ai_evaluation.linkedin_match_score", 100.5, false},
		{cv, "applicant.ai_evaluation.decision", "Hire", false},
		// What is documented by example only may be anything.
		{cv, "applicant.ai_evaluation.skill_match", "Superb", true},
		{cv, "applicant.ai_evaluation.location_match", "", true},
		{booked, "meeting.meeting_type", "Coffee", true},
		{booked, "meeting.duration_minutes", 22.5, true},
		{applied, "applicant.years_of_experience", 0.5, true},
		{applied, "applicant.spoken_languages", []any{map[string]any{"language": "Norn", "fluency": "Forgotten"}}, true},
		{applied, "applicant.special_questions", []any{}, true},
	} {
		for _, edition := range hirempire.Editions() {
			err := compiled(t, edition, c.event).Validate(with(t, payload(t, edition, c.event), c.path, c.value))
			if (err == nil) != c.fits {
				t.Errorf("%s, %s: %s = %v: %v", edition, c.event, c.path, c.value, err)
			}
		}
	}
}

// The keys of a schema stand in the order of the wire, for those who read it.
func TestSchemasAreInOrder(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		for _, e := range hirempire.Events() {
			rest := string(hirempire.Schema(edition, e))
			for _, f := range hirempire.Fields(e) {
				name := f.Path[strings.LastIndex(f.Path, ".")+1:]
				if name == "N" {
					name = "items"
				}
				_, after, ok := strings.Cut(rest, fmt.Sprintf("%q: {", name))
				if !ok {
					t.Fatalf("%s, %s: %s is not where it belongs", edition, e, f.Path)
				}
				rest = after
			}
		}
	}
}
