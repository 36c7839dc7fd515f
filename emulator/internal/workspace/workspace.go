// Package workspace is what the vendor's service remembers: which token may do
// what, and which webhooks its workspace has.
//
// It is pure state behind one mutex. Nothing in here calls out, waits or writes
// a log; what takes time happens between two calls of it.
package workspace

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// ErrFull is returned where a bound of [Limits] is reached. Its text names the bound.
var ErrFull = errors.New("a bound is reached")

// Limits bound what a store remembers. Zero means the default.
type Limits struct {
	// Workspaces is how many workspaces may have webhooks, beside those of fixed-fate
	// tokens, and about how many without any are remembered. Default 10,000.
	Workspaces int
	// Webhooks is how many webhooks one workspace keeps. Default 100.
	Webhooks int
	// Faults is how many may be armed at once. Default 1,000.
	Faults int
}

// Config says what a store is made of.
type Config struct {
	Edition hirempire.Edition
	Tokens  fixtures.Tokens
	Seed    seed.Seed
	Now     func() time.Time
	Limits  Limits
	// RateLimit is how many calls a workspace may make in an hour; 0: any number.
	RateLimit int
	// Faults are armed from the start, each for the calls of its token or of all.
	Faults []scenario.APIFault
}

// A Webhook is a registered endpoint.
type Webhook struct {
	ID         string
	RequestURL string            // exactly as registered
	Events     []hirempire.Event // as sent; never changed in place
	Active     bool
	CreatedAt  time.Time
	UpdatedAt  time.Time // starts at CreatedAt
	// Fixed marks the webhook of a fixed-fate token, which is never delivered to.
	Fixed bool
	// Registered is the number of its creation or last activation among all since
	// the start; see [Store.Registrations].
	Registered uint64
}

// Subscribed reports whether the webhook gets the event.
func (w Webhook) Subscribed(e hirempire.Event) bool {
	return w.Active && !w.Fixed && slices.Contains(w.Events, e)
}

// A Workspace is what one token can see.
type Workspace struct {
	ID       string
	Token    string    // in full: shorten it with [ShortToken] before it is shown
	Webhooks []Webhook // in order of creation
}

// Deliverable reports whether the workspace has a webhook beside a fixed one.
func (w Workspace) Deliverable() bool {
	return slices.ContainsFunc(w.Webhooks, func(w Webhook) bool { return !w.Fixed })
}

// Store is all workspaces. It is safe for concurrent use; make it with [New].
type Store struct {
	cfg Config

	mu      sync.Mutex
	byID    map[string]*state
	byToken map[string]*state
	begins  [256]bool // what tokens of workspaces begin with, also of forgotten ones
	// registered counts creations and activations; changed is closed at each.
	registered uint64
	changed    chan struct{}
	initial    []Fault // that are armed from the start
	faults     []Fault // armed, in order
	armed      uint64  // how many ever were
	seen       uint64  // how many workspaces were ever made
	filled     int     // how many workspaces have webhooks of their own
	evicted    uint64
}

type state struct {
	Workspace
	order   uint64 // of creation
	created uint64 // webhooks since the last reset
	runs    uint64 // since the last reset
	events  uint64 // single ones, since the last reset

	hour  time.Time // that calls are counted in
	calls int       // in it
}

// New returns a store in which the workspaces of fixed-fate tokens exist. The
// error names the token whose entry the edition does not know.
func New(cfg Config) (*Store, error) {
	cfg.Limits.Workspaces = cmp.Or(cfg.Limits.Workspaces, 10_000)
	cfg.Limits.Webhooks = cmp.Or(cfg.Limits.Webhooks, 100)
	cfg.Limits.Faults = cmp.Or(cfg.Limits.Faults, 1000)
	for _, token := range slices.Sorted(maps.Keys(cfg.Tokens.Fates)) {
		if err := checkFate(token, cfg.Tokens.Fates[token]); err != nil {
			return nil, err
		}
	}
	s := &Store{cfg: cfg, byID: map[string]*state{}, byToken: map[string]*state{}, changed: make(chan struct{})}
	for _, token := range slices.Sorted(maps.Keys(cfg.Tokens.Fates)) {
		if cfg.Tokens.Fates[token].Webhooks != nil {
			s.enter(token)
		}
	}
	for _, f := range cfg.Faults {
		of := ""
		if f.Token != "" {
			of = s.ID(f.Token)
		}
		fault, err := NewFault(cfg.Edition, f, of)
		if err != nil {
			return nil, err
		}
		s.initial = append(s.initial, fault)
	}
	s.RestoreFaults("")
	return s, nil
}

