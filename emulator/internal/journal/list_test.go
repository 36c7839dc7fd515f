package journal_test

import (
	"fmt"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

func TestStatusWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, word journal.Status
		cause        journal.Cause
		finished     bool
	}{
		{journal.Queued, "queued", "", false},
		{journal.Sending, "sending", "", false},
		{journal.Delivered, "delivered", "", true},
		{journal.Failed, "failed", "", true},
		{journal.Failed.With(journal.Timeout), "failed", "timeout", true},
		{journal.Dropped.With(journal.ByReset), "dropped", "reset", true},
	} {
		if c.status.Word() != c.word || c.status.Cause() != c.cause || c.status.Finished() != c.finished {
			t.Errorf("%s: word %q, cause %q, finished %v", c.status, c.status.Word(), c.status.Cause(), c.status.Finished())
		}
	}
	if got := journal.Failed.With(journal.Ambiguous); got != "failed(ambiguous)" {
		t.Errorf("a status with its cause is %q", got)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	add := func(id, ws, hook, run string, e hirempire.Event, status journal.Status) {
		d := journal.Delivery{ID: id, Workspace: ws, Webhook: hook, Run: run, Event: e}
		j.Emitted(d)
		switch {
		case status == journal.Sending:
			j.Sending(ws, id)
		case status.Finished():
			j.Finished(ws, id, status, "")
		}
	}
	add("1", "a", "h1", "r1", hirempire.JobAdded, journal.Delivered)
	add("2", "a", "h2", "r1", hirempire.JobDeleted, journal.Failed.With(journal.Timeout))
	add("3", "b", "h3", "r2", hirempire.JobAdded, journal.Failed.With(journal.Ambiguous))
	add("4", "a", "h1", "", "", journal.Dropped.With(journal.ByReset))
	add("5", "a", "h1", "r1", hirempire.JobAdded, journal.Queued)
	add("6", "b", "h3", "r2", hirempire.JobAdded, journal.Sending)
	for name, c := range map[string]struct {
		filter journal.Filter
		want   string
	}{
		"everything":          {journal.Filter{}, "1 2 3 4 5 6"},
		"workspace":           {journal.Filter{Workspace: "a"}, "1 2 4 5"},
		"unknown workspace":   {journal.Filter{Workspace: "c"}, ""},
		"event":               {journal.Filter{Event: hirempire.JobAdded}, "1 3 5 6"},
		"webhook":             {journal.Filter{Webhook: "h1"}, "1 4 5"},
		"run":                 {journal.Filter{Run: "r2"}, "3 6"},
		"delivered":           {journal.Filter{Status: journal.Delivered}, "1"},
		"failed, whatever of": {journal.Filter{Status: journal.Failed}, "2 3"},
		"failed of one cause": {journal.Filter{Status: "failed(ambiguous)"}, "3"},
		"of another cause":    {journal.Filter{Status: "failed(tls)"}, ""},
		"dropped":             {journal.Filter{Status: journal.Dropped}, "4"},
		"queued":              {journal.Filter{Status: journal.Queued}, "5"},
		"sending":             {journal.Filter{Status: journal.Sending}, "6"},
		"several":             {journal.Filter{Workspace: "a", Webhook: "h1", Event: hirempire.JobAdded, Run: "r1"}, "1 5"},
		"several, none":       {journal.Filter{Workspace: "a", Run: "r2"}, ""},
	} {
		if got := ids(j, c.filter); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Pages are in order of emission, whatever order the deliveries are settled in.
func TestDeliveriesPageByPage(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	for i := range 10 {
		j.Emitted(delivery("a", fmt.Sprint(i)))
		j.Called(journal.Call{AnsweredBy: "success", Workspace: "a"})
	}
	for _, i := range []int{7, 3, 9, 0, 1} {
		j.Finished("a", fmt.Sprint(i), journal.Delivered, "")
	}
	var got []string
	var since uint64
	for pages := 0; ; pages++ {
		page, next := j.Deliveries(journal.Filter{Workspace: "a"}, since, 3)
		if len(page) == 0 {
			if next != since || pages != 4 {
				t.Errorf("after %d pages, at %d, the next is %d", pages, since, next)
			}
			break
		}
		if len(page) > 3 || next <= since {
			t.Fatalf("a page of %d from %d to %d", len(page), since, next)
		}
		for _, d := range page {
			got = append(got, d.ID)
		}
		since = next
	}
	if fmt.Sprint(got) != "[0 1 2 3 4 5 6 7 8 9]" {
		t.Errorf("the pages hold %v", got)
	}
	if page, next := j.Deliveries(journal.Filter{}, 0, 0); len(page) != 0 || next != 0 {
		t.Errorf("a page of none: %d, next %d", len(page), next)
	}
	j.Emitted(delivery("a", "new"))
	if page, _ := j.Deliveries(journal.Filter{}, since, 3); len(page) != 1 || page[0].ID != "new" {
		t.Errorf("after the last page: %v", page)
	}
}

func TestCallsPageByPage(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	for i := range 7 {
		j.Called(journal.Call{AnsweredBy: "success", ID: fmt.Sprint(i), Workspace: []string{"a", ""}[i%2]})
		settle(j, delivery("a", fmt.Sprint(i)), journal.Delivered)
	}
	var got []string
	var since uint64
	for {
		page, next := j.Calls(journal.CallFilter{}, since, 2)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			got = append(got, c.ID)
		}
		since = next
	}
	if fmt.Sprint(got) != "[0 1 2 3 4 5 6]" {
		t.Errorf("the pages hold %v", got)
	}
	if page, _ := j.Calls(journal.CallFilter{Workspace: "a"}, 0, 100); len(page) != 4 || page[3].ID != "6" {
		t.Errorf("of workspace a: %v", page)
	}
}

// What a caller does with what it got is its own business.
func TestReturnedValuesAreCopies(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	d := delivery("a", "1")
	j.Emitted(d)
	j.Attempted("a", "1", journal.Attempt{Exchange: journal.Exchange{Status: 200}})
	j.Called(journal.Call{AnsweredBy: "success", ID: "call", Workspace: "a"})
	j.Challenged(journal.Challenge{ID: "challenge", Workspace: "a", RequestURL: "http://x"})
	spoil := func(d *journal.Delivery) {
		d.Status, d.Body[0] = "spoilt", '!'
		d.Attempts[0].Status = 999
		_ = append(d.Attempts[:0], journal.Attempt{})
	}
	check := func(after string) {
		t.Helper()
		got, _ := j.Delivery("1")
		if got.Status != journal.Queued || string(got.Body) != "1" || len(got.Attempts) != 1 || got.Attempts[0].Status != 200 {
			t.Errorf("a change of what %s returned reached the journal: %+v", after, got)
		}
	}
	one, _ := j.Delivery("1")
	spoil(&one)
	check("Delivery")
	page, _ := j.Deliveries(journal.Filter{}, 0, 1)
	spoil(&page[0])
	check("Deliveries")
	misses := j.NearestMisses(journal.Filter{}, 0, 1)
	spoil(&misses[0].Of)
	check("NearestMisses")
	calls, _ := j.Calls(journal.CallFilter{Workspace: "a"}, 0, 1)
	calls[0].ID = "spoilt"
	challenges := j.Challenges("a")
	challenges[0].ID = "spoilt"
	if calls, _ := j.Calls(journal.CallFilter{Workspace: "a"}, 0, 1); calls[0].ID != "call" {
		t.Error("a change of what Calls returned reached the journal")
	}
	if c, _ := j.LastChallenge("a", "http://x"); c.ID != "challenge" || j.Challenges("a")[0].ID != "challenge" {
		t.Error("a change of what Challenges returned reached the journal")
	}
	d.Status = "spoilt" // the caller's own
	check("Emitted")
}

func TestResetForgetsOneWorkspace(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	for _, ws := range []string{"a", "b"} {
		settle(j, delivery(ws, ws+"-settled"), journal.Delivered)
		j.Emitted(delivery(ws, ws+"-open"))
		j.Called(journal.Call{AnsweredBy: "success", ID: ws, Workspace: ws})
		j.Challenged(journal.Challenge{ID: ws, Workspace: ws, RequestURL: "http://x"})
	}
	kept := j.Ledger("b")
	position := j.Position()
	j.Reset("a")
	if got := ids(j, journal.Filter{}); got != "b-settled b-open" {
		t.Errorf("deliveries left: %q", got)
	}
	if calls, _ := j.Calls(journal.CallFilter{}, 0, 10); len(calls) != 1 || calls[0].ID != "b" {
		t.Errorf("calls left: %v", calls)
	}
	if _, ok := j.LastChallenge("a", "http://x"); ok || len(j.Challenges("a")) != 0 || len(j.Challenges("b")) != 1 {
		t.Error("challenges of a are left, or those of b are gone")
	}
	if l := j.Ledger("a"); l.Emitted != 0 || j.Ledger("b") != kept {
		t.Errorf("the ledgers are %+v and %+v", l, j.Ledger("b"))
	}
	if _, ok := j.Delivery("a-open"); ok {
		t.Error("work in progress of a is left")
	}
	if j.Position() < position {
		t.Error("positions run backwards")
	}
	if err := j.Check(); err != nil {
		t.Error(err)
	}
	j.ResetAll()
	if got := ids(j, journal.Filter{}); got != "" || j.Logs() != 0 {
		t.Errorf("after a reset of all, %q and %d logs are left", got, j.Logs())
	}
}
