package registration_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

func TestRegistration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		var bodies []string
		r.consumers["good"] = func(body string) string {
			bodies = append(bodies, body)
			if r.hooks(token) != "" {
				t.Error("the webhook was registered before its challenge passed")
			}
			return echo(body)
		}
		c := r.create(t.Context(), token, "http://good/hook")
		if c.failure != nil || c.out.Workspace != r.store.ID(token) || c.out.Note != "" || r.hooks(token) != "http://good/hook" {
			t.Fatalf("%+v; registered: %s", c, r.hooks(token))
		}
		if c.answer.Data.ID != c.out.Webhook.ID || !c.answer.Success || fmt.Sprint(c.answer.Data.Events) != "[job_added]" {
			t.Errorf("the answer is %+v, the webhook %+v", c.answer, c.out.Webhook)
		}
		sent := regexp.MustCompile(`^\{"challenge":"[a-z0-9]{20}","type":"url_verification"\}$`)
		if len(bodies) != 1 || !sent.MatchString(bodies[0]) {
			t.Errorf("the consumer got %q", bodies)
		}
		on, ok := r.journal.LastChallenge(c.out.Workspace, "http://good/hook")
		if !ok || !on.Passed || !strings.HasPrefix(on.ID, "chl_") || !strings.Contains(bodies[0], on.Expected) {
			t.Errorf("on record is %+v", on)
		}
		if c := r.create(t.Context(), token, "http://good/hook"); c.code() != hirempire.ActiveWebhook || len(bodies) != 1 {
			t.Errorf("a second one: %+v, %d challenges", c, len(bodies))
		}
	})
}

// Each call breaks every later rule too, so that the first one shows.
func TestOrderOfTheChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		challenged := 0
		r.consumers["bad"] = func(string) string { challenged++; return "no" }
		for _, c := range []struct {
			token, query, body string
			want               string
		}{
			{"pk-x", "a=b", "{", hirempire.InvalidToken},
			{"sk-expired", "a=b", "{", hirempire.TokenExpired},
			{"sk-no-scope", "a=b", "{", hirempire.MissingScope},
			{"sk-deleted", "a=b", "{", hirempire.TokenDeleted},
			{"sk-active-webhook", "", "{", hirempire.IncorrectInput},
			{"sk-active-webhook", "a=b", `{"request_url":"http://bad/","events":["job_added"]}`, hirempire.IncorrectInput},
			{"sk-active-webhook", "", `{"request_url":5,"events":5}`, hirempire.RequestURLRequired},
			{"sk-active-webhook", "", `{"request_url":"nonsense","events":5}`, hirempire.EventsRequired},
			{"sk-active-webhook", "", `{"request_url":"nonsense","events":["x"]}`, hirempire.InvalidEvent},
			{"sk-active-webhook", "", `{"request_url":"nonsense","events":[]}`, hirempire.ActiveWebhook},
			{"sk-active-webhook", "", `{"request_url":"http://bad/","events":[]}`, hirempire.ActiveWebhook},
			{token, "", `{"request_url":"nonsense","events":[]}`, hirempire.InvalidRequestURL},
		} {
			_, out, failure := r.Create(t.Context(), registration.Call{
				Authorization: []string{"Bearer " + c.token}, Query: c.query, Body: []byte(c.body),
			})
			if failure == nil || failure.Code != c.want {
				t.Errorf("%s ?%s %s: %v, want %s", c.token, c.query, c.body, failure, c.want)
			}
			if out.Workspace != r.store.ID(c.token) {
				t.Errorf("%s: the workspace is %q", c.token, out.Workspace)
			}
			if challenged != 0 {
				t.Errorf("%s %s: challenged", c.token, c.body)
			}
		}
		if _, out, failure := r.Create(t.Context(), registration.Call{}); failure == nil || failure.Code != hirempire.InvalidToken || out.Workspace != "" {
			t.Errorf("without a token: %v, workspace %q", failure, out.Workspace)
		}
		if c := r.create(t.Context(), token, "http://bad/"); c.code() != hirempire.InvalidRequestURL || challenged != 1 {
			t.Errorf("the challenge comes last: %+v, %d challenges", c, challenged)
		}
	})
}

