// Package check examines a consumer: a battery of small checks, each of which
// stands on a documented fact or on common practice, and a card of what passed.
//
// A check is about one thing. What other checks are about is kept out of what it
// sends, and where its outcome would say nothing new it is skipped, so that one
// fault of a consumer fails one check. Nothing is registered: challenges and
// events go straight to the URL, by way of deliver, the only caller of consumers.
package check

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Config says what is examined, and how. Zero values are the defaults.
type Config struct {
	URL        string
	Only, Skip []string // ids; the order of the battery stays
	Edition    hirempire.Edition
	Seed       seed.Seed
	Start      time.Time // when the first event occurred, each next one a millisecond later
	Header     http.Header
	RootCAs    *x509.CertPool
	Insecure   bool
	Dial       deliver.DialFunc

	ChallengeTimeout time.Duration // default 5 s
	Timeout          time.Duration // that an answer to an event may take, default 10 s
	// Patience is how long an answer is waited for: longer than it may take, so that
	// only one check fails for being late. Default twice Timeout.
	Patience time.Duration
	Within   time.Duration // that answers should take, default 5 s
	SlowBody time.Duration // how long a slow body takes, default 2 s
	Limit    time.Duration // of the whole battery, default 5 min
	// InContainer makes hints speak of the container's localhost.
	InContainer bool
}

// Standing is what a check stands on.
type Standing string

// The two there are.
const (
	Documented Standing = "documented" // the vendor says so
	Practice   Standing = "practice"   // it is what receivers of webhooks commonly do
)

// Info describes a check.
type Info struct {
	ID       string   `json:"id"`
	Group    string   `json:"group"`
	Title    string   `json:"title"`
	Standing Standing `json:"standing"`
	Basis    string   `json:"basis"` // the fact or practice, in a sentence
	Why      string   `json:"why"`   // it matters
	Fix      string   `json:"fix"`
	Points   int      `json:"points"` // 3 where it is documented, 2 where events are lost, else 1
}

// Verdict is what a check came to.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Warned  Verdict = "warned" // it passed, but not well; half of the points
	Failed  Verdict = "failed"
	Skipped Verdict = "skipped"
)

// A Finding is one thing that was not as it should be.
type Finding struct {
	Verdict  Verdict `json:"verdict"` // warned or failed
	Sent     string  `json:"sent"`    // clipped
	Expected string  `json:"expected"`
	Got      string  `json:"got"`
	Hint     string  `json:"hint,omitempty"`    // what to do, if that is more than the check's Fix
	Command  string  `json:"command,omitempty"` // sends it again; empty where only the whole check does
}

// MaxFindings is how many findings of a check are kept.
const MaxFindings = 3

// A Result is a check and what it came to.
type Result struct {
	Info
	Verdict  Verdict       `json:"verdict"`
	Note     string        `json:"note,omitempty"` // a figure, or why it was skipped
	Findings []Finding     `json:"findings,omitempty"`
	More     int           `json:"more,omitempty"` // findings that were not kept
	Requests int           `json:"requests"`
	Took     time.Duration `json:"took_ns"` // measured
}

// Earned returns how many of its points the check brought.
func (r Result) Earned() int {
	switch r.Verdict {
	case Passed:
		return r.Points
	case Warned:
		return r.Points / 2
	default:
		return 0
	}
}

// A Report is the card.
type Report struct {
	URL      string            `json:"url"`
	Edition  hirempire.Edition `json:"edition"`
	Seed     uint64            `json:"seed"`
	Start    time.Time         `json:"start"`
	Results  []Result          `json:"results"`
	Requests int               `json:"requests"`
	Took     time.Duration     `json:"took_ns"` // measured
	// Stopped says why not all that was selected was tried; empty: it was.
	Stopped string `json:"stopped,omitempty"`
}

// Count returns how many checks came to the verdict.
func (r Report) Count(v Verdict) int {
	n := 0
	for _, result := range r.Results {
		if result.Verdict == v {
			n++
		}
	}
	return n
}

// Points returns how many points were earned, and how many were to be had: those of
// skipped checks were not.
func (r Report) Points() (earned, of int) {
	for _, result := range r.Results {
		if result.Verdict != Skipped {
			earned += result.Earned()
			of += result.Points
		}
	}
	return earned, of
}

// An UnreachableError is why no check was tried: there is no connection.
type UnreachableError struct {
	URL    string
	Detail string
	Hint   string // what to do about it
}

// Error returns what is known, with the hint on a line of its own.
func (e *UnreachableError) Error() string {
	text := fmt.Sprintf("%s was not reached: %s", e.URL, e.Detail)
	if e.Hint != "" {
		text += "\n" + e.Hint
	}
	return text
}

// An UnknownError names a check that there is not.
type UnknownError struct{ ID string }

// Error names it.
func (e *UnknownError) Error() string { return fmt.Sprintf("unknown check %q", e.ID) }

// Checks describes every check, in the order of the battery.
func Checks() []Info {
	var infos []Info
	for _, c := range battery() {
		infos = append(infos, c.Info)
	}
	return infos
}

var errTimeUp = errors.New("the time for all checks was up")

// cancelled is why nothing more is tried after the end of the caller's context.
const cancelled = "cancelled"

// silences is how many checks in a row may end without an answer before the rest is
// left out.
const silences = 3

