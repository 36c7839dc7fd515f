package cast_test

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A place is what a reader expects of a country.
type place struct {
	demonym, currency string
	phone             *regexp.Regexp
	pay               float64 // the local currency to the dollar, roughly, times usual pay
	america           bool
}

var places = map[string]place{
	"United States":  {"American", "USD", regexp.MustCompile(`^\+1[2-9]\d\d55501\d\d$`), 1, true},
	"Canada":         {"Canadian", "CAD", regexp.MustCompile(`^\+1[2-9]\d\d55501\d\d$`), 1.05, true},
	"United Kingdom": {"British", "GBP", regexp.MustCompile(`^\+447700900\d{3}$`), 0.66, false},
	"Ireland":        {"Irish", "EUR", regexp.MustCompile(`^\+3532091\d{5}$`), 0.72, false},
	"France":         {"French", "EUR", regexp.MustCompile(`^\+3363998\d{4}$`), 0.62, false},
	"Germany":        {"German", "EUR", regexp.MustCompile(`^\+49(3023125|4066969|6990009|8999998|2214710)\d{3}$`), 0.7, false},
	"Sweden":         {"Swedish", "SEK", regexp.MustCompile(`^\+46701740(60[5-9]|6[1-9]\d)$`), 6.6, false},
}

// cityPhones are the numbers of cities that have their own.
var cityPhones = map[string]string{
	"New York": "+1212", "Boston": "+1617", "Chicago": "+1312", "Philadelphia": "+1215", "Atlanta": "+1404", "Austin": "+1512",
	"Minneapolis": "+1612", "Toronto": "+1416", "Ottawa": "+1613", "Montreal": "+1514", "Winnipeg": "+1204",
	"Berlin": "+4930", "Hamburg": "+4940", "Frankfurt": "+4969", "Munich": "+4989", "Cologne": "+49221",
}

// bands are the least and the most that somebody earns in a year, in dollars, in
// any department and at any kind of contract, for half a week at least.
var bands = map[string][2]float64{
	"Junior": {20e3, 74e3}, "Mid-level": {24e3, 125e3}, "Senior": {33e3, 178e3}, "Team Leader": {76e3, 155e3},
	"Manager": {82e3, 170e3}, "Director": {106e3, 215e3}, "VP": {130e3, 265e3}, "C-level": {158e3, 325e3},
}

var perYear = map[string]float64{"Per hour": 2080, "Per day": 260, "Per week": 52, "Bi-weekly": 26, "Per month": 12, "Per year": 1}

func TestCoherence(t *testing.T) {
	t.Parallel()
	for n := range uint64(2000) {
		s := tell(t, n, 1, scenario.Cast{})
		added := s.job(scenario.Step{Event: hirempire.JobAdded})
		applied := s.applied(scenario.Step{})
		checkJob(t, n, added)
		checkApplicant(t, n, applied.Applicant, added.Job)
		if applied.Company.Company != added.Company.Name || applied.Job.Title != added.Job.Title {
			t.Errorf("seed %d: %+v applied, %+v was added", n, applied, added)
		}
		booked := s.met(scenario.Step{})
		booked.Timestamp.Time = start
		checkMeeting(t, n, booked, applied.Applicant, added)
		if t.Failed() {
			t.Fatalf("seed %d:\n%+v\n%+v\n%+v", n, added, applied, booked)
		}
	}
}

