package hirempire

import (
	"encoding/json"
	"time"
)

// Head is how every payload starts (documented).
type Head struct {
	Event     Event `json:"event"`
	Timestamp Time  `json:"timestamp" doc:"when the event occurred"`
}

// JobRef names a job in the payloads about applicants.
type JobRef struct {
	ID    string `json:"id" id:"job"`
	Title string `json:"title"`
}

// Company is the company in the payloads about jobs and meetings.
type Company struct {
	ID   string `json:"id" id:"company"`
	Name string `json:"name"`
}

// ApplyingCompany is the company in the payloads about applications and CVs:
// there its name is documented under "company".
type ApplyingCompany struct {
	ID      string `json:"id" id:"company"`
	Company string `json:"company" doc:"the company's name"`
}

// Job is the payload of the four job events.
type Job struct {
	Head
	Company Company    `json:"company"`
	Job     JobDetails `json:"job"`
}

// JobDetails is a job in full.
type JobDetails struct {
	ID             string   `json:"id" id:"job"`
	Title          string   `json:"title"`
	Department     string   `json:"department"`
	JobCountry     string   `json:"job_country"`
	CareerLevel    string   `json:"career_level" values:"career_level"`
	SalaryRange    string   `json:"salary_range" pattern:"^[0-9][0-9.,]* [A-Za-z]{3}$" doc:"amount and currency"`
	SalaryPeriod   string   `json:"salary_period" values:"salary_period"`
	SalaryCurrency string   `json:"salary_currency" pattern:"^[A-Za-z]{3}$" doc:"three letters"`
	HideSalary     bool     `json:"hide_salary"`
	JobType        string   `json:"job_type" values:"job_type"`
	WorkplaceType  string   `json:"workplace_type" values:"workplace_type"`
	JobDescription string   `json:"job_description" pattern:"\\n$" doc:"plain text that ends with a newline"`
	Sources        []string `json:"sources" values:"source"`
}

// Application is the payload of [ApplicantApplied].
type Application struct {
	Head
	Job       JobRef          `json:"job"`
	Company   ApplyingCompany `json:"company"`
	Applicant Applicant       `json:"applicant"`
}

// Applicant is who applied, in full.
type Applicant struct {
	ID                string            `json:"id" id:"applicant"`
	Name              string            `json:"name"`
	Email             string            `json:"email" format:"email"`
	Phone             string            `json:"phone" pattern:"^[+][1-9][0-9]{1,14}$" doc:"E.164 (our decision)"`
	LinkedInURL       string            `json:"linkedin_url" format:"uri"`
	CVURL             string            `json:"cv_url" format:"uri"`
	Photo             string            `json:"photo" format:"uri"`
	Source            string            `json:"source" values:"source"`
	Nationality       string            `json:"nationality"`
	Location          string            `json:"location"`
	City              *string           `json:"city"`
	YearsOfExperience float64           `json:"years_of_experience"`
	SpokenLanguages   []SpokenLanguage  `json:"spoken_languages"`
	AIEvaluation      AIEvaluation      `json:"ai_evaluation"`
	SpecialQuestions  []SpecialQuestion `json:"special_questions"`
	MediaQuestions    MediaQuestions    `json:"media_questions"`
}

// SpokenLanguage is a language and how well it is spoken.
type SpokenLanguage struct {
	Language string `json:"language"`
	Fluency  string `json:"fluency" doc:"such as Native or Fluent"`
}

// Evaluation is what the two evaluations have in common, in documented order.
type Evaluation struct {
	Score           float64 `json:"score" max:"100" doc:"0 to 100"`
	SkillMatch      string  `json:"skill_match" doc:"such as Strong"`
	ExperienceMatch string  `json:"experience_match"`
	LocationMatch   string  `json:"location_match" doc:"such as Yes"`
	Decision        string  `json:"decision" values:"decision"`
	DecisionReason  string  `json:"decision_reason"`
}

// AIEvaluation is the evaluation of an application.
type AIEvaluation struct {
	Evaluation
	LinkedInMatch       bool    `json:"linkedin_match"`
	LinkedInMatchScore  float64 `json:"linkedin_match_score" max:"100" doc:"0 to 100"`
	LinkedInDifferences string  `json:"linkedin_differences" doc:"numbered lines"`
}

// SpecialQuestion is a question of the job and the applicant's answer.
type SpecialQuestion struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// MediaQuestions are the recorded answers; either may be null.
type MediaQuestions struct {
	AudioURL *string `json:"audio_url" format:"uri"`
	VideoURL *string `json:"video_url" format:"uri"`
}

// CVUpload is the payload of [CVUploadCompleted].
type CVUpload struct {
	Head
	Company   ApplyingCompany `json:"company"`
	Job       JobRef          `json:"job"`
	Applicant CVApplicant     `json:"applicant"`
}

// CVApplicant is whose CV was processed.
type CVApplicant struct {
	ID                string     `json:"id" id:"applicant"`
	Name              string     `json:"name"`
	Email             string     `json:"email" format:"email"`
	Phone             string     `json:"phone" pattern:"^[+][1-9][0-9]{1,14}$" doc:"E.164 (our decision)"`
	CVURL             string     `json:"cv_url" format:"uri"`
	Source            string     `json:"source" values:"source"`
	Nationality       string     `json:"nationality"`
	Location          string     `json:"location"`
	YearsOfExperience float64    `json:"years_of_experience"`
	AIEvaluation      Evaluation `json:"ai_evaluation"`
}

// Meeting is the payload of [MeetingBooked].
type Meeting struct {
	Head
	Company   Company          `json:"company"`
	Job       JobRef           `json:"job"`
	Applicant MeetingApplicant `json:"applicant"`
	Meeting   MeetingDetails   `json:"meeting"`
}

// MeetingApplicant is who is met.
type MeetingApplicant struct {
	ID    string `json:"id" id:"applicant"`
	Name  string `json:"name"`
	Email string `json:"email" format:"email"`
}

// MeetingDetails is the appointment.
type MeetingDetails struct {
	ID              string    `json:"id" id:"meeting"`
	ScheduledAt     Time      `json:"scheduled_at"`
	DurationMinutes float64   `json:"duration_minutes"`
	MeetingType     string    `json:"meeting_type" doc:"such as Interview"`
	MeetingLink     string    `json:"meeting_link" format:"uri"`
	Organizer       Organizer `json:"organizer"`
}

// Organizer is the team member who holds the meeting.
type Organizer struct {
	Name  string `json:"name"`
	Email string `json:"email" format:"email"`
}

// Payload returns a pointer to the zero payload of the event, nil for an
// unknown one.
func (e Event) Payload() any {
	switch e {
	case JobAdded, JobActivated, JobDeactivated, JobDeleted:
		return new(Job)
	case ApplicantApplied:
		return new(Application)
	case CVUploadCompleted:
		return new(CVUpload)
	case MeetingBooked:
		return new(Meeting)
	default:
		return nil
	}
}

// Time is a moment as the vendor writes it: ISO 8601, UTC, milliseconds, such
// as 2025-07-01T04:27:13.000Z.
type Time struct{ time.Time }

const (
	timeLayout  = "2006-01-02T15:04:05.000Z"
	timePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$`
)

// String returns the moment in the vendor's form.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON writes the vendor's form.
func (t Time) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, len(timeLayout)+2), '"')
	return append(t.UTC().AppendFormat(b, timeLayout), '"'), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &t.Time) }
