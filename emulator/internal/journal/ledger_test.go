package journal_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

func delivery(workspace, id string) journal.Delivery {
	return journal.Delivery{ID: id, Workspace: workspace, Webhook: "hook", Event: hirempire.JobAdded, Body: []byte(id)}
}

// settle records a delivery from its start to its end.
func settle(j *journal.Journal, d journal.Delivery, status journal.Status) {
	j.Emitted(d)
	j.Sending(d.Workspace, d.ID)
	j.Attempted(d.Workspace, d.ID, journal.Attempt{})
	j.Finished(d.Workspace, d.ID, status, "")
}

// model is the ledger of one workspace as a reader of the documentation would
// keep it: the state of each delivery by its id.
type model map[string]journal.Status

func (m model) ledger() report.Ledger {
	var l report.Ledger
	for _, s := range m {
		l.Emitted++
		switch s.Word() {
		case journal.Queued:
			l.Queued++
		case journal.Sending:
			l.Sending++
		case journal.Delivered:
			l.Delivered++
		case journal.Failed:
			l.Failed++
		case journal.Dropped:
			l.Dropped++
		}
	}
	return l
}

// Whatever is reported in whatever order, late, twice or of unknown deliveries,
// the ledger balances after every step and is that of the model.
func TestLedgerBalancesAtEveryStep(t *testing.T) {
	t.Parallel()
	outcomes := []journal.Status{journal.Delivered, journal.Failed.With(journal.Timeout), journal.Failed.With(journal.Ambiguous),
		journal.Dropped.With(journal.ByReset)}
	for _, seed := range []uint64{0, 1, 2, 3, 42, 1 << 40} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, seed))
			j := journal.New(journal.Limits{Entries: 1 + r.IntN(20), Bytes: 2000 + r.IntN(20_000), Total: 5000 + r.IntN(30_000)})
			models := map[string]model{"a": {}, "b": {}, "c": {}}
			emitted := map[string][]string{} // forgotten ones too: their reports come late
			for step := range 3000 {
				ws := string(rune('a' + r.IntN(3)))
				m := models[ws]
				id := "never"
				if known := emitted[ws]; len(known) > 0 && r.IntN(50) > 0 {
					id = known[len(known)-1-min(r.IntN(12), len(known)-1)]
				}
				state, open := m[id]
				open = open && !state.Finished()
				what := ""
				switch n := r.IntN(1000); {
				case n < 300:
					id = fmt.Sprint(ws, step)
					what = "emitted"
					d := delivery(ws, id)
					d.Body = make([]byte, r.IntN(800))
					j.Emitted(d)
					m[id] = journal.Queued
					emitted[ws] = append(emitted[ws], id)
				case n < 500:
					what = "sending"
					j.Sending(ws, id)
					if state == journal.Queued {
						m[id] = journal.Sending
					}
				case n < 600:
					what = "attempted"
					j.Attempted(ws, id, journal.Attempt{Exchange: journal.Exchange{Body: strings.Repeat("x", r.IntN(500))}})
				case n < 900:
					what = "finished"
					status := outcomes[r.IntN(len(outcomes))]
					j.Finished(ws, id, status, "because")
					if open {
						m[id] = status
					}
				case n < 950:
					what = "called"
					j.Called(journal.Call{AnsweredBy: "success", Workspace: ws, Body: "{}"})
				case n < 990:
					what = "challenged"
					j.Challenged(journal.Challenge{ID: fmt.Sprint(step), Workspace: ws, RequestURL: fmt.Sprint("http://", r.IntN(3))})
				case n < 998:
					what = "reset"
					j.Reset(ws)
					models[ws] = model{}
				default:
					what = "reset all"
					j.ResetAll()
					models = map[string]model{"a": {}, "b": {}, "c": {}}
				}
				for ws, m := range models {
					if l := j.Ledger(ws); !l.Balanced() || l != m.ledger() {
						t.Fatalf("step %d, %s %s: ledger of %s\n got %+v\nwant %+v", step, what, id, ws, l, m.ledger())
					}
					// Work in progress is there, as it is.
					for id, want := range m {
						if !want.Finished() {
							if d, ok := j.Delivery(id); !ok || d.Status != want {
								t.Fatalf("step %d: %s is %v %q, want %q", step, id, ok, d.Status, want)
							}
						}
					}
				}
				if err := j.Check(); err != nil {
					t.Fatalf("step %d, %s %s: %v", step, what, id, err)
				}
			}
			if j.Evicted() == 0 {
				t.Error("nothing was evicted: the bounds of this test are too wide")
			}
		})
	}
}

