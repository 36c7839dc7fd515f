package scenario

import (
	"fmt"
	"strings"
)

// String says what the step does, in a few words on a line.
func (s Step) String() string {
	switch {
	case s.Fault != nil:
		return "fault  " + s.Fault.String()
	case s.Await != nil:
		return "await  " + s.Await.String()
	case s.Challenge != nil:
		return strings.TrimSpace("challenge  " + s.Challenge.String())
	case s.Event == "":
		return "wait " + s.Wait.String()
	}
	words := []string{string(s.Event)}
	for _, name := range []string{s.Company, s.Job, s.Applicant, s.Meeting} {
		if name != "" {
			words = append(words, name)
		}
	}
	if s.Fixture != "" {
		words = append(words, s.Fixture)
	}
	if s.Repeat > 1 {
		words = append(words, fmt.Sprintf("× %d", s.Repeat))
	}
	if s.Every > 0 {
		words = append(words, "every "+s.Every.String())
	}
	if faults := s.Delivery.String(); faults != "" {
		words = append(words, faults)
	}
	if s.Expect != nil {
		words = append(words, "expects "+s.Expect.String())
	}
	return strings.Join(words, "  ")
}
