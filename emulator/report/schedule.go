package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// LateAfter is from when on a delivery counts as late.
const LateAfter = 10 * time.Millisecond

// A Schedule is what became of the rate at which a run was to send, whatever its
// consumers answered. All times are measured.
type Schedule struct {
	Rate float64 `json:"rate"` // events a second, as asked for
	Kept float64 `json:"kept"` // events a second, as they left; zero where it was fewer than two
	// Late is how many deliveries left more than [LateAfter] behind the schedule; MaxLag
	// is how far the last of them was behind.
	Late   uint64        `json:"late"`
	MaxLag time.Duration `json:"max_lag_ns"`
	// Required is whether a run whose schedule was not held has failed.
	Required bool `json:"required,omitempty"`
}

// Held reports whether every delivery left in time.
func (s Schedule) Held() bool { return s.Late == 0 }

// Missed says in a sentence, of so many deliveries, that the schedule was required
// and not held; empty: it was held, or was not required.
func (s Schedule) Missed(of uint64) string {
	if !s.Required || s.Held() {
		return ""
	}
	return fmt.Sprintf("the required rate was not held: %d of %s left late", s.Late, plural(of, "delivery", "deliveries"))
}

// Text says for people whether the schedule was held, of so many deliveries, and
// what to do if it was not.
func (s Schedule) Text(of uint64) string {
	rate := func(r float64) string { return strconv.FormatFloat(r, 'f', -1, 64) }
	if s.Held() {
		return fmt.Sprintf("%s a second, held; none left more than %s late", rate(s.Rate), Round(s.MaxLag))
	}
	return fmt.Sprintf("%s a second, not held: %d of %d left %s to %s late, %s a second on average; more --concurrency helps against slow answers, a lower --rate also a busy machine",
		rate(s.Rate), s.Late, of, LateAfter, Round(s.MaxLag), rate(math.Round(s.Kept*10)/10))
}
