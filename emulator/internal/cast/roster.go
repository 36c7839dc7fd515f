package cast

import "github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"

// A roster is who is known to a job, in order of application. It grows with the
// steps of a scenario, not with their iterations: unnamed applicants are numbers,
// and a row of them is one segment.
type roster struct {
	segments []segment
	named    map[string]bool // who of the named is in a segment
	unnamed  uint64          // how many unnamed applicants there are
	cv, met  progress
}

// A segment is one named applicant, or count unnamed ones from the first on.
type segment struct {
	name         string
	first, count uint64
}

// progress is how far down the roster an event has come.
type progress struct {
	segment int
	offset  uint64
	named   map[string]bool // the named who have had the event, in turn or out of turn
}

// An entry is one applicant of a job: a name, or a number where it is empty.
type entry struct {
	name   string
	number uint64
}

// know puts a named applicant on the roster, once.
func (r *roster) know(name string) {
	if r.named[name] {
		return
	}
	if r.named == nil {
		r.named = map[string]bool{}
	}
	r.named[name] = true
	r.segments = append(r.segments, segment{name: name, count: 1})
}

// bring puts a new unnamed applicant on the roster.
func (r *roster) bring() entry {
	number := r.unnamed
	r.unnamed++
	if last := len(r.segments) - 1; last >= 0 && r.segments[last].name == "" {
		r.segments[last].count++
	} else {
		r.segments = append(r.segments, segment{first: number, count: 1})
	}
	return entry{number: number}
}

// progressOf returns how far the event has come, nil for one that takes nobody in
// turn.
func (r *roster) progressOf(e hirempire.Event) *progress {
	switch e {
	case hirempire.CVUploadCompleted:
		return &r.cv
	case hirempire.MeetingBooked:
		return &r.met
	default:
		return nil
	}
}

// had notes that a named applicant has had the event.
func (p *progress) had(name string) {
	if p.named == nil {
		p.named = map[string]bool{}
	}
	p.named[name] = true
}

// next returns the first applicant who has not had the event of p, one of the
// roster's two, and brings a new one where there is none.
func (r *roster) next(p *progress) entry {
	for {
		if p.segment == len(r.segments) {
			r.bring()
		}
		s := r.segments[p.segment]
		switch {
		case p.offset == s.count && p.segment == len(r.segments)-1:
			// A new one may make this very segment longer.
			r.bring()
		case p.offset == s.count:
			p.segment, p.offset = p.segment+1, 0
		case s.name == "":
			p.offset++
			return entry{number: s.first + p.offset - 1}
		default:
			p.offset++
			if !p.named[s.name] {
				p.had(s.name)
				return entry{name: s.name}
			}
		}
	}
}
