package journal

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Kind says what a [Notice] is about.
type Kind string

// The kinds of notices.
const (
	OfRequest   Kind = "request"         // of a [Call] that was answered
	OfChallenge Kind = "challenge"       // of a [Challenge] that has ended
	OfDelivery  Kind = "delivery"        // of a [Delivery], each time that it changed
	OfWebhook   Kind = "webhook"         // of one that was registered or changed
	OfDeletion  Kind = "webhook_deleted" // of one that was
	OfRun       Kind = "run"             // of one that began or has ended
	OfReset     Kind = "reset"           // of a [Reset]
)

// Kinds lists the kinds of notices.
func Kinds() []Kind {
	return []Kind{OfRequest, OfChallenge, OfDelivery, OfWebhook, OfDeletion, OfRun, OfReset}
}

// A Reset is what a notice of that kind says.
type Reset struct {
	Workspace string `json:"workspace,omitempty"` // empty: all
}

// A Notice says that something happened. It is the same for all streams.
type Notice struct {
	Position  uint64
	Kind      Kind
	Workspace string
	event     hirempire.Event // of a delivery
	cost      int
	encoding  sync.Once
	subject   any // as it was then; nil once it is encoded
	encoded   []byte
}

// Encoded returns what encode makes of the notice and its subject, made once for
// all streams: with a hundred of them nothing else would matter.
func (n *Notice) Encoded(encode func(n *Notice, subject any) []byte) []byte {
	n.encoding.Do(func() { n.encoded, n.subject = encode(n, n.subject), nil })
	return n.encoded
}

// ErrStreams is returned where as many streams are followed as may be.
var ErrStreams = errors.New("too many streams are followed")

// ErrEnded is returned by streams after [Journal.EndStreams].
var ErrEnded = errors.New("the stream has ended")

// A Gap is the error of a stream that misses something, which made room for newer
// notices. It goes on behind the gap.
type Gap struct {
	// Missed is how many notices, of all kinds and workspaces. Zero: unknown, for
	// the position is none of this journal.
	Missed uint64
	// Slow tells a stream that did not keep up from one that began too late.
	Slow bool
}

func (g *Gap) Error() string { return "notices were missed" }

// A StreamFilter selects notices. Empty fields match everything.
type StreamFilter struct {
	Workspace string
	Kinds     []Kind
	Event     hirempire.Event // of deliveries, and nothing else then
}

func (f StreamFilter) matches(n *Notice) bool {
	// A reset of all is one of each.
	return (f.Workspace == "" || f.Workspace == n.Workspace || n.Kind == OfReset && n.Workspace == "") &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, n.Kind)) &&
		(f.Event == "" || f.Event == n.event)
}

// feed is the latest notices. Streams are positions in it: who publishes does the
// same for any number of them, and a slow one holds nothing but its place.
//
// Its lock is taken inside that of the journal, and held for moments only.
type feed struct {
	mu      sync.Mutex
	kept    []*Notice // oldest first, their positions without a hole
	last    uint64    // the position of the newest that there was
	bytes   int
	limit   int  // while anybody followed
	ever    bool // somebody did
	streams int
	most    int
	gaps    uint64 // that streams were told of
	ended   bool
	news    chan struct{} // closed when there is more; nil: nobody waits
	// pumped has room for one: that there is news for the pump, which wakes the
	// streams, so that it is not done with the journal's lock held. Nil: no streams.
	pumped chan struct{}
}

// publish gives the next position to something that happened. It is called with
// the journal's lock held.
func (j *Journal) publish(kind Kind, workspace string, event hirempire.Event, cost int, subject any) uint64 {
	j.seq++
	j.feed.add(&Notice{Position: j.seq, Kind: kind, Workspace: workspace, event: event, cost: 128 + cost, subject: subject})
	return j.seq
}

// changed publishes a delivery as it stands.
func (j *Journal) changed(d *Delivery) uint64 {
	return j.publish(OfDelivery, d.Workspace, d.Event, d.cost, d)
}

// Announce tells the streams of something that the journal does not keep: a
// webhook or a run. The subject is not changed any more; cost is its size in
// bytes, about.
func (j *Journal) Announce(kind Kind, workspace string, cost int, subject any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.publish(kind, workspace, "", cost, subject)
}

