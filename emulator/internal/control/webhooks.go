package control

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

type workspaceView struct {
	ID         string        `json:"id"`
	Token      string        `json:"token"` // shortened
	Webhooks   int           `json:"webhooks"`
	Deliveries report.Ledger `json:"deliveries"`
}

func (s *server) listWorkspaces(r *request) (answer, error) {
	since, limit, err := r.page()
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	views := []workspaceView{}
	for _, w := range s.Store.All() {
		views = append(views, workspaceView{w.ID, workspace.ShortToken(w.Token), len(w.Webhooks), s.Journal.Ledger(w.ID)})
	}
	page, next := slicePage(views, since, limit)
	evicted := map[string]uint64{"workspaces": s.Store.Evicted(), "journal_entries": s.Journal.Evicted(), "connections": s.Shed()}
	return ok(map[string]any{"workspaces": page, "next": next, "evicted": evicted})
}

// slicePage returns the elements after the first since ones, and where the next
// page begins.
func slicePage[T any](all []T, since uint64, limit int) (page []T, next uint64) {
	from := min(since, uint64(len(all)))
	to := min(from+uint64(limit), uint64(len(all)))
	return all[from:to], to
}

type webhookView struct {
	ID         string             `json:"id"`
	Workspace  string             `json:"workspace"`
	RequestURL string             `json:"request_url"`
	Events     []hirempire.Event  `json:"events"`
	Active     bool               `json:"active"`
	CreatedAt  hirempire.Time     `json:"created_at"`
	Fixed      bool               `json:"fixed"` // belongs to a fixed-fate token, never delivered to
	Challenge  *journal.Challenge `json:"challenge,omitempty"`
}

func (s *server) viewWebhook(workspaceID string, w workspace.Webhook) webhookView {
	v := webhookView{w.ID, workspaceID, w.RequestURL, slices.Clone(w.Events), w.Active, hirempire.Time{Time: w.CreatedAt}, w.Fixed, nil}
	if c, ok := s.Journal.LastChallenge(workspaceID, w.RequestURL); ok {
		v.Challenge = &c
	}
	return v
}

// listWebhooks shows what is registered, and the failed challenges of what is not.
func (s *server) listWebhooks(r *request) (answer, error) {
	id, err := s.named(r, nil)
	since, limit, pageErr := r.page()
	if err := errors.Join(err, pageErr, r.queried()); err != nil {
		return answer{}, err
	}
	views, failed := []webhookView{}, []journal.Challenge{}
	for _, w := range s.Store.All() {
		if id != "" && w.ID != id {
			continue
		}
		for _, hook := range w.Webhooks {
			views = append(views, s.viewWebhook(w.ID, hook))
		}
		for _, c := range s.Journal.Challenges(w.ID) {
			if !c.Passed {
				failed = append(failed, c)
			}
		}
	}
	page, next := slicePage(views, since, limit)
	return ok(map[string]any{"webhooks": page, "failed_challenges": failed, "next": next})
}

// registerWebhook registers as the vendor's API would, without its wire form.
func (s *server) registerWebhook(r *request) (answer, error) {
	var body struct {
		RequestURL any     `json:"request_url"`
		Events     any     `json:"events"`
		Token      *string `json:"token"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	token, err := r.token(body.Token)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	if token == "" {
		return answer{}, badRequest("name the token to register with, by token in the body or by the header Emulator-Token")
	}
	_, out, failure := s.Registrar.Create(r.Context(), registration.Call{
		Authorization: []string{"Bearer " + token},
		Body:          hirempire.Marshal(map[string]any{"request_url": body.RequestURL, "events": body.Events}),
	})
	if failure != nil {
		url, _ := body.RequestURL.(string)
		return answer{}, s.refused(failure, out, url)
	}
	return answer{
		status: http.StatusCreated,
		body:   map[string]webhookView{"webhook": s.viewWebhook(out.Workspace, out.Webhook)},
		then:   s.Registered(out.Workspace),
	}, nil
}

// refused is the vendor's answer, with what it does not say.
func (s *server) refused(failure *hirempire.Error, out registration.Outcome, url string) error {
	var problems []string
	if out.Note != "" {
		problems = append(problems, out.Note)
	}
	if c, ok := s.Journal.LastChallenge(out.Workspace, url); ok && !c.Passed && failure.Code == hirempire.InvalidRequestURL {
		problems = append(problems, c.Hint)
	}
	return fail(failure.Status, failure.Code, failure.Message, problems...)
}

// webhook returns the webhook that the path names, and a call in its owner's name.
func (s *server) webhook(r *request) (workspace.Webhook, registration.Call, error) {
	id := r.path("id")
	of, err := s.named(r, nil)
	if err := errors.Join(err, r.queried()); err != nil {
		return workspace.Webhook{}, registration.Call{}, err
	}
	for _, w := range s.Store.All() {
		if of != "" && w.ID != of {
			continue // it is somebody else's
		}
		for _, hook := range w.Webhooks {
			if hook.ID == id {
				return hook, registration.Call{Authorization: []string{"Bearer " + w.Token}}, nil
			}
		}
	}
	return workspace.Webhook{}, registration.Call{}, fail(http.StatusNotFound, "no-such-webhook", "no webhook "+quoted(id)+": see GET webhooks")
}

// updateWebhook pauses or resumes a webhook, or changes its events, as its owner
// would on the vendor's settings page: what it leaves active is challenged.
func (s *server) updateWebhook(r *request) (answer, error) {
	var body struct {
		Events any   `json:"events,omitempty"`
		Active *bool `json:"active,omitempty"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	hook, call, err := s.webhook(r)
	if err != nil {
		return answer{}, err
	}
	if body.Events == nil && body.Active == nil {
		return answer{}, badRequest("give active, events, or both")
	}
	change := map[string]any{"id": hook.ID}
	if body.Events != nil {
		change["events"] = body.Events
	}
	if body.Active != nil {
		change["active"] = *body.Active
	}
	call.Body = hirempire.Marshal(change)
	_, out, failure := s.Registrar.Update(r.Context(), call)
	if failure != nil {
		return answer{}, s.refused(failure, out, hook.RequestURL)
	}
	return ok(map[string]webhookView{"webhook": s.viewWebhook(out.Workspace, out.Webhook)})
}

// deleteWebhook removes a webhook; what waits for it is dropped.
func (s *server) deleteWebhook(r *request) (answer, error) {
	hook, call, err := s.webhook(r)
	if err != nil {
		return answer{}, err
	}
	call.Query = "id=" + url.QueryEscape(hook.ID)
	if _, out, failure := s.Registrar.Delete(call); failure != nil {
		return answer{}, s.refused(failure, out, hook.RequestURL)
	}
	return ok(map[string]string{"deleted": hook.ID})
}
