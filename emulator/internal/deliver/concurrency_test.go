package deliver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// slowly is a consumer that takes a second for each answer, and knows how many it
// had to give at once.
type slowly struct {
	requests
	mu          sync.Mutex
	at, most    int
	connections int
	answers     func(body string) string // nil: ok
}

func (s *slowly) serve(conn net.Conn) {
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.at++
		s.most = max(s.most, s.at)
		s.bodies = append(s.bodies, string(body))
		s.mu.Unlock()
		<-time.After(time.Second)
		s.mu.Lock()
		s.at--
		s.mu.Unlock()
		answer := ok
		if s.answers != nil {
			answer = s.answers(string(body))
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func (s *slowly) arrived() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bodies)
}

// several emits deliveries that may go so many at a time; the group is done when
// all of them are settled.
func (r *rig) several(concurrency int, ids ...string) *sync.WaitGroup {
	var group sync.WaitGroup
	for _, id := range ids {
		group.Add(1)
		r.Enqueue(r.t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{ID: id, Workspace: "ws", Body: []byte(id)},
			deliver.Handling{Concurrency: concurrency, Pause: r.pause, Done: func(journal.Delivery) { group.Done() }})
	}
	return &group
}

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(prefix, i)
	}
	return all
}

func TestSeveralDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, concurrency := range []int{8, 200} {
			c := &slowly{}
			r := newRig(t, deliver.Config{Dial: network{"c:80": c.serve}.dial})
			start := time.Now()
			r.several(concurrency, names("d", 5*concurrency)...).Wait()
			if took := time.Since(start); took != 5*time.Second || c.most != concurrency {
				t.Errorf("five times %d took %s, %d at once", concurrency, took, c.most)
			}
			r.several(concurrency, names("e", concurrency)...).Wait() // all of them had nothing to do
			// Who comes back to a consumer has a connection already.
			if c.connections != concurrency {
				t.Errorf("%d connections were opened for %d at once", c.connections, concurrency)
			}
		}
	})
}

// What has an order keeps it beside what has none.
func TestDeliveriesOfAnotherConcurrencyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowly{}
		r := newRig(t, deliver.Config{Dial: network{"c:80": c.serve}.dial})
		start := time.Now()
		groups := []*sync.WaitGroup{r.several(4, names("a", 6)...), r.several(1, "b0", "b1"), r.several(3, names("c", 3)...)}
		challenged := make(chan time.Duration, 1)
		r.EnqueueChallenge(t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{Workspace: "ws"}, "value", scenario.ChallengeFault{}, sleep,
			func(journal.Challenge, error) { challenged <- time.Since(start) })
		groups = append(groups, r.several(3, names("d", 3)...))
		for i, want := range []time.Duration{2, 4, 5, 7} { // and the challenge takes one
			groups[i].Wait()
			if took := time.Since(start); took != want*time.Second {
				t.Errorf("group %d is through after %s, want %d s", i, took, want)
			}
		}
		if at := <-challenged; at != 6*time.Second {
			t.Errorf("the challenge was through after %s", at)
		}
		if got := c.arrived(); got[6] != "b0" || got[7] != "b1" || len(got) != 15 {
			t.Errorf("arrived as %v", got)
		}
	})
}

// A retry holds its own place only: the others go on.
func TestRetriesBesideOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowly{answers: func(body string) string {
			if body == "bad" {
				return raw("503 Away", "")
			}
			return ok
		}}
		r := newRig(t, deliver.Config{Retries: 3, Dial: network{"c:80": c.serve}.dial})
		r.pause = func(ctx context.Context, _ time.Duration) error { return sleep(ctx, time.Minute) }
		start := time.Now()
		bad := r.several(2, "bad")
		r.several(2, names("d", 20)...).Wait()
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("twenty beside a retry took %s", took)
		}
		bad.Wait()
		if took := time.Since(start); took != 3*time.Minute+4*time.Second || r.status("bad") != "failed(non_2xx)" {
			t.Errorf("%s after %s", r.status("bad"), took)
		}
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func TestSeveralAreGivenUpTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowly{}
		r := newRig(t, deliver.Config{Dial: network{"c:80": c.serve}.dial})
		group := r.several(5, names("d", 50)...)
		<-time.After(1500 * time.Millisecond) // five are through, five are on their way
		r.DropWaiting(journal.ByDeletion, func(d journal.Delivery) bool { return d.ID >= "d4" })
		r.Drop(journal.ByReset, func(journal.Delivery) bool { return true })
		// Nothing is left when that returns.
		l := r.journal.Ledger("ws")
		if l.Delivered != 5 || l.Dropped != 45 || l.Pending() != 0 {
			t.Errorf("the ledger is %+v", l)
		}
		group.Wait()
		if d, _ := r.journal.Delivery("d7"); d.Detail != "given up while it was being sent: it may have arrived" {
			t.Errorf("what was on its way: %+v", d)
		}
		// The webhook goes on as if nothing had been.
		r.several(5, names("e", 5)...).Wait()
		if got := r.journal.Ledger("ws").Delivered; got != 10 {
			t.Errorf("%d were delivered", got)
		}
	})
}

// Nobody overtakes who waits for room in a queue.
func TestRoomInAQueueIsForWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowly{}
		r := newRig(t, deliver.Config{QueueSize: 8, Dial: network{"c:80": c.serve}.dial})
		all := r.several(1, names("d", 8)...)
		var waited time.Duration
		var waiting sync.WaitGroup
		waiting.Go(func() {
			start := time.Now()
			r.several(1, "waiter").Wait()
			waited = time.Since(start)
		})
		waiting.Go(func() {
			<-time.After(500 * time.Millisecond)
			for i := range 30 { // as many as are taken, and each just after one was
				<-time.After(time.Second)
				r.several(1, fmt.Sprint("late", i))
			}
		})
		all.Wait()
		waiting.Wait()
		if waited > 15*time.Second {
			t.Errorf("who waited for room was through after %s", waited)
		}
		<-time.After(time.Minute)
	})
}

// What stood behind something that is dropped goes at once.
func TestDropLetsTheNextGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowly{}
		r := newRig(t, deliver.Config{Dial: network{"c:80": c.serve}.dial})
		start := time.Now()
		groups := []*sync.WaitGroup{r.several(4, "a"), r.several(1, "b"), r.several(4, "c", "d", "e")}
		synctest.Wait() // until the first is under way
		r.DropWaiting(journal.ByDeletion, func(d journal.Delivery) bool { return d.ID == "b" })
		for _, g := range groups {
			g.Wait()
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
