package cast

import (
	"strconv"

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

// evaluate judges the person for the job, in the application of that key.
// Everything that is said agrees with everything else: the score follows from the
// matches or, where it is pinned, the skills follow from the score.
func (p *person) evaluate(k seed.Key, j *job) hirempire.Evaluation {
	const at = "ai_evaluation."
	var e hirempire.Evaluation

	years := p.profile.YearsOfExperience
	e.ExperienceMatch = orPinned(p.pins, at+"experience_match", matchExperience(years, j))
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
	e.DecisionReason = orPinned(p.pins, at+"decision_reason", reason(k, j, years, &e))
	return e
}

// compareLinkedIn adds to the evaluation in the application of that key how the
// LinkedIn profile compares with the CV.
func (p *person) compareLinkedIn(k seed.Key, j *job, e *hirempire.AIEvaluation) {
	const at = "ai_evaluation."
	e.LinkedInMatchScore = orPinned(p.pins, at+"linkedin_match_score", p.drawLinkedIn(k.Str("linkedin")))
	e.LinkedInMatch = orPinned(p.pins, at+"linkedin_match", e.LinkedInMatchScore >= linkedInSame)
	e.LinkedInDifferences = orPinned(p.pins, at+"linkedin_differences",
		differences(k, j, p.profile.YearsOfExperience, e))
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
	t := make(text, 0, 384)
	first, last := usualYears(j)
	few, fits := years < first, years >= first && years <= last
	if years != 0 {
		t = t.say("With ").years(years).say(" of experience, the applicant ")
	}
	switch {
	case few && years == 0:
		t = t.say("Without experience so far, the applicant has less than ")
	case few:
		t = t.say("has less than ")
	case !fits:
		t = t.say("may be overqualified for ")
	case years == 0:
		t = t.say("The applicant is at the start of a career, which fits ")
	default:
		t = t.say("fits ")
	}
	if j.details.JobType == "Internship" {
		t = t.say("an internship")
	} else {
		t = t.say(article(j.details.CareerLevel), " ", j.details.CareerLevel, " role")
	}
	if few {
		t = t.say(" asks for")
	}

	one, other := j.skillsIn(k)
	able := e.SkillMatch == strong
	if fits == able || !fits && e.SkillMatch == moderate {
		t = t.say(", and ")
	} else {
		t = t.say(", but ")
	}
	switch e.SkillMatch {
	case moderate:
		t = t.say("the CV says more about ", one, " than about ", other, ". ")
	case weak:
		t = t.say("the CV shows little of ", one, " and ", other, ". ")
	default:
		t = t.say("the CV shows solid knowledge of ", one, " and ", other, ". ")
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
		t = t.say(pick(k.Str("verdict"), []string{"Recommended for an interview", "A good candidate for the next round"}))
		if place != "" {
			t = t.say(", although ", place)
		}
	case "Review":
		t = t.say(pick(k.Str("verdict"), []string{"A recruiter should take a second look", "Worth a closer look before deciding"}))
		if place != "" {
			t = t.say(", also because ", place)
		}
	default:
		t = t.say(pick(k.Str("verdict"), []string{"Other candidates match the job better", "Not a match for this job"}))
		if place != "" {
			t = t.say(", and ", place)
		}
	}
	return string(t.say("."))
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
	all := [...]string{
		"The CV gives dates for every entry, LinkedIn only years.", // where there are no years to count
		"LinkedIn lists one language less.",                        // where there is no skill to list
		"A certificate in the CV is missing on LinkedIn.",
		"The latest position has another title on LinkedIn.",
		"One short employment is only on LinkedIn.",
		"The start dates of one position are two months apart.",
		"The degree is named differently.",
	}
	// The number of lines is prime, so any stride visits different ones.
	start, stride := below(k.Str("first difference"), len(all)), 1+below(k.Str("stride"), len(all)-1)
	t := make(text, 0, 384)
	for i := range n {
		if i > 0 {
			t = t.say("\n")
		}
		t = t.say(strconv.Itoa(i+1), ". ")
		switch line := (start + i*stride) % len(all); {
		case line == 0 && years >= 2:
			t = t.say("The CV adds up to ").years(years).say(" of experience, LinkedIn to ").number(years - 1).say(".")
		case line == 1 && e.SkillMatch != weak:
			one, _ := j.skillsIn(k)
			t = t.say("The CV lists ", one, ", LinkedIn does not.")
		default:
			t = t.say(all[line])
		}
	}
	return string(t)
}
