package workspace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A Fault answers the next calls of an operation instead of its rules. It stands
// before the check of the token.
type Fault struct {
	ID        string
	Pos       scenario.Position // in a story; zero: it is not of one
	Operation hirempire.Operation
	Workspace string // "": every workspace, and calls without a token
	// Answer is sent; nil: the operation answers, after the delay.
	Answer *FaultAnswer
	// Drop ends the connection instead of an answer: "close" in order, "reset" as by
	// a crash; "": it does not.
	Drop  string
	Delay time.Duration // before the answer, on the emulator's clock
	// Challenge is what is odd about the challenge of the call; nil: nothing.
	Challenge *scenario.ChallengeFault
	Times     int // how many calls are left, at least 1
}

// NewFault returns the fault for calls of a workspace, "" for all. The error says
// what the edition does not have.
func NewFault(edition hirempire.Edition, f scenario.APIFault, workspace string) (Fault, error) {
	out := Fault{
		Pos: f.Pos, Operation: f.Operation, Workspace: workspace, Drop: f.Drop, Delay: f.Delay, Challenge: f.Challenge, Times: max(f.Times, 1),
	}
	if operations := hirempire.Operations(edition); !slices.Contains(operations, f.Operation) {
		return Fault{}, fmt.Errorf("edition %s has no operation %s", edition, f.Operation)
	}
	switch {
	case f.Error != "":
		failure, ok := hirempire.FindError(edition, f.Operation, f.Error)
		if !ok {
			return Fault{}, fmt.Errorf("%s has no error %s in edition %s, it has: %s", f.Operation, f.Error, edition, strings.Join(codes(edition, f.Operation), ", "))
		}
		out.Answer = &FaultAnswer{Code: failure.Code, Status: failure.Status, Body: failure.Body()}
	case f.Status != 0:
		out.Answer = &FaultAnswer{Status: f.Status, Body: f.Body}
	}
	return out, nil
}

func codes(edition hirempire.Edition, op hirempire.Operation) []string {
	var codes []string
	for _, row := range hirempire.Errors(edition) {
		if row.Operation == op {
			codes = append(codes, row.Code)
		}
	}
	return codes
}

// String says what the fault does, in a few words.
func (f Fault) String() string {
	var words []string
	if f.Delay > 0 {
		words = append(words, "delayed by "+f.Delay.String())
	}
	switch {
	case f.Drop == "reset":
		words = append(words, "the connection reset")
	case f.Drop != "":
		words = append(words, "the connection closed")
	case f.Answer != nil && f.Answer.Code != "":
		words = append(words, "answered "+f.Answer.Code)
	case f.Answer != nil:
		words = append(words, fmt.Sprintf("answered %d", f.Answer.Status))
	case f.Challenge != nil:
		words = append(words, "an odd challenge")
	}
	return strings.Join(words, ", ")
}

// A FaultAnswer is an answer to the byte.
type FaultAnswer struct {
	Code   string // of the documented error that it is, "" for one of the caller's
	Status int    // 200 to 599
	Body   []byte
}

// Arm arms a fault after those that are armed already, and names it. The error
// wraps [ErrFull].
func (s *Store) Arm(f Fault) (Fault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) >= s.cfg.Limits.Faults {
		return Fault{}, fmt.Errorf("%w: %d faults are armed", ErrFull, len(s.faults))
	}
	return s.arm(f), nil
}

func (s *Store) arm(f Fault) Fault {
	s.armed++
	f.ID = s.cfg.Seed.Key("fault").Num(s.armed).ID("flt_")
	s.faults = append(s.faults, f)
	return f
}

// TakeFault counts down the first fault that is armed for the call, if any, and
// returns it with how many calls are left.
func (s *Store) TakeFault(op hirempire.Operation, workspace string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f Fault) bool {
		return f.Operation == op && (f.Workspace == "" || f.Workspace == workspace)
	})
	if i < 0 {
		return Fault{}, false
	}
	s.faults[i].Times--
	f := s.faults[i]
	if f.Times <= 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return f, true
}

// Faults returns what is armed for a workspace, or everything if it is empty, in
// order of arming.
func (s *Store) Faults(workspace string) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.faults), func(f Fault) bool { return workspace != "" && f.Workspace != workspace })
}

// Disarm takes back what [Store.Faults] returns, or only the fault of that id if
// it is not empty, and returns how many that were.
func (s *Store) Disarm(workspace, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.faults)
	s.faults = slices.DeleteFunc(s.faults, func(f Fault) bool {
		return (workspace == "" || f.Workspace == workspace) && (id == "" || f.ID == id)
	})
	return before - len(s.faults)
}

// RestoreFaults leaves a workspace, or everything if it is empty, with the faults
// that it started with.
func (s *Store) RestoreFaults(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := func(f Fault) bool { return workspace == "" || f.Workspace == workspace }
	s.faults = slices.DeleteFunc(s.faults, of)
	if workspace == "" {
		s.armed = 0
	}
	for _, f := range s.initial {
		if of(f) {
			s.arm(f)
		}
	}
}