// Run examines a consumer and tells of each result as it is there. The same seed
// and start give the same requests in the same order, but for those that are
// sent at the same time. If the context ends, it returns at once with the results
// so far, the rest being skipped, and the context's cause. Any other error says why nothing was examined.
func Run(ctx context.Context, cfg Config, tell func(Result)) (Report, error) {
	cfg.ChallengeTimeout = cmp.Or(cfg.ChallengeTimeout, 5*time.Second)
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	cfg.Patience = max(cmp.Or(cfg.Patience, 2*cfg.Timeout), cfg.Timeout)
	cfg.Within = cmp.Or(cfg.Within, 5*time.Second)
	cfg.SlowBody = cmp.Or(cfg.SlowBody, 2*time.Second)
	cfg.Limit = cmp.Or(cfg.Limit, 5*time.Minute)
	cfg.Edition = cmp.Or(cfg.Edition, hirempire.DefaultEdition)
	selected, err := choose(cfg)
	if err != nil {
		return Report{}, err
	}
	if _, ok := hirempire.ParseRequestURL(cfg.URL); !ok {
		return Report{}, fmt.Errorf("%q is no absolute http or https URL", cfg.URL)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, cfg.Limit, errTimeUp)
	defer cancel()
	x := &exam{ctx: bounded, cfg: cfg, failed: map[string]bool{}, ahead: map[string]bool{}}
	for _, c := range selected {
		x.ahead[c.ID] = true
	}
	for _, c := range battery() {
		x.ids = append(x.ids, c.ID)
	}
	r := Report{URL: cfg.URL, Edition: cfg.Edition, Seed: uint64(cfg.Seed), Start: cfg.Start, Results: []Result{}}
	watch := clock.Start()
	if err := x.knock(); err != nil {
		return Report{}, err
	}
	for i, c := range selected {
		result := x.try(c)
		if ctx.Err() != nil {
			// Who cut it short still has to see what is missing; nobody is told of each.
			x.gone = cancelled
			for _, c := range selected[i:] {
				r.Results = append(r.Results, Result{Info: c.Info, Verdict: Skipped, Note: cancelled})
			}
			break
		}
		r.Results = append(r.Results, result)
		tell(result)
	}
	r.Requests, r.Took, r.Stopped = int(x.requests.Load()), watch.Elapsed(), x.gone
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	return r, nil
}

// choose returns the selected checks.
func choose(cfg Config) ([]check, error) {
	all := battery()
	for _, id := range slices.Concat(cfg.Only, cfg.Skip) {
		if !slices.ContainsFunc(all, func(c check) bool { return c.ID == id }) {
			return nil, &UnknownError{id}
		}
	}
	selected := slices.DeleteFunc(all, func(c check) bool {
		return cfg.Only != nil && !slices.Contains(cfg.Only, c.ID) || slices.Contains(cfg.Skip, c.ID)
	})
	if len(selected) == 0 {
		return nil, errors.New("no check is left: each that is selected is skipped, too")
	}
	return selected, nil
}

// knock sends the first challenge. It is what a registration begins with, and
// tells whether there is a consumer at all.
func (x *exam) knock() error {
	c, err := x.challenge(x.value("first"))
	if err != nil {
		return err
	}
	switch c.Received.Cause {
	case journal.Unreachable, journal.Forbidden, journal.TLS, journal.Timeout:
		return &UnreachableError{x.cfg.URL, c.Received.Detail, c.Hint}
	}
	x.first = c
	return nil
}

// challenge sends a challenge and judges the answer, as a registration does.
func (x *exam) challenge(value string) (journal.Challenge, error) {
	x.requests.Add(1)
	d := x.newDeliverer()
	defer d.Close(x.ctx)
	return d.Challenge(x.ctx, x.cfg.URL, value, scenario.ChallengeFault{})
}

// try tries a check, unless its outcome is known to say nothing.
func (x *exam) try(c check) Result {
	x.result = Result{Info: c.Info, Verdict: Passed}
	delete(x.ahead, c.ID)
	// What a check sends does not depend on which others are selected.
	x.over, x.scenes, x.moments = false, 0, 1000*slices.Index(x.ids, c.ID)
	if why := x.pointless(c); why != "" {
		x.result.Verdict, x.result.Note = Skipped, why
		return x.result
	}
	before, watch := x.requests.Load(), clock.Start()
	if c.ID == "challenge" {
		before-- // the first one was its
	}
	x.events = x.working(c.events)
	c.run(x)
	if c.hostile && x.gone == "" && x.result.Verdict != Skipped {
		x.pulse()
	}
	x.result.Requests, x.result.Took = int(x.requests.Load()-before), watch.Elapsed()
	if x.over {
		if x.silent++; x.silent == silences && x.gone == "" {
			x.gone = fmt.Sprintf("the consumer did not answer in %d checks in a row", silences)
		}
	} else {
		x.silent = 0
	}
	if x.result.Verdict == Failed {
		x.failed[c.ID] = true
	} else if err := x.ctx.Err(); err != nil { // it was not tried to its end
		x.gone = context.Cause(x.ctx).Error()
		x.result.Verdict, x.result.Note = Skipped, x.gone
	}
	return x.result
}

// pointless says why a check is not tried.
func (x *exam) pointless(c check) string {
	if x.gone == "" && x.ctx.Err() != nil {
		x.gone = context.Cause(x.ctx).Error()
	}
	if x.gone != "" {
		return x.gone
	}
	for _, id := range c.needs {
		if x.failed[id] {
			return id + " failed already"
		}
	}
	if c.events != nil && len(x.working(c.events)) == 0 {
		return "the events that it needs fail already"
	}
	return ""
}

// working returns the events that did not fail on their own.
func (x *exam) working(events []hirempire.Event) []hirempire.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e hirempire.Event) bool { return x.failed[eventID(e)] })
}
