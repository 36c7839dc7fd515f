package control

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

type clockView struct {
	Now    hirempire.Time `json:"now"`
	Manual bool           `json:"manual"` // it stands still until it is advanced
}

func (s *server) viewClock() (answer, error) {
	return ok(map[string]clockView{"clock": {hirempire.Time{Time: s.Clock.Now()}, s.Manual != nil}})
}

func (s *server) showClock(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	return s.viewClock()
}

// maxAdvance is how far one call moves the clock at most.
const maxAdvance = 366 * 24 * time.Hour

// advanceClock moves a manual clock by some time, or to a moment.
func (s *server) advanceClock(r *request) (answer, error) {
	var body struct {
		Advance duration   `json:"advance"`
		To      *time.Time `json:"to"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	if s.Manual == nil {
		return answer{}, fail(http.StatusConflict, "real-clock", "the clock is the machine's: start the emulator with --clock manual to advance it")
	}
	by := time.Duration(body.Advance)
	switch {
	case body.To != nil && by != 0:
		return answer{}, badRequest("advance is a duration and to a moment: give one of them")
	case body.To != nil:
		by = body.To.Sub(s.Manual.Now())
	case by == 0:
		return answer{}, badRequest("give advance, a duration such as \"90s\", or to, a moment such as \"2026-01-30T09:00:00Z\"")
	}
	if by < 0 || by > maxAdvance {
		return answer{}, badRequest("that is %s from where the clock stands, at %s: it goes from 0s to %s forward", by, s.Manual.Now().UTC().Format(time.RFC3339Nano), maxAdvance)
	}
	s.Manual.Advance(by)
	return s.viewClock()
}

// duration is one as Go writes it, such as 2s.
type duration time.Duration

// UnmarshalJSON reads a string such as "2s".
func (d *duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New("a duration is a string such as \"2s\"")
	}
	parsed, err := time.ParseDuration(text)
	*d = duration(parsed)
	return err
}
