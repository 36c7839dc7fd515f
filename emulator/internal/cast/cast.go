// Package cast fakes who a scenario is about: a coherent company, its jobs, who
// applies and whom they meet, and the payloads in which they appear.
//
// Somebody is the same in every event of a run. Nobody is real: e-mail addresses
// and hosts are at reserved names, telephone numbers in ranges kept for fiction.
// All values come from the seed; the clock and global randomness are not read.
package cast

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brianvoe/gofakeit/v7"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Config says what a cast is made from.
type Config struct {
	Edition hirempire.Edition
	Seed    seed.Seed
	// Run is the number of the run in its workspace since the last reset, from 1.
	// Entity ids depend on it, and what is written with an id such as a URL;
	// nothing else does.
	Run  uint64
	Pins scenario.Cast
}

// A Cast is the companies, jobs, applicants and meetings of one run. It belongs
// to one goroutine at a time, shares nothing with other casts, and remembers as
// much as its scenario has steps, however often they are repeated.
type Cast struct {
	config    Config
	companies map[string]*company
	jobs      map[string]*job
	people    map[string]*person
	meetings  map[string]*booking
	spoken    *job // most recently spoken of
	// unnamedJobs is how many jobs without a name there were.
	unnamedJobs uint64
	// faker draws from source, which is set anew for each draw.
	faker  gofakeit.Faker
	source rand.PCG
}

// A booking is whom a named meeting is about, once that is settled.
type booking struct {
	job   *job
	who   entry
	later bool // not the first meeting of the applicant
}

// New returns a cast in which nobody has appeared yet.
func New(config Config) *Cast {
	c := &Cast{
		config:    config,
		companies: map[string]*company{},
		jobs:      map[string]*job{},
		people:    map[string]*person{},
		meetings:  map[string]*booking{},
	}
	c.faker.Rand = &c.source
	return c
}

// Payload returns the body of the next iteration of an event step, occurring at
// a moment. Iterations are asked for in order, which may be long before they are
// sent: the body is the caller's. Steps with a fixture have no business here.
//
// Who an event is about (our decision):
//
//   - The company is the step's; else the one that the job is linked to, or was
//     first spoken of with; else the only one pinned; else one for the whole run.
//   - The job is the step's, or the one that a named meeting is linked to or was
//     first about. Without a name, job_added makes a new job each time; any other
//     event is about the job most recently spoken of (at the step's company, if it
//     names one), or a new one where there is none yet.
//   - The applicant is the step's, or the one that a named meeting is linked to or
//     was first about. Without a name, applicant_applied brings a new person each
//     time; cv_upload_completed and meeting_booked take the first applicant of
//     the job, in order of application, who has not had the event yet, or a new
//     one, who from then on is an applicant of that job.
//   - A meeting without a name is the applicant's next.
//
// Within the payload, a value of step.Set beats a pinned one, which beats a faked
// one; a pinned value also decides what is faked around it.
func (c *Cast) Payload(step scenario.Step, at time.Time) ([]byte, error) {
	payload, err := c.payload(&step, at)
	if err != nil {
		return nil, err
	}
	body := hirempire.Marshal(payload)
	for _, set := range step.Set {
		if body, err = Splice(body, set.Path, set.Value); err != nil {
			return nil, fmt.Errorf("%s: cannot set %s: %w", step.Pos, set.Path, err)
		}
	}
	return body, nil
}

func (c *Cast) payload(step *scenario.Step, at time.Time) (any, error) {
	if step.Meeting != "" {
		c.followLinks(step)
	}
	j, co, err := c.jobAndCompany(step)
	if err != nil {
		return nil, err
	}
	head := hirempire.Head{Event: step.Event, Timestamp: hirempire.Time{Time: at}}
	ref := hirempire.JobRef{ID: j.details.ID, Title: j.details.Title}
	if !step.Event.AboutApplicant() {
		return &hirempire.Job{Head: head, Company: hirempire.Company{ID: co.id, Name: co.name}, Job: j.details}, nil
	}

	who := c.applicant(step, j)
	p, err := c.person(who, j)
	if err != nil {
		return nil, err
	}
	switch step.Event {
	case hirempire.ApplicantApplied:
		payload := &hirempire.Application{Head: head, Job: ref, Company: hirempire.ApplyingCompany{ID: co.id, Company: co.name}}
		p.apply(j, &payload.Applicant)
		return payload, nil
	case hirempire.CVUploadCompleted:
		a, k := &p.profile, p.application(j)
		return &hirempire.CVUpload{
			Head: head, Job: ref,
			Company: hirempire.ApplyingCompany{ID: co.id, Company: co.name},
			Applicant: hirempire.CVApplicant{
				ID: a.ID, Name: a.Name, Email: a.Email, Phone: a.Phone, CVURL: a.CVURL, Source: p.source(k, j),
				Nationality: a.Nationality, Location: a.Location, YearsOfExperience: a.YearsOfExperience,
				AIEvaluation: p.evaluate(k, j),
			},
		}, nil
	default:
		meeting, err := c.meeting(step, j, co, who, p, at)
		if err != nil {
			return nil, err
		}
		return &hirempire.Meeting{
			Head: head, Job: ref,
			Company:   hirempire.Company{ID: co.id, Name: co.name},
			Applicant: hirempire.MeetingApplicant{ID: p.profile.ID, Name: p.profile.Name, Email: p.profile.Email},
			Meeting:   meeting,
		}, nil
	}
}

