package workspace_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

func newStoreNow() time.Time { return now }

// firstID returns the ids of a token's workspace and of its first webhook.
func firstID(t *testing.T, s seed.Seed, token string) (id, hook string) {
	t.Helper()
	store, err := workspace.New(workspace.Config{Edition: hirempire.Edition202602, Tokens: fixtures.DefaultTokens(), Seed: s, Now: newStoreNow})
	if err != nil {
		t.Fatal(err)
	}
	created, err := store.Create(token, request("http://c", hirempire.JobAdded))
	if err != nil {
		t.Fatal(err)
	}
	store.Reset(store.ID(token))
	again, err := store.Create(token, request("http://other", hirempire.JobDeleted))
	if err != nil {
		t.Fatal(err)
	}
	if again.ID != created.ID {
		t.Errorf("after a reset the first webhook is %s, before it was %s", again.ID, created.ID)
	}
	return store.ID(token), created.ID
}

func TestIDsComeFromTheSeed(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	workspaceID := regexp.MustCompile(`^ws_[a-z0-9]{18}$`)
	seen := map[string]bool{}
	for s := range seed.Seed(20) {
		for _, token := range []string{"sk-a", "sk-b"} {
			id, hook := firstID(t, s, token)
			if !workspaceID.MatchString(id) || !uuid.MatchString(hook) {
				t.Errorf("workspace %s, webhook %s", id, hook)
			}
			if seen[id] || seen[hook] {
				t.Errorf("seed %d, %s: an id came twice: %s %s", s, token, id, hook)
			}
			seen[id], seen[hook] = true, true
			if id2, hook2 := firstID(t, s, token); id2 != id || hook2 != hook {
				t.Errorf("seed %d, %s: %s %s, and again %s %s", s, token, id, hook, id2, hook2)
			}
		}
	}
}

func TestCountersStartAgainAtAReset(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	a, _ := authenticate(s, "sk-a")
	b, _ := authenticate(s, "sk-b")
	for want := range uint64(3) {
		if run, event := s.NextRun(a), s.NextEvent(a); run != want+1 || event != want+1 {
			t.Errorf("run %d and event %d, want %d", run, event, want+1)
		}
	}
	if got := s.NextRun(b); got != 1 {
		t.Errorf("another workspace's first run is %d", got)
	}
	s.Reset(a)
	if run, event := s.NextRun(a), s.NextEvent(a); run != 1 || event != 1 {
		t.Errorf("after a reset run %d and event %d, want 1", run, event)
	}
	if got := s.NextRun(b); got != 2 {
		t.Errorf("another workspace's run after it is %d, want 2", got)
	}
	if got := s.NextRun("ws_unknown"); got != 1 {
		t.Errorf("a run of nobody is %d", got)
	}
}