func TestNothingIsRegisteredWhenTheChallengeFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		r.consumers["wrong"] = func(string) string { return `{"challenge":"wrong"}` }
		r.consumers["hung"] = func(string) string { <-time.After(6 * time.Second); return "" }
		for url, cause := range map[string]journal.Cause{
			"http://wrong/": journal.Altered, "http://nobody/": journal.Unreachable, "http://hung/": journal.Ambiguous,
			"http://169.254.169.254/": journal.Forbidden,
		} {
			c := r.create(t.Context(), token, url)
			if c.failure == nil || c.failure.Status != 401 || c.failure.Message != "Invalid request url" || r.hooks(token) != "" {
				t.Errorf("%s: %+v; registered: %s", url, c, r.hooks(token))
			}
			on, ok := r.journal.LastChallenge(c.out.Workspace, url)
			if !ok || on.Passed || on.Received.Cause != cause || on.Hint == "" {
				t.Errorf("%s: on record is %+v", url, on)
			}
			if !strings.Contains(c.out.Note, on.ID) || !strings.Contains(c.out.Note, string(cause)) || !strings.Contains(c.out.Note, on.Received.Detail) {
				t.Errorf("%s: the note is %q", url, c.out.Note)
			}
		}
		if c := r.create(t.Context(), token, "http://good/"); c.failure != nil {
			t.Errorf("after failures: %+v", c)
		}
		<-time.After(10 * time.Second) // until the hung one's answer
	})
}

func TestOfTwoAtOnceTheFirstToPassWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		for host, d := range map[string]time.Duration{"slow": 3 * time.Second, "quick": time.Second} {
			r.consumers[host] = func(body string) string { <-time.After(d); return echo(body) }
		}
		slow := r.start(t.Context(), token, "http://slow/")
		synctest.Wait()
		quick := r.start(t.Context(), token, "http://quick/")
		other := r.start(t.Context(), "sk-other", "http://slow/")
		if c := <-quick; c.failure != nil {
			t.Errorf("the first to pass: %+v", c)
		}
		c := <-slow
		if c.failure == nil || c.failure.Status != 401 || c.failure.Message != "You already have an active webhook." || c.out.Note == "" {
			t.Errorf("the second to pass: %+v", c)
		}
		if r.hooks(token) != "http://quick/" {
			t.Errorf("registered are %s", r.hooks(token))
		}
		if c := <-other; c.failure != nil {
			t.Errorf("another workspace: %+v", c)
		}
	})
}

// A consumer may register from inside its challenge handler, and the challenge
// of that one again, without end: the bound ends it.
func TestRegistrationFromInsideTheChallenge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, func(cfg *registration.Config) { cfg.Challenges = 5 })
		var mu sync.Mutex
		codes := map[string]int{}
		count := func(c created) {
			mu.Lock()
			defer mu.Unlock()
			codes[c.code()]++
		}
		r.consumers["mirror"] = func(body string) string {
			count(r.create(t.Context(), token, "http://mirror/"))
			return echo(body)
		}
		start := time.Now()
		count(r.create(t.Context(), token, "http://mirror/"))
		// Once there is a webhook, who registers again is refused before its challenge.
		if codes["success"] != 1 || codes["too-many-requests"] != 1 || codes[hirempire.ActiveWebhook] != 4 || len(codes) != 3 {
			t.Errorf("answers: %v", codes)
		}
		if took := time.Since(start); took != 0 || r.hooks(token) != "http://mirror/" {
			t.Errorf("after %v registered are %q", took, r.hooks(token))
		}
	})
}

