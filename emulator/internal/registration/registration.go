// Package registration creates, lists, updates and deletes webhooks: the
// documented checks in their order, the challenge, and the commit. The vendor's
// API, the control API and runs all register through it.
//
// No lock is held while a challenge is under way, so a consumer may register
// again from inside its challenge handler.
package registration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Config says what a registrar works with.
type Config struct {
	Edition   hirempire.Edition
	Store     *workspace.Store
	Deliverer *deliver.Deliverer
	Journal   *journal.Journal
	Seed      seed.Seed
	Logger    *slog.Logger
	Now       func() time.Time
	// RequirePublicURL refuses endpoints that only this machine or network has.
	RequirePublicURL bool
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
	closed   bool
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
	// Slow, if not nil, is called before the call begins to take the time of a challenge.
	Slow func()
	// Challenge says what is odd, on purpose, about the challenge.
	Challenge scenario.ChallengeFault
}

// An Outcome is what became of a call, for the journal and for what follows.
type Outcome struct {
	Workspace string // that of the token, also of a refused one; empty: there was none
	Webhook   workspace.Webhook
	Note      string // what the answer does not say; often empty
}

// enter does what comes first in every operation: the token, then the rate limit.
func (r *Registrar) enter(op hirempire.Operation, call Call) (Outcome, *hirempire.Error) {
	var out Outcome
	var failure *hirempire.Error
	if out.Workspace, failure = r.cfg.Store.Authenticate(op, call.Authorization); failure != nil {
		if token, ok := hirempire.ParseAuthorization(call.Authorization); ok {
			out.Workspace = r.cfg.Store.ID(token)
		}
		if failure.Code == hirempire.InvalidToken {
			out.Note = whyInvalid(call.Authorization)
		}
		return out, failure
	}
	if wait, ok := r.cfg.Store.Take(out.Workspace); !ok {
		out.Note = "the rate limit of this hour is reached"
		return out, hirempire.TooManyRequests(wait)
	}
	return out, nil
}

// whyInvalid says which of the reasons of an invalid token it is.
func whyInvalid(authorization []string) string {
	switch _, ok := hirempire.ParseAuthorization(authorization); {
	case len(authorization) == 0:
		return "there is no Authorization header"
	case len(authorization) > 1:
		return "there is more than one Authorization header"
	case !ok:
		return fmt.Sprintf("the Authorization header is not Bearer, one space, and a token of at most %d visible ASCII characters", hirempire.MaxTokenBytes)
	default:
		return "no such token is accepted: one begins with sk, or is in --tokens FILE"
	}
}

// whyIncorrect says which of the reasons of incorrect input it is, "" for another
// error.
func whyIncorrect(failure *hirempire.Error, call Call) string {
	if failure.Code != hirempire.IncorrectInput {
		return ""
	}
	var object map[string]json.RawMessage
	switch err := json.Unmarshal(call.Body, &object); {
	case err != nil && json.Valid(call.Body):
		return "the body is JSON, but no object"
	case err != nil:
		return "the body is not JSON: " + err.Error()
	case !utf8.Valid(call.Body):
		return "the body is not UTF-8"
	case hirempire.HasQuery(call.Query):
		return "there are query parameters"
	default:
		return "the body is null, or a key of it is missing or of another type"
	}
}

// Create registers a webhook, or says which documented error the call deserves.
func (r *Registrar) Create(ctx context.Context, call Call) (hirempire.CreateAnswer, Outcome, *hirempire.Error) {
	var answer hirempire.CreateAnswer
	out, failure := r.enter(hirempire.CreateWebhook, call)
	if failure != nil {
		return answer, out, failure
	}
	request, failure := hirempire.ParseCreate(r.cfg.Edition, call.Query, call.Body)
	if failure != nil {
		out.Note = whyIncorrect(failure, call)
		return answer, out, failure
	}
	if failure := r.cfg.Store.MayCreate(out.Workspace); failure != nil {
		return answer, out, failure
	}
	token, _ := hirempire.ParseAuthorization(call.Authorization)
	hook, note, failure := r.verify(ctx, hirempire.CreateWebhook, out.Workspace, request.RequestURL, call, func() (workspace.Webhook, error) {
		return r.cfg.Store.Create(token, request)
	})
	out.Webhook, out.Note = hook, note
	if failure != nil {
		return answer, out, failure
	}
	r.announce(journal.OfWebhook, out.Workspace, hook)
	r.cfg.Logger.Info("webhook registered", "workspace", out.Workspace, "webhook", hook.ID, "url", hook.RequestURL, "events", len(hook.Events))
	return hirempire.NewCreateAnswer(hook.ID, hook.Events), out, nil
}

