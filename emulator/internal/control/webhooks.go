package control

import (
	"errors"
	"net/http"
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
	evicted := map[string]uint64{"workspaces": s.Store.Evicted(), "journal_entries": s.Journal.Evicted()}
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
		var problems []string
		if out.Note != "" {
			problems = append(problems, out.Note)
		}
		url, _ := body.RequestURL.(string)
		if c, ok := s.Journal.LastChallenge(out.Workspace, url); ok && !c.Passed && failure.Code == hirempire.InvalidRequestURL {
			problems = append(problems, c.Hint)
		}
		return answer{}, fail(failure.Status, failure.Code, failure.Message, problems...)
	}
	return answer{
		status: http.StatusCreated,
		body:   map[string]webhookView{"webhook": s.viewWebhook(out.Workspace, out.Webhook)},
		then:   s.Registered(out.Workspace),
	}, nil
}
