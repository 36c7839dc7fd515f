package check

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A scene is a job and its applicants, whom no other scene has, so that nothing is
// a duplicate that is not meant to be one. Its payloads are ASCII without nulls,
// empty lists or anything else that a check is about.
//
// They are not those of a cast: what is in them has to be known to the byte.
type scene struct {
	x     *exam
	key   seed.Key
	known map[string]bool // what was told of already
}

func (x *exam) newScene() *scene {
	x.scenes++
	return &scene{x, x.cfg.Seed.Key("check scene").Str(x.result.ID).Num(uint64(x.scenes)), map[string]bool{}}
}

func (s *scene) id(entity hirempire.Entity, key seed.Key) string {
	key = key.Str(string(entity))
	if s.x.cfg.Edition.Rules().UUIDs {
		return key.UUID()
	}
	return key.ID(hirempire.IDPrefix(entity))
}

func (s *scene) head(e hirempire.Event) hirempire.Head {
	at := s.x.cfg.Start.Add(time.Duration(s.x.moments) * time.Millisecond)
	s.x.moments++
	return hirempire.Head{Event: e, Timestamp: hirempire.Time{Time: at}}
}

const company = "Harbour Analytics"

// companyID is the same in all scenes.
func (s *scene) companyID() string { return s.id(hirempire.EntityCompany, s.x.cfg.Seed.Key("check")) }

func (s *scene) ref() hirempire.JobRef {
	return hirempire.JobRef{ID: s.id(hirempire.EntityJob, s.key), Title: "Backend Engineer"}
}

func (s *scene) job(e hirempire.Event) *hirempire.Job {
	ref := s.ref()
	return &hirempire.Job{
		Head: s.head(e), Company: hirempire.Company{ID: s.companyID(), Name: company},
		Job: hirempire.JobDetails{
			ID: ref.ID, Title: ref.Title, Department: "Engineering", JobCountry: "Germany", CareerLevel: "Senior",
			SalaryRange: "8000 USD", SalaryPeriod: "Per month", SalaryCurrency: "USD", HideSalary: true, JobType: "Full-time",
			WorkplaceType: "Hybrid", JobDescription: "You build the services that our customers work with.\n", Sources: []string{"LinkedIn", "Referral"},
		},
	}
}

// A person is an applicant of the scene.
type person struct{ id, name, email, files string }

func (s *scene) person(n int) person {
	key := s.key.Str("person").Num(uint64(n))
	id := s.id(hirempire.EntityApplicant, key)
	return person{id, "Lina Haddad", "lina.haddad." + key.Str("email").Text(8) + "@example.com", "https://files.hirempire.example/" + id}
}

func (s *scene) application(n int) *hirempire.Application {
	p := s.person(n)
	audio, video, city := p.files+"/audio.mp3", p.files+"/video.mp4", "Berlin"
	return &hirempire.Application{
		Head: s.head(hirempire.ApplicantApplied), Job: s.ref(),
		Company: hirempire.ApplyingCompany{ID: s.companyID(), Company: company},
		Applicant: hirempire.Applicant{
			ID: p.id, Name: p.name, Email: p.email, Phone: "+12025550143", LinkedInURL: "https://www.linkedin.com/in/lina-haddad-example",
			CVURL: p.files + "/cv.pdf", Photo: p.files + "/photo.jpg", Source: "LinkedIn", Nationality: "German", Location: "Berlin, Germany", City: &city,
			YearsOfExperience: 6, SpokenLanguages: []hirempire.SpokenLanguage{{Language: "German", Fluency: "Native"}, {Language: "English", Fluency: "Fluent"}},
			AIEvaluation: hirempire.AIEvaluation{
				Evaluation: evaluation(), LinkedInMatch: true, LinkedInMatchScore: 88, LinkedInDifferences: "1. LinkedIn counts 5 years of experience.\n",
			},
			SpecialQuestions: []hirempire.SpecialQuestion{{Question: "When could you start?", Answer: "In three months."}},
			MediaQuestions:   hirempire.MediaQuestions{AudioURL: &audio, VideoURL: &video},
		},
	}
}

func evaluation() hirempire.Evaluation {
	return hirempire.Evaluation{
		Score: 91, SkillMatch: "Strong", ExperienceMatch: "Strong", LocationMatch: "Yes", Decision: "Shortlist",
		DecisionReason: "The experience fits the role.",
	}
}

func (s *scene) cv(n int) *hirempire.CVUpload {
	p := s.person(n)
	return &hirempire.CVUpload{
		Head: s.head(hirempire.CVUploadCompleted), Job: s.ref(),
		Company: hirempire.ApplyingCompany{ID: s.companyID(), Company: company},
		Applicant: hirempire.CVApplicant{
			ID: p.id, Name: p.name, Email: p.email, Phone: "+12025550143", CVURL: p.files + "/cv.pdf", Source: "LinkedIn",
			Nationality: "German", Location: "Berlin, Germany", YearsOfExperience: 6, AIEvaluation: evaluation(),
		},
	}
}

func (s *scene) meeting(n int) *hirempire.Meeting {
	p, head := s.person(n), s.head(hirempire.MeetingBooked)
	return &hirempire.Meeting{
		Head: head, Job: s.ref(), Company: hirempire.Company{ID: s.companyID(), Name: company},
		Applicant: hirempire.MeetingApplicant{ID: p.id, Name: p.name, Email: p.email},
		Meeting: hirempire.MeetingDetails{
			ID: s.id(hirempire.EntityMeeting, s.key.Num(uint64(n))), ScheduledAt: hirempire.Time{Time: head.Timestamp.Add(72 * time.Hour)},
			DurationMinutes: 30, MeetingType: "Interview", MeetingLink: "https://meet.hirempire.example/harbour-analytics",
			Organizer: hirempire.Organizer{Name: "Jonas Weber", Email: "jonas.weber@example.com"},
		},
	}
}

