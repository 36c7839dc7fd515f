package cast

import (
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// makeMeeting returns the meeting of that key, booked at a moment. The first
// meeting of an applicant is another kind of talk than a later one.
func (c *Cast) makeMeeting(k seed.Key, pinned pins, j *job, co *company, p *person, later bool, booked time.Time) hirempire.MeetingDetails {
	var m hirempire.MeetingDetails
	m.ID = orPinned(pinned, "id", c.id(hirempire.EntityMeeting, k))
	m.MeetingType = orPinned(pinned, "meeting_type", pick(k.Str("type"), meetingTypes(j, later)))
	m.MeetingLink = orPinned(pinned, "meeting_link", "https://meet.hirempire.example/"+m.ID)

	hours := hoursFor(j, p)
	m.DurationMinutes = orPinned(pinned, "duration_minutes", float64(pick(k.Str("duration"), hours.durations)))
	m.ScheduledAt = orPinned(pinned, "scheduled_at", hirempire.Time{Time: hours.draw(k.Str("time"), booked, m.DurationMinutes)})

	// A job has one recruiter, who holds its meetings.
	recruiter := c.recruiter(co, below(j.key.Str("recruiter"), recruiters))
	m.Organizer.Name = orPinned(pinned, "organizer.name", recruiter)
	m.Organizer.Email = orPinned(pinned, "organizer.email", slug(m.Organizer.Name, '.', "recruiting")+"@"+co.domain)
	return m
}

func meetingTypes(j *job, later bool) []string {
	if !later {
		return []string{"Interview", "Interview", "Phone Screen", "Introductory Call"}
	}
	switch j.department.name {
	case "Engineering", "Data":
		return []string{"Technical Interview", "Technical Interview", "Team Interview", "Final Interview"}
	default:
		return []string{"Second Interview", "Team Interview", "Case Interview", "Final Interview"}
	}
}

// officeHours are when a meeting may start, in minutes after midnight UTC, and
// how many minutes it may take.
type officeHours struct {
	first, last int
	durations   []int
}

// end is when every meeting is over, in minutes after midnight UTC.
const end = 17 * 60

// hoursFor returns when it is office hours at the job's place, at the person's,
// and in UTC, in summer and in winter.
func hoursFor(j *job, p *person) officeHours {
	america := p.home.america
	europe := !america
	if j.country != nil {
		america, europe = america || j.country.america, europe || !j.country.america
	}
	switch {
	case america && europe:
		// The only half-hour that is neither too early in Chicago nor too late in Stockholm.
		return officeHours{15 * 60, 15 * 60, []int{30}}
	case america:
		return officeHours{15 * 60, 16 * 60, []int{30, 45, 60}}
	default:
		return officeHours{9 * 60, 14 * 60, []int{30, 45, 60}}
	}
}

// draw returns a start on a weekday one to ten days after the moment, on the
// hour or half-hour.
func (h officeHours) draw(k seed.Key, booked time.Time, minutes float64) time.Time {
	days := between(k.Str("day"), 1, 10)
	step := 1 // away from a weekend, towards the middle of the ten days
	if days > 5 {
		step = -1
	}
	year, month, day := booked.UTC().Date()
	date := time.Date(year, month, day+days, 0, 0, 0, 0, time.UTC)
	for date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
		date = date.AddDate(0, 0, step)
	}
	// A pinned duration may leave less time to start.
	last := max(h.first, min(h.last, end-int(min(minutes, end))))
	start := h.first + 30*below(k.Str("slot"), (last-h.first)/30+1)
	return date.Add(time.Duration(start) * time.Minute)
}
