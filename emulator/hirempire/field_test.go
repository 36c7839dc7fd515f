package hirempire_test

import (
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

func TestFindField(t *testing.T) {
	t.Parallel()
	fields := hirempire.Fields(hirempire.ApplicantApplied)
	for _, c := range []struct {
		path     string
		kind     hirempire.Kind
		nullable bool
	}{
		{"timestamp", hirempire.String, false},
		{"job", hirempire.Object, false},
		{"company.company", hirempire.String, false},
		{"applicant.city", hirempire.String, true},
		{"applicant.ai_evaluation.score", hirempire.Number, false},
		{"applicant.ai_evaluation.linkedin_match", hirempire.Boolean, false},
		{"applicant.spoken_languages", hirempire.Array, false},
		{"applicant.spoken_languages.0", hirempire.Object, false},
		{"applicant.spoken_languages.12.fluency", hirempire.String, false},
		{"applicant.media_questions.audio_url", hirempire.String, true},
	} {
		f, ok := hirempire.FindField(fields, c.path)
		if !ok || f.Path != c.path || f.Kind != c.kind || f.Nullable != c.nullable {
			t.Errorf("FindField(%q) = %+v, %v", c.path, f, ok)
		}
	}
	for _, path := range []string{"", ".", "company.name", "applicant.City", "applicant.spoken_languages.N",
		"applicant.spoken_languages.-1", "applicant.spoken_languages.01", "applicant.0", "applicant.name.first", "timestamp.wall"} {
		if f, ok := hirempire.FindField(fields, path); ok {
			t.Errorf("FindField(%q) found %+v", path, f)
		}
	}
	if f, _ := hirempire.FindField(hirempire.Fields(hirempire.JobAdded), "job.sources.3"); f.Kind != hirempire.String {
		t.Errorf("job.sources.3 is %+v", f)
	}
}
