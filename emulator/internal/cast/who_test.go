package cast_test

import (
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

func same(t *testing.T, what, one, other string) {
	t.Helper()
	if one != other {
		t.Errorf("%s: %s, then %s, want the same", what, one, other)
	}
}

func differ(t *testing.T, what, one, other string) {
	t.Helper()
	if one == other {
		t.Errorf("%s: %s twice, want another one", what, one)
	}
}

func TestOneCompanyPerRun(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	first, second := s.job(scenario.Step{Job: "one"}), s.job(scenario.Step{Job: "two"})
	same(t, "company of two jobs", first.Company.ID, second.Company.ID)
	differ(t, "company named by the step", first.Company.ID, s.job(scenario.Step{Job: "one", Company: "acme"}).Company.ID)
	same(t, "company of the job after that", first.Company.ID, s.job(scenario.Step{Job: "one"}).Company.ID)
}

func TestCompanyIsTheJobsLink(t *testing.T) {
	t.Parallel()
	pinned := scenario.Cast{
		Companies: map[string]scenario.Member{
			"acme":   {Name: "acme", Pins: []byte(`{"name":"Acme Corp"}`)},
			"globex": {Name: "globex", Pins: []byte(`{"name":"Globex"}`)},
		},
		Jobs: map[string]scenario.Member{"backend": {Name: "backend", Pins: []byte(`{}`), Company: "acme"}},
	}
	s := tell(t, 1, 1, pinned)
	same(t, "linked company", "Acme Corp", s.job(scenario.Step{Job: "backend"}).Company.Name)
	same(t, "company of an event about the job", "Acme Corp", s.applied(scenario.Step{}).Company.Company)
	same(t, "the step's company", "Globex", s.cv(scenario.Step{Job: "backend", Company: "globex"}).Company.Company)
	other := s.job(scenario.Step{Job: "designer"}).Company.Name
	differ(t, "company without a link", "Acme Corp", other)
	differ(t, "company without a link", "Globex", other)
}

func TestTheOnlyPinnedCompanyHires(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{Companies: map[string]scenario.Member{"acme": {Name: "acme", Pins: []byte(`{"name":"Acme Corp"}`)}}})
	same(t, "company", "Acme Corp", s.job(scenario.Step{}).Company.Name)
}

func TestNamedJobIsOneJob(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	first := s.job(scenario.Step{Event: hirempire.JobAdded, Job: "backend"})
	again := s.job(scenario.Step{Event: hirempire.JobAdded, Job: "backend"})
	same(t, "job", first.Job.JobDescription, again.Job.JobDescription)
	same(t, "job", first.Job.ID, again.Job.ID)
	differ(t, "another name", first.Job.ID, s.job(scenario.Step{Job: "frontend"}).Job.ID)
}

func TestJobWithoutAName(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	made := s.job(scenario.Step{Event: hirempire.JobActivated}).Job.ID
	same(t, "job spoken of", made, s.applied(scenario.Step{}).Job.ID)
	first := s.job(scenario.Step{Event: hirempire.JobAdded}).Job.ID
	differ(t, "job added after one was spoken of", made, first)
	second := s.job(scenario.Step{Event: hirempire.JobAdded}).Job.ID
	differ(t, "job added", first, second)
	same(t, "job most recently added", second, s.met(scenario.Step{}).Job.ID)
	backend := s.cv(scenario.Step{Job: "backend"}).Job.ID
	same(t, "job most recently named", backend, s.job(scenario.Step{Event: hirempire.JobDeleted}).Job.ID)

	acme := s.job(scenario.Step{Event: hirempire.JobAdded, Company: "acme"}).Job.ID
	globex := s.job(scenario.Step{Event: hirempire.JobAdded, Company: "globex"}).Job.ID
	same(t, "job of the step's company", acme, s.applied(scenario.Step{Company: "acme"}).Job.ID)
	same(t, "job of the other company", globex, s.applied(scenario.Step{Company: "globex"}).Job.ID)
}

func TestNamedApplicantIsOnePerson(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	lina := scenario.Step{Applicant: "lina", Job: "backend"}
	a, b, m := s.applied(lina).Applicant, s.cv(lina).Applicant, s.met(lina).Applicant
	cv := hirempire.CVApplicant{
		ID: a.ID, Name: a.Name, Email: a.Email, Phone: a.Phone, CVURL: a.CVURL, Source: a.Source, Nationality: a.Nationality,
		Location: a.Location, YearsOfExperience: a.YearsOfExperience, AIEvaluation: a.AIEvaluation.Evaluation,
	}
	if b != cv {
		t.Errorf("cv_upload_completed is about\n%+v, applicant_applied about\n%+v", b, cv)
	}
	if want := (hirempire.MeetingApplicant{ID: a.ID, Name: a.Name, Email: a.Email}); m != want {
		t.Errorf("meeting_booked is about %+v, want %+v", m, want)
	}
	other := s.applied(scenario.Step{Applicant: "lina", Job: "frontend"}).Applicant
	same(t, "person at another job", a.ID+a.Phone+a.Location, other.ID+other.Phone+other.Location)
	differ(t, "another name", a.ID, s.applied(scenario.Step{Applicant: "omar"}).Applicant.ID)
}

