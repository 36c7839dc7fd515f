package journal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shown is a notice in a few words, as who reads it first has it encoded.
func shown(n *journal.Notice) string {
	return string(n.Encoded(func(n *journal.Notice, subject any) []byte {
		text := fmt.Sprintf("%d %s", n.Position, n.Kind)
		switch s := subject.(type) {
		case *journal.Delivery:
			text += fmt.Sprintf(" %s %s %d", s.ID, s.Status, len(s.Attempts))
		case *journal.Call:
			text += " " + s.ID
		case journal.Reset:
			text += " " + s.Workspace
		case string:
			text += " " + s
		}
		return []byte(text)
	}))
}

// followOnce has somebody follow, and leave.
func followOnce(t testing.TB, j *journal.Journal) {
	t.Helper()
	s, err := j.Follow(journal.StreamFilter{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func follow(t testing.TB, j *journal.Journal, f journal.StreamFilter, since ...uint64) *journal.Stream {
	t.Helper()
	var from *uint64
	if len(since) > 0 {
		from = &since[0]
	}
	s, err := j.Follow(f, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// read returns the next n notices.
func read(t *testing.T, s *journal.Stream, n int) []string {
	t.Helper()
	var all []string
	for len(all) < n {
		notices, err := s.Next(t.Context())
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		for _, n := range notices {
			all = append(all, shown(n))
		}
	}
	return all
}

// A story as a stream tells it: each thing as it was when it happened, and where
// the journal says that it is.
func TestStreamTellsWhatHappens(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	settle(j, delivery("a", "before"), journal.Delivered)
	s := follow(t, j, journal.StreamFilter{})
	settle(j, delivery("a", "one"), journal.Failed.With(journal.Timeout))
	j.Called(journal.Call{ID: "req", Workspace: "a"})
	j.Challenged(journal.Challenge{Workspace: "b"})
	j.Announce(journal.OfWebhook, "a", 10, "hook")
	j.Reset("a")
	j.ResetAll()
	want := []string{"5 delivery one queued 0", "6 delivery one sending 0", "7 delivery one sending 1", "8 delivery one failed(timeout) 1",
		"9 request req", "10 challenge", "11 webhook hook", "12 reset a", "13 reset "}
	if got := read(t, s, len(want)); !slices.Equal(got, want) {
		t.Errorf("the stream told %q, want %q", got, want)
	}
	if s.Position() != j.Position() {
		t.Errorf("it stands at %d, the journal at %d", s.Position(), j.Position())
	}
}

// A list and a stream have the same positions: following from the last of a list
// misses nothing that the list does not have.
func TestStreamGoesOnWhereAListEnds(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	settle(j, delivery("a", "one"), journal.Delivered)
	j.Emitted(delivery("a", "two"))
	_, next := j.Deliveries(journal.Filter{}, 0, 10)
	j.Sending("a", "two")
	if got := read(t, follow(t, j, journal.StreamFilter{}, next), 1); got[0] != "6 delivery two sending 0" {
		t.Errorf("after the list comes %q", got)
	}
}

func TestStreamFilters(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	other := delivery("a", "other")
	other.Event = hirempire.JobDeleted
	j.Emitted(delivery("a", "one"))           // 1
	j.Emitted(delivery("b", "two"))           // 2
	j.Emitted(other)                          // 3
	j.Called(journal.Call{ID: "nobody's"})    // 4
	j.Called(journal.Call{Workspace: "b"})    // 5
	j.Reset("b")                              // 6
	j.ResetAll()                              // 7
	j.Challenged(journal.Challenge{})         // 8
	j.Called(journal.Call{Workspace: "none"}) // 9: ends what is read
	for name, c := range map[string]struct {
		filter journal.StreamFilter
		want   []uint64
	}{
		"everything":  {journal.StreamFilter{}, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"workspace a": {journal.StreamFilter{Workspace: "a"}, []uint64{1, 3, 7}},
		"workspace b": {journal.StreamFilter{Workspace: "b"}, []uint64{2, 5, 6, 7}},
		"none":        {journal.StreamFilter{Workspace: "c"}, []uint64{7}},
		"kinds":       {journal.StreamFilter{Kinds: []journal.Kind{journal.OfRequest, journal.OfChallenge}}, []uint64{4, 5, 8, 9}},
		"event":       {journal.StreamFilter{Event: hirempire.JobAdded}, []uint64{1, 2}},
		"all three":   {journal.StreamFilter{Workspace: "a", Kinds: []journal.Kind{journal.OfDelivery}, Event: hirempire.JobDeleted}, []uint64{3}},
	} {
		s := follow(t, j, c.filter, 0)
		var got []uint64
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for {
			notices, err := s.Next(ended) // what is there it has, whatever the context
			if err != nil {
				break
			}
			for _, n := range notices {
				got = append(got, n.Position)
			}
		}
		if !slices.Equal(got, c.want) || s.Position() != 9 {
			t.Errorf("%s: got %v up to %d, want %v", name, got, s.Position(), c.want)
		}
	}
}

// However streams break off and are resumed while things happen, each has every
// notice once and in order.
func TestStreamResumesWithoutLossOrDuplicate(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	followOnce(t, j) // from now on there are some to be resumed
	const total = 10_000
	var all sync.WaitGroup
	for reader := range 8 {
		all.Go(func() {
			since, next := uint64(0), uint64(1)
			for next <= total {
				s, err := j.Follow(journal.StreamFilter{}, &since)
				if err != nil {
					t.Error(err)
					return
				}
				for range reader + 1 {
					notices, err := s.Next(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					for _, n := range notices[:1+len(notices)/2] { // it breaks off in the midst
						if n.Position != next {
							t.Errorf("%d came, want %d", n.Position, next)
							return
						}
						since, next = n.Position, next+1
					}
					if len(notices) > 1 || next > total {
						break
					}
				}
				s.Close()
			}
		})
	}
	for range total {
		j.Called(journal.Call{})
	}
	all.Wait()
}

// Before anybody follows, little is kept for it: a server that nobody watches needs
// no more.
func TestLittleIsKeptBeforeAnybodyFollows(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{})
	const call = 128 + 384 // bytes
	for range 10_000 {
		j.Called(journal.Call{})
	}
	if kept := j.Usage().StreamBytes; kept > 256<<10 || kept < 256<<10-call {
		t.Errorf("%d bytes are kept", kept)
	}
	followOnce(t, j)
	for range 10_000 {
		j.Called(journal.Call{})
	}
	if kept := j.Usage().StreamBytes; kept < 10_000*call {
		t.Errorf("%d bytes are kept for who was there", kept)
	}
}

// What is not kept any more is told, with how much it is, once.
func TestGapIsTold(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Resume: 10 * (128 + 384)}) // ten calls
	slow := follow(t, j, journal.StreamFilter{Workspace: "a"})
	for range 25 {
		j.Called(journal.Call{})
	}
	j.Called(journal.Call{Workspace: "a", ID: "last"})
	for name, c := range map[string]struct {
		stream *journal.Stream
		want   journal.Gap
	}{
		"one that was too slow":   {slow, journal.Gap{Missed: 16, Slow: true}},
		"one that asks for old":   {follow(t, j, journal.StreamFilter{Workspace: "a"}, 9), journal.Gap{Missed: 7}},
		"one of another emulator": {follow(t, j, journal.StreamFilter{Workspace: "a"}, 27), journal.Gap{}},
	} {
		_, err := c.stream.Next(t.Context())
		gap, ok := errors.AsType[*journal.Gap](err)
		if !ok || *gap != c.want || c.stream.Position() != 16 {
			t.Errorf("%s: %v (%+v) at %d, want %+v", name, err, gap, c.stream.Position(), c.want)
		}
		if got := read(t, c.stream, 1); got[0] != "26 request last" {
			t.Errorf("%s: behind the gap comes %q", name, got)
		}
	}
	if got := read(t, follow(t, j, journal.StreamFilter{}, 16), 1); got[0] != "17 request " {
		t.Errorf("the oldest that is kept is %q", got)
	}
	if u := j.Usage(); u.Gaps != 3 || u.StreamBytes != 10*(128+384) {
		t.Errorf("the usage is %+v", u)
	}
}

// One that is larger than the bound alone is kept, or nobody would ever see it.
func TestNoticeLargerThanTheBound(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Resume: 100})
	s := follow(t, j, journal.StreamFilter{})
	j.Called(journal.Call{ID: "large"})
	if got := read(t, s, 1); got[0] != "1 request large" {
		t.Errorf("got %q", got)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Streams: 2})
	follow(t, j, journal.StreamFilter{})
	second, err := j.Follow(journal.StreamFilter{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Follow(journal.StreamFilter{}, nil); !errors.Is(err, journal.ErrStreams) {
		t.Errorf("a third stream: %v", err)
	}
	second.Close()
	follow(t, j, journal.StreamFilter{})
	if u := j.Usage(); u.Streams != 2 {
		t.Errorf("%d streams are followed", u.Streams)
	}
}

// A stream that waits costs nothing and ends with its context, or with all.
func TestEndOfAWaitingStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := journal.New(journal.Limits{})
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ends := make(chan error, 2)
		for _, ctx := range []context.Context{ctx, t.Context()} {
			s := follow(t, j, journal.StreamFilter{})
			go func() {
				_, err := s.Next(ctx)
				ends <- err
			}()
		}
		synctest.Wait()
		cancel(gone)
		if err := <-ends; !errors.Is(err, gone) {
			t.Errorf("the first ended with %v", err)
		}
		j.EndStreams()
		if err := <-ends; !errors.Is(err, journal.ErrEnded) {
			t.Errorf("the second ended with %v", err)
		}
		if _, err := j.Follow(journal.StreamFilter{}, nil); !errors.Is(err, journal.ErrEnded) {
			t.Errorf("a later one: %v", err)
		}
		j.Called(journal.Call{}) // is nobody's business any more
		if u := j.Usage(); u.StreamBytes != 0 {
			t.Errorf("%d bytes are kept for nobody", u.StreamBytes)
		}
	})
}

