package cast_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

func pinnedApplicant(pins string) scenario.Cast {
	return scenario.Cast{Applicants: map[string]scenario.Member{"lina": {Name: "lina", Pins: json.RawMessage(pins)}}}
}

func pinnedJob(pins string) scenario.Cast {
	return scenario.Cast{Jobs: map[string]scenario.Member{"backend": {Name: "backend", Pins: json.RawMessage(pins)}}}
}

// Every pin has to hold whatever the seed.
const seeds = 60

func TestApplicantPinsSteer(t *testing.T) {
	t.Parallel()
	type A = hirempire.Applicant
	city := func(a A) string {
		if a.City == nil {
			return "null"
		}
		return *a.City
	}
	for _, c := range []struct {
		name, pins string
		holds      func(A) bool
	}{
		{"name", `{"name":"Lina Haddad"}`, func(a A) bool {
			return a.Name == "Lina Haddad" && strings.HasPrefix(a.Email, "lina.haddad@example.") &&
				strings.Contains(a.LinkedInURL, "/in/lina-haddad-") && strings.HasSuffix(a.Photo, "/lina-haddad.jpg")
		}},
		{"name with accents", `{"name":"Zoë D’Ångström-Łukasiewicz"}`, func(a A) bool {
			return strings.HasPrefix(a.Email, "zoe.dangstrom.lukasiewicz@example.") && a.Name == "Zoë D’Ångström-Łukasiewicz"
		}},
		{"Arabic name", `{"name":"لينا حداد"}`, func(a A) bool {
			return strings.HasPrefix(a.Email, "candidate@example.") && linkedIn.MatchString(a.LinkedInURL)
		}},
		{"Chinese name", `{"name":"李娜"}`, func(a A) bool { return strings.HasPrefix(a.Email, "candidate@example.") }},
		{"endless name", `{"name":"` + strings.Repeat("Anna ", 40) + `"}`, func(a A) bool {
			local, _, _ := strings.Cut(a.Email, "@")
			return len(local) <= 64 && mail.MatchString(a.Email)
		}},
		{"id", `{"id":"app_1"}`, func(a A) bool { return a.ID == "app_1" && strings.Contains(a.CVURL, "/app_1/") }},
		{"e-mail", `{"email":"l@example.org"}`, func(a A) bool { return a.Email == "l@example.org" }},
		{"score of the shortlist", `{"ai_evaluation":{"score":91}}`, func(a A) bool {
			e := a.AIEvaluation
			return e.Score == 91 && e.Decision == "Shortlist" && e.SkillMatch == "Strong" && recommended.MatchString(e.DecisionReason)
		}},
		{"fractional score", `{"ai_evaluation":{"score":74.5}}`, func(a A) bool {
			return a.AIEvaluation.Score == 74.5 && a.AIEvaluation.Decision == "Review"
		}},
		{"score of a reject", `{"ai_evaluation":{"score":12}}`, func(a A) bool {
			return a.AIEvaluation.Decision == "Reject" && a.AIEvaluation.SkillMatch == "Weak" && !recommended.MatchString(a.AIEvaluation.DecisionReason)
		}},
		{"decision", `{"ai_evaluation":{"decision":"Review"}}`, func(a A) bool {
			return a.AIEvaluation.Decision == "Review" && a.AIEvaluation.Score >= 50 && a.AIEvaluation.Score < 75
		}},
		{"decision against the score", `{"ai_evaluation":{"decision":"Reject","score":99}}`, func(a A) bool {
			return a.AIEvaluation.Decision == "Reject" && a.AIEvaluation.Score == 99
		}},
		{"years", `{"years_of_experience":40}`, func(a A) bool {
			return a.YearsOfExperience == 40 && a.AIEvaluation.ExperienceMatch == "Moderate" && strings.Contains(a.AIEvaluation.DecisionReason, "40 years")
		}},
		{"half a year", `{"years_of_experience":6.5}`, func(a A) bool { return strings.Contains(a.AIEvaluation.DecisionReason, "6.5 years") }},
		{"skills", `{"ai_evaluation":{"skill_match":"Weak"}}`, func(a A) bool { return a.AIEvaluation.Score < 75 }},
		{"place", `{"ai_evaluation":{"location_match":"Yes"}}`, func(a A) bool { return !strings.Contains(a.AIEvaluation.DecisionReason, "location") }},
		{"LinkedIn score", `{"ai_evaluation":{"linkedin_match_score":33}}`, func(a A) bool {
			return !a.AIEvaluation.LinkedInMatch && strings.Count(a.AIEvaluation.LinkedInDifferences, "\n") == 3
		}},
		{"LinkedIn match", `{"ai_evaluation":{"linkedin_match":false}}`, func(a A) bool { return a.AIEvaluation.LinkedInMatchScore < 70 }},
		{"location", `{"location":"Hamburg, Germany"}`, func(a A) bool {
			return city(a) == "Hamburg" && a.Nationality == "German" && strings.HasPrefix(a.Phone, "+494066969") && a.SpokenLanguages[0].Language == "German"
		}},
		{"location that is a country", `{"location":"Sweden"}`, func(a A) bool { return city(a) == "null" && a.Nationality == "Swedish" }},
		{"location that is a city", `{"location":"Lyon"}`, func(a A) bool { return city(a) == "Lyon" && a.Nationality == "French" }},
		{"location of another Paris", `{"location":"Paris, Texas","nationality":"American"}`, func(a A) bool {
			return city(a) == "Paris" && strings.HasPrefix(a.Phone, "+1")
		}},
		{"location elsewhere", `{"location":"Cairo, Egypt"}`, func(a A) bool {
			return city(a) == "Cairo" && a.AIEvaluation.LocationMatch != "Yes" && e164.MatchString(a.Phone)
		}},
		{"nationality", `{"nationality":"Irish"}`, func(a A) bool {
			return strings.HasSuffix(a.Location, "Ireland") && strings.HasPrefix(a.Phone, "+35320")
		}},
		{"nationality and location", `{"nationality":"French","location":"London, United Kingdom"}`, func(a A) bool {
			return strings.HasPrefix(a.Phone, "+44") && a.SpokenLanguages[0].Language == "French" && a.SpokenLanguages[1].Language == "English"
		}},
		{"German in Sweden", `{"nationality":"German","city":"Uppsala"}`, func(a A) bool {
			return a.SpokenLanguages[0].Language == "German" && a.SpokenLanguages[1].Language == "Swedish"
		}},
		{"nationality elsewhere", `{"nationality":"Egyptian"}`, func(a A) bool { return a.Nationality == "Egyptian" && e164.MatchString(a.Phone) }},
		{"city", `{"city":"Malmö"}`, func(a A) bool { return a.Location == "Malmö, Sweden" && strings.HasPrefix(a.Phone, "+46") }},
		{"city elsewhere", `{"city":"Cairo"}`, func(a A) bool { return city(a) == "Cairo" && a.Location == "Cairo" }},
		{"no city", `{"city":null}`, func(a A) bool { return a.City == nil && !strings.Contains(a.Location, ",") }},
		{"empty city", `{"city":""}`, func(a A) bool { return a.City != nil && *a.City == "" }},
		{"no city in a location", `{"city":null,"location":"Paris, France"}`, func(a A) bool { return a.City == nil && a.Location == "Paris, France" }},
		{"empty location", `{"location":""}`, func(a A) bool { return a.Location == "" }},
		{"no audio", `{"media_questions":{"audio_url":null,"video_url":"https://v.example/1"}}`, func(a A) bool {
			return a.MediaQuestions.AudioURL == nil && *a.MediaQuestions.VideoURL == "https://v.example/1"
		}},
		{"languages", `{"spoken_languages":[{"language":"Arabic"}]}`, func(a A) bool {
			return slices.Equal(a.SpokenLanguages, []hirempire.SpokenLanguage{{Language: "Arabic"}})
		}},
		{"no questions", `{"special_questions":[]}`, func(a A) bool { return a.SpecialQuestions != nil && len(a.SpecialQuestions) == 0 }},
		{"source", `{"source":"Pinterest"}`, func(a A) bool { return a.Source == "Pinterest" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for n := range uint64(seeds) {
				s := tell(t, n, 1, pinnedApplicant(c.pins))
				step := scenario.Step{Applicant: "lina", Job: "backend"}
				a := s.applied(step).Applicant
				if !c.holds(a) {
					t.Fatalf("seed %d, city %s: %+v", n, city(a), a)
				}
				if cv := s.cv(step).Applicant; cv.Name != a.Name || cv.AIEvaluation != a.AIEvaluation.Evaluation || cv.Location != a.Location {
					t.Fatalf("seed %d: the CV's %+v, the applicant's %+v", n, cv, a)
				}
			}
		})
	}
}

