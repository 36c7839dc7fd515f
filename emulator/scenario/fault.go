package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Limits of what can go wrong on purpose (our decisions).
const (
	MaxDuplicates = 100
	MaxShuffle    = 1000
	// MinHuge and MaxHuge bound the size of a payload that is too large, in bytes.
	MinHuge, MaxHuge = 64 << 10, 16 << 20
	// DefaultHuge is its size where none is given.
	DefaultHuge = 2 << 20
	// MaxRate is how many bytes a second slow may be at most; DefaultRate is how
	// many it is where none is given.
	MaxRate, DefaultRate = 1_000_000, 100
	// MaxTimes is how many calls, or outcomes, one fault or await is for at most.
	MaxTimes = 1_000_000
	// MaxFaultDelay is how long an answer of the API, or a challenge, is late at most.
	MaxFaultDelay = 10 * time.Minute
	// MaxWithin is how long an await, or what is expected, may take at most;
	// DefaultWithin is how long an await waits where the file is silent.
	MaxWithin, DefaultWithin = 24 * time.Hour, 30 * time.Second
)

// A DeliveryFault is what goes wrong, on purpose, with the deliveries of a step.
// The zero value is nothing.
type DeliveryFault struct {
	// Chance is the share of the deliveries that it falls on, above 0 to 1; zero is 1.
	// Which they are is drawn from the seed.
	Chance float64
	// Duplicates is how many deliveries of the same bytes follow each, 0 to MaxDuplicates.
	Duplicates int
	// Delay is how much later than it occurs the event is sent, on the run's clock.
	Delay time.Duration
	// Shuffle is how many deliveries to a webhook, this one first, change places: 0,
	// or 2 to MaxShuffle.
	Shuffle int
	// Drop keeps the delivery from being sent. Nothing but Chance stands beside it.
	Drop bool
	// Headers replace those of the request.
	Headers []Header
	// Corrupt changes the payload, after Set; empty: it does not.
	Corrupt Corruption
	// Path is what MissingField and WrongType change; empty: drawn from the seed.
	Path string
	// Bytes is the size of a Huge payload, MinHuge to MaxHuge.
	Bytes int
	// Wire disturbs the connection; empty: it does not.
	Wire Wire
	// Rate is how many bytes of the body a Slow connection carries a second, 1 to MaxRate.
	Rate int
}