func checkFate(token string, fate fixtures.Fate) error {
	if !hirempire.IsToken(token) {
		return fmt.Errorf("token %q: a token is 1 to %d characters of visible ASCII", token, hirempire.MaxTokenBytes)
	}
	for _, edition := range slices.Sorted(maps.Keys(fate.Errors)) {
		if code := fate.Errors[edition]; !slices.Contains(hirempire.TokenErrors(), code) {
			return fmt.Errorf("token %q: %q is no error of a token, those are %s", token, code, strings.Join(hirempire.TokenErrors(), ", "))
		}
		if _, err := hirempire.ParseEdition(edition); err != nil {
			return fmt.Errorf("token %q: %w", token, err)
		}
	}
	if fate.N8N != "" && fate.N8N != hirempire.ReasonForbidden {
		return fmt.Errorf("token %q: n8n %q is not %s", token, fate.N8N, hirempire.ReasonForbidden)
	}
	for _, w := range fate.Webhooks {
		for _, e := range w.Events {
			if !hirempire.Event(e).Valid() {
				return fmt.Errorf("token %q: its webhook names the unknown event %q", token, e)
			}
		}
		if _, ok := hirempire.ParseRequestURL(w.RequestURL); !ok {
			return fmt.Errorf("token %q: the request_url of its webhook is no http(s) URL", token)
		}
	}
	return nil
}

// ID returns the id of the workspace of a token, whether it exists yet or not.
func (s *Store) ID(token string) string {
	return s.cfg.Seed.Key("workspace").Str(token).ID("ws_")
}

