package deliver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

func TestDeliveriesOfAWebhookKeepTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		turn := 0
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for got.read(in) {
				turn++
				<-time.After(time.Duration(turn*7%5) * time.Second)
				io.WriteString(conn, []string{ok, raw("500 Oops", "")}[turn%2])
			}
		}}.dial})
		var want []string
		var results []<-chan result
		for i := range 30 {
			id := fmt.Sprint("delivery ", i)
			want = append(want, id)
			results = append(results, r.enqueue(t.Context(), "http://c/", "hook", id))
		}
		for _, c := range results {
			<-c
		}
		if !slices.Equal(got.list(), want) {
			t.Errorf("arrived %v", got.list())
		}
	})
}

func TestAHungConsumerDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hung, quick requests
		r := newRig(t, deliver.Config{Dial: network{"hung:80": hung.hanging(), "quick:80": quick.answering(ok)}.dial})
		start := time.Now()
		slow := []<-chan result{
			r.enqueue(t.Context(), "http://hung/", "h", "h1"), r.enqueue(t.Context(), "http://hung/", "h", "h2"),
		}
		for i := range 20 {
			if got := <-r.enqueue(t.Context(), "http://quick/", "q", fmt.Sprint(i)); got.status != journal.Delivered {
				t.Errorf("%d: %v", i, got)
			}
		}
		// Another webhook of the same URL waits for its own answers only.
		other := r.enqueue(t.Context(), "http://hung/", "h-other", "o1")
		if took := time.Since(start); took != 0 {
			t.Errorf("the quick consumer's deliveries took %v beside a hung one", took)
		}
		for i, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
			got := <-slow[i]
			if took := time.Since(start); got.status != "failed(ambiguous)" || took != want || got.took != 10*time.Second {
				t.Errorf("hung delivery %d: %v after %v, want %v", i, got, took, want)
			}
			if i == 0 {
				if got := <-other; time.Since(start) != want || got.status != "failed(ambiguous)" {
					t.Errorf("the other webhook's: %v after %v", got, time.Since(start))
				}
			}
		}
	})
}

// A delivery is put on record as queued, is sending while it is sent, and its
// attempt is on record when it is settled.
func TestWhatTheJournalIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan bool)
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for got.read(in) {
				<-answer
				io.WriteString(conn, raw("202 Accepted", "thanks", "Content-Type: text/plain"))
			}
		}}.dial})
		start := time.Now()
		first := r.enqueue(t.Context(), "http://c/hook", "hook", "1")
		second := r.enqueue(t.Context(), "http://c/hook", "hook", "2")
		synctest.Wait()
		if a, b := r.status("1"), r.status("2"); a != journal.Sending || b != journal.Queued {
			t.Errorf("while the first is sent they are %s and %s", a, b)
		}
		<-time.After(time.Second)
		answer <- true
		if got := <-first; got.status != journal.Delivered || got.took != time.Second {
			t.Errorf("the first: %v", got)
		}
		answer <- true
		<-second
		d, _ := r.journal.Delivery("1")
		if d.Webhook != "hook" || d.RequestURL != "http://c/hook" || !d.At.Equal(start) || len(d.Attempts) != 1 {
			t.Fatalf("on record is %+v", d)
		}
		a := d.Attempts[0]
		if !a.At.Equal(start) || a.Status != 202 || a.Body != "thanks" || a.ContentType != "text/plain" || a.Took != time.Second || a.Cause != "" {
			t.Errorf("the attempt is %+v", a)
		}
	})
}

func TestDropWhileQueuedAndWhileSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": got.hanging()}.dial})
		results := map[string]<-chan result{}
		for _, id := range []string{"a1", "a2", "a3", "b1", "b2"} {
			results[id] = r.enqueue(t.Context(), "http://c/", "hook-"+id[:1], id)
		}
		synctest.Wait()
		start := time.Now()
		r.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.ID == "a1" || d.ID == "a3" || d.ID == "b2" })
		// Settled when Drop returns, not some time later.
		for id, want := range map[string]journal.Status{
			"a1": "dropped(reset)", "a3": "dropped(reset)", "b2": "dropped(reset)", "b1": journal.Sending,
		} {
			if got := r.status(id); got != want {
				t.Errorf("after the drop %s is %s, want %s", id, got, want)
			}
		}
		synctest.Wait()
		if got := r.status("a2"); got != journal.Sending {
			t.Errorf("what waited behind the dropped one is %s", got)
		}
		if got := <-results["a1"]; got.detail == "" || (<-results["a3"]).detail != "" {
			t.Errorf("only what was being sent may have arrived: %v", got)
		}
		if d, _ := r.journal.Delivery("a1"); len(d.Attempts) != 0 {
			t.Errorf("the late answer of a dropped delivery is on record: %+v", d.Attempts)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the drop took %v", took)
		}
		r.Drop(journal.ByCancel, func(journal.Delivery) bool { return true })
		for _, id := range []string{"a2", "b1"} {
			if got := <-results[id]; got.status != "dropped(cancelled)" {
				t.Errorf("%s: %v", id, got)
			}
		}
		r.Drop(journal.ByCancel, func(journal.Delivery) bool { return true }) // nothing is left
	})
}

