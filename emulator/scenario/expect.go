package scenario

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An Expectation is what must hold of the answer to every delivery of a step: of
// all iterations, at all webhooks, duplicates included. What is not given is not
// looked at; at least one thing is given.
type Expectation struct {
	Pos Position
	// Status is one of these.
	Status []StatusRange
	// Within is how long after the last byte was sent the answer is there, in real
	// time, above zero to MaxWithin.
	Within time.Duration
	// Body is what the answer, as JSON, contains: of an object these fields, and
	// maybe others; of a list as many elements, each of which contains its own;
	// everything else is equal.
	Body json.RawMessage
	// Headers of the answer have these values or, with Remove, are not there.
	Headers []Header
}

// StatusRange is the statuses from one to another, both included.
type StatusRange struct{ From, To int }

// String writes the range as a story does: 204, 2xx.
func (s StatusRange) String() string {
	if s.From%100 == 0 && s.To == s.From+99 {
		return fmt.Sprintf("%dxx", s.From/100)
	}
	return fmt.Sprint(s.From)
}

// Expects reports whether the status is one of the expected ones, or none is
// expected.
func (e *Expectation) Expects(status int) bool {
	for _, s := range e.Status {
		if status >= s.From && status <= s.To {
			return true
		}
	}
	return e.Status == nil
}

// String lists what is expected, in a few words.
func (e *Expectation) String() string {
	var words []string
	if e.Status != nil {
		statuses := make([]string, len(e.Status))
		for i, s := range e.Status {
			statuses[i] = s.String()
		}
		words = append(words, strings.Join(statuses, " or "))
	}
	if e.Within > 0 {
		words = append(words, "within "+e.Within.String())
	}
	if e.Body != nil {
		words = append(words, "body")
	}
	for _, h := range e.Headers {
		words = append(words, "header "+h.Name)
	}
	return strings.Join(words, ", ")
}

// A RunExpectation is what must hold of a whole performance.
type RunExpectation struct {
	Pos Position
	// NoFailures: every delivery and challenge went well that was not spoilt on
	// purpose or expected to fail.
	NoFailures bool
	// MaxP99 is the longest answer time of 99 of 100 deliveries, above zero to
	// MaxWithin; zero: any.
	MaxP99 time.Duration
}
