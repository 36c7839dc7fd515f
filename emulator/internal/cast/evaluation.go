package cast

import (
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// From these scores on an applicant is shortlisted or reviewed, and a LinkedIn
// profile matches the CV (our decision).
const (
	shortlist    = 75
	review       = 50
	linkedInSame = 70
)

// Words for how well skills and experience match. Strong is documented as an
// example, the others are our decision.
const (
	strong   = "Strong"
	moderate = "Moderate"
	weak     = "Weak"
)

// What the score is made of, in hundredths: neither moderate skills nor too
// little experience get anybody on the shortlist. They are whole numbers because
// sums of fractions may round otherwise on another processor.
const (
	skillPart      = 60
	experiencePart = 30
	locationPart   = 10
)

// knownScore returns the score that the pins say or, by a pinned decision, mean.
func (p *person) knownScore() (score float64, ok bool) {
	if p.pins.has("ai_evaluation.score") {
		return orPinned(p.pins, "ai_evaluation.score", 0.0), true
	}
	k := p.key.Str("score")
	switch p.pins.text("ai_evaluation.decision") {
	case "Shortlist":
		return float64(between(k, shortlist, 96)), true
	case "Review":
		return float64(between(k, review, shortlist-1)), true
	case "Reject":
		return float64(between(k, 12, review-1)), true
	default:
		return 0, false
	}
}

// evaluate judges the applicant a, who is the person, for the job. Everything
// that is said agrees with everything else: the score follows from the matches
// or, where it is pinned, the skills follow from the score.
func (p *person) evaluate(k seed.Key, j *job, a *hirempire.Applicant) hirempire.AIEvaluation {
	const at = "ai_evaluation."
	var e hirempire.AIEvaluation

	e.ExperienceMatch = orPinned(p.pins, at+"experience_match", matchExperience(a.YearsOfExperience, j))
	e.LocationMatch = "No"
	switch {
	case p.livesAt(j):
		e.LocationMatch = "Yes"
	case j.details.WorkplaceType == "Remote":
		e.LocationMatch = "Partial"
	}
	e.LocationMatch = orPinned(p.pins, at+"location_match", e.LocationMatch)

	rest := experiencePart*map3(e.ExperienceMatch, 95, 60, 10) + locationPart*map3(e.LocationMatch, 100, 60, 20)
	score, known := p.knownScore()
	if known {
		e.SkillMatch = orPinned(p.pins, at+"skill_match", skillFor((int(100*score)-rest)/skillPart))
	} else {
		e.SkillMatch = orPinned(p.pins, at+"skill_match",
			pickWeighted(k.Str("skill"), []weighted{{9, strong}, {7, moderate}, {4, weak}}))
		skill := map3(e.SkillMatch, 70, 40, 5) + below(k.Str("how skilled"), map3(e.SkillMatch, 31, 20, 26))
		score = float64((skillPart*skill + rest + 50) / 100)
	}
	e.Score = score

	e.Decision = "Reject"
	switch {
	case score >= shortlist:
		e.Decision = "Shortlist"
	case score >= review:
		e.Decision = "Review"
	}
	e.Decision = orPinned(p.pins, at+"decision", e.Decision)
	e.DecisionReason = orPinned(p.pins, at+"decision_reason", reason(k, j, a.YearsOfExperience, &e.Evaluation))

	e.LinkedInMatchScore = orPinned(p.pins, at+"linkedin_match_score", p.drawLinkedIn(k.Str("linkedin")))
	e.LinkedInMatch = orPinned(p.pins, at+"linkedin_match", e.LinkedInMatchScore >= linkedInSame)
	e.LinkedInDifferences = orPinned(p.pins, at+"linkedin_differences",
		differences(k, j, a.YearsOfExperience, &e))
	return e
}

// map3 returns the value of a match that is good, middling or anything else.
func map3(match string, good, middling, bad int) int {
	switch match {
	case strong, "Yes":
		return good
	case moderate, "Partial":
		return middling
	default:
		return bad
	}
}

func skillFor(quality int) string {
	switch {
	case quality >= 65:
		return strong
	case quality >= 35:
		return moderate
	default:
		return weak
	}
}

// usualYears returns the years of experience that the job asks for.
func usualYears(j *job) (first, last float64) {
	l := levelNamed(j.details.CareerLevel)
	if j.details.JobType == "Internship" {
		return 0, 1
	}
	return float64(l.first), float64(l.last)
}

// matchExperience judges the years: too many are better than too few.
func matchExperience(years float64, j *job) string {
	first, last := usualYears(j)
	switch {
	case years >= first && years <= last:
		return strong
	case years >= first-1: // or too many
		return moderate
	default:
		return weak
	}
}

// reason explains the decision in two sentences.
func reason(k seed.Key, j *job, years float64, e *hirempire.Evaluation) string {
	wanted := article(j.details.CareerLevel) + " " + j.details.CareerLevel + " role"
	if j.details.JobType == "Internship" {
		wanted = "an internship"
	}
	first, last := usualYears(j)
	var b strings.Builder
	fits := false
	switch {
	case years < first && years == 0:
		b.WriteString("Without experience so far, the applicant has less than " + wanted + " asks for")
	case years < first:
		b.WriteString("With " + count(years) + " of experience, the applicant has less than " + wanted + " asks for")
	case years > last:
		b.WriteString("With " + count(years) + " of experience, the applicant may be overqualified for " + wanted)
	case years == 0:
		fits = true
		b.WriteString("The applicant is at the start of a career, which fits " + wanted)
	default:
		fits = true
		b.WriteString("With " + count(years) + " of experience, the applicant fits " + wanted)
	}
	one, other := j.skillsIn(k)
	able := e.SkillMatch == strong
	if fits == able || !fits && e.SkillMatch == moderate {
		b.WriteString(", and ")
	} else {
		b.WriteString(", but ")
	}
	switch e.SkillMatch {
	case moderate:
		b.WriteString("the CV says more about " + one + " than about " + other + ". ")
	case weak:
		b.WriteString("the CV shows little of " + one + " and " + other + ". ")
	default:
		b.WriteString("the CV shows solid knowledge of " + one + " and " + other + ". ")
	}

	place := ""
	switch e.LocationMatch {
	case "Partial":
		place = "the location matches only in part"
	case "No":
		place = "the location does not match"
	}
	switch e.Decision {
	case "Shortlist":
		b.WriteString(pick(k.Str("verdict"), []string{"Recommended for an interview", "A good candidate for the next round"}))
		if place != "" {
			b.WriteString(", although " + place)
		}
	case "Review":
		b.WriteString(pick(k.Str("verdict"), []string{"A recruiter should take a second look", "Worth a closer look before deciding"}))
		if place != "" {
			b.WriteString(", also because " + place)
		}
	default:
		b.WriteString(pick(k.Str("verdict"), []string{"Other candidates match the job better", "Not a match for this job"}))
		if place != "" {
			b.WriteString(", and " + place)
		}
	}
	b.WriteByte('.')
	return b.String()
}

// skillsIn returns the two of the job's skills of which the application of that
// key gives a picture. A moderate match shows the first, a weak one neither.
func (j *job) skillsIn(k seed.Key) (one, other string) {
	return pickTwo(k.Str("skills"), j.role.skills)
}

// lacks reports whether the skill is one that the application hardly shows.
func (j *job) lacks(k seed.Key, match, skill string) bool {
	_, other := j.skillsIn(k)
	return match == weak || match != strong && skill == other
}

// count writes years of experience.
func count(years float64) string {
	if years == 1 {
		return "1 year"
	}
	return strconv.FormatFloat(years, 'f', -1, 64) + " years"
}

// drawLinkedIn returns how well the LinkedIn profile matches the CV, 0 to 100.
func (p *person) drawLinkedIn(k seed.Key) float64 {
	low := 85
	if p.pins.has("ai_evaluation.linkedin_match") {
		low = linkedInSame
		if !orPinned(p.pins, "ai_evaluation.linkedin_match", true) {
			low = 30
		}
	} else {
		switch n := below(k.Str("band"), 20); {
		case n < 3:
			low = 30
		case n < 8:
			low = linkedInSame
		case n < 10:
			return 100
		}
	}
	switch low {
	case 30:
		return float64(between(k, 30, linkedInSame-1))
	case linkedInSame:
		return float64(between(k, linkedInSame, 84))
	default:
		return float64(between(k, 85, 99))
	}
}

// differences lists what LinkedIn says otherwise than the CV, the more the lower
// the score.
func differences(k seed.Key, j *job, years float64, e *hirempire.AIEvaluation) string {
	n := 4
	switch score := e.LinkedInMatchScore; {
	case score >= 100:
		return "1. No differences found."
	case score >= 85:
		n = 1
	case score >= linkedInSame:
		n = 2
	case score >= 50:
		n = 3
	}
	counted := "The CV gives dates for every entry, LinkedIn only years."
	if years >= 2 {
		counted = "The CV adds up to " + count(years) + " of experience, LinkedIn to " +
			strconv.FormatFloat(years-1, 'f', -1, 64) + "."
	}
	listed := "LinkedIn lists one language less."
	if e.SkillMatch != weak {
		one, _ := j.skillsIn(k)
		listed = "The CV lists " + one + ", LinkedIn does not."
	}
	all := [...]string{
		counted,
		listed,
		"A certificate in the CV is missing on LinkedIn.",
		"The latest position has another title on LinkedIn.",
		"One short employment is only on LinkedIn.",
		"The start dates of one position are two months apart.",
		"The degree is named differently.",
	}
	// The number of lines is prime, so any stride visits different ones.
	start, stride := below(k.Str("first difference"), len(all)), 1+below(k.Str("stride"), len(all)-1)
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strconv.Itoa(i+1) + ". " + all[(start+i*stride)%len(all)])
	}
	return b.String()
}