func TestApplicantsWithoutANameTakeTurns(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	on := scenario.Step{Job: "backend"}
	lina := scenario.Step{Job: "backend", Applicant: "lina"}
	first := s.applied(on).Applicant.ID
	second := s.applied(on).Applicant.ID
	differ(t, "unnamed applicant", first, second)
	third := s.applied(lina).Applicant.ID
	same(t, "application of lina again", third, s.applied(lina).Applicant.ID)
	omar := s.applied(scenario.Step{Job: "backend", Applicant: "omar"}).Applicant.ID
	fifth := s.applied(on).Applicant.ID

	s.applied(scenario.Step{Job: "other"}) // is none of this job's business
	same(t, "first CV", first, s.cv(on).Applicant.ID)
	same(t, "CV of lina, out of turn", third, s.cv(lina).Applicant.ID)
	same(t, "second CV", second, s.cv(on).Applicant.ID)
	same(t, "third CV, lina having had hers", omar, s.cv(on).Applicant.ID)
	same(t, "fourth CV", fifth, s.cv(on).Applicant.ID)
	sixth := s.cv(on).Applicant.ID
	for _, known := range []string{first, second, third, omar, fifth} {
		differ(t, "CV of nobody known", known, sixth)
	}
	for i, want := range []string{first, second, third, omar, fifth, sixth} {
		if got := s.met(on).Applicant.ID; got != want {
			t.Errorf("meeting %d is with %s, want %s", i+1, got, want)
		}
	}
	seventh := s.met(on).Applicant.ID
	same(t, "CV of whom a meeting brought", seventh, s.cv(on).Applicant.ID)
	for _, known := range []string{first, second, third, omar, fifth, sixth, seventh} {
		differ(t, "new application", known, s.applied(on).Applicant.ID)
	}
}

func TestAnUnnamedApplicantStaysTheSame(t *testing.T) {
	t.Parallel()
	s := tell(t, 5, 1, scenario.Cast{})
	on := scenario.Step{Job: "backend"}
	var want []hirempire.Applicant
	for range 20 {
		want = append(want, s.applied(on).Applicant)
	}
	for i, w := range want {
		got := s.cv(on).Applicant
		if got.ID != w.ID || got.Name != w.Name || got.Email != w.Email || got.Source != w.Source || got.AIEvaluation != w.AIEvaluation.Evaluation {
			t.Errorf("CV %d is of %+v, want %+v", i, got, w)
		}
		if got := s.met(on).Applicant; got.ID != w.ID || got.Email != w.Email {
			t.Errorf("meeting %d is with %+v, want %+v", i, got, w)
		}
	}
}

func TestUnnamedApplicantsOfAJobHaveDifferentAddresses(t *testing.T) {
	t.Parallel()
	s := tell(t, 5, 1, scenario.Cast{})
	seen := map[string]bool{}
	for range 3000 {
		email := s.applied(scenario.Step{Job: "backend"}).Applicant.Email
		if seen[email] {
			t.Fatalf("two applicants have the address %s", email)
		}
		seen[email] = true
	}
}

func TestMeetings(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{})
	lina := scenario.Step{Applicant: "lina"}
	first, second := s.met(lina), s.met(lina)
	differ(t, "second meeting of lina", first.Meeting.ID, second.Meeting.ID)

	named := s.met(scenario.Step{Meeting: "intro"})
	differ(t, "meeting of whom nobody knew", first.Applicant.ID, named.Applicant.ID)
	s.applied(scenario.Step{Job: "frontend"})
	again := s.met(scenario.Step{Meeting: "intro"})
	if again != named {
		t.Errorf("a named meeting booked twice:\n%+v\n%+v", named, again)
	}
	differ(t, "meeting of another name", named.Meeting.ID, s.met(scenario.Step{Meeting: "final"}).Meeting.ID)
}

func TestMeetingLinks(t *testing.T) {
	t.Parallel()
	s := tell(t, 1, 1, scenario.Cast{Meetings: map[string]scenario.Member{
		"intro": {Name: "intro", Pins: []byte(`{}`), Job: "backend", Applicant: "lina"},
	}})
	s.applied(scenario.Step{Job: "backend"}) // is first in turn
	lina := s.applied(scenario.Step{Job: "backend", Applicant: "lina"})
	omar := s.applied(scenario.Step{Job: "frontend", Applicant: "omar"})
	linked := s.met(scenario.Step{Meeting: "intro"})
	same(t, "linked job", lina.Job.ID, linked.Job.ID)
	same(t, "linked applicant", lina.Applicant.ID, linked.Applicant.ID)
	named := s.met(scenario.Step{Meeting: "intro", Job: "frontend", Applicant: "omar"})
	same(t, "the step's job", omar.Job.ID, named.Job.ID)
	same(t, "the step's applicant", omar.Applicant.ID, named.Applicant.ID)
	same(t, "meeting", linked.Meeting.ID, named.Meeting.ID)
}
