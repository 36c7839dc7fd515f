package workspace_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

var now = time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T, limits workspace.Limits) *workspace.Store {
	t.Helper()
	s, err := workspace.New(workspace.Config{
		Edition: hirempire.Edition202602, Tokens: fixtures.DefaultTokens(), Seed: 42, Limits: limits,
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func authenticate(s *workspace.Store, token string) (string, *hirempire.Error) {
	return s.Authenticate(hirempire.CreateWebhook, []string{"Bearer " + token})
}

func request(url string, events ...hirempire.Event) hirempire.CreateRequest {
	return hirempire.CreateRequest{RequestURL: url, Events: events}
}

func TestEveryTokenHasItsFate(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	for _, c := range []struct {
		headers []string
		status  int
		message string
	}{
		{[]string{"Bearer sk-anything"}, 0, ""},
		{[]string{"Bearer sk"}, 0, ""},
		{[]string{"Bearer sk-active-webhook"}, 0, ""},
		{[]string{"Bearer sk-invalid"}, 400, "Invalid token"},
		{[]string{"Bearer sk-expired"}, 401, "Token is expired"},
		{[]string{"Bearer sk-no-scope"}, 401, "Token is missing required scope"},
		{[]string{"Bearer sk-deleted"}, 403, "Token has been deleted"},
		{[]string{"Bearer pk-anything"}, 400, "Invalid token"},
		{[]string{"Bearer SK-anything"}, 400, "Invalid token"},
		{[]string{"bearer sk-anything"}, 400, "Invalid token"},
		{[]string{"Bearer sk-a", "Bearer sk-a"}, 400, "Invalid token"},
		{[]string{"Bearer "}, 400, "Invalid token"},
		{nil, 400, "Invalid token"},
	} {
		id, failure := s.Authenticate(hirempire.CreateWebhook, c.headers)
		if c.status == 0 {
			if failure != nil || !strings.HasPrefix(id, "ws_") {
				t.Errorf("%q: workspace %q, %v, want one", c.headers, id, failure)
			}
			continue
		}
		if failure == nil || failure.Status != c.status || failure.Message != c.message || id != "" {
			t.Errorf("%q: workspace %q, %v, want %d %s", c.headers, id, failure, c.status, c.message)
		}
	}
}

// A table decides, not the spelling of a token.
func TestTokensAreData(t *testing.T) {
	t.Parallel()
	tokens, err := fixtures.DefaultTokens().With("t.yaml", []byte("accept: '^test_'\ntokens: {sk-invalid: null, odd: null, test_no: {error: token-expired}}"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := workspace.New(workspace.Config{Edition: hirempire.Edition202602, Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		"test_a": "", "sk-invalid": "", "odd": "", "sk-a": hirempire.InvalidToken, "test_no": hirempire.TokenExpired,
	} {
		got := ""
		if _, failure := authenticate(s, token); failure != nil {
			got = failure.Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q", token, got, want)
		}
	}
	none, err := workspace.New(workspace.Config{Edition: hirempire.Edition202602})
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := authenticate(none, "sk-a"); failure == nil {
		t.Error("a store without a table accepts tokens")
	}
}

func TestNewRefusesWhatTheContractDoesNotKnow(t *testing.T) {
	t.Parallel()
	fate := func(edition, code string) fixtures.Fate {
		return fixtures.Fate{Errors: map[string]string{edition: code}}
	}
	hook := func(url string, events ...string) fixtures.Fate {
		return fixtures.Fate{Webhooks: []fixtures.FixedWebhook{{ID: "w", RequestURL: url, Events: events, Active: true, CreatedAt: now}}}
	}
	for name, c := range map[string]struct {
		token string
		fate  fixtures.Fate
		says  string
	}{
		"code":              {"sk-bad", fate("", "boom"), `"boom" is no error of a token`},
		"empty code":        {"sk-bad", fate("", ""), `"" is no error of a token`},
		"code of edition":   {"sk-bad", fate("2026-02", "boom"), `"boom" is no error of a token`},
		"edition":           {"sk-bad", fate("1999-01", "invalid-token"), `unknown edition "1999-01"`},
		"event":             {"sk-bad", hook("http://x", "job_added", "job_eaten"), `unknown event "job_eaten"`},
		"URL":               {"sk-bad", hook("consumer:80"), "is no http(s) URL"},
		"token with spaces": {"sk bad", fixtures.Fate{}, "visible ASCII"},
		"empty token":       {"", fixtures.Fate{}, "visible ASCII"},
		"long token":        {strings.Repeat("x", hirempire.MaxTokenBytes+1), fixtures.Fate{}, "1 to 512 characters"},
	} {
		_, err := workspace.New(workspace.Config{
			Edition: hirempire.Edition202602,
			Tokens:  fixtures.Tokens{Fates: map[string]fixtures.Fate{"sk-good": {}, c.token: c.fate}},
		})
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("token %q: ", c.token)) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want the token and %q", name, err, c.says)
		}
	}
}

func TestTokensAreIsolated(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	a, _ := authenticate(s, "sk-a")
	b, _ := authenticate(s, "sk-b")
	if again, _ := authenticate(s, "sk-a"); a == b || a != again || a != s.ID("sk-a") {
		t.Fatalf("sk-a is %s and %s, sk-b is %s", a, again, b)
	}
	hook, err := s.Create("sk-a", request("http://a/hook", hirempire.JobAdded))
	if err != nil {
		t.Fatal(err)
	}
	if s.MayCreate(a) == nil || s.MayCreate(b) != nil || s.MayCreate("ws_unknown") != nil {
		t.Error("a webhook of one workspace counts in another")
	}
	if got := s.Subscribers(a, hirempire.JobAdded); len(got) != 1 || got[0].ID != hook.ID {
		t.Errorf("subscribers of a: %v", got)
	}
	if got := s.Subscribers(b, hirempire.JobAdded); len(got) != 0 {
		t.Errorf("subscribers of b: %v", got)
	}
	if got := s.Subscribers(a, hirempire.JobDeleted); len(got) != 0 {
		t.Errorf("subscribed to an event that was not asked for: %v", got)
	}
	if got := s.Subscribers("ws_unknown", hirempire.JobAdded); got != nil {
		t.Errorf("subscribers of nobody: %v", got)
	}
	s.Reset(b)
	if w, _ := s.Get(a); len(w.Webhooks) != 1 {
		t.Error("a reset of one workspace reached another")
	}
}

func TestCreatedWebhook(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	id, _ := authenticate(s, "sk-a")
	const url = "HTTP://Consumer:80/Hook?a=%20#f" // to be kept to the byte
	hook, err := s.Create("sk-a", request(url, hirempire.JobAdded, hirempire.JobAdded))
	if err != nil {
		t.Fatal(err)
	}
	w, ok := s.Get(id)
	if !ok || w.ID != id || w.Token != "sk-a" || len(w.Webhooks) != 1 || !w.Deliverable() {
		t.Fatalf("the workspace is %+v", w)
	}
	got := w.Webhooks[0]
	if got.ID != hook.ID || got.RequestURL != url || !got.Active || got.Fixed || !got.CreatedAt.Equal(now) ||
		!slices.Equal(got.Events, []hirempire.Event{hirempire.JobAdded, hirempire.JobAdded}) {
		t.Errorf("the webhook is %+v", got)
	}
	if got := s.Subscribers(id, hirempire.JobAdded); len(got) != 1 {
		t.Errorf("an event named twice has %d subscribers", len(got))
	}
	if _, ok := s.Get("ws_unknown"); ok {
		t.Error("there is a workspace that nobody made")
	}
}

// The first registration whose challenge passes wins; which one is not decided.
func TestOneOfManyCreatesWins(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	id, _ := authenticate(s, "sk-a")
	var group sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		group.Go(func() { _, errs[i] = s.Create("sk-a", request(fmt.Sprintf("http://c/%d", i), hirempire.JobAdded)) })
	}
	group.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
		} else if failure, ok := errors.AsType[*hirempire.Error](err); !ok || failure.Code != hirempire.ActiveWebhook || failure.Status != 401 {
			t.Errorf("create %d: %v, want row 9", i, err)
		}
	}
	if w, _ := s.Get(id); won != 1 || len(w.Webhooks) != 1 {
		t.Errorf("%d creates won, and there are %d webhooks", won, len(w.Webhooks))
	}
	if failure := s.MayCreate(id); failure == nil || failure.Message != "You already have an active webhook." {
		t.Errorf("MayCreate = %v", failure)
	}
}

func TestFixedWebhook(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	check := func(when string) {
		t.Helper()
		w, ok := s.Get(s.ID("sk-active-webhook"))
		if !ok || len(w.Webhooks) != 1 {
			t.Fatalf("%s: the workspace is %+v", when, w)
		}
		h := w.Webhooks[0]
		if h.ID != "3f6c1d52-8a0e-4b7f-9c35-d2e81f604a97" || h.RequestURL != "https://consumer.invalid/webhook" || !h.Active || !h.Fixed ||
			!slices.Equal(h.Events, hirempire.Events()) {
			t.Errorf("%s: the webhook is %+v", when, h)
		}
		if w.Deliverable() {
			t.Errorf("%s: a fixed webhook is delivered to", when)
		}
		for _, e := range hirempire.Events() {
			if got := s.Subscribers(w.ID, e); len(got) != 0 || h.Subscribed(e) {
				t.Errorf("%s: %s has subscribers %v", when, e, got)
			}
		}
		if failure := s.MayCreate(w.ID); failure == nil || failure.Code != hirempire.ActiveWebhook {
			t.Errorf("%s: MayCreate = %v", when, failure)
		}
	}
	check("from the start, before its token was used")
	if _, err := s.Create("sk-active-webhook", request("http://c", hirempire.JobAdded)); err == nil {
		t.Error("a second webhook was created")
	}
	check("after a refused create")
	s.Reset(s.ID("sk-active-webhook"))
	check("after a reset")
}

func TestInactiveWebhooksGetNothing(t *testing.T) {
	t.Parallel()
	h := workspace.Webhook{Events: hirempire.Events()}
	if h.Subscribed(hirempire.JobAdded) {
		t.Error("an inactive webhook is subscribed")
	}
	h.Active = true
	if !h.Subscribed(hirempire.JobAdded) || h.Subscribed("job_eaten") {
		t.Error("an active webhook is subscribed to what it did not name, or not to what it did")
	}
}

// What a caller does with a snapshot is its own business.
func TestSnapshotsAreCopies(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	id, _ := authenticate(s, "sk-a")
	if _, err := s.Create("sk-a", request("http://a", hirempire.JobAdded)); err != nil {
		t.Fatal(err)
	}
	spoil := func(hooks []workspace.Webhook) {
		for i := range hooks {
			hooks[i].Active, hooks[i].RequestURL = false, "spoilt"
		}
	}
	w, _ := s.Get(id)
	spoil(w.Webhooks)
	for _, w := range s.All() {
		spoil(w.Webhooks)
	}
	spoil(s.Subscribers(id, hirempire.JobAdded))
	if w, _ := s.Get(id); !w.Webhooks[0].Active || w.Webhooks[0].RequestURL != "http://a" {
		t.Errorf("a snapshot led to the store: %+v", w.Webhooks[0])
	}
}

func TestShortTokenNeverShowsAWholeOne(t *testing.T) {
	t.Parallel()
	token := "sk-abcdefghijklmnopqrstuvwxyz"
	for n := range len(token) + 1 {
		short := workspace.ShortToken(token[:n])
		shown, ok := strings.CutSuffix(short, "…")
		if !ok || !strings.HasPrefix(token[:n], shown) || len(shown) > 6 || n > 0 && len(shown) == n || n > 3 && len(shown) < 2 {
			t.Errorf("%q is shown as %q", token[:n], short)
		}
	}
	if got := workspace.ShortToken("sk-team-one-secret"); got != "sk-tea…" {
		t.Errorf("shown as %q", got)
	}
}

func TestAllIsInOrderOfFirstUse(t *testing.T) {
	t.Parallel()
	s := newStore(t, workspace.Limits{})
	want := []string{"sk-active-webhook", "sk-paused-webhook"}
	for i := range 20 {
		token := fmt.Sprintf("sk-%d", (i*7)%20)
		want = append(want, token)
		authenticate(s, token)
	}
	var got []string
	for _, w := range s.All() {
		got = append(got, w.Token)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