var recommended = regexp.MustCompile("Recommended|good candidate")

func TestJobPinsSteer(t *testing.T) {
	t.Parallel()
	type J = hirempire.JobDetails
	for _, c := range []struct {
		name, pins string
		holds      func(J) bool
	}{
		{"title", `{"title":"Backend Engineer"}`, func(j J) bool {
			return j.Title == "Backend Engineer" && j.Department == "Engineering" && strings.Contains(j.JobDescription, "a Backend Engineer") &&
				slices.Contains([]string{"Junior", "Mid-level", "Senior"}, j.CareerLevel)
		}},
		{"title with a level", `{"title":"Senior Product Manager (m/f/d)"}`, func(j J) bool {
			return j.Department == "Product" && j.CareerLevel == "Senior"
		}},
		{"title of a manager", `{"title":"Warehouse Manager"}`, func(j J) bool { return j.Department == "Operations" && j.CareerLevel == "Manager" }},
		{"title of a director", `{"title":"Head of Legal Design"}`, func(j J) bool { return j.Department == "Design" && j.CareerLevel == "Director" }},
		{"title of a chief", `{"title":"CTO"}`, func(j J) bool { return j.CareerLevel == "C-level" && j.JobType == "Full-time" }},
		{"title of an intern", `{"title":"Marketing Intern"}`, func(j J) bool {
			return j.Department == "Marketing" && j.CareerLevel == "Junior" && j.JobType == "Internship"
		}},
		{"title that we do not know", `{"title":"Barista"}`, func(j J) bool {
			return j.Title == "Barista" && strings.Contains(j.JobDescription, "a Barista")
		}},
		{"article", `{"title":"HR Generalist"}`, func(j J) bool { return strings.Contains(j.JobDescription, "an HR Generalist") }},
		{"department", `{"department":"Finance"}`, func(j J) bool {
			return strings.Contains(j.JobDescription, "our Finance team") && regexp.MustCompile("Account|Financ|Controller").MatchString(j.Title)
		}},
		{"department that we do not know", `{"department":"Legal"}`, func(j J) bool { return strings.Contains(j.Title, "Legal") }},
		{"level", `{"career_level":"VP"}`, func(j J) bool { return strings.HasPrefix(j.Title, "VP of ") && j.JobType == "Full-time" }},
		{"level and title", `{"title":"Backend Engineer","career_level":"Junior","salary_period":"Per year","salary_currency":"USD","job_type":"Full-time"}`, func(j J) bool {
			return regexp.MustCompile(`^(5|6|7)\d{4} USD$`).MatchString(j.SalaryRange)
		}},
		{"higher level", `{"title":"Backend Engineer","career_level":"Senior","salary_period":"Per year","salary_currency":"USD","job_type":"Full-time"}`, func(j J) bool {
			return regexp.MustCompile(`^(9\d|1[0-4]\d)\d{3} USD$`).MatchString(j.SalaryRange)
		}},
		{"country", `{"job_country":"Sweden"}`, func(j J) bool { return j.SalaryCurrency == "SEK" && strings.HasSuffix(j.SalaryRange, " SEK") }},
		{"country that we do not know", `{"job_country":"Egypt"}`, func(j J) bool { return j.JobCountry == "Egypt" && j.SalaryCurrency == "USD" }},
		{"currency", `{"salary_currency":"GBP"}`, func(j J) bool {
			return j.JobCountry == "United Kingdom" && strings.HasSuffix(j.SalaryRange, " GBP")
		}},
		{"currency and country", `{"salary_currency":"EUR","job_country":"Sweden"}`, func(j J) bool {
			return j.JobCountry == "Sweden" && strings.HasSuffix(j.SalaryRange, " EUR")
		}},
		{"currency that we do not know", `{"salary_currency":"EGP"}`, func(j J) bool { return strings.HasSuffix(j.SalaryRange, " EGP") }},
		{"salary", `{"salary_range":"8000 CAD"}`, func(j J) bool {
			return j.SalaryRange == "8000 CAD" && j.SalaryCurrency == "CAD" && j.JobCountry == "Canada"
		}},
		{"workplace", `{"workplace_type":"Hybrid"}`, func(j J) bool { return regexp.MustCompile("hybrid|from home").MatchString(j.JobDescription) }},
		{"job type", `{"job_type":"Internship"}`, func(j J) bool {
			return j.CareerLevel == "Junior" && strings.HasSuffix(j.Title, " Intern") && strings.Contains(j.JobDescription, "internship takes")
		}},
		{"hidden salary", `{"hide_salary":false}`, func(j J) bool { return !j.HideSalary }},
		{"description", `{"job_description":"Do.\n"}`, func(j J) bool { return j.JobDescription == "Do.\n" }},
		{"sources", `{"sources":["Xing"]}`, func(j J) bool { return slices.Equal(j.Sources, []string{"Xing"}) }},
		{"id", `{"id":"job_1"}`, func(j J) bool { return j.ID == "job_1" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for n := range uint64(seeds) {
				s := tell(t, n, 1, pinnedJob(c.pins))
				j := s.job(scenario.Step{Job: "backend"}).Job
				if !c.holds(j) {
					t.Fatalf("seed %d: %+v", n, j)
				}
				a := s.applied(scenario.Step{Job: "backend"})
				if a.Job.Title != j.Title || a.Job.ID != j.ID {
					t.Fatalf("seed %d: applied for %+v, a %s", n, a.Job, j.Title)
				}
				if c.name == "sources" && n == 0 && a.Applicant.Source == "" {
					t.Fatalf("no source: %+v", a)
				}
			}
		})
	}
}

