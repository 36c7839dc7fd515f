package workspace

import (
	"context"
	"fmt"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// MayCreate returns the documented error if the workspace cannot have another
// active webhook.
func (s *Store) MayCreate(id string) *hirempire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mayActivate(s.byID[id], "", hirempire.CreateWebhook)
}

// mayActivate returns the documented error if a webhook, "" for a new one, would
// be the second active one of its workspace.
func (s *Store) mayActivate(w *state, webhook string, op hirempire.Operation) *hirempire.Error {
	second := func(other Webhook) bool { return other.Active && other.ID != webhook }
	if w != nil && s.cfg.Edition.Rules().OneActive && slices.ContainsFunc(w.Webhooks, second) {
		return hirempire.NewError(s.cfg.Edition, op, hirempire.ActiveWebhook)
	}
	return nil
}

// Create registers a webhook. The error is a [*hirempire.Error] if another one
// became active meanwhile, or wraps [ErrFull].
func (s *Store) Create(token string, r hirempire.CreateRequest) (Webhook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.enter(token)
	if failure := s.mayActivate(w, "", hirempire.CreateWebhook); failure != nil {
		return Webhook{}, failure
	}
	if len(w.Webhooks) >= s.cfg.Limits.Webhooks {
		return Webhook{}, fmt.Errorf("%w: the workspace has %d webhooks", ErrFull, len(w.Webhooks))
	}
	first := !w.Deliverable()
	if first && s.filled >= s.cfg.Limits.Workspaces {
		return Webhook{}, fmt.Errorf("%w: there are %d workspaces with webhooks", ErrFull, s.cfg.Limits.Workspaces)
	}
	if first {
		s.filled++
	}
	w.created++
	hook := Webhook{
		ID:         s.cfg.Seed.Key("webhook").Str(w.ID).Num(w.created).UUID(),
		RequestURL: r.RequestURL,
		Events:     r.Events,
		Active:     true,
		CreatedAt:  s.cfg.Now(),
	}
	hook.UpdatedAt = hook.CreatedAt
	s.register(&hook)
	w.Webhooks = append(w.Webhooks, hook)
	return hook, nil
}

// MayUpdate returns the webhook as the request would leave it, or the documented
// error.
func (s *Store) MayUpdate(id string, r hirempire.UpdateRequest) (Webhook, *hirempire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, hook, failure := s.updated(id, r)
	return hook, failure
}

// Update changes a webhook. It checks again what [Store.MayUpdate] does.
func (s *Store) Update(id string, r hirempire.UpdateRequest) (Webhook, *hirempire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place, hook, failure := s.updated(id, r)
	if failure != nil {
		return Webhook{}, failure
	}
	hook.UpdatedAt = s.cfg.Now()
	if hook.Active && !place.Active {
		s.register(&hook)
	}
	*place = hook
	return hook, nil
}

// updated returns where a webhook is, and how it would be.
func (s *Store) updated(id string, r hirempire.UpdateRequest) (*Webhook, Webhook, *hirempire.Error) {
	w := s.byID[id]
	i := w.index(r.ID)
	if i < 0 {
		return nil, Webhook{}, hirempire.NewError(s.cfg.Edition, hirempire.UpdateWebhook, hirempire.InvalidWebhookID)
	}
	hook := w.Webhooks[i]
	if r.Events != nil {
		hook.Events = r.Events
	}
	if r.Active != nil {
		hook.Active = *r.Active
	}
	if hook.Active {
		if failure := s.mayActivate(w, hook.ID, hirempire.UpdateWebhook); failure != nil {
			return nil, Webhook{}, failure
		}
	}
	return &w.Webhooks[i], hook, nil
}

// Deactivate makes a webhook inactive, if it still is there.
func (s *Store) Deactivate(id, webhook string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byID[id]
	if i := w.index(webhook); i >= 0 {
		w.Webhooks[i].Active, w.Webhooks[i].UpdatedAt = false, s.cfg.Now()
	}
}

// Delete removes a webhook and returns it.
func (s *Store) Delete(id, webhook string) (Webhook, *hirempire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byID[id]
	i := w.index(webhook)
	if i < 0 {
		return Webhook{}, hirempire.NewError(s.cfg.Edition, hirempire.DeleteWebhook, hirempire.WebhookNotFound)
	}
	hook := w.Webhooks[i]
	w.Webhooks = slices.Delete(w.Webhooks, i, i+1)
	if !hook.Fixed && !w.Deliverable() {
		s.filled--
	}
	return hook, nil
}

// index returns where the workspace has the webhook; -1 if it does not, also of
// no workspace.
func (w *state) index(webhook string) int {
	if w == nil {
		return -1
	}
	return slices.IndexFunc(w.Webhooks, func(h Webhook) bool { return h.ID == webhook })
}

// Standing returns whether the workspace still has a webhook, and whether that is
// active.
func (s *Store) Standing(id, webhook string) (exists, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byID[id]
	i := w.index(webhook)
	return i >= 0, i >= 0 && w.Webhooks[i].Active
}

// register numbers a webhook that became active, and wakes who awaits one.
func (s *Store) register(hook *Webhook) {
	s.registered++
	hook.Registered = s.registered
	close(s.changed)
	s.changed = make(chan struct{})
}

// Registrations returns how many webhooks were created or activated so far.
func (s *Store) Registrations() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registered
}

// AwaitRegistration returns once the workspace has a webhook that was created or
// activated after that many registrations and gets the event, or any if that is
// empty: the number of the first. The error is the cause of the context's end.
func (s *Store) AwaitRegistration(ctx context.Context, id string, e hirempire.Event, after uint64) (uint64, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		var first uint64
		if w := s.byID[id]; w != nil {
			for _, h := range w.Webhooks {
				if h.Registered > after && h.Active && !h.Fixed && (e == "" || h.Subscribed(e)) && (first == 0 || h.Registered < first) {
					first = h.Registered
				}
			}
		}
		s.mu.Unlock()
		if first > 0 {
			return first, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}
