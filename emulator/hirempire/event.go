package hirempire

import "slices"

// An Event is one of the seven documented event types.
type Event string

// The event types.
const (
	JobAdded          Event = "job_added"
	JobActivated      Event = "job_activated"
	JobDeactivated    Event = "job_deactivated"
	JobDeleted        Event = "job_deleted"
	ApplicantApplied  Event = "applicant_applied"
	CVUploadCompleted Event = "cv_upload_completed"
	MeetingBooked     Event = "meeting_booked"
)

// Events lists the event types in documented order.
func Events() []Event {
	return []Event{JobAdded, JobActivated, JobDeactivated, JobDeleted, ApplicantApplied, CVUploadCompleted, MeetingBooked}
}

// Valid reports whether e is one of the seven.
func (e Event) Valid() bool { return slices.Contains(Events(), e) }

// Fires says when the vendor sends the event (documented).
func (e Event) Fires() string {
	switch e {
	case JobAdded:
		return "a new job is published"
	case JobActivated:
		return "an inactive or draft job is made active"
	case JobDeactivated:
		return "an active job is taken off"
	case JobDeleted:
		return "a job is removed for good"
	case ApplicantApplied:
		return "a candidate applies"
	case CVUploadCompleted:
		return "an uploaded CV is processed"
	case MeetingBooked:
		return "a candidate or team member schedules a meeting"
	default:
		return ""
	}
}

// AboutApplicant reports whether the payload of the event names an applicant.
func (e Event) AboutApplicant() bool {
	return e == ApplicantApplied || e == CVUploadCompleted || e == MeetingBooked
}

// An Entity is a kind of thing that payloads name by id.
type Entity string

// The entities.
const (
	EntityCompany   Entity = "company"
	EntityJob       Entity = "job"
	EntityApplicant Entity = "applicant"
	EntityMeeting   Entity = "meeting"
)

// IDPrefix returns what the ids of the entity start with, as in the documented
// examples; 18 characters of [a-z0-9] follow. It is for editions whose ids are no
// UUIDs, see [Rules].
func IDPrefix(entity Entity) string {
	switch entity {
	case EntityCompany:
		return "comp_"
	case EntityJob:
		return "job_"
	case EntityApplicant:
		return "app_"
	case EntityMeeting:
		return "mtg_"
	default:
		return ""
	}
}