func checkJob(t *testing.T, n uint64, p hirempire.Job) {
	t.Helper()
	j := p.Job
	at := places[j.JobCountry]
	if j.SalaryCurrency != at.currency {
		t.Errorf("seed %d: %s in %s", n, j.SalaryCurrency, j.JobCountry)
	}
	number, currency, _ := strings.Cut(j.SalaryRange, " ")
	amount, err := strconv.Atoi(number)
	if err != nil || currency != j.SalaryCurrency {
		t.Errorf("seed %d: salary %q in %s", n, j.SalaryRange, j.SalaryCurrency)
	}
	yearly := float64(amount) * perYear[j.SalaryPeriod] / at.pay
	if band := bands[j.CareerLevel]; yearly < band[0] || yearly > band[1] {
		t.Errorf("seed %d: %s %s %s for a %s %s is %.0f dollars a year", n, j.SalaryRange, j.SalaryPeriod, j.JobType, j.CareerLevel, j.Title, yearly)
	}
	if !strings.HasSuffix(j.JobDescription, ".\n") || !strings.Contains(j.JobDescription, j.Title) ||
		!strings.Contains(j.JobDescription, j.Department) || !strings.Contains(j.JobDescription, j.JobCountry) {
		t.Errorf("seed %d: description %q", n, j.JobDescription)
	}
	if strings.Contains(j.JobDescription, "  ") || strings.Contains(j.JobDescription, " \n") || strings.Contains(j.JobDescription, "..") {
		t.Errorf("seed %d: typography of %q", n, j.JobDescription)
	}
	for place, words := range map[string]string{"Remote": "remote|wherever", "Hybrid": "hybrid|from home", "On-site": "on-site"} {
		if regexp.MustCompile(words).MatchString(j.JobDescription) != (place == j.WorkplaceType) {
			t.Errorf("seed %d: a %s job is described as %q", n, j.WorkplaceType, j.JobDescription)
		}
	}
	leads := slices.Contains([]string{"Team Leader", "Manager", "Director", "VP", "C-level"}, j.CareerLevel)
	for words, fits := range map[string]bool{
		"^Junior ":      j.CareerLevel == "Junior" && j.JobType != "Internship",
		" Intern$":      j.JobType == "Internship",
		"^Senior ":      j.CareerLevel == "Senior",
		"Team Lead$":    j.CareerLevel == "Team Leader",
		"^Director of ": j.CareerLevel == "Director",
		"^VP of ":       j.CareerLevel == "VP",
		"^Chief ":       j.CareerLevel == "C-level",
	} {
		if regexp.MustCompile(words).MatchString(j.Title) != fits {
			t.Errorf("seed %d: a %s %s is a %s", n, j.CareerLevel, j.JobType, j.Title)
		}
	}
	if leads && j.JobType != "Full-time" || j.JobType == "Internship" && j.CareerLevel != "Junior" {
		t.Errorf("seed %d: a %s works %s", n, j.CareerLevel, j.JobType)
	}
	if j.JobType == "Internship" && (j.SalaryPeriod == "Per year" || j.SalaryPeriod == "Per hour") ||
		j.JobType != "Full-time" && j.SalaryPeriod == "Per year" {
		t.Errorf("seed %d: %s is paid %s", n, j.JobType, j.SalaryPeriod)
	}
}

var (
	e164     = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	mail     = regexp.MustCompile(`^([a-z0-9]+(\.[a-z0-9]+)*)@example\.(com|net|org)$`)
	linkedIn = regexp.MustCompile(`^https://www\.linkedin\.com/in/([a-z0-9]+(-[a-z0-9]+)*)-[a-z0-9]{8}$`)
)

