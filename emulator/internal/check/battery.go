package check

import (
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A check is a part of the battery.
type check struct {
	Info
	// needs are checks whose failure makes this one's outcome worthless.
	needs []string
	// events are what it sends. It does with those that work, and is skipped if none
	// does.
	events []hirempire.Event
	// hostile: the consumer may not survive it, so that somebody has to look.
	hostile bool
	run     func(x *exam)
}

// eventID is the id of the check of an ordinary event.
func eventID(e hirempire.Event) string { return strings.ReplaceAll(string(e), "_", "-") }

// The vendor documents no retry, which is why so much matters.
const lost = "An event that is not answered with 2xx has failed, and no retry is documented: it is lost."

// battery lists the checks, in the order in which they are tried: what others
// build on comes first, what may hurt comes last.
func battery() []check {
	one := func(e hirempire.Event) []hirempire.Event { return []hirempire.Event{e} }
	checks := []check{
		{
			Info: Info{
				ID: "challenge", Group: "challenge", Title: "a challenge is answered with its value", Standing: Documented, Points: 3,
				Basis: "The endpoint must return the received value under challenge in a JSON body, exactly as it was.",
				Why:   "Without it no webhook can be created, and none can be changed.",
				Fix:   `If type is url_verification, answer 200 with {"challenge": <the value>} as JSON, before anything else.`,
			},
			run: (*exam).challengeExact,
		},
		{
			Info: Info{
				ID: "challenge-twice", Group: "challenge", Title: "each challenge is answered with its own value", Standing: Documented, Points: 3,
				Basis: "A challenge is sent on create and on update; its value is another one each time.",
				Why:   "A value that is remembered or written down passes once and fails at the next update.",
				Fix:   "Answer with the value of the request at hand; remember nothing.",
			},
			needs: []string{"challenge"}, run: (*exam).challengeTwice,
		},
		{
			Info: Info{
				ID: "challenge-json", Group: "challenge", Title: "a challenge is read as JSON", Standing: Documented, Points: 3,
				Basis: "The body is JSON: order of keys, white space and escapes mean nothing in it (RFC 8259).",
				Why:   "A consumer that compares or cuts up bytes breaks as soon as the vendor's JSON library prints them otherwise.",
				Fix:   "Parse the body with a JSON library, whatever parameters its content type has, and ignore keys that you do not know.",
			},
			needs: []string{"challenge", "challenge-twice"}, run: (*exam).challengeJSON,
		},
		{
			Info: Info{
				ID: "challenge-after-events", Group: "challenge", Title: "a challenge is answered between events, too", Standing: Documented, Points: 3,
				Basis: "An update is challenged as well, and comes when events have long been arriving.",
				Why:   "Otherwise the webhook can be created, but not changed or activated again.",
				Fix:   "Answer every challenge, whatever was received before.",
			},
			needs: []string{"challenge", "challenge-twice"}, run: (*exam).challengeAfterEvents,
		},
	}
	for _, e := range story() {
		checks = append(checks, check{
			Info: Info{
				ID: eventID(e), Group: "events", Title: "an ordinary " + string(e) + " is accepted", Standing: Documented, Points: 3,
				Basis: "The event is one of the seven; it is sent when " + e.Fires() + ".",
				Why:   lost,
				Fix:   "Answer " + string(e) + " with 2xx, also if you have no use for it; its fields: hirempire-emulator events show " + string(e) + ".",
			},
			run: func(x *exam) { x.ordinary(e) },
		})
	}
	return append(checks, []check{
		{
			Info: Info{
				ID: "minimal", Group: "events", Title: "empty lists and texts and zeroes are accepted", Standing: Documented, Points: 3,
				Basis: "Lists, strings and numbers have documented types, and no least length or value.",
				Why:   "Who speaks no language or has no experience applies, too. " + lost,
				Fix:   "Do not take the first element for granted, nor 0 and empty texts for missing ones.",
			},
			events: story(), run: func(x *exam) { x.all("minimal", least) },
		},
		{
			Info: Info{
				ID: "maximal", Group: "events", Title: "long lists and texts are accepted", Standing: Documented, Points: 3,
				Basis: "Lists and strings have documented types, and no greatest length.",
				Why:   "People write long answers, and evaluations give long reasons. " + lost,
				Fix:   "Store texts in columns without a bound, or shorten them yourself.",
			},
			events: story(), run: func(x *exam) { x.all("maximal", most) },
		},
		{
			Info: Info{
				ID: "nulls", Group: "content", Title: "documented nulls are accepted", Standing: Documented, Points: 3,
				Basis: "applicant.city, media_questions.audio_url and media_questions.video_url may be null.",
				Why:   "Most applicants record neither audio nor video. " + lost,
				Fix:   "Make these three fields optional, in code and in the database.",
			},
			events: one(hirempire.ApplicantApplied), run: (*exam).nulls,
		},
		{
			Info: Info{
				ID: "unicode", Group: "content", Title: "names in any script are accepted", Standing: Documented, Points: 3,
				Basis: "Texts are JSON strings, which hold any character of Unicode, raw or escaped.",
				Why:   "Applicants have names that are not English, and write emoji. " + lost,
				Fix:   "Read the body as UTF-8 from end to end; in MySQL that is utf8mb4.",
			},
			events: one(hirempire.ApplicantApplied), run: (*exam).unicode,
		},
		{
			Info: Info{
				ID: "unknown-event", Group: "content", Title: "an event type that is not known is accepted", Standing: Practice, Points: 2,
				Basis: "Receivers acknowledge what they do not know, since senders add event types; the vendor changed its contract in place in June 2026.",
				Why:   "A new event type would look like an outage of yours, and may get the webhook disabled.",
				Fix:   "Answer event types that you do not know with 2xx, and ignore them.",
			},
			events: one(hirempire.JobActivated), hostile: true, run: (*exam).unknownEvent,
		},
		{
			Info: Info{
				ID: "extra-fields", Group: "content", Title: "fields that are not known are ignored", Standing: Practice, Points: 2,
				Basis: "Adding a field is a compatible change to JSON; the vendor did so in June 2026.",
				Why:   "A field more would stop every event. " + lost,
				Fix:   "Ignore keys that you do not know; do not validate with additionalProperties: false.",
			},
			events: story(), hostile: true, run: (*exam).extraFields,
		},
		{
			Info: Info{
				ID: "challenge-field", Group: "content", Title: "an event with a challenge in it stays an event", Standing: Practice, Points: 2,
				Basis: "A challenge is an object whose own type is url_verification; what is inside an event is data, some of it typed by applicants.",
				Why:   "Who takes an event for a challenge loses it, and lets strangers decide what the endpoint answers.",
				Fix:   "Ask whether the top-level type is url_verification; do not look for challenge anywhere else.",
			},
			events: one(hirempire.ApplicantApplied), run: (*exam).challengeField,
		},
		{
			Info: Info{
				ID: "duplicates", Group: "order", Title: "an event that comes twice is accepted twice", Standing: Practice, Points: 2,
				Basis: "Delivery is at least once with most senders, and events have no documented id; a second copy is acknowledged like the first.",
				Why:   "A refused copy counts as a failure, and a sender that retries goes on and on.",
				Fix:   "Make handling idempotent: upsert by the ids in the payload, and answer 2xx to what is known already.",
			},
			events: story(), run: (*exam).duplicates,
		},
		{
			Info: Info{
				ID: "out-of-order", Group: "order", Title: "events in another order are not an error", Standing: Practice, Points: 2,
				Basis: "No order is documented, and two deliveries can overtake each other.",
				Why:   "A meeting with somebody who is not known yet is a real meeting. " + lost,
				Fix:   "Create what an event refers to if you do not know it; its id and name are in the payload.",
			},
			events: []hirempire.Event{hirempire.MeetingBooked, hirempire.CVUploadCompleted, hirempire.JobActivated, hirempire.ApplicantApplied, hirempire.JobAdded},
			run:    (*exam).outOfOrder,
		},
		{
			Info: Info{
				ID: "missing-field", Group: "robustness", Title: "a missing field is no crash", Standing: Practice, Points: 1,
				Basis: "Input from the network is validated; 4xx says that the request is wrong, 5xx that the receiver is.",
				Why:   "A crash hides which event was odd, and may take others with it.",
				Fix:   "Check that what you read is there; answer 2xx if you can do without, else 400.",
			},
			events: one(hirempire.ApplicantApplied), hostile: true, run: (*exam).missingField,
		},
		{
			Info: Info{
				ID: "wrong-type", Group: "robustness", Title: "a field of another type is no crash", Standing: Practice, Points: 1,
				Basis: "Input from the network is validated; 4xx says that the request is wrong, 5xx that the receiver is.",
				Why:   "A crash hides which event was odd, and may take others with it.",
				Fix:   "Check the types of what you read; answer 400 to what you cannot use.",
			},
			events: one(hirempire.ApplicantApplied), hostile: true, run: (*exam).wrongType,
		},
		{
			Info: Info{
				ID: "broken-json", Group: "robustness", Title: "what is no JSON is refused with 4xx", Standing: Practice, Points: 2,
				Basis: "Payloads are documented as JSON; what cannot be parsed is a bad request, commonly 400.",
				Why:   "2xx tells the sender that a mutilated event arrived well, so that nobody ever sends it again; 5xx looks like an outage.",
				Fix:   "Parse the body before you answer, and answer 400 if that fails.",
			},
			events: one(hirempire.JobAdded), hostile: true, run: (*exam).brokenJSON,
		},
		{
			Info: Info{
				ID: "empty-body", Group: "robustness", Title: "an empty body is no crash", Standing: Practice, Points: 1,
				Basis: "An empty body is not JSON and deserves 4xx; some frameworks read it as an empty object, so that 2xx is a warning.",
				Why:   "Health checks and proxies send such requests.",
				Fix:   "Answer 400 to a request without a body.",
			},
			needs: []string{"broken-json"}, events: one(hirempire.JobAdded), hostile: true, run: (*exam).emptyBody,
		},
		{
			Info: Info{
				ID: "bad-utf8", Group: "robustness", Title: "invalid UTF-8 is no crash", Standing: Practice, Points: 1,
				Basis: "JSON is UTF-8 (RFC 8259); parsers either refuse other bytes or replace them, so that 2xx and 4xx are fine.",
				Why:   "A text cut in the middle of a character must not take the receiver down.",
				Fix:   "Refuse the body with 400, or replace invalid bytes by U+FFFD.",
			},
			needs: []string{"broken-json", "unicode"}, events: one(hirempire.ApplicantApplied), hostile: true, run: (*exam).badUTF8,
		},
		{
			Info: Info{
				ID: "keep-alive", Group: "connection", Title: "a connection is used more than once", Standing: Practice, Points: 2,
				Basis: "HTTP/1.1 keeps connections open unless one side says otherwise (RFC 9112).",
				Why:   "Senders reuse connections. " + lost,
				Fix:   "Read every request to its end, and say Connection: close if you close.",
			},
			events: one(hirempire.JobAdded), run: (*exam).keepAlive,
		},
		{
			Info: Info{
				ID: "whole-answer", Group: "connection", Title: "the answer is whole", Standing: Practice, Points: 1,
				Basis: "An answer has as many bytes as its Content-Length says (RFC 9112).",
				Why:   "Strict senders take a broken answer for none.",
				Fix:   "Let the HTTP library compute Content-Length, and send the body before you close.",
			},
			events: one(hirempire.JobAdded), run: (*exam).wholeAnswer,
		},
		{
			Info: Info{
				ID: "slow-body", Group: "connection", Title: "a body that comes slowly is accepted", Standing: Practice, Points: 1,
				Basis: "Networks are slow at times; a body may well take two seconds.",
				Why:   lost,
				Fix:   "Allow several seconds for reading a request, such as 10.",
			},
			events: one(hirempire.JobAdded), hostile: true, run: (*exam).slowBody,
		},
		{
			Info: Info{
				ID: "reset", Group: "connection", Title: "a connection that breaks in the body does no harm", Standing: Practice, Points: 2,
				Basis: "Connections break; the request is gone, and the next one is as good as any.",
				Why:   "One broken connection must not stop the events after it.",
				Fix:   "Handle the error of reading the body: give that request up, and nothing else.",
			},
			events: one(hirempire.JobAdded), run: (*exam).reset,
		},
		{
			Info: Info{
				ID: "body-size", Group: "connection", Title: "a payload of 1 MiB is accepted", Standing: Practice, Points: 1,
				Basis: "No greatest size is documented; 413 is the proper refusal, and a warning.",
				Why:   "Frameworks stop at 100 KiB if they are not told otherwise, and descriptions and answers are free text. " + lost,
				Fix:   "Raise the limit for this path, as in express.json({limit: '2mb'}) or client_max_body_size 2m.",
			},
			needs: []string{"maximal"}, events: one(hirempire.JobAdded), hostile: true, run: (*exam).bodySize,
		},
		{
			Info: Info{
				ID: "in-time", Group: "load", Title: "answers are in time", Standing: Practice, Points: 3,
				Basis: "No time-out is documented; senders commonly wait for 5 to 30 seconds, and 99 of 100 answers should be well within it.",
				Why:   "An answer that is late counts as none: the event failed, though you may have handled it.",
				Fix:   "Store the event, answer at once, and do the work afterwards.",
			},
			events: one(hirempire.JobAdded), run: (*exam).inTime,
		},
		{
			Info: Info{
				ID: "parallel", Group: "load", Title: "fifty events at once are accepted in time", Standing: Practice, Points: 2,
				Basis: "Nothing is documented to keep the vendor from sending events at the same time, as when a campaign starts.",
				Why:   lost,
				Fix:   "Handle requests at the same time: more workers, a pool of database connections, no lock around the whole handler.",
			},
			needs: []string{"in-time"}, events: one(hirempire.ApplicantApplied), hostile: true, run: (*exam).parallel,
		},
	}...)
}