// String lists the faults as a story writes them; nothing for nothing.
func (f DeliveryFault) String() string {
	var words []string
	add := func(yes bool, format string, args ...any) {
		if yes {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(f.Duplicates > 0, "duplicates: %d", f.Duplicates)
	add(f.Delay > 0, "delay: %s", f.Delay)
	add(f.Shuffle > 0, "shuffle: %d", f.Shuffle)
	add(f.Drop, "drop")
	add(len(f.Headers) > 0, "headers")
	add(f.Corrupt != "", "corrupt: %s", strings.TrimSpace(string(f.Corrupt)+" "+f.Path))
	add(f.Wire != "", "wire: %s", f.Wire)
	add(f.Chance > 0 && f.Chance < 1 && words != nil, "chance: %g", f.Chance)
	return strings.Join(words, ", ")
}

// A Header is one that a request or an answer has or, with Remove, has not.
type Header struct {
	Name, Value string
	Remove      bool
}

// A Corruption is a way to spoil a payload.
type Corruption string

// The corruptions.
const (
	Truncated    Corruption = "truncated"     // cut off at a drawn place
	NotJSON      Corruption = "not_json"      // an HTML page
	Empty        Corruption = "empty"         // no byte at all
	WrongType    Corruption = "wrong_type"    // a field has a value of another type
	UnknownEvent Corruption = "unknown_event" // `event` is none of the seven
	ExtraFields  Corruption = "extra_fields"  // every object has one more field
	MissingField Corruption = "missing_field" // a field is not there
	BadUTF8      Corruption = "bad_utf8"      // a string has bytes that are no UTF-8
	Huge         Corruption = "huge"          // one more field makes it large
)

// Corruptions lists them in the order in which they are documented.
func Corruptions() []Corruption {
	return []Corruption{Truncated, NotJSON, Empty, WrongType, UnknownEvent, ExtraFields, MissingField, BadUTF8, Huge}
}

// NeedsObject reports whether only a payload that is a JSON object can be
// spoilt in this way.
func (c Corruption) NeedsObject() bool {
	switch c {
	case WrongType, UnknownEvent, ExtraFields, MissingField, BadUTF8, Huge:
		return true
	default:
		return false
	}
}

// A Wire is a way to disturb a connection.
type Wire string

// The ways. They disturb the first attempt of a delivery; retries go undisturbed.
const (
	Reset     Wire = "reset"      // reset in the middle of the body
	Slow      Wire = "slow"       // the body comes a few bytes a second
	HalfClose Wire = "half_close" // the sending side is closed after the request
)

// Wires lists them in the order in which they are documented.
func Wires() []Wire { return []Wire{Reset, Slow, HalfClose} }

// An APIFault is what the next calls of an operation get instead of, or before,
// what they deserve. Exactly one of Error, Status, Drop and Challenge is set, or
// only Delay is.
type APIFault struct {
	Pos       Position
	Operation hirempire.Operation
	// Error is the code of a documented error of at least one edition.
	Error string
	// Status, 200 to 599, is answered with Body; zero: it is not.
	Status int
	Body   []byte
	// Drop cuts the connection instead of an answer: "close" or "reset".
	Drop string
	// Delay is how long the answer is late, to MaxFaultDelay.
	Delay time.Duration
	// Challenge disturbs the handshake; with create-webhook and update-webhook only.
	Challenge *ChallengeFault
	// Times is how many calls it is for, 1 to MaxTimes.
	Times int
	// Token is whose calls it is for; empty: those of the story's own workspace,
	// or of all where there is no story.
	Token string
}

// A ChallengeFault is what is odd about a challenge. The zero value is nothing.
type ChallengeFault struct {
	Twice bool          // the same value comes twice, and is to be answered twice
	Delay time.Duration // before it is sent, to MaxFaultDelay
	Rate  int           // bytes of the body a second, 1 to MaxRate; zero: at once
	Type  string        // under `type`; empty: url_verification
}

// String says what the fault does, in a few words.
func (f APIFault) String() string {
	words := []string{string(f.Operation)}
	switch {
	case f.Error != "":
		words = append(words, f.Error)
	case f.Status != 0:
		words = append(words, fmt.Sprint(f.Status))
	case f.Drop != "":
		words = append(words, "drop: "+f.Drop)
	case f.Challenge != nil:
		words = append(words, "challenge "+f.Challenge.String())
	}
	if f.Delay > 0 {
		words = append(words, "delay: "+f.Delay.String())
	}
	if f.Times > 1 {
		words = append(words, fmt.Sprintf("× %d", f.Times))
	}
	return strings.Join(words, "  ")
}

// String lists what is odd; nothing for nothing.
func (c ChallengeFault) String() string {
	var words []string
	if c.Twice {
		words = append(words, "twice")
	}
	if c.Delay > 0 {
		words = append(words, "delay: "+c.Delay.String())
	}
	if c.Rate > 0 {
		words = append(words, fmt.Sprintf("slow: %d", c.Rate))
	}
	if c.Type != "" {
		words = append(words, "type: "+c.Type)
	}
	return strings.Join(words, ", ")
}

// String says what is awaited, in a few words.
func (a Await) String() string {
	var words []string
	switch {
	case a.Registration:
		words = append(words, "registration")
	case a.Operation != "":
		words = append(words, string(a.Operation))
		if a.Status != 0 {
			words = append(words, fmt.Sprint(a.Status))
		}
		if a.AnsweredBy != "" {
			words = append(words, "by "+a.AnsweredBy)
		}
	default:
		words = append(words, a.Outcome)
	}
	if a.Event != "" {
		words = append(words, string(a.Event))
	}
	if a.Count > 1 {
		words = append(words, fmt.Sprintf("× %d", a.Count))
	}
	return strings.Join(append(words, "within "+a.Within.String()), "  ")
}

// An Await keeps the story from going on until something happened. Exactly one of
// Operation, Registration and Outcome is set.
type Await struct {
	// Operation is what a client of the API calls.
	Operation hirempire.Operation
	// AnsweredBy is what answers the call: the code of an error, success, fault or too-many-requests;
	// empty: anything. Only with Operation.
	AnsweredBy string
	// Status of the answer; zero: any. Only with Operation.
	Status int
	// Registration of a webhook, for Event or, if that is empty, for any.
	Registration bool
	// Outcome of deliveries of the run: delivered, failed, dropped, or settled for
	// any of them; of those of Event or, if that is empty, of any.
	Outcome string
	Event   hirempire.Event
	// Count is how many are needed, 1 to MaxTimes; of registrations always 1.
	Count int
	// Within is how long that may take, above zero to MaxWithin, in real time.
	Within time.Duration
}

// NeedsCaller returns the position of the first step that needs somebody who calls
// the API while the story is performed; ok is false if none does.
func (s *Scenario) NeedsCaller() (at Position, ok bool) {
	for _, step := range s.Steps {
		if step.Fault != nil || step.Await != nil && step.Await.Outcome == "" {
			return step.Pos, true
		}
	}
	return Position{}, false
}