func checkApplicant(t *testing.T, n uint64, a hirempire.Applicant, j hirempire.JobDetails) {
	t.Helper()
	// Names from gofakeit are ASCII.
	plain := strings.ToLower(strings.NewReplacer("'", "", " ", ".").Replace(a.Name))
	m := mail.FindStringSubmatch(a.Email)
	if m == nil || strings.TrimRight(m[1], "0123456789") != plain {
		t.Errorf("seed %d: %s has the address %s", n, a.Name, a.Email)
	}
	dashed := strings.ReplaceAll(plain, ".", "-")
	if l := linkedIn.FindStringSubmatch(a.LinkedInURL); l == nil || l[1] != dashed {
		t.Errorf("seed %d: %s is at %s", n, a.Name, a.LinkedInURL)
	}
	for _, link := range []*string{&a.CVURL, &a.Photo, a.MediaQuestions.AudioURL, a.MediaQuestions.VideoURL} {
		if link == nil {
			continue
		}
		u, err := url.Parse(*link)
		if err != nil || u.Scheme != "https" || u.Host != "files.hirempire.example" || !strings.Contains(u.Path, "/"+a.ID+"/") {
			t.Errorf("seed %d: URL %s", n, *link)
		}
	}

	city, land, hasCity := strings.Cut(a.Location, ", ")
	if !hasCity {
		land = a.Location
	}
	at, known := places[land]
	if !known || hasCity != (a.City != nil) || hasCity && *a.City != city {
		t.Errorf("seed %d: location %q, city %v", n, a.Location, a.City)
	}
	if !e164.MatchString(a.Phone) || !at.phone.MatchString(a.Phone) || hasCity && !strings.HasPrefix(a.Phone, cityPhones[city]) {
		t.Errorf("seed %d: phone %s in %s", n, a.Phone, a.Location)
	}
	if a.Nationality != at.demonym {
		t.Errorf("seed %d: somebody %s in %s", n, a.Nationality, a.Location)
	}
	first, second := a.SpokenLanguages[0], a.SpokenLanguages[1]
	native := map[string]string{"France": "French", "Germany": "German", "Sweden": "Swedish"}[land]
	if native == "" {
		native = "English"
	}
	if first.Fluency != "Native" || first.Language != native || second.Language == native || second.Fluency == "Native" {
		t.Errorf("seed %d: somebody in %s speaks %v", n, land, a.SpokenLanguages)
	}

	e := a.AIEvaluation
	wantPlace := "No"
	if land == j.JobCountry {
		wantPlace = "Yes"
	} else if j.WorkplaceType == "Remote" {
		wantPlace = "Partial"
	}
	if e.LocationMatch != wantPlace {
		t.Errorf("seed %d: location match %s of %s for a %s job in %s", n, e.LocationMatch, land, j.WorkplaceType, j.JobCountry)
	}
	if (e.LocationMatch == "Yes") == strings.Contains(e.DecisionReason, "location") {
		t.Errorf("seed %d: location match %s, %q", n, e.LocationMatch, e.DecisionReason)
	}
	checkScore(t, n, a)
	if a.YearsOfExperience < 0 || a.YearsOfExperience > 33 || a.YearsOfExperience != float64(int(a.YearsOfExperience)) {
		t.Errorf("seed %d: %v years", n, a.YearsOfExperience)
	}
	inLevel := map[string][2]float64{
		"Junior": {0, 2}, "Mid-level": {3, 5}, "Senior": {5, 9}, "Team Leader": {6, 12}, "Manager": {7, 14}, "Director": {10, 18},
		"VP": {12, 22}, "C-level": {15, 26},
	}[j.CareerLevel]
	if j.JobType == "Internship" {
		inLevel[1] = 1
	}
	fits := a.YearsOfExperience >= inLevel[0] && a.YearsOfExperience <= inLevel[1]
	if fits != (e.ExperienceMatch == "Strong") {
		t.Errorf("seed %d: %v years match %s for %s", n, a.YearsOfExperience, e.ExperienceMatch, j.CareerLevel)
	}
	for _, q := range a.SpecialQuestions {
		if q.Question == "" || q.Answer == "" {
			t.Errorf("seed %d: questions %q", n, a.SpecialQuestions)
		}
	}
	if a.SpecialQuestions[0].Question == a.SpecialQuestions[1].Question {
		t.Errorf("seed %d: asked twice: %q", n, a.SpecialQuestions)
	}
}

func checkScore(t *testing.T, n uint64, a hirempire.Applicant) {
	t.Helper()
	e := a.AIEvaluation
	want := "Reject"
	switch {
	case e.Score >= 75:
		want = "Shortlist"
	case e.Score >= 50:
		want = "Review"
	}
	if e.Decision != want || e.Score < 0 || e.Score > 100 || e.Score != float64(int(e.Score)) {
		t.Errorf("seed %d: score %v, decision %s", n, e.Score, e.Decision)
	}
	verdict := map[string]string{
		"Shortlist": "Recommended for an interview|A good candidate", "Review": "second look|closer look", "Reject": "match the job better|Not a match",
	}
	for decision, words := range verdict {
		if regexp.MustCompile(words).MatchString(e.DecisionReason) != (decision == e.Decision) {
			t.Errorf("seed %d: decision %s, %q", n, e.Decision, e.DecisionReason)
		}
	}
	skills := map[string]string{"Strong": "solid knowledge", "Moderate": "says more about", "Weak": "shows little"}
	for match, words := range skills {
		if strings.Contains(e.DecisionReason, words) != (match == e.SkillMatch) {
			t.Errorf("seed %d: skill match %s, %q", n, e.SkillMatch, e.DecisionReason)
		}
	}
	if years := strconv.FormatFloat(a.YearsOfExperience, 'f', -1, 64); a.YearsOfExperience > 0 &&
		!regexp.MustCompile(`\b`+years+` years?\b`).MatchString(e.DecisionReason) {
		t.Errorf("seed %d: %s years, %q", n, years, e.DecisionReason)
	}
	if fits := strings.Contains(e.DecisionReason, " fits "); fits != (e.ExperienceMatch == "Strong") {
		t.Errorf("seed %d: experience match %s, %q", n, e.ExperienceMatch, e.DecisionReason)
	}
	if (e.SkillMatch != "Strong" || e.ExperienceMatch == "Weak") && e.Score >= 75 ||
		e.SkillMatch == "Strong" && e.ExperienceMatch != "Weak" && e.Score < 50 {
		t.Errorf("seed %d: %s skills, %s experience and a score of %v", n, e.SkillMatch, e.ExperienceMatch, e.Score)
	}

	if e.LinkedInMatch != (e.LinkedInMatchScore >= 70) {
		t.Errorf("seed %d: LinkedIn match %v at %v", n, e.LinkedInMatch, e.LinkedInMatchScore)
	}
	lines := strings.Split(e.LinkedInDifferences, "\n")
	wantLines := 4
	switch s := e.LinkedInMatchScore; {
	case s >= 85:
		wantLines = 1
	case s >= 70:
		wantLines = 2
	case s >= 50:
		wantLines = 3
	}
	if len(lines) != wantLines || (e.LinkedInMatchScore == 100) != (lines[0] == "1. No differences found.") {
		t.Errorf("seed %d: LinkedIn score %v, %q", n, e.LinkedInMatchScore, lines)
	}
	seen := map[string]bool{}
	for i, line := range lines {
		number, text, _ := strings.Cut(line, ". ")
		if number != strconv.Itoa(i+1) || seen[text] {
			t.Errorf("seed %d: differences %q", n, lines)
		}
		seen[text] = true
	}
}

