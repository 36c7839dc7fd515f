package workspace_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

func create(s *workspace.Store, token string) error {
	_, err := s.Create(token, request("http://c/"+token, hirempire.JobAdded))
	return err
}

// bounded has no fixed fates, so that the bound is all for the tokens of a test.
func bounded(t *testing.T, limits workspace.Limits) *workspace.Store {
	t.Helper()
	s, err := workspace.New(workspace.Config{
		Edition: hirempire.Edition202602, Tokens: fixtures.Tokens{Accept: fixtures.DefaultTokens().Accept}, Limits: limits,
		Now: newStoreNow,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEmptyWorkspacesMakeRoom(t *testing.T) {
	t.Parallel()
	s := bounded(t, workspace.Limits{Workspaces: 3})
	if err := create(s, "sk-kept"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if _, failure := authenticate(s, fmt.Sprintf("sk-%d", i)); failure != nil {
			t.Fatalf("token %d: %v", i, failure)
		}
		if n := len(s.All()); n > 6 {
			t.Fatalf("after %d tokens %d workspaces are kept", i+1, n)
		}
	}
	if w, ok := s.Get(s.ID("sk-kept")); !ok || len(w.Webhooks) != 1 {
		t.Error("a workspace with a webhook made room")
	}
	if n := s.Evicted(); n < 990 || n > 1000 {
		t.Errorf("%d of 1000 empty workspaces were counted as forgotten", n)
	}
	if err := create(s, "sk-0"); err != nil {
		t.Errorf("an empty workspace that was forgotten cannot come back: %v", err)
	}
}

func TestFixedWebhooksDoNotMakeRoom(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{Workspaces: 1})
	for i := range 10 {
		authenticate(s, fmt.Sprintf("sk-%d", i))
	}
	if w, ok := s.Get(s.ID("sk-active-webhook")); !ok || len(w.Webhooks) != 1 {
		t.Errorf("the workspace of a fixed webhook is %+v, %v", w, ok)
	}
}

func TestAFullStoreRefusesToFillAnother(t *testing.T) {
	t.Parallel()
	s := bounded(t, workspace.Limits{Workspaces: 2})
	for _, token := range []string{"sk-a", "sk-b"} {
		if err := create(s, token); err != nil {
			t.Fatal(err)
		}
	}
	if _, failure := authenticate(s, "sk-c"); failure != nil {
		t.Errorf("beyond the bound a token is refused: %v", failure)
	}
	err := create(s, "sk-c")
	if !errors.Is(err, workspace.ErrFull) || !strings.Contains(err.Error(), "2 workspaces") {
		t.Errorf("create = %v, want ErrFull with the bound", err)
	}
	s.Reset(s.ID("sk-a"))
	if err := create(s, "sk-c"); err != nil {
		t.Errorf("the workspace that was reset makes no room: %v", err)
	}
	if err := create(s, "sk-a"); !errors.Is(err, workspace.ErrFull) {
		t.Errorf("create = %v, want ErrFull", err)
	}
}

// A workspace whose numbers of runs, events or webhooks count is not forgotten:
// they would start anew and ids would come twice.
func TestWorkspacesThatCountAreKept(t *testing.T) {
	t.Parallel()
	s := bounded(t, workspace.Limits{Workspaces: 2})
	run, _ := authenticate(s, "sk-run")
	s.NextRun(run)
	event, _ := authenticate(s, "sk-event")
	s.NextEvent(event)
	for i := range 10 {
		authenticate(s, fmt.Sprintf("sk-%d", i))
	}
	if n, m := s.NextRun(run), s.NextEvent(event); n != 2 || m != 2 {
		t.Errorf("the next run is %d and the next event %d, want 2 and 2", n, m)
	}
}

// But they do not grow without a bound.
func TestWorkspacesThatOnlyCountAreBounded(t *testing.T) {
	t.Parallel()
	s := bounded(t, workspace.Limits{Workspaces: 5})
	for i := range 100 {
		id, _ := authenticate(s, fmt.Sprintf("sk-%d", i))
		s.NextRun(id)
		if n := len(s.All()); n > 11 {
			t.Fatalf("%d workspaces are remembered", n)
		}
	}
}

func TestADeletedWebhookMakesRoomOnce(t *testing.T) {
	t.Parallel()
	s, err := workspace.New(workspace.Config{
		Edition: hirempire.Edition202606, Tokens: fixtures.Tokens{Accept: fixtures.DefaultTokens().Accept}, Limits: workspace.Limits{Workspaces: 1},
		Now: newStoreNow,
	})
	if err != nil {
		t.Fatal(err)
	}
	id := s.ID("sk-a")
	for range 2 { // webhooks of one workspace
		if err := create(s, "sk-a"); err != nil {
			t.Fatal(err)
		}
	}
	for left := 2; left > 0; left-- {
		if err := create(s, "sk-b"); !errors.Is(err, workspace.ErrFull) {
			t.Fatalf("with %d webhooks of the other, create = %v, want ErrFull", left, err)
		}
		w, _ := s.Get(id)
		if _, failure := s.Delete(id, w.Webhooks[0].ID); failure != nil {
			t.Fatal(failure)
		}
	}
	if err := create(s, "sk-b"); err != nil {
		t.Errorf("the workspace without webhooks makes no room: %v", err)
	}
	if err := create(s, "sk-a"); !errors.Is(err, workspace.ErrFull) {
		t.Errorf("create = %v, want ErrFull", err)
	}
}

func TestArmedFaultsAreBounded(t *testing.T) {
	t.Parallel()
	s := bounded(t, workspace.Limits{Faults: 2})
	fault, err := workspace.NewFault(hirempire.Edition202602, scenario.APIFault{Operation: hirempire.ListWebhooks, Error: hirempire.TokenExpired}, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.Arm(fault); errors.Is(err, workspace.ErrFull) != (i == 2) {
			t.Errorf("fault %d: %v", i+1, err)
		}
	}
	if u := s.Usage(); u.Faults != 2 || u.Limits.Faults != 2 {
		t.Errorf("usage %+v", u)
	}
}
