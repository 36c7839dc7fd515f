package cast

import (
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A job is what people apply for, the same in every event of a run.
type job struct {
	key        seed.Key
	company    *company
	country    *country // nil where a country that is not in our table is pinned
	department *department
	role       *role
	details    hirempire.JobDetails
	questions  [2]question
	roster     roster
}

// A level is what a career level usually means (our decision).
type level struct {
	name         string
	weight       int // how often it is drawn
	first, last  int // usual years of experience
	lowest, most int // usual yearly pay of an engineer in the United States, in dollars
}

var levels = []level{
	{"Junior", 22, 0, 2, 58_000, 72_000},
	{"Mid-level", 34, 3, 5, 72_000, 98_000},
	{"Senior", 26, 5, 9, 98_000, 140_000},
	{"Team Leader", 6, 6, 12, 112_000, 150_000},
	{"Manager", 6, 7, 14, 120_000, 165_000},
	{"Director", 3, 10, 18, 155_000, 210_000},
	{"VP", 2, 12, 22, 190_000, 260_000},
	{"C-level", 1, 15, 26, 230_000, 320_000},
}

func levelNamed(name string) level {
	for _, l := range levels {
		if l.name == name {
			return l
		}
	}
	return levels[0]
}

// drawLevel draws a career level among those up to the last one.
func drawLevel(k seed.Key, last string) string {
	var from [8]weighted
	n := 0
	for _, l := range levels {
		from[n] = weighted{l.weight, l.name}
		n++
		if l.name == last {
			break
		}
	}
	return pickWeighted(k, from[:n])
}

// levelWords are words in a title that tell its career level, in the order in which
// they count.
var levelWords = []struct {
	level string
	words []string
}{
	{"C-level", []string{"chief", "ceo", "cto", "cfo", "coo", "cmo", "cpo", "cio", "ciso", "chro"}},
	{"VP", []string{"vp", "svp", "evp", "vice president"}},
	{"Director", []string{"director", "head of"}},
	{"Team Leader", []string{"lead", "team lead", "team leader", "leader"}},
	{"Manager", []string{"manager"}},
	{"Senior", []string{"senior", "sr", "principal", "staff"}},
	{"Junior", []string{"junior", "jr", "intern", "internship", "trainee", "graduate", "apprentice"}},
}

// levelOfTitle returns the career level that a title speaks of, "" where it says
// nothing. In the title of a known role “Manager” is no level: a Product Manager
// may be junior.
func levelOfTitle(title string, known bool) string {
	for _, t := range levelWords {
		if known && t.level == "Manager" {
			continue
		}
		for _, word := range t.words {
			if hasWord(title, word) {
				return t.level
			}
		}
	}
	return ""
}

// A jobType is how a job is contracted and paid (our decision).
type jobType struct {
	name    string
	pay     float64 // as a part of full-time pay
	periods []weighted
}

var jobTypes = []jobType{
	{"Full-time", 1, []weighted{{7, "Per year"}, {4, "Per month"}, {1, "Bi-weekly"}}},
	{"Part-time", 0.5, []weighted{{1, "Per hour"}, {2, "Per month"}}},
	{"Contract", 1.25, []weighted{{2, "Per day"}, {1, "Per hour"}, {1, "Per month"}}},
	{"Freelance", 1.25, []weighted{{1, "Per day"}, {1, "Per hour"}}},
	{"Internship", 0.55, []weighted{{3, "Per month"}, {1, "Per week"}}},
	{"Temporary", 1, []weighted{{2, "Per hour"}, {1, "Per week"}, {1, "Bi-weekly"}}},
	{"Project-based", 1.25, []weighted{{2, "Per day"}, {1, "Per week"}}},
}

func jobTypeNamed(name string) jobType {
	for _, t := range jobTypes {
		if t.name == name {
			return t
		}
	}
	return jobTypes[0]
}

// drawType draws a job type: internships are for juniors, and who leads is
// employed full-time.
func drawType(k seed.Key, title, level string) string {
	switch {
	case hasWord(title, "intern"), hasWord(title, "internship"):
		return "Internship"
	case level == "Junior":
		return pickWeighted(k, []weighted{{66, "Full-time"}, {10, "Part-time"}, {18, "Internship"}, {6, "Temporary"}})
	case level == "Mid-level", level == "Senior":
		return pickWeighted(k, []weighted{
			{74, "Full-time"}, {8, "Part-time"}, {8, "Contract"}, {4, "Freelance"}, {3, "Temporary"}, {3, "Project-based"},
		})
	default:
		return "Full-time"
	}
}

var (
	usualSources = []string{"LinkedIn", "Indeed", "My Website", "Hirempire", "Referral"}
	rareSources  = []string{"Facebook", "X", "Instagram", "Xing", "WhatsApp", "YouTube", "Reddit", "TikTok", "Alien Talents", "Other"}
)

// makeJob returns the job of that key at the company where it is first spoken of.
func (c *Cast) makeJob(k seed.Key, pinned pins, co *company) *job {
	j := &job{key: k, company: co}
	d := &j.details
	d.ID = orPinned(pinned, "id", c.id(hirempire.EntityJob, k))
	j.drawWork(pinned)
	j.drawCountry(pinned)
	d.WorkplaceType = orPinned(pinned, "workplace_type", pickWeighted(k.Str("workplace"), []weighted{{4, "Hybrid"}, {3, "On-site"}, {3, "Remote"}}))
	d.HideSalary = orPinned(pinned, "hide_salary", oneIn(k.Str("hide"), 4))
	j.drawSalary(pinned)
	d.JobDescription = orPinned(pinned, "job_description", j.describe())
	usual, second := pickTwo(k.Str("sources"), usualSources)
	if oneIn(k.Str("rare source"), 3) {
		second = pick(k.Str("which rare source"), rareSources)
	}
	d.Sources = orPinned(pinned, "sources", []string{usual, second})
	j.questions = j.askedQuestions()
	return j
}

// drawWork settles department, career level, job type and title, which have to
// agree.
func (j *job) drawWork(pinned pins) {
	k, d := j.key, &j.details
	title := pinned.text("title") // what is pinned; the faked one comes last
	known, r := departmentOfTitle(title)
	switch {
	case pinned.has("department"):
		j.department = departmentNamed(pinned.text("department"))
	case known != nil:
		j.department = known
	case title != "":
		j.department = departmentNamed("Operations")
	default:
		j.department = &departments[below(k.Str("department"), len(departments))]
	}
	d.Department = orPinned(pinned, "department", j.department.name)

	last := "C-level"
	if title != "" || pinned.has("job_type") {
		last = "Senior" // who leads has a title that says so, and is employed full-time
	}
	d.CareerLevel = levelOfTitle(title, r != nil)
	switch {
	case pinned.has("career_level"):
		d.CareerLevel = pinned.text("career_level")
	case d.CareerLevel != "":
	case pinned.text("job_type") == "Internship":
		d.CareerLevel = "Junior"
	default:
		d.CareerLevel = drawLevel(k.Str("level"), last)
	}
	d.JobType = orPinned(pinned, "job_type", drawType(k.Str("type"), title, d.CareerLevel))

	leads := j.department.titleAt(d.CareerLevel)
	switch {
	case r != nil:
		j.role = r
	case title != "" || leads != "":
		j.role = &j.department.general
	default:
		j.role = &j.department.roles[below(k.Str("role"), len(j.department.roles))]
	}
	switch {
	case pinned.has("title"):
		d.Title = title
	case leads != "":
		d.Title = leads
	case d.JobType == "Internship":
		d.Title = j.role.title + " Intern"
	case d.CareerLevel == "Mid-level":
		d.Title = j.role.title
	default:
		d.Title = d.CareerLevel + " " + j.role.title
	}
}

// drawCountry settles where the job is. A company hires mostly in one country.
func (j *job) drawCountry(pinned pins) {
	if pinned.has("job_country") {
		j.details.JobCountry = pinned.text("job_country")
		j.country = countryNamed(j.details.JobCountry)
		return
	}
	j.country = &countries[below(j.company.key.Str("country"), len(countries))]
	if oneIn(j.key.Str("abroad"), 4) {
		j.country = otherThan(j.key.Str("country"), j.country)
	}
	if currency := pinnedCurrency(pinned); currency != "" && currency != j.country.currency {
		if paying := countryWhere(func(c *country) bool { return c.currency == currency }); paying != nil {
			j.country = paying
		}
	}
	j.details.JobCountry = j.country.name
}

// pinnedCurrency returns the currency that the salary is pinned to, "" if it is not.
func pinnedCurrency(pinned pins) string {
	if pinned.has("salary_currency") {
		return pinned.text("salary_currency")
	}
	fields := strings.Fields(pinned.text("salary_range"))
	if len(fields) < 2 || len(fields[len(fields)-1]) != 3 {
		return ""
	}
	return fields[len(fields)-1]
}
