package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/check"
)

func TestChecksAreDescribedWell(t *testing.T) {
	t.Parallel()
	checks := check.Checks()
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	var groups []string
	for _, c := range checks {
		if !id.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("the id %q", c.ID)
		}
		seen[c.ID] = true
		for _, sentence := range []string{c.Basis, c.Why, c.Fix} {
			if !strings.ContainsAny(sentence[max(0, len(sentence)-1):], ".") || strings.ContainsAny(sentence, "\n\t") || sentence == "" {
				t.Errorf("%s: %q is no sentence", c.ID, sentence)
			}
		}
		if c.Title == "" || strings.HasSuffix(c.Title, ".") || len(c.Title) > 60 {
			t.Errorf("%s: the title %q", c.ID, c.Title)
		}
		if c.Points < 1 || c.Points > 3 || c.Standing != check.Documented && c.Standing != check.Practice {
			t.Errorf("%s: %d points, %s", c.ID, c.Points, c.Standing)
		}
		if n := len(groups); n == 0 || groups[n-1] != c.Group {
			groups = append(groups, c.Group)
		}
	}
	slices.Sort(groups)
	if slices.Contains(groups, "") || len(slices.Compact(slices.Clone(groups))) != len(groups) {
		t.Errorf("groups are torn apart: %q", groups)
	}
}

// run examines a consumer with less patience than examine has.
func run(t *testing.T, ctx context.Context, url string, change func(*check.Config)) (check.Report, error) {
	t.Helper()
	cfg := check.Config{URL: url, Seed: 7, Start: time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC), SlowBody: 50 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	return check.Run(ctx, cfg, func(check.Result) {})
}

func verdicts(r check.Report, v check.Verdict) []string {
	var ids []string
	for _, result := range r.Results {
		if result.Verdict == v {
			ids = append(ids, result.ID)
		}
	}
	return ids
}

// recorder is a correct consumer that keeps what arrives.
type recorder struct {
	mu     sync.Mutex
	bodies []string
}

func (c *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	c.bodies = append(c.bodies, string(body))
	c.mu.Unlock()
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	correct(w, r)
}

func record(t *testing.T, change func(*check.Config)) []string {
	t.Helper()
	var c recorder
	server := httptest.NewServer(&c)
	defer server.Close()
	if _, err := run(t, t.Context(), server.URL, change); err != nil {
		t.Fatal(err)
	}
	return c.bodies
}

func TestSameSeedSendsTheSame(t *testing.T) {
	t.Parallel()
	inTurn := func(cfg *check.Config) { cfg.Skip = []string{"parallel", "reset"} } // of a reset body, nobody knows how much arrives
	first, second := record(t, inTurn), record(t, inTurn)
	if !slices.Equal(first, second) || len(first) < 100 {
		t.Errorf("%d and %d requests, not the same", len(first), len(second))
	}
	for _, only := range []string{"nulls", "duplicates", "wrong-type"} {
		for _, body := range record(t, func(cfg *check.Config) { cfg.Only = []string{only} }) {
			if !slices.Contains(first, body) {
				t.Errorf("%s alone sends something else: %.200s", only, body)
			}
		}
	}
	other := record(t, func(cfg *check.Config) { inTurn(cfg); cfg.Seed = 8 })
	if len(other) != len(first) || slices.Equal(first, other) {
		t.Error("another seed sends the same")
	}
}