func checkMeeting(t *testing.T, n uint64, p hirempire.Meeting, a hirempire.Applicant, job hirempire.Job) {
	t.Helper()
	m := p.Meeting
	when := m.ScheduledAt.UTC()
	days := int(when.Truncate(24*time.Hour).Sub(p.Timestamp.UTC().Truncate(24*time.Hour)).Hours() / 24)
	if !when.After(p.Timestamp.Time) || days < 1 || days > 10 {
		t.Errorf("seed %d: meeting at %s, booked at %s", n, when, p.Timestamp)
	}
	if when.Weekday() == time.Saturday || when.Weekday() == time.Sunday || when.Minute()%30 != 0 || when.Second() != 0 {
		t.Errorf("seed %d: meeting at %s, a %s", n, when, when.Weekday())
	}
	_, land, ok := strings.Cut(a.Location, ", ")
	if !ok {
		land = a.Location
	}
	first, last := 9*60, 14*60
	if places[land].america || places[job.Job.JobCountry].america {
		first, last = 15*60, 16*60
	}
	begins := when.Hour()*60 + when.Minute()
	if begins < first || begins > last || begins+int(m.DurationMinutes) > 17*60 {
		t.Errorf("seed %d: meeting at %s for %v minutes in %s about a job in %s", n, when, m.DurationMinutes, land, job.Job.JobCountry)
	}
	if !slices.Contains([]float64{30, 45, 60}, m.DurationMinutes) {
		t.Errorf("seed %d: meeting of %v minutes", n, m.DurationMinutes)
	}
	if m.MeetingLink != "https://meet.hirempire.example/"+m.ID {
		t.Errorf("seed %d: meeting %s at %s", n, m.ID, m.MeetingLink)
	}
	company := strings.ReplaceAll(strings.ToLower(job.Company.Name), " ", "-") + ".example"
	name := strings.ToLower(strings.NewReplacer("'", "", " ", ".").Replace(m.Organizer.Name))
	if m.Organizer.Email != name+"@"+company {
		t.Errorf("seed %d: organizer %+v of %s", n, m.Organizer, job.Company.Name)
	}
}

// Whatever the weekday and time at which it is booked, a meeting is in time.
func TestMeetingsAreInOfficeHoursWheneverBooked(t *testing.T) {
	t.Parallel()
	s := tell(t, 3, 1, scenario.Cast{})
	job := s.job(scenario.Step{Event: hirempire.JobAdded})
	for hour := range 24 * 21 {
		applied := s.applied(scenario.Step{})
		at := start.Add(time.Duration(hour)*time.Hour + 59*time.Minute + 59*time.Second)
		b, err := s.cast.Payload(scenario.Step{Event: hirempire.MeetingBooked}, at)
		if err != nil {
			t.Fatal(err)
		}
		checkMeeting(t, 3, decode[hirempire.Meeting](t, b), applied.Applicant, job)
	}
}