func TestCompanyPinsSteer(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{Companies: map[string]scenario.Member{
		"acme": {Name: "acme", Pins: []byte(`{"id":"comp_1","name":"Acme & Söhne GmbH"}`)},
	}})
	m := s.met(scenario.Step{Company: "acme"})
	if m.Company != (hirempire.Company{ID: "comp_1", Name: "Acme & Söhne GmbH"}) || !strings.HasSuffix(m.Meeting.Organizer.Email, "@acme-sohne-gmbh.example") {
		t.Errorf("%+v", m)
	}
	if got := s.applied(scenario.Step{Company: "acme"}).Company.Company; got != "Acme & Söhne GmbH" {
		t.Errorf("company.company is %q", got)
	}
}

func TestMeetingPinsSteer(t *testing.T) {
	t.Parallel()
	pinned := scenario.Cast{Meetings: map[string]scenario.Member{
		"intro": {Name: "intro", Pins: []byte(`{"id":"mtg_1","scheduled_at":"2026-03-01T20:15:00Z","organizer":{"name":"Omar Nasser"}}`)},
		"long":  {Name: "long", Pins: []byte(`{"duration_minutes":240}`)},
	}}
	s := tell(t, 1, 1, pinned)
	m := s.met(scenario.Step{Meeting: "intro"}).Meeting
	if m.ID != "mtg_1" || m.ScheduledAt.String() != "2026-03-01T20:15:00.000Z" || m.Organizer.Name != "Omar Nasser" ||
		!strings.HasPrefix(m.Organizer.Email, "omar.nasser@") || !strings.HasSuffix(m.MeetingLink, "/mtg_1") {
		t.Errorf("%+v", m)
	}
	for n := range uint64(seeds) {
		s := tell(t, n, 1, pinned)
		// In America no start leaves four hours; the earliest has to do.
		m := s.met(scenario.Step{Meeting: "long"}).Meeting
		if ends := m.ScheduledAt.Add(240 * time.Minute); m.DurationMinutes != 240 || ends.Hour() > 17 && ends.Hour() != 19 || ends.Hour() == 17 && ends.Minute() > 0 {
			t.Errorf("seed %d: %+v", n, m)
		}
	}
}