// List returns the webhooks of the token's workspace.
func (r *Registrar) List(call Call) (hirempire.ListAnswer, Outcome, *hirempire.Error) {
	out, failure := r.enter(hirempire.ListWebhooks, call)
	if failure == nil {
		failure = hirempire.ParseList(r.cfg.Edition, call.Query)
	}
	if failure != nil {
		return hirempire.ListAnswer{}, out, failure
	}
	var listed []hirempire.ListedWebhook
	w, _ := r.cfg.Store.Get(out.Workspace)
	for _, hook := range w.Webhooks {
		item := hirempire.ListedWebhook{
			ID: hook.ID, RequestURL: hook.RequestURL, CreatedAt: hirempire.Time{Time: hook.CreatedAt}, Active: hook.Active, Events: hook.Events,
		}
		if r.cfg.Edition.Rules().ListsUpdatedAt {
			item.UpdatedAt = &hirempire.Time{Time: hook.UpdatedAt}
		}
		if item.Events == nil {
			item.Events = []hirempire.Event{}
		}
		listed = append(listed, item)
	}
	return hirempire.NewListAnswer(listed), out, nil
}

// Update changes a webhook, with a challenge if that leaves it active. What waits
// for one that is deactivated is dropped.
func (r *Registrar) Update(ctx context.Context, call Call) (hirempire.UpdateAnswer, Outcome, *hirempire.Error) {
	var answer hirempire.UpdateAnswer
	out, failure := r.enter(hirempire.UpdateWebhook, call)
	if failure != nil {
		return answer, out, failure
	}
	request, failure := hirempire.ParseUpdate(r.cfg.Edition, call.Query, call.Body)
	if failure != nil {
		out.Note = whyIncorrect(failure, call)
		return answer, out, failure
	}
	ignored := ""
	if request.IgnoresURL {
		ignored = "request_url was ignored: it is no documented parameter of an update"
		out.Note = ignored
	}
	hook, failure := r.cfg.Store.MayUpdate(out.Workspace, request)
	out.Webhook = hook
	if failure != nil {
		return answer, out, failure
	}
	if hook.Active {
		var note string
		hook, note, failure = r.verify(ctx, hirempire.UpdateWebhook, out.Workspace, hook.RequestURL, call, func() (workspace.Webhook, error) {
			hook, failure := r.cfg.Store.Update(out.Workspace, request)
			if failure != nil {
				return hook, failure
			}
			return hook, nil
		})
		out.Note = strings.Trim(ignored+"; "+note, "; ")
	} else {
		hook, failure = r.cfg.Store.Update(out.Workspace, request)
	}
	if failure != nil {
		return answer, out, failure
	}
	out.Webhook = hook
	if !hook.Active {
		r.cfg.Deliverer.DropWaiting(journal.ByDeactivation, func(d journal.Delivery) bool { return d.Webhook == hook.ID })
	}
	r.announce(journal.OfWebhook, out.Workspace, hook)
	r.cfg.Logger.Info("webhook updated", "workspace", out.Workspace, "webhook", hook.ID, "active", hook.Active, "events", len(hook.Events))
	return hirempire.NewUpdateAnswer(hook.ID, hook.Active, hirempire.Time{Time: hook.UpdatedAt}), out, nil
}

// Delete removes a webhook. What waits for it is dropped.
func (r *Registrar) Delete(call Call) (hirempire.DeleteAnswer, Outcome, *hirempire.Error) {
	out, failure := r.enter(hirempire.DeleteWebhook, call)
	if failure != nil {
		return hirempire.DeleteAnswer{}, out, failure
	}
	id, failure := hirempire.ParseDelete(r.cfg.Edition, call.Query)
	if failure != nil {
		return hirempire.DeleteAnswer{}, out, failure
	}
	hook, failure := r.cfg.Store.Delete(out.Workspace, id)
	if failure != nil {
		return hirempire.DeleteAnswer{}, out, failure
	}
	r.cfg.Deliverer.DropWaiting(journal.ByDeletion, func(d journal.Delivery) bool { return d.Webhook == hook.ID })
	r.announce(journal.OfDeletion, out.Workspace, hook)
	r.cfg.Logger.Info("webhook deleted", "workspace", out.Workspace, "webhook", hook.ID)
	return hirempire.NewDeleteAnswer(hook.ID, hirempire.Time{Time: r.cfg.Now()}), out, nil
}

// Verify says whether the vendor's n8n node could use the token.
func (r *Registrar) Verify(call Call) (hirempire.VerifyAnswer, Outcome) {
	var out Outcome
	if token, ok := hirempire.ParseAuthorization(call.Authorization); ok {
		out.Workspace = r.cfg.Store.ID(token)
	}
	reason := r.cfg.Store.Verify(call.Authorization)
	return hirempire.VerifyAnswer{OK: reason == "", Reason: reason}, out
}