// Authenticate returns the workspace of the Authorization headers, made on first
// use, or the documented error of the operation.
func (s *Store) Authenticate(op hirempire.Operation, authorization []string) (id string, failure *hirempire.Error) {
	token, ok := hirempire.ParseAuthorization(authorization)
	if !ok {
		return "", hirempire.NewError(s.cfg.Edition, op, hirempire.InvalidToken)
	}
	fate, fixed := s.cfg.Tokens.Fates[token]
	if !fixed && !s.known(token) && (s.cfg.Tokens.Accept == nil || !s.cfg.Tokens.Accept.MatchString(token)) {
		return "", hirempire.NewError(s.cfg.Edition, op, hirempire.InvalidToken)
	}
	if code := fate.Error(string(s.cfg.Edition)); code != "" {
		// An edition that does not have the error treats the token as an ordinary one.
		if failure, ok := hirempire.FindError(s.cfg.Edition, op, code); ok {
			return "", failure
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enter(token).ID, nil
}

// Verify returns why the token of the Authorization headers cannot be used by the
// vendor's n8n node, "" if it can.
func (s *Store) Verify(authorization []string) (reason string) {
	if _, failure := s.Authenticate(hirempire.ListWebhooks, authorization); failure != nil {
		switch failure.Code {
		case hirempire.TokenExpired:
			return hirempire.ReasonExpired
		case hirempire.MissingScope:
			return hirempire.ReasonForbidden
		default:
			return hirempire.ReasonInvalidToken
		}
	}
	token, _ := hirempire.ParseAuthorization(authorization)
	return s.cfg.Tokens.Fates[token].N8N
}

// Take counts a call of the workspace against its rate limit. If that is reached
// the call is not counted, and wait is how long until the next hour begins.
func (s *Store) Take(id string) (wait time.Duration, ok bool) {
	if s.cfg.RateLimit == 0 {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w, found := s.byID[id]
	if !found {
		return 0, true
	}
	now := s.cfg.Now()
	if hour := now.Truncate(time.Hour); !hour.Equal(w.hour) {
		w.hour, w.calls = hour, 0
	}
	if w.calls >= s.cfg.RateLimit {
		return w.hour.Add(time.Hour).Sub(now), false
	}
	w.calls++
	return 0, true
}

// Enter returns the workspace of a token, made on first use; false if the token is
// no valid one.
func (s *Store) Enter(token string) (id string, ok bool) {
	id, failure := s.Authenticate(hirempire.ListWebhooks, []string{"Bearer " + token})
	return id, failure == nil
}

// enter returns the workspace of a valid token.
func (s *Store) enter(token string) *state {
	if w, ok := s.byToken[token]; ok {
		return w
	}
	s.makeRoom()
	s.seen++
	w := &state{Workspace: Workspace{ID: s.ID(token), Token: token}, order: s.seen}
	w.restore(s.cfg.Tokens.Fates[token])
	s.byID[w.ID], s.byToken[token], s.begins[token[0]] = w, w, true
	return w
}

// known reports whether the token has a workspace already.
func (s *Store) known(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.byToken[token]
	return known
}

// makeRoom forgets workspaces that have no webhooks, when there are as many again
// as may have some. Those that never had any are forgotten first: they are the
// same again when their token comes back, but for the numbers of their runs.
func (s *Store) makeRoom() {
	if len(s.byID) < 2*s.cfg.Limits.Workspaces {
		return
	}
	for _, used := range []bool{false, true} {
		maps.DeleteFunc(s.byID, func(_ string, w *state) bool {
			idle := len(w.Webhooks) == 0 && (used || w.created+w.runs+w.events == 0)
			if idle {
				s.evicted++
				delete(s.byToken, w.Token)
			}
			return idle
		})
		if len(s.byID) < 2*s.cfg.Limits.Workspaces {
			return
		}
	}
}

// restore gives the workspace what its token's fate says.
func (w *state) restore(fate fixtures.Fate) {
	w.Webhooks, w.created, w.runs, w.events, w.calls = nil, 0, 0, 0, 0
	for _, f := range fate.Webhooks {
		events := make([]hirempire.Event, len(f.Events))
		for i, e := range f.Events {
			events[i] = hirempire.Event(e)
		}
		w.Webhooks = append(w.Webhooks, Webhook{
			ID: f.ID, RequestURL: f.RequestURL, Events: events, Active: f.Active, CreatedAt: f.CreatedAt, UpdatedAt: f.CreatedAt, Fixed: true,
		})
	}
}

// Get returns the workspace of that id, and whether there is one.
func (s *Store) Get(id string) (Workspace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.byID[id]
	if !ok {
		return Workspace{}, false
	}
	return w.snapshot(), true
}

// Subscribers returns the webhooks of the workspace that get the event, in order
// of creation.
func (s *Store) Subscribers(id string, e hirempire.Event) []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.byID[id]
	if !ok {
		return nil
	}
	var hooks []Webhook
	for i, hook := range w.Webhooks {
		if hook.Subscribed(e) {
			if hooks == nil { // one growth instead of many, as each event asks
				hooks = make([]Webhook, 0, len(w.Webhooks)-i)
			}
			hooks = append(hooks, hook)
		}
	}
	return hooks
}

// NextRun counts a run of the workspace and returns its number since the last
// reset, from 1.
func (s *Store) NextRun(id string) uint64 {
	return s.count(id, func(w *state) *uint64 { return &w.runs })
}

// NextEvent is what [Store.NextRun] is, for events sent singly.
func (s *Store) NextEvent(id string) uint64 {
	return s.count(id, func(w *state) *uint64 { return &w.events })
}

func (s *Store) count(id string, of func(*state) *uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.byID[id]
	if !ok {
		return 1
	}
	n := of(w)
	*n++
	return *n
}

// All returns every workspace, in order of first use.
func (s *Store) All() []Workspace {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := slices.SortedFunc(maps.Values(s.byID), func(a, b *state) int { return cmp.Compare(a.order, b.order) })
	all := make([]Workspace, len(states))
	for i, w := range states {
		all[i] = w.snapshot()
	}
	return all
}

// Evicted returns how many empty workspaces were forgotten to make room.
func (s *Store) Evicted() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.evicted
}

// Usage is how full a store is.
type Usage struct {
	Limits           Limits // that are in force
	Workspaces       int
	Active, Inactive int // webhooks, but for fixed ones
	Faults           int // armed
	Evicted          uint64
}

// Usage returns how full the store is.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Limits: s.cfg.Limits, Workspaces: len(s.byID), Faults: len(s.faults), Evicted: s.evicted}
	for _, w := range s.byID {
		for _, hook := range w.Webhooks {
			switch {
			case hook.Fixed:
			case hook.Active:
				u.Active++
			default:
				u.Inactive++
			}
		}
	}
	return u
}

func (w *state) snapshot() Workspace {
	out := w.Workspace
	out.Webhooks = slices.Clone(out.Webhooks)
	return out
}

// Reset forgets the webhooks of the workspace and restores its fixed fate.
func (s *Store) Reset(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w, ok := s.byID[id]; ok {
		if w.Deliverable() {
			s.filled--
		}
		w.restore(s.cfg.Tokens.Fates[w.Token])
	}
}

// ShortToken returns what may be shown of a token: enough to recognize one's
// own, too little to use it.
func ShortToken(token string) string {
	n := 6
	if len(token) <= 8 {
		n = min(len(token)/2, 3)
	}
	return token[:n] + "…"
}
