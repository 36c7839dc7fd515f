package scenario

import (
	"maps"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// warn reports what is legal but odd. A story may be told out of order on
// purpose, so none of it is an error.
func (p *parser) warn(s *Scenario) {
	p.warnOrder(s)
	p.warnJobs(s)
	// What is misspelt elsewhere would be reported twice.
	if !HasErrors(p.problems) {
		p.warnUnused()
		p.warnAwaits(s)
	}
}

// subject returns the job and the applicant that a step is about, links of its
// meeting followed.
func (p *parser) subject(s *Step) (job, applicant string) {
	job, applicant = s.Job, s.Applicant
	if meeting := p.roles["meeting"][s.Meeting]; meeting != nil {
		if job == "" {
			job = meeting.Job
		}
		if applicant == "" {
			applicant = meeting.Applicant
		}
	}
	return job, applicant
}

// warnOrder finds CVs and meetings of applicants who apply only later. Who
// never applies in the story may have applied before it.
func (p *parser) warnOrder(s *Scenario) {
	type application struct{ applicant, job string }
	const anyJob = "\x00"
	first := make(map[application]int) // the step
	note := func(a application, i int) {
		if _, ok := first[a]; !ok {
			first[a] = i
		}
	}
	for i, step := range s.Steps {
		if job, applicant := p.subject(&step); step.Event == hirempire.ApplicantApplied && applicant != "" {
			note(application{applicant, job}, i)
			note(application{applicant, anyJob}, i)
		}
	}
	for i, step := range s.Steps {
		if step.Event != hirempire.CVUploadCompleted && step.Event != hirempire.MeetingBooked {
			continue
		}
		job, applicant := p.subject(&step)
		if job == "" {
			job = anyJob
		}
		applied, ok := first[application{applicant, job}]
		if open, found := first[application{applicant, ""}]; found && (!ok || open < applied) {
			applied, ok = open, true
		}
		if ok && applied > i {
			p.warnAt(step.Pos, "before-application", "`%s` comes before applicant %s applies, in line %d", step.Event, code(applicant), s.Steps[applied].Pos.Line)
		}
	}
}

// warnJobs follows the named jobs from being added to being deleted.
func (p *parser) warnJobs(s *Scenario) {
	added, deleted := make(map[string]int), make(map[string]int) // the line
	for _, step := range s.Steps {
		job, _ := p.subject(&step)
		if step.Event == "" || job == "" {
			continue
		}
		if line := deleted[job]; line > 0 && step.Event != hirempire.JobAdded {
			p.warnAt(step.Pos, "after-job-deleted", "`%s` comes after job %s is deleted, in line %d", step.Event, code(job), line)
		}
		switch step.Event {
		case hirempire.JobAdded:
			if line := added[job]; line > 0 {
				p.warnAt(step.Pos, "job-added-twice", "job %s is already added in line %d", code(job), line)
			} else if step.Repeat > 1 {
				p.warnAt(step.Pos, "job-added-twice", "job %s is added %d times; leave `job` out to add as many jobs", code(job), step.Repeat)
			}
			added[job], deleted[job] = step.Pos.Line, 0
		case hirempire.JobDeleted:
			added[job], deleted[job] = 0, step.Pos.Line
		}
	}
}

func (p *parser) warnUnused() {
	for _, k := range kinds() {
		roles := p.roles[k.singular]
		for _, name := range slices.Sorted(maps.Keys(roles)) {
			if !roles[name].used {
				p.warnAt(roles[name].Pos, "unused-member", "%s %s is in no step", k.singular, code(name))
			}
		}
	}
}