// unfollowed is how many bytes are kept before anybody follows: enough for who reads
// a list and goes on where it ends.
const unfollowed = 256 << 10

func (f *feed) add(n *Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = n.Position
	if f.ended {
		return
	}
	f.kept = append(f.kept, n)
	f.bytes += n.cost
	limit := f.limit
	if !f.ever {
		limit = min(limit, unfollowed)
	}
	for f.bytes > limit && len(f.kept) > 1 {
		f.bytes -= f.kept[0].cost
		f.kept[0] = nil // the array outlives it
		f.kept = f.kept[1:]
	}
	select {
	case f.pumped <- struct{}{}:
	default: // nobody follows, or the pump knows already
	}
}

// pump wakes the streams that wait, while there are any streams.
func (f *feed) pump(pumped <-chan struct{}) {
	for range pumped {
		f.mu.Lock()
		news := f.news
		f.news = nil
		f.mu.Unlock()
		if news != nil {
			close(news)
		}
	}
}

// forgotten returns the newest position that is not kept.
func (f *feed) forgotten() uint64 { return f.last - uint64(len(f.kept)) }

// A Stream follows what happens. It belongs to one goroutine, and has to be closed.
type Stream struct {
	feed     *feed
	filter   StreamFilter
	position uint64
	gap      *Gap // it begins behind it; nil: none
}

// Follow returns a stream of what happens from now on or, if since is not nil,
// after that position. The error is [ErrStreams] or [ErrEnded].
func (j *Journal) Follow(filter StreamFilter, since *uint64) (*Stream, error) {
	f := &j.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, ErrEnded
	}
	if f.streams >= f.most {
		return nil, ErrStreams
	}
	f.streams++
	f.ever = true
	if f.pumped == nil {
		f.pumped = make(chan struct{}, 1)
		go f.pump(f.pumped)
	}
	s := &Stream{feed: f, filter: filter, position: f.last}
	if since != nil {
		s.position = *since
		switch forgotten := f.forgotten(); {
		case *since > f.last: // of an emulator before this one
			s.position, s.gap = forgotten, &Gap{}
		case *since < forgotten:
			s.position, s.gap = forgotten, &Gap{Missed: forgotten - *since}
		}
	}
	if s.gap != nil {
		f.gaps++
	}
	return s, nil
}

// Position returns up to where the stream has come: a stream that follows from
// there misses nothing and repeats nothing.
func (s *Stream) Position() uint64 { return s.position }

// How much Next looks at and returns at once, so that it holds the lock for
// moments only.
const (
	mostLookedAt = 1024
	mostNotices  = 64
)

// Next returns the next notices that match, once there is one. The error is a
// [*Gap], [ErrEnded], or the cause of the context's end.
func (s *Stream) Next(ctx context.Context) ([]*Notice, error) {
	if gap := s.gap; gap != nil {
		s.gap = nil
		return nil, gap
	}
	for {
		found, news, err := s.look()
		if err != nil || len(found) > 0 {
			return found, err
		}
		if news == nil { // it did not come to the end
			continue
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// look returns the next matching notices or, if it looked at everything, what is
// closed when there is more.
func (s *Stream) look() (found []*Notice, news <-chan struct{}, err error) {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, nil, ErrEnded
	}
	forgotten := f.forgotten()
	if s.position < forgotten {
		missed := forgotten - s.position
		s.position = forgotten
		f.gaps++
		return nil, nil, &Gap{Missed: missed, Slow: true}
	}
	ahead := f.kept[s.position-forgotten:]
	for _, n := range ahead[:min(len(ahead), mostLookedAt)] {
		s.position = n.Position
		if s.filter.matches(n) {
			if found = append(found, n); len(found) == mostNotices {
				break
			}
		}
	}
	if len(found) == 0 && s.position == f.last {
		if f.news == nil {
			f.news = make(chan struct{})
		}
		news = f.news
	}
	return found, news, nil
}

// Close ends the stream. It is not used after that.
func (s *Stream) Close() {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams--; f.streams == 0 && f.pumped != nil {
		close(f.pumped)
		f.pumped = nil
	}
}

// EndStreams ends all streams, and lets none begin.
func (j *Journal) EndStreams() {
	f := &j.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended, f.kept, f.bytes = true, nil, 0
	if f.news != nil {
		close(f.news)
		f.news = nil
	}
}