// verify challenges the URL and commits if the challenge passed and no reset
// came between. The note says what the error does not.
func (r *Registrar) verify(ctx context.Context, op hirempire.Operation, id, requestURL string, call Call, commit func() (workspace.Webhook, error)) (workspace.Webhook, string, *hirempire.Error) {
	refused := hirempire.NewError(r.cfg.Edition, op, hirempire.InvalidRequestURL)
	u, ok := hirempire.ParseRequestURL(requestURL)
	if !ok {
		return workspace.Webhook{}, "request_url is not an absolute http or https URL with a host", refused
	}
	if r.cfg.RequirePublicURL && !hirempire.IsPublic(u) {
		return workspace.Webhook{}, "request_url is not public, which --require-public-url asks for", refused
	}
	if r.cfg.SkipChallenge { // no time passes: there is nothing to count or to interrupt
		return r.commit(op, &attempt{}, commit)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a, value, err := r.begin(id, cancel)
	if err != nil {
		r.cfg.Logger.Warn("registration refused", "workspace", id, "cause", err)
		return workspace.Webhook{}, err.Error(), hirempire.TooManyRequests(retryAfter)
	}
	defer r.end(id, a)

	if call.Slow != nil {
		call.Slow()
	}
	c, err := r.cfg.Deliverer.Challenge(ctx, requestURL, value, call.Challenge)
	c.ID, c.Workspace = r.cfg.Seed.Key("challenge id").Str(value).ID("chl_"), id
	if err != nil {
		c.Received.Cause, c.Received.Detail = interrupted(err)
	}
	r.cfg.Journal.Challenged(c)
	r.log(c)
	if !c.Passed {
		return workspace.Webhook{}, fmt.Sprintf("challenge %s failed: %s: %s", c.ID, c.Received.Cause, c.Received.Detail), refused
	}
	return r.commit(op, a, commit)
}

// commit registers or changes a webhook unless that was given up meanwhile.
func (r *Registrar) commit(op hirempire.Operation, a *attempt, commit func() (workspace.Webhook, error)) (workspace.Webhook, string, *hirempire.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.aborted:
		refused := hirempire.NewError(r.cfg.Edition, op, hirempire.InvalidRequestURL)
		return workspace.Webhook{}, "the workspace was reset, or the emulator shut down, meanwhile", refused
	case r.closed:
		return workspace.Webhook{}, errClosed.Error(), hirempire.TooManyRequests(retryAfter)
	}
	hook, err := commit()
	if failure, ok := errors.AsType[*hirempire.Error](err); ok {
		return workspace.Webhook{}, "another call changed the workspace during the challenge", failure
	}
	if err != nil {
		return workspace.Webhook{}, err.Error(), hirempire.TooManyRequests(retryAfter)
	}
	return hook, "", nil
}

var errClosed = errors.New("the emulator is shutting down")

// retryAfter is when a call may be made again that came at a bound of ours.
const retryAfter = time.Second

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
	if r.closed {
		return nil, "", errClosed
	}
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
	r.mu.Lock()
	ended := r.abort(id, cause)
	r.mu.Unlock()
	for _, c := range ended {
		<-c
	}
}

// Close refuses further challenges, makes those that are under way fail as shut
// down, and returns when they have.
func (r *Registrar) Close() {
	var ended []chan struct{}
	r.mu.Lock()
	r.closed = true
	for id := range r.progress {
		ended = append(ended, r.abort(id, journal.ByShutdown)...)
	}
	r.mu.Unlock()
	for _, c := range ended {
		<-c
	}
}

// abort interrupts what is under way in a workspace; what it returns is closed
// when that has ended.
func (r *Registrar) abort(id string, cause journal.Cause) (ended []chan struct{}) {
	for a := range r.progress[id] {
		a.aborted = true
		a.cancel(deliver.GivenUp(cause))
		ended = append(ended, a.ended)
	}
	return ended
}

// Deactivate makes a webhook inactive, if it still is there: its consumer wants no more.
func (r *Registrar) Deactivate(id, webhook string) {
	r.cfg.Store.Deactivate(id, webhook)
	w, _ := r.cfg.Store.Get(id)
	for _, hook := range w.Webhooks {
		if hook.ID == webhook {
			r.announce(journal.OfWebhook, id, hook)
		}
	}
}

// announce tells the streams of a webhook.
func (r *Registrar) announce(kind journal.Kind, id string, hook workspace.Webhook) {
	r.cfg.Journal.Announce(kind, id, 256+len(hook.RequestURL), hook)
}

// Usage returns how many challenges are in progress, and how many may be, in one
// workspace and in all.
func (r *Registrar) Usage() (inProgress, here, all int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all, r.cfg.Challenges, r.cfg.AllChallenges
}

func (r *Registrar) log(c journal.Challenge) {
	if c.Passed {
		r.cfg.Logger.Info("challenge passed", "challenge", c.ID, "workspace", c.Workspace, "url", c.RequestURL, "took", c.Received.Took)
		return
	}
	r.cfg.Logger.Warn("challenge failed", "challenge", c.ID, "workspace", c.Workspace, "url", c.RequestURL, "cause", string(c.Received.Cause),
		"detail", c.Received.Detail, "expected", c.Expected, "status", c.Received.Status, "type", c.Received.ContentType,
		"body", c.Received.Body, "took", c.Received.Took, "hint", c.Hint)
}
