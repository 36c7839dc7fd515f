package cast

import (
	"strconv"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A question is asked by a job; everybody who applies gets the same one.
type question struct {
	ask string
	// answer is the answer in the application of that key, of a person whose skills
	// match the job as it says.
	answer func(k seed.Key, p *person, skillMatch string) string
}

// questions are what a job may ask, each made for the job and one of its skills.
var questions = []func(j *job, skill string) question{startQuestion, yearsQuestion, motiveQuestion, prideQuestion, placeQuestion}

// askedQuestions draws the job's two questions.
func (j *job) askedQuestions() [2]question {
	k := j.key.Str("questions")
	skill := pick(k.Str("skill"), j.role.skills)
	first, second := pickTwo(k, questions)
	return [2]question{first(j, skill), second(j, skill)}
}

// drawAnswer returns an answer that is one of these, whoever applies.
func drawAnswer(from ...string) func(seed.Key, *person, string) string {
	return func(k seed.Key, _ *person, _ string) string { return pick(k.Str("answer"), from) }
}

func startQuestion(*job, string) question {
	return question{"When could you start?", drawAnswer(
		"Immediately.", "In two weeks.", "In one month.", "In two months.", "In three months, after my notice period.",
	)}
}

func yearsQuestion(j *job, skill string) question {
	return question{"How many years have you worked with " + skill + "?", func(k seed.Key, p *person, skillMatch string) string {
		if j.lacks(k, skillMatch, skill) {
			return yearsWith(k, 0)
		}
		return yearsWith(k, p.profile.YearsOfExperience)
	}}
}

func motiveQuestion(_ *job, skill string) question {
	return question{"Why would you like to work with us?", drawAnswer(
		"I would like to do more in "+skill+", and your description speaks of it.",
		"A friend told me good things about the team.",
		"I have used what you make for years and have ideas for it.",
		"I am looking for a place where I can learn and stay for a while.",
	)}
}

func prideQuestion(_ *job, skill string) question {
	beginner := drawAnswer("My final project, which is in use at my university.", "A volunteer project that I organised with two friends.")
	others := drawAnswer(
		"A project about "+skill+" that we finished two weeks early.",
		"New colleagues come to me first when they have questions.",
		"I cut the time for our monthly routine by half.",
	)
	return question{"What are you proud of in your work?", func(k seed.Key, p *person, skillMatch string) string {
		if p.profile.YearsOfExperience < 1 {
			return beginner(k, p, skillMatch)
		}
		return others(k, p, skillMatch)
	}}
}

// placeQuestion asks about the way of working that the job offers.
func placeQuestion(j *job, _ string) question {
	if j.details.WorkplaceType == "Remote" {
		return question{"Do you have a quiet place to work from?", drawAnswer(
			"Yes, I have a room of my own for it.", "Yes, I have worked from home for a while.", "Yes, a desk in a shared office nearby.",
		)}
	}
	land := inSentence(j.details.JobCountry)
	there := drawAnswer("I already live there.", "No need to, I live in "+land+".")
	elsewhere := drawAnswer("Yes, within two months.", "Yes, if you help with finding a flat.", "I would like to talk about remote work first.")
	return question{"Would you move to " + land + " for this position?", func(k seed.Key, p *person, skillMatch string) string {
		if p.livesAt(j) {
			return there(k, p, skillMatch)
		}
		return elsewhere(k, p, skillMatch)
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
func (q question) answered(k seed.Key, p *person, skillMatch string) hirempire.SpecialQuestion {
	return hirempire.SpecialQuestion{Question: q.ask, Answer: q.answer(k, p, skillMatch)}
}