// A delivery that is dropped while another is sent makes room at once, again
// and again, for who waits and for who comes later.
func TestDropMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{QueueSize: 2, Dial: network{"c:80": got.hanging()}.dial})
		start := time.Now()
		r.enqueue(t.Context(), "http://c/", "hook", "sent")
		r.enqueue(t.Context(), "http://c/", "hook", "0")
		for i := range 5 {
			entered := make(chan bool)
			go func() {
				r.enqueue(t.Context(), "http://c/", "hook", fmt.Sprint(i+1))
				close(entered)
			}()
			synctest.Wait()
			r.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.ID == fmt.Sprint(i) })
			<-entered
			if took := time.Since(start); took != 0 || r.status("sent") != journal.Sending {
				t.Fatalf("number %d had room after %v", i+1, took)
			}
		}
		r.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.ID == "5" })
		r.enqueue(t.Context(), "http://c/", "hook", "later")
		if took := time.Since(start); took != 0 {
			t.Errorf("who came later had room after %v", took)
		}
	})
}

// Drop looks at what is being sent while it is being sent.
func TestDropsBesideDeliveries(t *testing.T) {
	t.Parallel()
	var got requests
	r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(ok)}.dial})
	var results []<-chan result
	for i := range 200 {
		results = append(results, r.enqueue(t.Context(), "http://c/", fmt.Sprint("hook", i%3), fmt.Sprint(i)))
		r.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.ID == "100" || len(d.Attempts) > 1 })
	}
	for i, c := range results {
		if res := <-c; res.status != journal.Delivered && (i != 100 || res.status != "dropped(reset)") {
			t.Errorf("delivery %d: %v", i, res)
		}
	}
}

// A reset may forget a delivery that is on its way: its outcome is told all the same.
func TestOutcomeAfterAReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan bool)
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for got.read(in) {
				<-answer
				io.WriteString(conn, ok)
			}
		}}.dial})
		ended := make(chan journal.Delivery, 1)
		r.Enqueue(t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{ID: "1", Workspace: "ws"},
			deliver.Handling{Done: func(d journal.Delivery) { ended <- d }})
		synctest.Wait()
		r.journal.Reset("ws")
		answer <- true
		d := <-ended
		if d.ID != "1" || d.Webhook != "hook" || d.Status != journal.Delivered || len(d.Attempts) != 1 || d.Attempts[0].Status != 200 {
			t.Errorf("the outcome is %+v", d)
		}
		if _, found := r.journal.Delivery("1"); found {
			t.Error("the late outcome is on record")
		}
	})
}

func TestEnqueueWaitsAtAFullQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cause error
		want  journal.Status
	}{
		"given up":            {deliver.GivenUp(journal.ByReset), "dropped(reset)"},
		"given up, wrapped":   {fmt.Errorf("run: %w", deliver.GivenUp(journal.ByShutdown)), "dropped(shutdown)"},
		"for any other cause": {errors.New("boom"), "dropped(cancelled)"},
		"for none":            {nil, "dropped(cancelled)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{QueueSize: 1, Dial: network{"c:80": got.hanging()}.dial})
				start := time.Now()
				r.enqueue(t.Context(), "http://c/", "hook", "1")
				ctx, cancel := context.WithCancelCause(t.Context())
				returned := make(chan (<-chan result))
				go func() { returned <- r.enqueue(ctx, "http://c/", "hook", "2") }()
				synctest.Wait()
				select {
				case <-returned:
					t.Fatal("Enqueue did not wait")
				default:
				}
				if r.status("2") != journal.Queued {
					t.Errorf("while it waits it is %s", r.status("2"))
				}
				// A full queue is no matter of another webhook.
				r.enqueue(t.Context(), "http://c/", "other", "3")
				cancel(c.cause)
				if got := <-<-returned; got.status != c.want {
					t.Errorf("%v, want %s", got, c.want)
				}
				// Room comes with the first one's time-out.
				four := r.enqueue(t.Context(), "http://c/", "hook", "4")
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("there was room after %v", took)
				}
				if got := <-four; got.status != "failed(ambiguous)" {
					t.Errorf("what waited: %v", got)
				}
			})
		})
	}
}

