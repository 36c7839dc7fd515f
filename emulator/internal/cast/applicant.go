package cast

import (
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// files is where faked CVs, photos and recordings are said to be. The name is
// reserved; there is nothing to fetch.
const files = "https://files.hirempire.example/"

// A person is who applies, whatever the job.
type person struct {
	key  seed.Key
	pins pins
	// home is where the phone rings, a country of our table.
	home *country
	// land is the country that the location names: home's, unless another is pinned.
	land string
	// profile holds what does not depend on a job: all but source, evaluation and
	// answers.
	profile hirempire.Applicant
	// meetings is how many meetings a named person has had.
	meetings uint64
}

// makePerson returns the person of that key, who first applies for j. The number
// tells apart the e-mail addresses of unnamed people of a job; zero is none.
func (c *Cast) makePerson(k seed.Key, pinned pins, j *job, number uint64) *person {
	p := &person{key: k, pins: pinned}
	a := &p.profile
	a.ID = orPinned(pinned, "id", c.id(hirempire.EntityApplicant, k))
	a.Name = orPinned(pinned, "name", c.fullName(k.Str("name")))

	tail := ""
	if number > 0 {
		tail = strconv.FormatUint(number, 10)
	}
	a.Email = orPinned(pinned, "email", slug(a.Name, '.', "candidate")+tail+"@"+
		pick(k.Str("mail"), []string{"example.com", "example.org", "example.net"}))
	file := slug(a.Name, '-', "candidate")
	// The tail keeps the address from being that of a real person of the name.
	a.LinkedInURL = orPinned(pinned, "linkedin_url", "https://www.linkedin.com/in/"+file+"-"+k.Str("linkedin").Text(8))
	a.CVURL = orPinned(pinned, "cv_url", files+"cv/"+a.ID+"/"+file+".pdf")
	a.Photo = orPinned(pinned, "photo", files+"photos/"+a.ID+"/"+file+".jpg")

	p.settle(j)
	a.YearsOfExperience = orPinned(pinned, "years_of_experience", p.drawYears(j))
	a.SpokenLanguages = orPinned(pinned, "spoken_languages", p.drawLanguages())
	return p
}

// settle gives the person a home, and what belongs to it: location, city,
// nationality and phone.
func (p *person) settle(j *job) {
	k, a := p.key, &p.profile
	location := p.pins.text("location")
	city, land := "", location
	if comma := strings.LastIndex(location, ","); comma >= 0 {
		city, land = strings.TrimSpace(location[:comma]), strings.TrimSpace(location[comma+1:])
	} else if at := countryOfCity(location); at != nil {
		city, land = location, at.name
	}
	if p.pins.has("city") {
		city = p.pins.text("city")
	}

	p.home = countryNamed(land)
	if land == "" && city != "" {
		p.home = countryOfCity(city)
	}
	if p.home == nil {
		p.home = countryOfPeople(p.pins.text("nationality"))
	}
	if p.home == nil {
		p.home = p.drawHome(j)
	}
	a.Nationality = orPinned(p.pins, "nationality", p.home.demonym)

	lives := p.home.city(city)
	if lives == nil {
		lives = &p.home.cities[below(k.Str("city"), len(p.home.cities))]
	}
	a.Phone = orPinned(p.pins, "phone", lives.numbers.draw(k.Str("phone")))

	p.land = p.home.name
	switch {
	case location != "":
		p.land, a.Location = land, location
	case city != "" && p.home.city(city) == nil:
		// A pinned city that we do not know: which country it is in is not ours to say.
		p.land, a.Location = city, city
	case p.pins.has("city") && city == "", !p.pins.has("city") && oneIn(k.Str("no city"), 8):
		a.Location = p.home.name
	default:
		city = lives.name
		a.Location = city + ", " + p.home.name
	}
	if city != "" {
		a.City = new(city)
	}
	a.City = orPinned(p.pins, "city", a.City)
	a.Location = orPinned(p.pins, "location", a.Location)
}

// drawHome returns the job's country, four times out of five.
func (p *person) drawHome(j *job) *country {
	same := !oneIn(p.key.Str("abroad"), 5)
	switch p.pins.text("ai_evaluation.location_match") {
	case "Yes":
		same = true
	case "No", "Partial":
		same = false
	}
	if same && j.country != nil {
		return j.country
	}
	return otherThan(p.key.Str("home"), j.country)
}

// drawYears returns years of experience: those of the job's level, or, once in
// six draws, fewer or more.
func (p *person) drawYears(j *job) float64 {
	k := p.key.Str("years")
	l := levelNamed(j.details.CareerLevel)
	if j.details.JobType == "Internship" {
		return float64(between(k, 0, 1))
	}
	misfit := oneIn(k.Str("misfit"), 6)
	if score, ok := p.knownScore(); ok {
		misfit = misfit && score < shortlist
	}
	switch p.pins.text("ai_evaluation.experience_match") {
	case strong:
		misfit = false
	case moderate, weak:
		misfit = true
	}
	switch {
	case !misfit:
		return float64(between(k, l.first, l.last))
	case l.first == 0 || oneIn(k.Str("more"), 3):
		return float64(between(k, l.last+3, l.last+7))
	default:
		return float64(between(k, 0, l.first-1))
	}
}

// drawLanguages returns two languages: that of the home country and another.
func (p *person) drawLanguages() []hirempire.SpokenLanguage {
	k := p.key.Str("language")
	origin, fluency := countryOfPeople(p.profile.Nationality), "Native"
	if origin == nil {
		// Somebody of a nationality that we do not know speaks the language of the place.
		origin, fluency = p.home, "Fluent"
	}
	second := pick(k, origin.others)
	if p.home.language != origin.language {
		second = p.home.language
	}
	learnt := pick(k.Str("fluency"), []string{"Fluent", "Advanced", "Intermediate"})
	if second == "English" && learnt == "Intermediate" {
		learnt = "Fluent"
	}
	return []hirempire.SpokenLanguage{{Language: origin.language, Fluency: fluency}, {Language: second, Fluency: learnt}}
}

// application returns the key of the person's application for the job.
func (p *person) application(j *job) seed.Key { return p.key.Num(j.key.Source().Uint64()) }

// apply writes into a the person as an applicant for the job.
func (p *person) apply(j *job, a *hirempire.Applicant) {
	k := p.application(j)
	*a = p.profile
	a.Source = p.source(k, j)
	a.AIEvaluation.Evaluation = p.evaluate(k, j)
	p.compareLinkedIn(k, j, &a.AIEvaluation)
	skillMatch := a.AIEvaluation.SkillMatch
	a.SpecialQuestions = orPinned(p.pins, "special_questions", []hirempire.SpecialQuestion{
		j.questions[0].answered(k, p, skillMatch), j.questions[1].answered(k, p, skillMatch),
	})
	var audio, video *string
	if !oneIn(k.Str("audio"), 3) {
		audio = new(files + "media/" + a.ID + "/answer.mp3")
	}
	if oneIn(k.Str("video"), 2) {
		video = new(files + "media/" + a.ID + "/introduction.mp4")
	}
	a.MediaQuestions.AudioURL = orPinned(p.pins, "media_questions.audio_url", audio)
	a.MediaQuestions.VideoURL = orPinned(p.pins, "media_questions.video_url", video)
}

// source returns where the application for the job comes from, mostly one of the
// job's sources.
func (p *person) source(k seed.Key, j *job) string {
	from := usualSources
	if len(j.details.Sources) > 0 && !oneIn(k.Str("other source"), 10) {
		from = j.details.Sources
	}
	return orPinned(p.pins, "source", pick(k.Str("source"), from))
}

// livesAt reports whether the person lives in the country of the job.
func (p *person) livesAt(j *job) bool { return strings.EqualFold(p.land, j.details.JobCountry) }