func TestLateReportsChangeNothing(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	settle(j, delivery("a", "1"), journal.Delivered)
	want := j.Ledger("a")
	j.Sending("a", "1")
	j.Attempted("a", "1", journal.Attempt{})
	j.Finished("a", "1", journal.Failed.With(journal.Timeout), "late")
	if got := j.Ledger("a"); got != want {
		t.Errorf("ledger %+v, want %+v", got, want)
	}
	if d, _ := j.Delivery("1"); d.Status != journal.Delivered || len(d.Attempts) != 1 || d.Detail != "" {
		t.Errorf("a settled delivery became %+v", d)
	}
}

// Reports of workspaces that were reset, and waits for ones that never were,
// must not make the journal grow.
func TestUnknownWorkspacesLeaveNoLog(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	for i := range 100 {
		ws := fmt.Sprint("ws_", i)
		j.Emitted(delivery(ws, ws))
		j.Reset(ws)
		j.Sending(ws, ws)
		j.Attempted(ws, ws, journal.Attempt{})
		j.Finished(ws, ws, journal.Delivered, "")
		j.Ledger(ws)
		j.LastChallenge(ws, "")
		j.Calls(journal.CallFilter{Workspace: ws}, 0, 1)
		j.NearestMisses(journal.Filter{Workspace: ws}, 0, 1)
	}
	if n := j.Logs(); n != 0 {
		t.Errorf("%d logs are left of workspaces that were reset", n)
	}
}

func TestAFloodOfWorkspacesLeavesFewLogs(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Total: 20_000})
	for i := range 12_000 {
		ws := fmt.Sprint("ws_", i)
		j.Called(journal.Call{AnsweredBy: "success", Workspace: ws})
		j.Challenged(journal.Challenge{ID: ws, Workspace: ws, RequestURL: "http://x"})
	}
	if err := j.Check(); err != nil {
		t.Error(err)
	}
	// Of that many the tally is kept; beyond, a log has at least one entry, which
	// costs at least 384 bytes.
	if n := j.Logs(); n > 10_000+20_000/384 {
		t.Errorf("%d logs are kept", n)
	}
}

func TestJournalIsSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Entries: 20})
	const workers, each = 8, 100
	var group sync.WaitGroup
	for w := range workers {
		ws := fmt.Sprint("ws_", w%3)
		group.Go(func() {
			for i := range each {
				d := delivery(ws, fmt.Sprint(w, "-", i))
				settle(j, d, journal.Delivered)
				j.Called(journal.Call{AnsweredBy: "success", Workspace: ws})
				j.Challenged(journal.Challenge{ID: d.ID, Workspace: ws, RequestURL: "http://x"})
				j.Deliveries(journal.Filter{Workspace: ws}, 0, 10)
				j.NearestMisses(journal.Filter{Status: journal.Failed}, 0, 3)
				j.Calls(journal.CallFilter{}, 0, 5)
				j.Challenges(ws)
				if !j.Ledger(ws).Balanced() {
					t.Errorf("the ledger of %s does not balance", ws)
				}
			}
		})
	}
	for range 4 {
		group.Go(func() {
			if n, err := j.Await(t.Context(), journal.Filter{Event: hirempire.JobAdded}, 0, workers*each); err != nil || n < workers*each {
				t.Errorf("Await = %d, %v", n, err)
			}
		})
	}
	group.Wait()
	if err := j.Check(); err != nil {
		t.Error(err)
	}
}