func TestGivenUpSaysWhy(t *testing.T) {
	t.Parallel()
	if got := deliver.GivenUp(journal.ByReset).Error(); got != "given up: reset" {
		t.Errorf("%q", got)
	}
}

func TestCloseLetsWhatIsBeingSentEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for got.read(in) {
				<-time.After(3 * time.Second)
				io.WriteString(conn, ok)
			}
		}}.dial})
		sending := r.enqueue(t.Context(), "http://c/", "hook", "1")
		waiting := r.enqueue(t.Context(), "http://c/", "hook", "2")
		synctest.Wait()
		start := time.Now()
		r.Close(t.Context())
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Close took %v, the answer came after 3s", took)
		}
		if a, b := <-sending, <-waiting; a.status != journal.Delivered || b.status != "dropped(shutdown)" {
			t.Errorf("%v and %v", a, b)
		}
		if late := <-r.enqueue(t.Context(), "http://c/", "hook", "3"); late.status != "dropped(shutdown)" {
			t.Errorf("after Close: %v", late)
		}
		r.Close(t.Context())
		if len(got.list()) != 1 {
			t.Errorf("%v were sent", got.list())
		}
	})
}

func TestCloseGivesUpWhenTheGraceEnds(t *testing.T) {
	t.Parallel()
	for grace, want := range map[time.Duration]time.Duration{0: 0, 4 * time.Second: 4 * time.Second, time.Hour: 10 * time.Second} {
		t.Run(fmt.Sprint(grace), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{QueueSize: 2, Dial: network{"c:80": got.hanging()}.dial})
				sending := r.enqueue(t.Context(), "http://c/", "hook", "1")
				waiting := r.enqueue(t.Context(), "http://c/", "hook", "2")
				full := make(chan (<-chan result), 1)
				go func() { full <- r.enqueue(t.Context(), "http://c/", "hook", "3") }()
				synctest.Wait()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), grace)
				defer cancel()
				closed := make(chan struct{})
				go func() {
					r.Close(ctx)
					close(closed)
				}()
				r.Close(ctx) // twice, at once
				<-closed
				if took := time.Since(start); took != want {
					t.Errorf("Close took %v, want %v", took, want)
				}
				wanted := journal.Status("dropped(shutdown)")
				if grace > 10*time.Second {
					wanted = "failed(ambiguous)"
				}
				if got := <-sending; got.status != wanted {
					t.Errorf("what was being sent: %v, want %s", got, wanted)
				}
				if a, b := <-waiting, <-<-full; a.status != "dropped(shutdown)" || b.status != "dropped(shutdown)" {
					t.Errorf("what waited: %v and %v", a, b)
				}
				if l := r.journal.Ledger("ws"); l.Pending() != 0 || !l.Balanced() {
					t.Errorf("after Close the ledger is %+v", l)
				}
			})
		})
	}
}

// done may be nil: who asks the journal needs none.
func TestOutcomeIsOptional(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(ok)}.dial})
		r.Enqueue(t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{ID: "1", Workspace: "ws"}, deliver.Handling{})
		if _, err := r.journal.Await(t.Context(), journal.Filter{Workspace: "ws"}, 0, 1); err != nil || r.status("1") != journal.Delivered {
			t.Errorf("%v, %s", err, r.status("1"))
		}
	})
}

// Workers that have nothing to do are called again before others are started, and few
// of them stay.
func TestWorkersRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(ok)}.dial})
		for i := range 5 {
			<-r.enqueue(t.Context(), "http://c/", fmt.Sprint("hook", i), fmt.Sprint("one after the other ", i))
			synctest.Wait()
		}
		if n, _ := r.Resting(); n != 1 {
			t.Errorf("%d workers rest after one was enough", n)
		}
		var all []<-chan result
		for i := range 50 {
			all = append(all, r.enqueue(t.Context(), "http://c/", fmt.Sprint("hook", i), fmt.Sprint("at once ", i)))
		}
		for _, ended := range all {
			<-ended
		}
		synctest.Wait()
		if n, most := r.Resting(); n != most {
			t.Errorf("%d workers rest, want %d", n, most)
		}
		<-time.After(time.Second)
		<-r.enqueue(t.Context(), "http://c/", "hook", "one more")
		<-time.After(1500 * time.Millisecond)
		if n, _ := r.Resting(); n != 1 {
			t.Errorf("%d workers rest after one was enough for two seconds", n)
		}
		<-time.After(time.Second)
		if n, _ := r.Resting(); n != 0 {
			t.Errorf("%d workers rest when there is nothing to do", n)
		}
	})
}
