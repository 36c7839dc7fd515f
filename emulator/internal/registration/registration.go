// Package registration creates webhooks: the documented checks in their order,
// the challenge, and the commit. The vendor's API, the control API and runs all
// register through it.
//
// No lock is held while a challenge is under way, so a consumer may register
// again from inside its challenge handler.
package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// Config says what a registrar works with.
type Config struct {
	Edition   hirempire.Edition
	Store     *workspace.Store
	Deliverer *deliver.Deliverer
	Journal   *journal.Journal
	Seed      seed.Seed
	Logger    *slog.Logger
	// SkipChallenge turns the handshake off.
	SkipChallenge bool
	// Challenges is how many may be in progress in one workspace. Default 16.
	Challenges int
	// AllChallenges is how many may be in progress in all. Default 256.
	AllChallenges int
}

// Registrar is safe for concurrent use; make it with [New].
type Registrar struct {
	cfg Config

	mu       sync.Mutex
	issued   uint64                           // challenges since the start
	all      int                              // challenges in progress
	progress map[string]map[*attempt]struct{} // by workspace, while there are any
}

// attempt is one registration whose challenge is under way.
type attempt struct {
	cancel  context.CancelCauseFunc
	aborted bool
	ended   chan struct{}
}

// New returns a registrar.
func New(cfg Config) *Registrar {
	cfg.Challenges = cmp.Or(cfg.Challenges, 16)
	cfg.AllChallenges = cmp.Or(cfg.AllChallenges, 256)
	return &Registrar{cfg: cfg, progress: map[string]map[*attempt]struct{}{}}
}

// A Call is what a client sent to an operation.
type Call struct {
	Authorization []string // the header's values
	Query         string   // raw, without the question mark
	Body          []byte
}

// An Outcome is what became of a call, for the journal and for what follows.
type Outcome struct {
	Workspace string // that of the token, also of a refused one; empty: there was none
	Webhook   workspace.Webhook
	Note      string // what the answer does not say; often empty
}

// Create registers a webhook, or says which documented error the call deserves.
func (r *Registrar) Create(ctx context.Context, call Call) (hirempire.CreateAnswer, Outcome, *hirempire.Error) {
	var out Outcome
	token, ok := hirempire.ParseAuthorization(call.Authorization)
	if ok {
		out.Workspace = r.cfg.Store.ID(token)
	}
	id, failure := r.cfg.Store.Authenticate(hirempire.CreateWebhook, call.Authorization)
	if failure != nil {
		return hirempire.CreateAnswer{}, out, failure
	}
	request, failure := hirempire.ParseCreate(r.cfg.Edition, call.Query, call.Body)
	if failure != nil {
		return hirempire.CreateAnswer{}, out, failure
	}
	if failure := r.cfg.Store.MayCreate(id); failure != nil {
		return hirempire.CreateAnswer{}, out, failure
	}
	out.Webhook, out.Note, failure = r.verify(ctx, id, request.RequestURL, func() (workspace.Webhook, error) {
		return r.cfg.Store.Create(token, request)
	})
	if failure != nil {
		return hirempire.CreateAnswer{}, out, failure
	}
	r.cfg.Logger.Info("webhook registered", "workspace", id, "webhook", out.Webhook.ID, "url", out.Webhook.RequestURL,
		"events", len(out.Webhook.Events))
	return hirempire.NewCreateAnswer(out.Webhook.ID, out.Webhook.Events), out, nil
}

// verify challenges the URL and commits if the challenge passed and no reset
// came between. The note says what the error does not.
func (r *Registrar) verify(ctx context.Context, id, requestURL string, commit func() (workspace.Webhook, error)) (workspace.Webhook, string, *hirempire.Error) {
	refused := hirempire.NewError(r.cfg.Edition, hirempire.CreateWebhook, hirempire.InvalidRequestURL)
	if _, ok := hirempire.ParseRequestURL(requestURL); !ok {
		return workspace.Webhook{}, "request_url is not an absolute http or https URL with a host", refused
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a, value, err := r.begin(id, cancel)
	if err != nil {
		r.cfg.Logger.Warn("registration refused", "workspace", id, "cause", err)
		return workspace.Webhook{}, err.Error(), hirempire.TooManyRequests()
	}
	defer r.end(id, a)

	if !r.cfg.SkipChallenge {
		c, err := r.cfg.Deliverer.Challenge(ctx, requestURL, value)
		c.ID, c.Workspace = r.cfg.Seed.Key("challenge id").Str(value).ID("chl_"), id
		if err != nil {
			c.Received.Cause, c.Received.Detail = interrupted(err)
		}
		r.cfg.Journal.Challenged(c)
		r.log(c)
		if !c.Passed {
			return workspace.Webhook{}, fmt.Sprintf("challenge %s failed: %s: %s", c.ID, c.Received.Cause, c.Received.Detail), refused
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if a.aborted {
		return workspace.Webhook{}, "the workspace was reset meanwhile", refused
	}
	hook, err := commit()
	if failure, ok := errors.AsType[*hirempire.Error](err); ok {
		return workspace.Webhook{}, "another registration of the workspace passed its challenge first", failure
	}
	if err != nil {
		return workspace.Webhook{}, err.Error(), hirempire.TooManyRequests()
	}
	return hook, "", nil
}

// interrupted says why a challenge had no outcome of its own.
func interrupted(err error) (journal.Cause, string) {
	var given deliver.GivenUp
	if errors.As(err, &given) {
		return journal.Cause(given), "given up while it was under way"
	}
	return journal.ByCancel, "the client went away before the challenge ended"
}

// begin counts a challenge in, unless there are too many, and draws its value.
func (r *Registrar) begin(id string, cancel context.CancelCauseFunc) (*attempt, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	here := r.progress[id]
	if len(here) >= r.cfg.Challenges || r.all >= r.cfg.AllChallenges {
		return nil, "", fmt.Errorf("%w: %d challenges are in progress in this workspace and %d in all",
			workspace.ErrFull, len(here), r.all)
	}
	if here == nil {
		here = map[*attempt]struct{}{}
		r.progress[id] = here
	}
	a := &attempt{cancel: cancel, ended: make(chan struct{})}
	here[a] = struct{}{}
	r.all++
	r.issued++
	return a, r.cfg.Seed.Key("challenge").Str(id).Num(r.issued).Text(20), nil
}

func (r *Registrar) end(id string, a *attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	delete(r.progress[id], a)
	if len(r.progress[id]) == 0 {
		delete(r.progress, id)
	}
	close(a.ended)
}

// Abort makes the registrations that are under way in a workspace fail, and
// returns when they have.
func (r *Registrar) Abort(id string, cause journal.Cause) {
	var ended []chan struct{}
	r.mu.Lock()
	for a := range r.progress[id] {
		a.aborted = true
		a.cancel(deliver.GivenUp(cause))
		ended = append(ended, a.ended)
	}
	r.mu.Unlock()
	for _, c := range ended {
		<-c
	}
}

func (r *Registrar) log(c journal.Challenge) {
	if c.Passed {
		r.cfg.Logger.Info("challenge passed", "workspace", c.Workspace, "url", c.RequestURL, "took", c.Received.Took)
		return
	}
	r.cfg.Logger.Warn("challenge failed", "workspace", c.Workspace, "url", c.RequestURL, "cause", string(c.Received.Cause),
		"detail", c.Received.Detail, "expected", c.Expected, "status", c.Received.Status, "type", c.Received.ContentType,
		"body", c.Received.Body, "took", c.Received.Took, "hint", c.Hint)
}
