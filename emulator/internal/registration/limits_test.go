package registration_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

func TestChallengesInProgressAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		here, all  int // zero: the default
		workspaces int // that register, in turn
		want       int // in progress at once
	}{
		"in a workspace":             {3, 0, 1, 3},
		"in all":                     {0, 7, 5, 7},
		"in each of several":         {2, 0, 5, 10},
		"in a workspace, by default": {0, 0, 1, 16},
		"in all, by default":         {0, 0, 30, 256},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, workspace.Limits{}, func(cfg *registration.Config) {
					cfg.Challenges, cfg.AllChallenges = c.here, c.all
				})
				release := make(chan struct{})
				r.consumers["slow"] = func(string) string { <-release; return "no" }
				var under []<-chan created
				for i := range c.want {
					under = append(under, r.start(t.Context(), fmt.Sprint("sk-", i%c.workspaces), "http://slow/"))
				}
				synctest.Wait()
				refused := r.create(t.Context(), "sk-0", "http://slow/")
				if refused.failure == nil || refused.failure.Status != 429 || refused.failure.Message != "Too many requests" {
					t.Errorf("one more: %+v", refused)
				}
				if !strings.Contains(refused.out.Note, "challenges are in progress") {
					t.Errorf("the note is %q", refused.out.Note)
				}
				close(release)
				for i, u := range under {
					if got := <-u; got.code() != hirempire.InvalidRequestURL {
						t.Errorf("number %d: %+v", i, got)
					}
				}
				// They were counted back down: as many fit again.
				for range 2 * c.want {
					if got := r.create(t.Context(), "sk-0", "http://slow/"); got.code() != hirempire.InvalidRequestURL {
						t.Fatalf("afterwards: %+v", got)
					}
				}
				if got := r.create(t.Context(), "sk-0", "http://good/"); got.failure != nil {
					t.Errorf("afterwards: %+v", got)
				}
			})
		})
	}
}

func TestAFullStoreIsAnsweredWith429(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{Workspaces: 1}, nil) // those of fixed-fate tokens do not count
		if c := r.create(t.Context(), "sk-1", "http://good/"); c.failure != nil {
			t.Fatalf("%+v", c)
		}
		c := r.create(t.Context(), "sk-2", "http://good/")
		if c.failure == nil || c.failure.Status != 429 || !strings.Contains(c.out.Note, "1 workspaces") {
			t.Errorf("%+v", c)
		}
		r.store.Reset(r.store.ID("sk-1"))
		if c := r.create(t.Context(), "sk-2", "http://good/"); c.failure != nil {
			t.Errorf("after a reset of another: %+v", c)
		}
	})
}

func TestAbortEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		release := make(chan struct{})
		r.consumers["slow"] = func(body string) string { <-release; return echo(body) }
		under := []<-chan created{r.start(t.Context(), token, "http://slow/1"), r.start(t.Context(), token, "http://slow/2")}
		other := r.start(t.Context(), "sk-other", "http://slow/3")
		synctest.Wait()
		start := time.Now()
		r.Abort(r.store.ID(token), journal.ByReset)
		// What a reset forgets next is complete: the challenges are on record.
		if n := len(r.journal.Challenges(r.store.ID(token))); n != 2 {
			t.Errorf("when Abort returned, %d challenges had ended", n)
		}
		for i, u := range under {
			c := <-u
			if c.code() != hirempire.InvalidRequestURL || !strings.Contains(c.out.Note, "reset") {
				t.Errorf("number %d: %+v", i, c)
			}
			on, _ := r.journal.LastChallenge(c.out.Workspace, fmt.Sprint("http://slow/", i+1))
			if on.Passed || on.Received.Cause != journal.ByReset {
				t.Errorf("number %d: on record is %+v", i, on)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		close(release)
		if c := <-other; c.failure != nil {
			t.Errorf("another workspace: %+v", c)
		}
		if r.hooks(token) != "" {
			t.Errorf("registered are %s", r.hooks(token))
		}
		r.Abort(r.store.ID(token), journal.ByReset) // nothing is under way
		if c := r.create(t.Context(), token, "http://good/"); c.failure != nil {
			t.Errorf("after it: %+v", c)
		}
	})
}

// A reset may come from the challenge handler: it must not wait for itself.
func TestAbortFromInsideTheChallenge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		r.consumers["odd"] = func(body string) string {
			r.Abort(r.store.ID(token), journal.ByReset)
			return echo(body)
		}
		if c := r.create(t.Context(), token, "http://odd/"); c.code() != hirempire.InvalidRequestURL || r.hooks(token) != "" {
			t.Errorf("%+v; registered: %s", c, r.hooks(token))
		}
	})
}