// Pinning a value moves what follows from it, and nothing else.
func TestPinsLeaveTheRestAlone(t *testing.T) {
	t.Parallel()
	step := scenario.Step{Applicant: "lina"}
	free := tell(t, 9, 1, scenario.Cast{}).applied(step)
	named := tell(t, 9, 1, pinnedApplicant(`{"name":"Lina Haddad"}`)).applied(step)
	want := free.Applicant
	got := named.Applicant
	got.Name, got.Email, got.LinkedInURL, got.CVURL, got.Photo = want.Name, want.Email, want.LinkedInURL, want.CVURL, want.Photo
	one, _ := json.Marshal(want)
	other, _ := json.Marshal(got)
	if string(one) != string(other) || named.Job != free.Job {
		t.Errorf("a pinned name changed more than what is made of it:\n%s\n%s", one, other)
	}
}

func TestSetBeatsPinsBeatsFaked(t *testing.T) {
	t.Parallel()
	s := tell(t, 4, 1, pinnedApplicant(`{"name":"Lina Haddad","ai_evaluation":{"score":91}}`))
	step := scenario.Step{Event: hirempire.ApplicantApplied, Applicant: "lina"}
	before := string(s.bytes(step))
	step.Set = []scenario.Setting{
		{Path: "applicant.ai_evaluation.score", Value: []byte(`3`)},
		{Path: "applicant.spoken_languages.1.language", Value: []byte(`"Arabic"`)},
		{Path: "applicant.city", Value: []byte(`null`)},
		{Path: "applicant.name", Value: []byte(`"first"`)},
		{Path: "applicant.name", Value: []byte(`"L.\u2028 <H>"`)},
	}
	after := string(s.bytes(step))
	want := strings.Replace(before, `"score":91`, `"score":3`, 1)
	want = strings.Replace(want, `"name":"Lina Haddad"`, `"name":"L.\u2028 <H>"`, 1)
	want = regexp.MustCompile(`"city":("[^"]*"|null)`).ReplaceAllString(want, `"city":null`)
	want = regexp.MustCompile(`("spoken_languages":\[\{[^}]*\},\{"language":)"[^"]*"`).ReplaceAllString(want, `$1"Arabic"`)
	if after != want {
		t.Errorf("set gives\n%s\nwant\n%s", after, want)
	}
	if !strings.Contains(after, `"decision":"Shortlist"`) {
		t.Error("set changed more than its path: the decision follows from the pinned score")
	}
}

func TestErrorsNameTheStepAndThePath(t *testing.T) {
	t.Parallel()
	c := tell(t, 1, 1, scenario.Cast{}).cast
	step := scenario.Step{
		Pos: scenario.Position{File: "story.yaml", Line: 12, Col: 5}, Event: hirempire.JobAdded,
		Set: []scenario.Setting{{Path: "job.sources.2", Value: []byte(`"X"`)}},
	}
	_, err := c.Payload(step, time.Time{})
	want := `story.yaml:12:5: cannot set job.sources.2: "job.sources" has 2 elements, counted from 0`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}

	c = tell(t, 1, 1, scenario.Cast{Jobs: map[string]scenario.Member{
		"backend": {Name: "backend", Pos: scenario.Position{File: "story.yaml", Line: 3, Col: 2}, Pins: []byte(`{"title":5}`)},
	}}).cast
	if _, err := c.Payload(scenario.Step{Event: hirempire.JobAdded, Job: "backend"}, start); err == nil ||
		!strings.HasPrefix(err.Error(), `story.yaml:3:2: the values pinned for "backend" do not fit`) {
		t.Errorf("error %v for a pin of the wrong type", err)
	}
}
