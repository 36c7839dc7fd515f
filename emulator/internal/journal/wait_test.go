package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// waiting is a call of Await that has not returned.
type waiting struct {
	n    int
	err  error
	over bool
}

func await(ctx context.Context, j *journal.Journal, f journal.Filter, since uint64, want int) *waiting {
	w := new(waiting)
	go func() {
		w.n, w.err = j.Await(ctx, f, since, want)
		w.over = true
	}()
	synctest.Wait()
	return w
}

func TestWaitEndsWithTheLastDeliveryItNeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(journal.Limits{Entries: 1})
		settle(j, delivery("a", "before"), journal.Delivered)
		w := await(t.Context(), j, journal.Filter{Workspace: "a", Status: journal.Delivered}, 0, 3)
		j.Emitted(delivery("a", "1"))
		settle(j, delivery("a", "failed"), journal.Failed)
		settle(j, delivery("b", "2"), journal.Delivered)
		settle(j, delivery("a", "3"), journal.Delivered)
		synctest.Wait()
		if w.over {
			t.Fatalf("two match, and the wait for three ended with %d, %v", w.n, w.err)
		}
		j.Finished("a", "1", journal.Delivered, "")
		synctest.Wait()
		if !w.over || w.n != 3 || w.err != nil {
			t.Errorf("the wait: %+v, want 3", w)
		}
	})
}

func TestWaitThatIsSatisfiedAlready(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	j := journal.New(journal.Limits{})
	for i := range 4 {
		settle(j, delivery("a", fmt.Sprint(i)), journal.Delivered)
	}
	j.Emitted(delivery("a", "open"))
	for want, count := range map[int]int{0: 4, 1: 4, 4: 4} {
		if n, err := j.Await(ended, journal.Filter{Workspace: "a"}, 0, want); n != count || err != nil {
			t.Errorf("wait for %d: %d, %v, want %d at once", want, n, err, count)
		}
	}
	if n, err := j.Await(ended, journal.Filter{Workspace: "a"}, 0, 5); n != 4 || !errors.Is(err, context.Canceled) {
		t.Errorf("wait for five of four: %d, %v", n, err)
	}
}

// since is a position of emission: what was emitted before it does not count,
// however late it is settled.
func TestWaitSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(journal.Limits{Entries: 1})
		settle(j, delivery("a", "settled before"), journal.Delivered)
		j.Emitted(delivery("a", "emitted before"))
		since := j.Position()
		w := await(t.Context(), j, journal.Filter{}, since, 2)
		j.Finished("a", "emitted before", journal.Delivered, "")
		settle(j, delivery("a", "1"), journal.Delivered)
		synctest.Wait()
		if w.over {
			t.Fatalf("one was emitted since, and the wait for two ended with %d, %v", w.n, w.err)
		}
		settle(j, delivery("a", "2"), journal.Failed)
		synctest.Wait()
		if !w.over || w.n != 2 || w.err != nil {
			t.Errorf("the wait: %+v, want 2", w)
		}
	})
}

func TestWhatEndsAWait(t *testing.T) {
	t.Parallel()
	gone := errors.New("the client went away")
	for name, c := range map[string]struct {
		filter journal.Filter
		end    func(j *journal.Journal, cancel context.CancelCauseFunc)
		want   error // nil: it goes on
	}{
		"reset of its workspace":         {journal.Filter{Workspace: "a"}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.Reset("a") }, journal.ErrReset},
		"reset of an unknown one":        {journal.Filter{Workspace: "new"}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.Reset("new") }, journal.ErrReset},
		"reset of another":               {journal.Filter{Workspace: "a"}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.Reset("b") }, nil},
		"reset of one, it looks at all":  {journal.Filter{}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.Reset("a") }, nil},
		"reset of all":                   {journal.Filter{Workspace: "a"}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.ResetAll() }, journal.ErrReset},
		"reset of all, it looks at all":  {journal.Filter{}, func(j *journal.Journal, _ context.CancelCauseFunc) { j.ResetAll() }, journal.ErrReset},
		"its context, with the cause":    {journal.Filter{}, func(_ *journal.Journal, cancel context.CancelCauseFunc) { cancel(gone) }, gone},
		"its context, without one":       {journal.Filter{}, func(_ *journal.Journal, cancel context.CancelCauseFunc) { cancel(nil) }, context.Canceled},
		"reset, after which the end too": {journal.Filter{}, func(j *journal.Journal, cancel context.CancelCauseFunc) { j.ResetAll(); cancel(gone) }, journal.ErrReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := journal.New(journal.Limits{})
				settle(j, delivery("a", "1"), journal.Delivered)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				have := 1
				if c.filter.Workspace == "new" {
					have = 0
				}
				w := await(ctx, j, c.filter, 0, have+1)
				if w.over {
					t.Fatalf("it ended at once: %+v", w)
				}
				c.end(j, cancel)
				synctest.Wait()
				if w.over != (c.want != nil) || !errors.Is(w.err, c.want) || w.over && w.n != have {
					t.Errorf("the wait: %+v, want %v with %d", w, c.want, have)
				}
			})
		})
	}
}

func TestWaitTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(journal.Limits{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		n, err := j.Await(ctx, journal.Filter{}, 0, 1)
		if n != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %d, %v", time.Since(start), n, err)
		}
	})
}

func TestNearestMissesTheClosestAndNewestFirst(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	add := func(id string, change func(d *journal.Delivery), status journal.Status) {
		d := delivery("a", id)
		d.Run = "run"
		change(&d)
		j.Emitted(d)
		if status.Finished() {
			j.Finished("a", id, status, "")
		}
	}
	add("before", func(*journal.Delivery) {}, journal.Delivered)
	since := j.Position()
	add("match", func(*journal.Delivery) {}, journal.Delivered)
	add("far", func(d *journal.Delivery) { d.Event, d.Webhook, d.Run = hirempire.JobDeleted, "x", "x" }, journal.Failed)
	add("old near", func(*journal.Delivery) {}, journal.Failed.With(journal.Timeout))
	add("near", func(d *journal.Delivery) { d.Event = hirempire.JobDeleted }, journal.Delivered)
	add("two", func(d *journal.Delivery) { d.Webhook = "x" }, journal.Failed)
	add("open", func(*journal.Delivery) {}, journal.Queued)
	j.Emitted(delivery("b", "elsewhere"))

	f := journal.Filter{Workspace: "a", Event: hirempire.JobAdded, Webhook: "hook", Run: "run", Status: journal.Delivered}
	type miss struct{ id, why string }
	want := []miss{
		{"open", "status"}, {"near", "event"}, {"old near", "status"}, {"before", "came earlier"}, {"two", "webhook, status"},
		{"far", "event, webhook, run, status"},
	}
	misses := func(f journal.Filter, limit int) (got []miss) {
		for _, m := range j.NearestMisses(f, since, limit) {
			got = append(got, miss{m.Of.ID, m.Why})
		}
		return got
	}
	if got := misses(f, 100); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
	if got := misses(f, 2); fmt.Sprint(got) != fmt.Sprint(want[:2]) {
		t.Errorf("the nearest two are %v", got)
	}
	f.Status = ""
	if got := misses(f, 1); fmt.Sprint(got) != "[{open not settled yet}]" {
		t.Errorf("without a status in the filter, the nearest is %v", got)
	}
}