// What is meant to be legal has the documented fields and types, in both editions.
func TestEventsAreDocumentedOnes(t *testing.T) {
	t.Parallel()
	for _, edition := range hirempire.Editions() {
		bodies := record(t, func(cfg *check.Config) {
			cfg.Edition = edition
			cfg.Only = []string{"nulls", "unicode", "minimal", "maximal", "duplicates", "in-time", "parallel", "body-size"}
		})
		seen := map[hirempire.Event]int{}
		for _, body := range bodies {
			var head hirempire.Head
			if err := json.Unmarshal([]byte(body), &head); err != nil {
				t.Fatal(err)
			}
			if head.Event == "" {
				continue // the first challenge
			}
			seen[head.Event]++
			payload := head.Event.Payload()
			strict := json.NewDecoder(strings.NewReader(body))
			strict.DisallowUnknownFields()
			if err := strict.Decode(payload); err != nil {
				t.Errorf("%v: %.200s", err, body)
			}
			if again := string(hirempire.Marshal(payload)); again != body && !strings.Contains(body, `\u`) {
				t.Errorf("other keys, nulls or forms than documented: %.300s\n%.300s", body, again)
			}
			if prefixed := strings.Contains(body, `"id":"job_`); prefixed != (edition == hirempire.Edition202602) {
				t.Errorf("ids of another edition: %.200s", body)
			}
		}
		if len(seen) != 7 {
			t.Errorf("%s: %v", edition, seen)
		}
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(correct))
	t.Cleanup(server.Close)
	r, err := run(t, t.Context(), server.URL, func(cfg *check.Config) {
		cfg.Only = []string{"nulls", "challenge", "unicode"}
		cfg.Skip = []string{"unicode"}
	})
	if err != nil || !slices.Equal(verdicts(r, check.Passed), []string{"challenge", "nulls"}) || len(r.Results) != 2 {
		t.Errorf("%v, %+v", err, r.Results)
	}
	_, err = run(t, t.Context(), server.URL, func(cfg *check.Config) { cfg.Skip = []string{"null"} })
	if e, ok := errors.AsType[*check.UnknownError](err); !ok || e.ID != "null" {
		t.Error(err)
	}
	if _, err = run(t, t.Context(), server.URL, func(cfg *check.Config) { cfg.Only, cfg.Skip = []string{"nulls"}, []string{"nulls"} }); err == nil {
		t.Error("nothing was selected, and nobody said so")
	}
	if _, err = run(t, t.Context(), "localhost:3000", nil); err == nil || !strings.Contains(err.Error(), "no absolute http or https URL") {
		t.Error(err)
	}
}

// Who is not there is said not to be there, once.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	r, err := run(t, t.Context(), url, nil)
	e, ok := errors.AsType[*check.UnreachableError](err)
	if !ok || !strings.Contains(e.Error(), url+" was not reached: connection refused\nIs the consumer running") || len(r.Results) > 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Who dies is found to have died by the check that did it; the rest is skipped.
func TestDeath(t *testing.T) {
	t.Parallel()
	for id, kill := range map[string]func(body []byte, err error) bool{
		"broken-json": func(body []byte, err error) bool { return err == nil && !json.Valid(body) },
		"reset":       func(_ []byte, err error) bool { return err != nil },
		"job-deleted": func(body []byte, _ error) bool { return bytes.Contains(body, []byte(`"job_deleted"`)) },
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if kill(body, err) {
					server.Listener.Close()
					panic(http.ErrAbortHandler)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				correct(w, r)
			}))
			t.Cleanup(server.Close)
			r, err := run(t, t.Context(), server.URL, nil)
			failed := verdicts(r, check.Failed)
			after := slices.IndexFunc(r.Results, func(result check.Result) bool { return result.ID == id }) + 1
			if id == "job-deleted" { // which is the last of the ordinary ones: the next check finds out
				after++
				failed = slices.DeleteFunc(failed, func(other string) bool { return other == "minimal" })
			}
			if err != nil || !slices.Equal(failed, []string{id}) || len(verdicts(r, check.Skipped)) != len(r.Results)-after {
				t.Errorf("%v, failed %v, skipped %v", err, failed, verdicts(r, check.Skipped))
			}
			if !strings.Contains(r.Stopped, "connection refused") || len(r.Results) != len(check.Checks()) {
				t.Errorf("%d results, stopped %q", len(r.Results), r.Stopped)
			}
		})
	}
}

// Who never answers is not asked two hundred times.
func TestSilence(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	r, err := run(t, t.Context(), server.URL, func(cfg *check.Config) { cfg.ChallengeTimeout, cfg.Timeout = 10*time.Millisecond, 10*time.Millisecond })
	if failed := verdicts(r, check.Failed); err != nil || len(failed) != 2 || r.Requests > 4 || !strings.Contains(r.Stopped, "did not answer in 3 checks in a row") {
		t.Errorf("%v, failed %v, %d requests, stopped %q", err, failed, r.Requests, r.Stopped)
	}
}

