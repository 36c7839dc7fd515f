package cast

import "strings"

// describe returns the job's description: plain text that ends with a newline.
func (j *job) describe() string {
	k, d := j.key.Str("description"), &j.details
	intern := d.JobType == "Internship"
	first, second := pickTwo(k.Str("skills"), j.role.skills)
	third := pick(k.Str("duty"), j.role.duties)

	t := make(text, 0, 1024)
	team, land := d.Department, inSentence(d.JobCountry)
	a, title := article(d.Title), d.Title
	switch d.CareerLevel {
	case "Team Leader", "Manager", "Director", "VP", "C-level":
		t = t.say(pick(k.Str("opening"), [][]string{
			{"We are looking for ", a, " ", title, " to lead our ", team, " team in ", land, "."},
			{"In ", land, ", our ", team, " team is looking for ", a, " ", title, "."},
		})...)
	default:
		t = t.say(pick(k.Str("opening"), [][]string{
			{"We are looking for ", a, " ", title, " to join our ", team, " team in ", land, "."},
			{"For our ", team, " team in ", land, " we are looking for ", a, " ", title, "."},
			{"To grow our ", team, " team in ", land, " we would like to hire ", a, " ", title, "."},
		})...)
	}
	t = t.say(" You will ", third, ". ")
	if intern {
		t = t.say(pick(k.Str("level"), []string{
			"You work on real tasks from the first week and have a mentor at your side.",
			"You get to know the whole team and finish a project of your own.",
		}))
	} else {
		t = t.say(pick(k.Str("level"), expectations(d.CareerLevel)))
	}
	if intern {
		t = t.say("\n", "You are a student or have just graduated, and have a first idea of ", first, " and ", second, ". ")
	} else {
		t = t.say("\n", "You bring ", experience(d.CareerLevel), " and know your way around ", first, " and ", second, ". ")
	}
	switch d.WorkplaceType {
	case "Remote":
		t = t.say(pick(k.Str("place"), [][]string{
			{"You work from wherever you like within ", land, "; we meet in person twice a year."},
			{"The position is fully remote within ", land, "."},
		})...)
	case "Hybrid":
		t = t.say(pick(k.Str("place"), []string{
			"You work two days a week at the office and the others from home.",
			"The position is hybrid: we meet at the office on Tuesdays and Thursdays.",
		}))
	default:
		t = t.say(pick(k.Str("place"), []string{
			"The position is on-site: we work together at our office.",
			"You work on-site, side by side with your colleagues.",
		}))
	}
	return string(t.say(" ", terms(d.JobType), "\n"))
}

// expectations says in a sentence what is expected at a career level.
func expectations(level string) []string {
	switch level {
	case "Junior":
		return []string{
			"An experienced colleague helps you to settle in and to learn.",
			"You need not know everything yet: we take time to show you.",
		}
	case "Mid-level":
		return []string{
			"You see your tasks through on your own and ask when it matters.",
			"You take on topics of your own and share what you learn.",
		}
	case "Senior":
		return []string{
			"Others turn to you for advice, and you help them to grow.",
			"You take the difficult cases and show others how to solve them.",
		}
	case "Team Leader":
		return []string{
			"You lead a team of five to eight people and still take part in its daily work.",
			"You plan the work of the team and have an open ear for everybody in it.",
		}
	case "Manager":
		return []string{
			"You are responsible for people, plans and results.",
			"You hire, develop and support the people who report to you.",
		}
	case "Director":
		return []string{
			"You lead several teams through their managers and answer for their results.",
			"You set the goals of several teams and give them what they need to reach them.",
		}
	default:
		return []string{
			"You report to the board and shape where the whole company goes.",
			"You are part of the management and stand for your field inside and outside the company.",
		}
	}
}

// experience says what one has to bring at a career level.
func experience(level string) string {
	switch level {
	case "Junior":
		return "up to two years of experience"
	case "Mid-level":
		return "three to five years of experience"
	case "Senior":
		return "five years of experience or more"
	case "Team Leader":
		return "at least six years of experience"
	case "Manager":
		return "at least seven years of experience"
	case "Director":
		return "ten years of experience or more"
	case "VP":
		return "twelve years of experience or more"
	default:
		return "fifteen years of experience or more"
	}
}

// terms says how long and how much one works.
func terms(jobType string) string {
	switch jobType {
	case "Full-time":
		return "This is a permanent full-time position."
	case "Part-time":
		return "This is a part-time position of about 20 hours a week."
	case "Contract":
		return "The contract runs for twelve months and can be extended."
	case "Freelance":
		return "You work with us as a freelancer."
	case "Internship":
		return "The internship takes six months and is paid."
	case "Temporary":
		return "The position is limited to six months."
	default:
		return "You are with us for the duration of the project."
	}
}

// inSentence returns the name of a country as it stands in a sentence: France,
// the United Kingdom.
func inSentence(country string) string {
	for _, start := range [...]string{"United ", "Netherlands", "Philippines", "Czech Republic"} {
		if strings.HasPrefix(country, start) {
			return "the " + country
		}
	}
	return country
}

// article returns the indefinite article of a title: a UX Designer, an HR
// Generalist, an Accountant.
func article(title string) string {
	word, _, _ := strings.Cut(title, " ")
	vowels := "AEIOaeio"
	if len(word) <= 3 && word == strings.ToUpper(word) {
		vowels = "AEFHILMNORSX" // letters whose names start with a vowel
	}
	if word != "" && strings.ContainsRune(vowels, rune(word[0])) {
		return "an"
	}
	return "a"
}
