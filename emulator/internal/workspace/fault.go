package workspace

import (
	"fmt"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// maxFaults is how many faults may be armed at once.
const maxFaults = 1000

// A Cut is how a connection ends instead of an answer.
type Cut string

// The cuts.
const (
	CutClose Cut = "close" // closed in order
	CutReset Cut = "reset" // reset, as by a crash
)

// A Fault answers the next calls of an operation instead of its rules. It stands
// before the check of the token.
type Fault struct {
	ID        string
	Operation hirempire.Operation
	Workspace string // "": every workspace, and calls without a token
	// Answer is sent; nil: the operation answers, after the delay.
	Answer *FaultAnswer
	// Cut ends the connection instead of an answer; "": it does not.
	Cut   Cut
	Delay time.Duration // before the answer, on the emulator's clock
	Times int           // how many calls are left, at least 1
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
	if len(s.faults) >= maxFaults {
		return Fault{}, fmt.Errorf("%w: %d faults are armed", ErrFull, len(s.faults))
	}
	s.armed++
	f.ID = s.cfg.Seed.Key("fault").Num(s.armed).ID("flt_")
	s.faults = append(s.faults, f)
	return f, nil
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