// Who does not answer an event fails the check of that event, not those that send it
// first; where that check is left out, they say so themselves.
func TestSceneThatFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(planted(func(r *request) bool {
		if r.event == "job_added" {
			panic(http.ErrAbortHandler)
		}
		return false
	}))
	t.Cleanup(server.Close)
	r, err := run(t, t.Context(), server.URL, nil)
	if failed := verdicts(r, check.Failed); err != nil || !slices.Equal(failed, []string{"job-added"}) {
		t.Errorf("%v, failed %v", err, failed)
	}
	for _, id := range []string{"challenge-after-events", "unicode"} {
		i := slices.IndexFunc(r.Results, func(result check.Result) bool { return result.ID == id })
		if got := r.Results[i]; got.Verdict != check.Skipped || got.Note != "events fail already: see job-added" || got.Findings != nil {
			t.Errorf("%+v", got)
		}
	}
	r, err = run(t, t.Context(), server.URL, func(cfg *check.Config) { cfg.Only = []string{"unicode"} })
	if err != nil || len(verdicts(r, check.Failed)) != 1 {
		t.Errorf("%v, %+v", err, r.Results)
	}
}

// It ends when it is told to, whatever the consumer is doing.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	release := make(chan struct{})
	var events atomic.Int64
	server := httptest.NewServer(planted(func(r *request) bool {
		if r.event == "applicant_applied" && events.Add(1) == 5 {
			cancel(io.ErrClosedPipe)
			<-release
		}
		return false
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	r, err := run(t, ctx, server.URL, func(cfg *check.Config) { cfg.Timeout = time.Hour })
	passed, skipped := verdicts(r, check.Passed), verdicts(r, check.Skipped)
	if !errors.Is(err, io.ErrClosedPipe) || len(passed) == 0 || len(skipped) == 0 || len(passed)+len(skipped) != len(check.Checks()) || r.Stopped != "cancelled" {
		t.Errorf("%v, stopped %q, %+v", err, r.Stopped, r.Results)
	}
	if last := r.Results[len(r.Results)-1]; last.ID != "parallel" || last.Note != "cancelled" {
		t.Errorf("%+v", last)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(planted(func(r *request) bool {
		if r.event == "job_activated" {
			<-release
		}
		return false
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	r, err := run(t, t.Context(), server.URL, func(cfg *check.Config) { cfg.Timeout, cfg.Limit = time.Hour, time.Second })
	if err != nil || len(verdicts(r, check.Failed)) > 0 || len(r.Results) != len(check.Checks()) || r.Stopped != "the time for all checks was up" {
		t.Errorf("%v, stopped %q, failed %v", err, r.Stopped, verdicts(r, check.Failed))
	}
	if skipped := verdicts(r, check.Skipped); len(skipped) == 0 || skipped[0] != "job-activated" {
		t.Errorf("skipped %v", skipped)
	}
}

// A failed check says how to see it again; a gateway's key is not shown.
func TestFindings(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(planted(func(r *request) bool { return bytes.Contains(r.body, []byte(":null")) && r.crash() }))
	t.Cleanup(server.Close)
	r, err := run(t, t.Context(), server.URL, func(cfg *check.Config) {
		cfg.Only, cfg.Header = []string{"nulls"}, http.Header{"X-Gateway-Key": {"secret"}, "X-Another": {"one"}}
	})
	if err != nil || len(r.Results) != 1 || len(r.Results[0].Findings) != check.MaxFindings || r.Results[0].More != 1 {
		t.Fatalf("%v, %+v", err, r.Results)
	}
	f := r.Results[0].Findings[0]
	if f.Expected != "2xx" || f.Got != `500 Internal Server Error: {"error":"Internal Server Error"}` ||
		!strings.HasPrefix(f.Sent, `an applicant_applied with city null: {"event":"applicant_applied",`) {
		t.Errorf("%+v", f)
	}
	want := "curl -i " + server.URL + " -H 'Content-Type: application/json' -H 'X-Another: …' -H 'X-Gateway-Key: …' --data-binary '{"
	if !strings.HasPrefix(f.Command, want) || strings.Contains(f.Command, "secret") {
		t.Errorf("%s", f.Command)
	}
}