// payload returns the event, about the scene's first applicant.
func (s *scene) payload(e hirempire.Event) any {
	switch e {
	case hirempire.ApplicantApplied:
		return s.application(0)
	case hirempire.CVUploadCompleted:
		return s.cv(0)
	case hirempire.MeetingBooked:
		return s.meeting(0)
	default:
		return s.job(e)
	}
}

// message returns the message of a payload.
func (x *exam) message(payload any, label string) message {
	return message{label: label, body: hirempire.Marshal(payload)}
}

// introduce tells the consumer of who an event is about, as the vendor would have,
// where that was not done: what comes out of order is the business of one check.
// What is answered is no business of this one.
func (s *scene) introduce(e hirempire.Event) bool {
	var before []hirempire.Event
	switch {
	case e == hirempire.CVUploadCompleted || e == hirempire.MeetingBooked:
		before = []hirempire.Event{hirempire.JobAdded, hirempire.ApplicantApplied}
	case e != hirempire.JobAdded:
		before = []hirempire.Event{hirempire.JobAdded}
	}
	for _, b := range before {
		if s.known[string(b)] {
			continue
		}
		s.known[string(b)] = true
		x := s.x
		if x.over || x.gone != "" || x.ctx.Err() != nil {
			return false
		}
		if !x.prepare(b, s.payload(b)) {
			return false
		}
	}
	s.known[string(e)] = true
	return true
}

// story is the events in an order in which they can happen.
func story() []hirempire.Event {
	return []hirempire.Event{
		hirempire.JobAdded, hirempire.JobActivated, hirempire.ApplicantApplied, hirempire.CVUploadCompleted,
		hirempire.MeetingBooked, hirempire.JobDeactivated, hirempire.JobDeleted,
	}
}

// least makes of a payload one with empty lists, zero numbers, and nothing in the
// strings that nobody has to fill in.
func least(payload any) {
	switch p := payload.(type) {
	case *hirempire.Job:
		p.Job.Sources, p.Job.Department, p.Job.JobDescription, p.Job.HideSalary = []string{}, "", "\n", false
	case *hirempire.Application:
		a := &p.Applicant
		a.SpokenLanguages, a.SpecialQuestions = []hirempire.SpokenLanguage{}, []hirempire.SpecialQuestion{}
		a.Phone, a.LinkedInURL, a.Photo, a.Nationality, a.Location, a.YearsOfExperience = "", "", "", "", "", 0
		a.AIEvaluation.LinkedInMatch, a.AIEvaluation.LinkedInMatchScore, a.AIEvaluation.LinkedInDifferences = false, 0, ""
		a.AIEvaluation.Score, a.AIEvaluation.DecisionReason = 0, ""
	case *hirempire.CVUpload:
		a := &p.Applicant
		a.Phone, a.Nationality, a.Location, a.YearsOfExperience = "", "", "", 0
		a.AIEvaluation.Score, a.AIEvaluation.DecisionReason = 0, ""
	case *hirempire.Meeting:
		p.Meeting.DurationMinutes, p.Meeting.MeetingLink, p.Meeting.Organizer.Name = 0, "", ""
	}
}

// most makes of a payload one with long lists and strings, of at most 64 KiB in all:
// what is larger is the business of another check.
func most(payload any) {
	text := func(n int) string { return strings.Repeat("Lorem ipsum dolor sit amet. ", n/28+1)[:n] }
	name := "Wolfeschlegelsteinhausenbergerdorff " + text(260)
	switch p := payload.(type) {
	case *hirempire.Job:
		p.Company.Name, p.Job.Title, p.Job.Department = company+" "+text(280), "Senior "+text(290), text(300)
		p.Job.JobDescription, p.Job.Sources = text(30_000)+"\n", hirempire.Values("source")
	case *hirempire.Application:
		a := &p.Applicant
		p.Company.Company, p.Job.Title = company+" "+text(280), "Senior "+text(290)
		a.Name, a.Location, a.YearsOfExperience = name, text(300), 60
		a.CVURL += "?signature=" + strings.Repeat("0123456789abcdef", 64)
		a.AIEvaluation.Score, a.AIEvaluation.LinkedInMatchScore = 100, 100
		a.AIEvaluation.DecisionReason, a.AIEvaluation.LinkedInDifferences = text(4_000), text(4_000)
		a.SpokenLanguages, a.SpecialQuestions = nil, nil
		for n := range 20 {
			a.SpokenLanguages = append(a.SpokenLanguages, hirempire.SpokenLanguage{Language: fmt.Sprintf("Language %d", n+1), Fluency: "Fluent"})
			a.SpecialQuestions = append(a.SpecialQuestions, hirempire.SpecialQuestion{Question: text(200), Answer: text(1_500)})
		}
	case *hirempire.CVUpload:
		a := &p.Applicant
		p.Company.Company, p.Job.Title = company+" "+text(280), "Senior "+text(290)
		a.Name, a.Location, a.YearsOfExperience, a.AIEvaluation.Score, a.AIEvaluation.DecisionReason = name, text(300), 60, 100, text(4_000)
	case *hirempire.Meeting:
		p.Company.Name, p.Job.Title = company+" "+text(280), "Senior "+text(290)
		p.Applicant.Name, p.Meeting.Organizer.Name, p.Meeting.DurationMinutes = name, name, 1440
		p.Meeting.MeetingLink += "?token=" + strings.Repeat("0123456789abcdef", 64)
	}
}

// escaped returns JSON with everything beyond ASCII as \u escapes.
func escaped(body []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(body) {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
