package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// ids returns those of the deliveries that the journal still has, in its order.
func ids(j *journal.Journal, f journal.Filter) string {
	found, _ := j.Deliveries(f, 0, 1000)
	out := make([]string, len(found))
	for i, d := range found {
		out[i] = d.ID
	}
	return strings.Join(out, " ")
}

func TestOldestSettledEntriesMakeRoom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limits journal.Limits
		body   int
		a, b   string // what is left of five deliveries each, one by one
	}{
		"no bound is reached": {journal.Limits{}, 10, "a0 a1 a2 a3 a4", "b0 b1 b2 b3 b4"},
		"entries":             {journal.Limits{Entries: 3}, 10, "a2 a3 a4", "b2 b3 b4"},
		"one entry":           {journal.Limits{Entries: 1}, 10, "a4", "b4"},
		"bytes":               {journal.Limits{Bytes: 4500}, 1000, "a3 a4", "b3 b4"},
		"more than all bytes": {journal.Limits{Bytes: 600}, 1000, "a4", "b4"},
		"bytes in all":        {journal.Limits{Total: 6000}, 1000, "a4", "b3 b4"},
		"less than one":       {journal.Limits{Total: 1}, 1000, "", "b4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := journal.New(c.limits)
			for i := range 5 {
				for _, ws := range []string{"a", "b"} {
					d := delivery(ws, fmt.Sprint(ws, i))
					d.Body = make([]byte, c.body)
					settle(j, d, journal.Delivered)
				}
			}
			a, b := ids(j, journal.Filter{Workspace: "a"}), ids(j, journal.Filter{Workspace: "b"})
			if a != c.a || b != c.b {
				t.Errorf("left are %q and %q, want %q and %q", a, b, c.a, c.b)
			}
			if want := 10 - len(strings.Fields(a+" "+b)); j.Evicted() != uint64(want) {
				t.Errorf("%d were evicted, counted %d", want, j.Evicted())
			}
			if err := j.Check(); err != nil {
				t.Error(err)
			}
			if l := j.Ledger("a"); l.Delivered != 5 {
				t.Errorf("the ledger forgot what was evicted: %+v", l)
			}
		})
	}
}

// Every part of what is kept counts against the bound of bytes.
func TestBytesAreCounted(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 10_000)
	for name, add := range map[string]func(j *journal.Journal, id string){
		"body of a delivery": func(j *journal.Journal, id string) {
			d := delivery("a", id)
			d.Body = []byte(big)
			settle(j, d, journal.Delivered)
		},
		"body of an attempt": func(j *journal.Journal, id string) {
			j.Emitted(delivery("a", id))
			j.Attempted("a", id, journal.Attempt{Exchange: journal.Exchange{Body: big}})
			j.Finished("a", id, journal.Delivered, "")
		},
		"detail of a delivery": func(j *journal.Journal, id string) {
			j.Emitted(delivery("a", id))
			j.Finished("a", id, journal.Failed, big)
		},
		"body of a call": func(j *journal.Journal, _ string) {
			j.Called(journal.Call{AnsweredBy: "success", Workspace: "a", Body: big})
		},
		"answer of a call": func(j *journal.Journal, _ string) {
			j.Called(journal.Call{AnsweredBy: "success", Workspace: "a", Answer: big})
		},
		"path of a call": func(j *journal.Journal, _ string) {
			j.Called(journal.Call{AnsweredBy: "success", Workspace: "a", Path: big})
		},
		"URL of a challenge": func(j *journal.Journal, id string) {
			j.Challenged(journal.Challenge{ID: id, Workspace: "a", RequestURL: id + big})
		},
		"body of a challenge": func(j *journal.Journal, id string) {
			j.Challenged(journal.Challenge{ID: id, Received: journal.Exchange{Body: big}})
		},
	} {
		j := journal.New(journal.Limits{Bytes: 25_000})
		for i := range 5 {
			add(j, fmt.Sprint(i))
		}
		if got := j.Evicted(); got != 3 {
			t.Errorf("%s: of five entries of 10,000 bytes, two fit, but %d were evicted", name, got)
		}
	}
}

