// Package emulator puts a local stand-in for the webhook API of Hirempire
// together: [New] builds it, [Emulator.Start] serves it, [Emulator.Perform]
// replays a story of faked events.
//
// # The rooms
//
// Imports run one way, from the end of this list to its beginning; a test holds it.
//
//	fixtures/                canned bodies and the table of tokens, embedded
//	scenarios/               the shipped stories and the reference of their language, embedded
//
//	emulator/hirempire/      the contract as data and types; nothing invented, nothing that acts
//
//	emulator/report/         pure: what happened, as text; the accounting
//	emulator/scenario/       a YAML file becomes a story with positions, or problems
//	emulator/internal/seed/  every id and every random draw, by key
//	emulator/internal/clock/ the only reader of time: real, manual, and the timeline of a run
//
//	emulator/internal/cast/       who a story is about, and the payloads they appear in
//	emulator/internal/workspace/  tokens and webhooks: pure state behind one mutex
//	emulator/internal/journal/    the bounded record, the counters, the waits
//
//	emulator/internal/deliver/       the only caller of consumers: challenges, queues, workers, attempts, connections
//	emulator/internal/registration/  checks, challenge, commit
//	emulator/internal/replay/        performs stories and sends single events
//
//	emulator/internal/api/       the vendor's endpoints
//	emulator/internal/control/   our own API under /_emulator, and the dashboard, which uses it
//	emulator/internal/consumer/  the built-in consumer
//	emulator/internal/check/     the battery that examines any consumer
//	emulator/internal/ca/        the CA of the TLS listener; real randomness and time
//
//	emulator/                 this package: options, life cycle, the library of stories
//	emulator/client/          a Go client of the control API; imports nothing of the rest
//	emulator/emulatortest/    an emulator for one Go test; example/ is a module of its own, as a user's
//	cmd/hirempire-emulator/   the command line, a file for each command; imports no internal room
//
// # The way of a registration
//
// api reads the request; registration checks token, body and URL in documented
// order, has deliver challenge the endpoint with no lock held, and commits to
// workspace; api writes the answer and tells journal.
//
// # The way of an event
//
// replay walks through the steps on the run's timeline or, if the run has a rate, on
// a schedule; cast makes the payload, ahead of that; deliver queues it for each
// subscribed webhook and sends it in order, unless several may go at once; journal
// records attempts and outcome; report accounts for it.
//
// # What goes wrong on purpose
//
// scenario says what can; replay draws which deliveries it falls on, and lets them
// be late or change places; cast spoils payloads; deliver disturbs connections and
// challenges. Faults of the API are armed in workspace, and api answers with them
// before it asks registration.
package emulator
