package control

import (
	"encoding/json"
	"fmt"
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
		Advance duration `json:"advance"`
		To      *moment  `json:"to"`
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
		by = time.Time(*body.To).Sub(s.Manual.Now())
	case by == 0:
		return answer{}, badRequest("give advance, a duration such as \"90s\", or to, a moment such as \"2026-01-30T09:00:00Z\"")
	}
	if by < 0 || by > maxAdvance {
		return answer{}, badRequest("that is %s from where the clock stands, at %s: it only goes forward, at most %d days at once",
			by, s.Manual.Now().UTC().Format(time.RFC3339Nano), maxAdvance/(24*time.Hour))
	}
	s.Manual.Advance(by)
	return s.viewClock()
}

// duration is one as Go writes it, such as 2s.
type duration time.Duration

// UnmarshalJSON reads a string such as "2s".
func (d *duration) UnmarshalJSON(b []byte) error {
	var text string
	parsed, err := time.Duration(0), json.Unmarshal(b, &text)
	if err == nil {
		parsed, err = time.ParseDuration(text)
	}
	if err != nil {
		return fmt.Errorf("a duration is a string such as \"2s\", and this is %s", quoted(string(b)))
	}
	*d = duration(parsed)
	return nil
}

// moment is one as RFC 3339 writes it.
type moment time.Time

// UnmarshalJSON reads a string such as "2026-01-30T09:00:00Z".
func (m *moment) UnmarshalJSON(b []byte) error {
	var text string
	parsed, err := time.Time{}, json.Unmarshal(b, &text)
	if err == nil {
		parsed, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return fmt.Errorf("a moment is a string such as \"2026-01-30T09:00:00Z\", and this is %s", quoted(string(b)))
	}
	*m = moment(parsed)
	return nil
}