func TestWorkInProgressIsNeverEvicted(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Entries: 2, Bytes: 1000, Total: 1000})
	for i := range 50 {
		j.Emitted(delivery("a", fmt.Sprint("open", i)))
		if i%2 == 0 {
			j.Sending("a", fmt.Sprint("open", i))
			j.Attempted("a", fmt.Sprint("open", i), journal.Attempt{})
		}
		settle(j, delivery("a", fmt.Sprint("done", i)), journal.Delivered)
		settle(j, delivery("b", fmt.Sprint("other", i)), journal.Delivered)
	}
	for i := range 50 {
		d, ok := j.Delivery(fmt.Sprint("open", i))
		if want := map[bool]journal.Status{true: journal.Sending, false: journal.Queued}[i%2 == 0]; !ok || d.Status != want {
			t.Errorf("open%d: %v %q, want %q", i, ok, d.Status, want)
		}
	}
	if l := j.Ledger("a"); l.Pending() != 50 || l.Delivered != 50 || !l.Balanced() {
		t.Errorf("the ledger is %+v", l)
	}
}

// Evicted deliveries still count, with everything that a wait can ask for.
func TestWaitsAndCountsSurviveEviction(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Entries: 1})
	for i := range 10 {
		d := delivery("a", fmt.Sprint(i))
		d.Webhook, d.Run, d.Event = fmt.Sprint("hook", i%2), fmt.Sprint("run", i%5), hirempire.Events()[i%2]
		status := journal.Delivered
		if i >= 6 {
			status = journal.Failed.With(journal.Timeout)
		}
		settle(j, d, status)
	}
	for name, c := range map[string]struct {
		filter journal.Filter
		want   int
	}{
		"all":              {journal.Filter{}, 10},
		"workspace":        {journal.Filter{Workspace: "a"}, 10},
		"other workspace":  {journal.Filter{Workspace: "b"}, 0},
		"webhook":          {journal.Filter{Webhook: "hook1"}, 5},
		"run":              {journal.Filter{Run: "run3"}, 2},
		"event":            {journal.Filter{Event: hirempire.JobAdded}, 5},
		"status":           {journal.Filter{Status: journal.Failed}, 4},
		"status and cause": {journal.Filter{Status: "failed(timeout)"}, 4},
		"other cause":      {journal.Filter{Status: "failed(tls)"}, 0},
		"several":          {journal.Filter{Workspace: "a", Webhook: "hook0", Status: journal.Delivered}, 3},
	} {
		n, err := j.Await(t.Context(), c.filter, 0, c.want)
		if err != nil || n != c.want {
			t.Errorf("%s: %d, %v, want %d", name, n, err, c.want)
		}
	}
}

func TestLastChallengeIsThatOfItsURL(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Entries: 3})
	challenge := func(id, ws, url string) { j.Challenged(journal.Challenge{ID: id, Workspace: ws, RequestURL: url}) }
	last := func(ws, url string) string {
		c, ok := j.LastChallenge(ws, url)
		if ok != (c.ID != "") {
			t.Errorf("%s %s: %v, %+v", ws, url, ok, c)
		}
		return c.ID
	}
	challenge("1", "a", "http://x")
	challenge("2", "a", "http://x")
	challenge("3", "a", "http://y")
	challenge("4", "b", "http://x")
	for _, c := range [][3]string{{"a", "http://x", "2"}, {"a", "http://y", "3"}, {"b", "http://x", "4"}, {"b", "http://y", ""}, {"c", "http://x", ""}} {
		if got := last(c[0], c[1]); got != c[2] {
			t.Errorf("the last of %s at %s is %q, want %q", c[0], c[1], got, c[2])
		}
	}
	challenge("5", "a", "http://y") // evicts 1, which is no longer the last of its URL
	if got := last("a", "http://x"); got != "2" {
		t.Errorf("the eviction of an older challenge left %q, want 2", got)
	}
	challenge("6", "a", "http://y") // evicts 2
	if got := last("a", "http://x"); got != "" {
		t.Errorf("%q is evicted and still the last", got)
	}
	if got := len(j.Challenges("a")); got != 3 {
		t.Errorf("%d challenges are listed, want 3", got)
	}
}