// followLinks fills in the names that the step leaves to its meeting.
func (c *Cast) followLinks(step *scenario.Step) {
	pinned := c.config.Pins.Meetings[step.Meeting]
	if step.Job == "" {
		step.Job = pinned.Job
	}
	if step.Applicant == "" {
		step.Applicant = pinned.Applicant
	}
}

// jobAndCompany returns the job that the step is about, made if need be, and the
// company to go with it.
func (c *Cast) jobAndCompany(step *scenario.Step) (*job, *company, error) {
	j := c.jobs[step.Job]
	if step.Job == "" && step.Event != hirempire.JobAdded {
		j = c.spoken
		if step.Company != "" {
			j = nil
			if co := c.companies[step.Company]; co != nil {
				j = co.spoken
			}
		}
		if b := c.meetings[step.Meeting]; b != nil {
			j = b.job
		}
	}
	companyName := step.Company
	switch {
	case companyName != "":
	case j != nil:
		c.speakOf(j, j.company)
		return j, j.company, nil
	default:
		companyName = c.config.Pins.Jobs[step.Job].Company
	}
	co, err := c.company(companyName)
	if err != nil {
		return nil, nil, err
	}
	if j == nil {
		if j, err = c.newJob(step.Job, co); err != nil {
			return nil, nil, err
		}
	}
	c.speakOf(j, co)
	return j, co, nil
}

func (c *Cast) speakOf(j *job, co *company) {
	c.spoken, co.spoken = j, j
}

// company returns the named company, made if need be. Without a name it is the
// only one pinned, or else the same one for the whole run.
func (c *Cast) company(name string) (*company, error) {
	if pinned := c.config.Pins.Companies; name == "" && len(pinned) == 1 {
		for only := range pinned {
			name = only
		}
	}
	if co := c.companies[name]; co != nil {
		return co, nil
	}
	co, err := c.makeCompany(name)
	if err != nil {
		return nil, err
	}
	c.companies[name] = co
	return co, nil
}

// newJob makes a job, a new one each time if it has no name. A named job's own
// company is the one it is linked to, whatever company the step names.
func (c *Cast) newJob(name string, co *company) (*job, error) {
	if name == "" {
		c.unnamedJobs++
		return c.makeJob(c.config.Seed.Key("unnamed job").Num(c.unnamedJobs), nil, co), nil
	}
	member := c.config.Pins.Jobs[name]
	pinned, err := readPins[hirempire.JobDetails](member)
	if err != nil {
		return nil, err
	}
	if member.Company != "" {
		if co, err = c.company(member.Company); err != nil {
			return nil, err
		}
	}
	j := c.makeJob(c.config.Seed.Key("job").Str(name), pinned, co)
	c.jobs[name] = j
	return j, nil
}

// applicant returns which of the job's applicants the step is about.
func (c *Cast) applicant(step *scenario.Step, j *job) entry {
	r := &j.roster
	p := r.progressOf(step.Event)
	switch b := c.meetings[step.Meeting]; {
	case step.Applicant != "":
		r.know(step.Applicant)
		if p != nil {
			p.had(step.Applicant)
		}
		return entry{name: step.Applicant}
	case b != nil && b.job == j:
		return b.who
	case p == nil:
		return r.bring()
	default:
		return r.next(p)
	}
}

// person returns who the entry of the job's roster is. A named person is made
// once, for the first job that they have to do with; an unnamed one can be made
// again at any time.
func (c *Cast) person(who entry, j *job) (*person, error) {
	if who.name == "" {
		return c.makePerson(j.key.Str("applicant").Num(who.number), nil, j, who.number+1), nil
	}
	if p := c.people[who.name]; p != nil {
		return p, nil
	}
	pinned, err := readPins[hirempire.Applicant](c.config.Pins.Applicants[who.name])
	if err != nil {
		return nil, err
	}
	p := c.makePerson(c.config.Seed.Key("applicant").Str(who.name), pinned, j, 0)
	c.people[who.name] = p
	return p, nil
}

// meeting returns the step's meeting of the person about the job.
func (c *Cast) meeting(step *scenario.Step, j *job, co *company, who entry, p *person, at time.Time) (hirempire.MeetingDetails, error) {
	if step.Meeting == "" {
		k := p.key.Str("meeting").Num(p.meetings)
		p.meetings++
		return c.makeMeeting(k, nil, j, co, p, p.meetings > 1, at), nil
	}
	pinned, err := readPins[hirempire.MeetingDetails](c.config.Pins.Meetings[step.Meeting])
	if err != nil {
		return hirempire.MeetingDetails{}, err
	}
	b := c.meetings[step.Meeting]
	if b == nil {
		b = &booking{j, who, p.meetings > 0}
		c.meetings[step.Meeting] = b
		p.meetings++
	}
	return c.makeMeeting(c.config.Seed.Key("meeting").Str(step.Meeting), pinned, j, co, p, b.later, at), nil
}

// id returns the id of the entity of that key in this run.
func (c *Cast) id(entity hirempire.Entity, k seed.Key) string {
	k = k.Str("id").Num(c.config.Run)
	if c.config.Edition.Rules().UUIDs {
		return k.UUID()
	}
	return k.ID(hirempire.IDPrefix(entity))
}
