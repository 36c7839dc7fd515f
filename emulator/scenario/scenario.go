// Package scenario reads YAML stories: a file becomes a [Scenario] in which
// every part knows its position, or a list of problems and nothing else.
//
// Nothing here performs a scenario, fakes a value or reads the clock.
package scenario

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Limits of the language (our decisions).
const (
	// MaxDeliveries is how many events a scenario may emit in total.
	MaxDeliveries = 10_000_000
	// MaxBytes is the size of the largest file that is read.
	MaxBytes = 1 << 20
	// FakedElements is how many elements every faked array has, so that a path
	// by index is right or wrong whatever the seed.
	FakedElements = 2
	// MaxSpan is how long one wait, and a whole performance, may take.
	MaxSpan = 366 * 24 * time.Hour
	// MaxProblems is how many problems are reported at most.
	MaxProblems = 1000
)

// Position is a place in a file. Lines and columns count from one, columns in
// characters; zero means unknown.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

// String returns file:line:col.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// A Scenario is a story that can be performed.
type Scenario struct {
	Name        string
	Description string
	File        string     // where it was read from, as named by the caller
	Seed        *uint64    // nil: random
	Start       *time.Time // nil: now
	Cast        Cast
	Steps       []Step
	Expect      *RunExpectation // nil: nothing
}

// Cast pins members by kind. A kind that is nil is not listed: its members are
// made on first use.
type Cast struct {
	Companies, Jobs, Applicants, Meetings map[string]Member
}

// A Member is a company, job, applicant or meeting that the file pins.
type Member struct {
	Name string // the key in the file
	Pos  Position
	// Pins is a JSON object of the pinned fields in file order, shaped like the
	// member in the payloads: keys as documented, objects nested. Never nil; {}
	// where nothing is pinned. Links are not in it.
	Pins json.RawMessage
	// Links to other members, "" where there is none: a job's Company; a
	// meeting's Job and Applicant.
	Company, Job, Applicant string
}

// A Step is one line of the story: exactly one of Event, Wait, Fault, Await and
// Challenge is set.
type Step struct {
	Pos       Position
	Event     hirempire.Event
	Wait      time.Duration
	Fault     *APIFault
	Await     *Await
	Challenge *ChallengeFault // a challenge in the middle of events, to every active webhook
	// Names of the members that the event is about, "" where the file is silent.
	Company, Job, Applicant, Meeting string
	// Repeat is how often the event is emitted, at least 1.
	Repeat int
	// Every is the time between the starts of two iterations.
	Every time.Duration
	// Jitter is by how much each iteration is at most late; below or equal to Every.
	Jitter time.Duration
	// Set changes the payload, in file order.
	Set []Setting
	// Fixture, if not empty, is the slash-separated path of a file whose bytes
	// are the payload. Whether there is such a file is for the caller to say: at
	// FixturePos.
	Fixture    string
	FixturePos Position
	// Delivery says what goes wrong with the deliveries of the event.
	Delivery DeliveryFault
	// Expect is what must hold of their answers; nil: nothing.
	Expect *Expectation
}

// A Setting gives one payload path a value of the documented type.
type Setting struct {
	Pos   Position
	Path  string
	Value json.RawMessage // compact JSON
}

// Deliveries returns how many deliveries one performance makes to a webhook that
// gets every event, duplicates included.
func (s *Scenario) Deliveries() int {
	total := 0
	for _, step := range s.Steps {
		if step.Event != "" {
			total += step.Repeat * (1 + step.Delivery.Duplicates)
		}
	}
	return total
}

// Events lists the event types that the story emits, in documented order.
func (s *Scenario) Events() []hirempire.Event {
	return slices.DeleteFunc(hirempire.Events(), func(e hirempire.Event) bool {
		return !slices.ContainsFunc(s.Steps, func(step Step) bool { return step.Event == e })
	})
}

// Span returns how far the story's clock moves at most in one performance.
func (s *Scenario) Span() time.Duration {
	var span time.Duration
	for _, step := range s.Steps {
		span += step.Wait
		if step.Event != "" {
			span += time.Duration(step.Repeat-1)*step.Every + step.Jitter + step.Delivery.Delay
		}
	}
	return span
}
