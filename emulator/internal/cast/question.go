package cast

import (
	"strconv"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A question is asked by a job; everybody who applies gets the same one.
type question struct {
	ask string
	// answer is the answer in the application of that key, of a as far as it is known.
	answer func(k seed.Key, p *person, a *hirempire.Applicant) string
}

// askedQuestions draws the job's two questions.
func (j *job) askedQuestions() [2]question {
	k := j.key.Str("questions")
	skill := pick(k.Str("skill"), j.role.skills)
	all := []question{
		{"When could you start?", func(k seed.Key, _ *person, _ *hirempire.Applicant) string {
			return pick(k.Str("answer"), []string{"Immediately.", "In two weeks.", "In one month.", "In two months.", "In three months, after my notice period."})
		}},
		{"How many years have you worked with " + skill + "?", func(k seed.Key, p *person, a *hirempire.Applicant) string {
			if j.lacks(k, a.AIEvaluation.SkillMatch, skill) {
				return yearsWith(k, 0)
			}
			return yearsWith(k, p.profile.YearsOfExperience)
		}},
		{"Why would you like to work with us?", func(k seed.Key, _ *person, _ *hirempire.Applicant) string {
			return pick(k.Str("answer"), []string{
				"I would like to do more in " + skill + ", and your description speaks of it.",
				"A friend told me good things about the team.",
				"I have used what you make for years and have ideas for it.",
				"I am looking for a place where I can learn and stay for a while.",
			})
		}},
		{"What are you proud of in your work?", func(k seed.Key, p *person, _ *hirempire.Applicant) string {
			if p.profile.YearsOfExperience < 1 {
				return pick(k.Str("answer"), []string{"My final project, which is in use at my university.", "A volunteer project that I organised with two friends."})
			}
			return pick(k.Str("answer"), []string{
				"A project about " + skill + " that we finished two weeks early.",
				"New colleagues come to me first when they have questions.",
				"I cut the time for our monthly routine by half.",
			})
		}},
		j.placeQuestion(),
	}
	first, second := pickTwo(k, all)
	return [2]question{first, second}
}

// placeQuestion asks about the way of working that the job offers.
func (j *job) placeQuestion() question {
	if j.details.WorkplaceType == "Remote" {
		return question{"Do you have a quiet place to work from?", func(k seed.Key, _ *person, _ *hirempire.Applicant) string {
			return pick(k.Str("answer"), []string{"Yes, I have a room of my own for it.", "Yes, I have worked from home for a while.", "Yes, a desk in a shared office nearby."})
		}}
	}
	return question{"Would you move to " + inSentence(j.details.JobCountry) + " for this position?", func(k seed.Key, p *person, _ *hirempire.Applicant) string {
		if p.livesAt(j) {
			return pick(k.Str("answer"), []string{"I already live there.", "No need to, I live in " + inSentence(j.details.JobCountry) + "."})
		}
		return pick(k.Str("answer"), []string{"Yes, within two months.", "Yes, if you help with finding a flat.", "I would like to talk about remote work first."})
	}}
}

// yearsWith answers with most of the years that the person has.
func yearsWith(k seed.Key, years float64) string {
	if years < 1 {
		return "Less than one so far."
	}
	most := int(min(years, 12))
	n := between(k.Str("answer"), (most+1)/2, most)
	if n == 1 {
		return "About one year."
	}
	return "About " + strconv.Itoa(n) + " years."
}

// answered returns the question and the answer to it, keyed by the application.
func (q question) answered(k seed.Key, p *person, a *hirempire.Applicant) hirempire.SpecialQuestion {
	return hirempire.SpecialQuestion{Question: q.ask, Answer: q.answer(k, p, a)}
}