// Counters are of all that happened, whatever was reset or evicted, and bounded
// whatever is reported.
func TestCounters(t *testing.T) {
	t.Parallel()
	j := journal.New(journal.Limits{Entries: 1})
	own := delivery("a", "own")
	own.Event = "made up"
	for range 3 {
		settle(j, delivery("a", "x"), journal.Delivered)
	}
	settle(j, own, journal.Failed.With(journal.Timeout))
	j.Emitted(delivery("a", "open"))
	j.Challenged(journal.Challenge{Passed: true})
	j.Challenged(journal.Challenge{Received: journal.Exchange{Cause: journal.Altered}})
	j.Called(journal.Call{Operation: hirempire.CreateWebhook, Status: 200, AnsweredBy: "success"})
	for status := range 1000 { // -1 and 0 aside, those that HTTP knows
		j.Called(journal.Call{Status: status, AnsweredBy: "fault"})
	}
	j.Reset("a")
	j.Finished("a", "open", journal.Delivered, "") // late
	j.ResetAll()
	c := j.Counters()
	for key, want := range map[journal.DeliveryCount]uint64{
		{Event: hirempire.JobAdded, Status: journal.Delivered}:                       3,
		{Status: journal.Failed, Cause: journal.Timeout}:                             1,
		{Event: hirempire.JobAdded, Status: journal.Dropped, Cause: journal.ByReset}: 1,
	} {
		if c.Deliveries[key] != want {
			t.Errorf("%+v: %d, want %d", key, c.Deliveries[key], want)
		}
	}
	if len(c.Deliveries) != 3 || c.Emitted[hirempire.JobAdded] != 4 || c.Emitted[""] != 1 {
		t.Errorf("counted are %+v of %+v", c.Deliveries, c.Emitted)
	}
	if c.Challenges[""] != 1 || c.Challenges[journal.Altered] != 1 || len(c.Challenges) != 2 {
		t.Errorf("challenges: %v", c.Challenges)
	}
	known := 0
	for status := range 1000 {
		if http.StatusText(status) != "" {
			known++
		}
	}
	if c.Calls[journal.CallCount{Operation: hirempire.CreateWebhook, Status: 200, AnsweredBy: "success"}] != 1 || len(c.Calls) != known+3 ||
		c.Calls[journal.CallCount{Status: -1, AnsweredBy: "fault"}] != uint64(1000-known-1) {
		t.Errorf("%d kinds of calls: %v", len(c.Calls), c.Calls)
	}
	if c.Attempts.Count != 4 || c.Attempts.Within[0] != 4 {
		t.Errorf("attempts: %+v", c.Attempts)
	}
	for i := range 10_000 {
		j.Called(journal.Call{AnsweredBy: fmt.Sprint(i)})
	}
	if n := len(j.Counters().Calls); n > 2001 {
		t.Errorf("%d kinds of calls are counted", n)
	}
}

// What it costs to record something, followed by so many.
func BenchmarkCalled(b *testing.B) {
	for _, readers := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("%d readers", readers), func(b *testing.B) {
			j := journal.New(journal.Limits{})
			var all sync.WaitGroup
			ctx, cancel := context.WithCancel(b.Context())
			for range readers {
				s := follow(b, j, journal.StreamFilter{})
				all.Go(func() {
					for ctx.Err() == nil {
						notices, _ := s.Next(ctx) // gaps included
						for _, n := range notices {
							n.Encoded(func(*journal.Notice, any) []byte { return nil })
						}
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				j.Called(journal.Call{Workspace: "a", Operation: hirempire.CreateWebhook, Status: 200, AnsweredBy: "success"})
			}
			b.StopTimer()
			cancel()
			all.Wait()
		})
	}
}