func TestSkipChallenge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, func(cfg *registration.Config) { cfg.SkipChallenge = true })
		r.consumers["good"] = func(string) string { t.Error("challenged"); return "" }
		c := r.create(t.Context(), token, "http://good/")
		if c.failure != nil || r.hooks(token) != "http://good/" || len(r.journal.Challenges(c.out.Workspace)) != 0 {
			t.Errorf("%+v; registered: %s", c, r.hooks(token))
		}
		if c := r.create(t.Context(), "sk-other", "nonsense"); c.code() != hirempire.InvalidRequestURL || c.out.Note == "" {
			t.Errorf("a URL that is none: %+v", c)
		}
	})
}

func TestClientGoneAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		release := make(chan struct{})
		r.consumers["slow"] = func(body string) string { <-release; return echo(body) }
		ctx, cancel := context.WithCancel(t.Context())
		results := r.start(ctx, token, "http://slow/")
		synctest.Wait()
		start := time.Now()
		cancel()
		c := <-results
		close(release)
		if c.code() != hirempire.InvalidRequestURL || r.hooks(token) != "" || time.Since(start) != 0 {
			t.Errorf("after %v: %+v; registered: %s", time.Since(start), c, r.hooks(token))
		}
		on, _ := r.journal.LastChallenge(c.out.Workspace, "http://slow/")
		if on.Passed || on.Received.Cause != journal.ByCancel || !strings.Contains(on.Received.Detail, "went away") {
			t.Errorf("on record is %+v", on)
		}
	})
}

func TestChallengesComeFromTheSeed(t *testing.T) {
	t.Parallel()
	values := func(t *testing.T) (all []string) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, workspace.Limits{}, nil)
			for i := range 20 {
				c := r.create(t.Context(), fmt.Sprint("sk-", i%2), "http://nobody/")
				on, _ := r.journal.LastChallenge(c.out.Workspace, "http://nobody/")
				all = append(all, on.Expected+" "+on.ID)
			}
		})
		return all
	}
	all := values(t)
	seen := map[string]bool{}
	for i, v := range all {
		if value, _, _ := strings.Cut(v, " "); seen[v] || len(value) != 20 {
			t.Errorf("challenge %d is %s", i, v)
		}
		seen[v] = true
	}
	if again := values(t); strings.Join(again, "\n") != strings.Join(all, "\n") {
		t.Errorf("the same seed draws\n%v\nand\n%v", all, again)
	}
}

// Whatever happens, the log names workspaces, not tokens.
func TestTheLogHoldsNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{Workspaces: 1}, func(cfg *registration.Config) { cfg.AllChallenges = 1 })
		r.consumers["wrong"] = func(string) string {
			r.create(t.Context(), token, "http://good/") // over the bound
			return `{"challenge":"wrong"}`
		}
		for _, tok := range []string{token, "sk-invalid", "sk-expired", "sk-active-webhook", "sk-x-registration-secret"} {
			for _, url := range []string{"nonsense", "http://nobody/", "http://wrong/", "http://good/"} {
				c := r.create(t.Context(), tok, url)
				if strings.Contains(c.out.Note, tok) || strings.Contains(fmt.Sprint(c.failure), tok) {
					t.Errorf("%s %s: %+v", tok, url, c)
				}
			}
		}
		log := r.log.String()
		for _, want := range []string{"registration refused", "challenge failed", "challenge passed", r.store.ID(token), "hint="} {
			if !strings.Contains(log, want) {
				t.Errorf("the log does not say %q:\n%s", want, log)
			}
		}
		if strings.Contains(log, "sk-") || strings.Contains(log, "registration-secret") {
			t.Errorf("the log holds a token:\n%s", log)
		}
	})
}

func TestARegistrationIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, workspace.Limits{}, nil)
		c := r.create(t.Context(), token, "http://good/")
		if log := r.log.String(); !strings.Contains(log, "webhook registered") || !strings.Contains(log, c.out.Webhook.ID) || strings.Contains(log, token) {
			t.Errorf("the log:\n%s", log)
		}
	})
}
