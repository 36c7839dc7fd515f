package workspace_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// What ends a wait for a registration, and what does not.
func TestAwaitRegistration(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, c := range map[string]struct {
		event hirempire.Event // "": any
		does  func(t *testing.T, s *workspace.Store, old workspace.Webhook)
		found bool
	}{
		"nothing": {"", func(*testing.T, *workspace.Store, workspace.Webhook) {}, false},
		"a creation": {"", func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			s.Deactivate(s.ID("sk-1"), old.ID)
			register(t, s, "sk-1", hirempire.JobAdded)
		}, true},
		"a creation for the event": {hirempire.JobAdded, func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			s.Deactivate(s.ID("sk-1"), old.ID)
			register(t, s, "sk-1", hirempire.JobAdded)
		}, true},
		"a creation for another event": {hirempire.JobDeleted, func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			s.Deactivate(s.ID("sk-1"), old.ID)
			register(t, s, "sk-1", hirempire.JobAdded)
		}, false},
		"a creation in another workspace": {"", func(t *testing.T, s *workspace.Store, _ workspace.Webhook) {
			register(t, s, "sk-2", hirempire.JobAdded)
		}, false},
		"one that is gone again": {"", func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			s.Deactivate(s.ID("sk-1"), old.ID)
			hook := register(t, s, "sk-1", hirempire.JobAdded)
			if _, failure := s.Delete(s.ID("sk-1"), hook.ID); failure != nil {
				t.Error(failure)
			}
		}, false},
		"a reactivation": {"", func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			for _, active := range []*bool{&no, &yes} {
				if _, failure := s.Update(s.ID("sk-1"), hirempire.UpdateRequest{ID: old.ID, Active: active}); failure != nil {
					t.Error(failure)
				}
			}
		}, true},
		"an update of an active one": {"", func(t *testing.T, s *workspace.Store, old workspace.Webhook) {
			if _, failure := s.Update(s.ID("sk-1"), hirempire.UpdateRequest{ID: old.ID, Active: &yes, Events: hirempire.Events()}); failure != nil {
				t.Error(failure)
			}
		}, false},
		"a webhook of a fixed fate": {"", func(_ *testing.T, s *workspace.Store, _ workspace.Webhook) {
			authenticate(s, "sk-active-webhook")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Whether it happens before the wait begins or after makes no difference.
			for _, before := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					s := newStore(t, workspace.Limits{})
					old := register(t, s, "sk-1", hirempire.Events()...)
					after := s.Registrations()
					if before {
						c.does(t, s, old)
					}
					ctx, cancel := context.WithCancelCause(t.Context())
					ended := make(chan error, 1)
					go func() {
						number, err := s.AwaitRegistration(ctx, s.ID("sk-1"), c.event, after)
						if err == nil && number != after+1 {
							t.Errorf("it is number %d, want %d", number, after+1)
						}
						ended <- err
					}()
					synctest.Wait()
					if !before {
						if len(ended) > 0 {
							t.Fatal("an earlier registration counts")
						}
						c.does(t, s, old)
						synctest.Wait()
					}
					if (len(ended) > 0) != c.found && name != "one that is gone again" {
						t.Errorf("before: %v, found: %v", before, len(ended) > 0)
					}
					gone := errors.New("gone")
					cancel(gone)
					if err := <-ended; c.found && err != nil || !c.found && err != nil && !errors.Is(err, gone) {
						t.Errorf("before: %v, %v", before, err)
					}
				})
			}
		})
	}
}

// register creates a webhook.
func register(t *testing.T, s *workspace.Store, token string, events ...hirempire.Event) workspace.Webhook {
	t.Helper()
	hook, err := s.Create(token, request("http://x/", events...))
	if err != nil {
		t.Error(err)
	}
	return hook
}

// Many wait while others register.
func TestRegistrationsWakeEverybody(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	var group sync.WaitGroup
	for _, token := range []string{"sk-1", "sk-2", "sk-3"} {
		for range 10 {
			group.Go(func() {
				if _, err := s.AwaitRegistration(t.Context(), s.ID(token), hirempire.JobAdded, 0); err != nil {
					t.Error(err)
				}
			})
		}
		group.Go(func() { register(t, s, token, hirempire.JobAdded) })
	}
	group.Wait()
	if n := s.Registrations(); n != 3 {
		t.Errorf("%d registrations", n)
	}
}
