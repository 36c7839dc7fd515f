package cast_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// The documented keys in documented order, with the type of each leaf: s string,
// n number, b boolean; ? may be null. Arrays have exactly two elements.
const (
	jobKeys = `event:s timestamp:s company.id:s company.name:s job.id:s job.title:s job.department:s job.job_country:s
		job.career_level:s job.salary_range:s job.salary_period:s job.salary_currency:s job.hide_salary:b job.job_type:s
		job.workplace_type:s job.job_description:s job.sources.0:s job.sources.1:s`
	appliedKeys = `event:s timestamp:s job.id:s job.title:s company.id:s company.company:s applicant.id:s applicant.name:s
		applicant.email:s applicant.phone:s applicant.linkedin_url:s applicant.cv_url:s applicant.photo:s applicant.source:s
		applicant.nationality:s applicant.location:s applicant.city:s? applicant.years_of_experience:n
		applicant.spoken_languages.0.language:s applicant.spoken_languages.0.fluency:s
		applicant.spoken_languages.1.language:s applicant.spoken_languages.1.fluency:s
		applicant.ai_evaluation.score:n applicant.ai_evaluation.skill_match:s applicant.ai_evaluation.experience_match:s
		applicant.ai_evaluation.location_match:s applicant.ai_evaluation.decision:s applicant.ai_evaluation.decision_reason:s
		applicant.ai_evaluation.linkedin_match:b applicant.ai_evaluation.linkedin_match_score:n
		applicant.ai_evaluation.linkedin_differences:s
		applicant.special_questions.0.question:s applicant.special_questions.0.answer:s
		applicant.special_questions.1.question:s applicant.special_questions.1.answer:s
		applicant.media_questions.audio_url:s? applicant.media_questions.video_url:s?`
	cvKeys = `event:s timestamp:s company.id:s company.company:s job.id:s job.title:s applicant.id:s applicant.name:s
		applicant.email:s applicant.phone:s applicant.cv_url:s applicant.source:s applicant.nationality:s applicant.location:s
		applicant.years_of_experience:n applicant.ai_evaluation.score:n applicant.ai_evaluation.skill_match:s
		applicant.ai_evaluation.experience_match:s applicant.ai_evaluation.location_match:s applicant.ai_evaluation.decision:s
		applicant.ai_evaluation.decision_reason:s`
	meetingKeys = `event:s timestamp:s company.id:s company.name:s job.id:s job.title:s applicant.id:s applicant.name:s
		applicant.email:s meeting.id:s meeting.scheduled_at:s meeting.duration_minutes:n meeting.meeting_type:s
		meeting.meeting_link:s meeting.organizer.name:s meeting.organizer.email:s`
)

func TestKeysAndTypesAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for event, keys := range map[hirempire.Event]string{
		hirempire.JobAdded: jobKeys, hirempire.JobActivated: jobKeys, hirempire.JobDeactivated: jobKeys, hirempire.JobDeleted: jobKeys,
		hirempire.ApplicantApplied: appliedKeys, hirempire.CVUploadCompleted: cvKeys, hirempire.MeetingBooked: meetingKeys,
	} {
		nulls := map[string]bool{}
		for n := range uint64(100) {
			var got []string
			for _, leaf := range leaves(t, tell(t, n, 1, scenario.Cast{}).bytes(scenario.Step{Event: event})) {
				if name, null := strings.CutSuffix(leaf, ":null"); null {
					nulls[name] = true
					leaf = name + ":s?"
				}
				got = append(got, leaf)
			}
			for i, want := range strings.Fields(keys) {
				if i >= len(got) || strings.TrimSuffix(got[i], "?") != strings.TrimSuffix(want, "?") || strings.HasSuffix(got[i], "?") && got[i] != want {
					t.Fatalf("%s, seed %d: leaf %d of %q, want %q", event, n, i, got, want)
				}
			}
			if len(got) != len(strings.Fields(keys)) {
				t.Fatalf("%s, seed %d has more than the documented keys: %q", event, n, got)
			}
		}
		for want := range strings.FieldsSeq(keys) {
			if name, nullable := strings.CutSuffix(want, ":s?"); nullable && !nulls[name] {
				t.Errorf("%s: %s is never null in 100 seeds", event, name)
			}
		}
	}
}

// leaves lists the paths and types of what is no object or array, in wire order.
func leaves(t *testing.T, b []byte) []string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	var list []string
	var walk func(path string)
	walk = func(path string) {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		kind := ""
		switch v := token.(type) {
		case json.Delim:
			for i := 0; dec.More(); i++ {
				key := strconv.Itoa(i)
				if v == '{' {
					k, _ := dec.Token()
					key = k.(string)
				}
				walk(strings.TrimPrefix(path+"."+key, "."))
			}
			_, _ = dec.Token()
			return
		case string:
			kind = "s"
		case float64:
			kind = "n"
		case bool:
			kind = "b"
		case nil:
			kind = "null"
		}
		list = append(list, path+":"+kind)
	}
	walk("")
	return list
}

func TestDocumentedValuesOnly(t *testing.T) {
	t.Parallel()
	seen := map[string]map[string]bool{}
	for n := range uint64(1000) {
		s := tell(t, n, 1, scenario.Cast{})
		j := s.job(scenario.Step{}).Job
		a := s.applied(scenario.Step{}).Applicant
		for kind, got := range map[string][]string{
			"career_level": {j.CareerLevel}, "salary_period": {j.SalaryPeriod}, "job_type": {j.JobType},
			"workplace_type": {j.WorkplaceType}, "source": {j.Sources[0], j.Sources[1], a.Source}, "decision": {a.AIEvaluation.Decision},
		} {
			if seen[kind] == nil {
				seen[kind] = map[string]bool{}
			}
			for _, value := range got {
				seen[kind][value] = true
				if !slices.Contains(hirempire.Values(kind), value) {
					t.Fatalf("seed %d: %s is %q, which is not documented", n, kind, value)
				}
			}
		}
		if j.Sources[0] == j.Sources[1] {
			t.Errorf("seed %d: sources are %q", n, j.Sources)
		}
	}
	for kind, values := range seen {
		if kind != "source" && len(values) != len(hirempire.Values(kind)) {
			t.Errorf("1000 seeds have only these values of %s: %v", kind, values)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	m := tell(t, 1, 1, scenario.Cast{}).met(scenario.Step{})
	for prefix, id := range map[string]string{"comp_": m.Company.ID, "job_": m.Job.ID, "app_": m.Applicant.ID, "mtg_": m.Meeting.ID} {
		if !regexp.MustCompile("^" + prefix + "[a-z0-9]{18}$").MatchString(id) {
			t.Errorf("id %q, want %s and 18 of [a-z0-9]", id, prefix)
		}
	}
}
