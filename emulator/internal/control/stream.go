package control

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// What a stream takes its time for, on the machine's clock.
const (
	// keepAlive is after how long without an event a stream says that it lives, so
	// that no proxy takes it for dead.
	keepAlive = 15 * time.Second
	// patience is how long one write of a stream may take before it is cut off.
	patience = 10 * time.Second
)

// reconnect is what a browser does by itself when a stream ends, and after how long.
const reconnect = "retry: 1000\n"

// stream shows what happens, as server-sent events.
func (s *server) stream(r *request) (answer, error) {
	id, err := s.named(r, nil)
	since, sinceErr := s.resumed(r)
	kinds, kindErr := kindsOf(r.query("kind"))
	filter := journal.StreamFilter{Workspace: id, Kinds: kinds, Event: hirempire.Event(r.query("event"))}
	switch err := errors.Join(err, sinceErr, kindErr, r.queried()); {
	case err != nil:
		return answer{}, err
	case filter.Event != "" && !filter.Event.Valid():
		return answer{}, badRequest("event=%s: no such event, known: %s", quoted(string(filter.Event)), join(hirempire.Events()))
	case !acceptsEvents(r.Header.Values("Accept")):
		return answer{}, fail(http.StatusNotAcceptable, "not-acceptable", "the stream is text/event-stream, which the request does not accept")
	}
	if r.Method == http.MethodHead {
		return answer{follow: func() { streamHeader(r.writer) }}, nil
	}
	follower, err := s.Journal.Follow(filter, since)
	switch {
	case errors.Is(err, journal.ErrStreams):
		r.writer.Header().Set("Retry-After", "1")
		return answer{}, fail(http.StatusServiceUnavailable, "too-many-streams", err.Error()+": close one, or allow more")
	case err != nil:
		return answer{}, fail(http.StatusServiceUnavailable, "shutdown", "the emulator is shutting down")
	}
	return answer{follow: func() {
		defer follower.Close()
		out := newOutlet(r)
		defer out.close()
		streamHeader(r.writer)
		s.follow(r.Context(), follower, out)
	}}, nil
}

func streamHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // of an nginx between
	w.WriteHeader(http.StatusOK)
}

// resumed returns the position after which a stream goes on; nil: it begins now. A
// browser that reconnects repeats the URL: its header is newer.
func (s *server) resumed(r *request) (*uint64, error) {
	since, err := r.number("since", 0, 0, 1<<62)
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		if since, err = strconv.ParseUint(text, 10, 62); err != nil {
			return nil, badRequest("Last-Event-ID: %s is no id that this stream gives", quoted(text))
		}
		return &since, nil
	}
	if err != nil || !r.URL.Query().Has("since") {
		return nil, err
	}
	return &since, nil
}

func kindsOf(text string) ([]journal.Kind, error) {
	if text == "" {
		return nil, nil
	}
	var kinds []journal.Kind
	for word := range strings.SplitSeq(text, ",") {
		kind := journal.Kind(strings.TrimSpace(word))
		if !slices.Contains(journal.Kinds(), kind) {
			return nil, badRequest("kind=%s: no such kind, known, and to be joined by commas: %s", quoted(string(kind)), join(journal.Kinds()))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// acceptsEvents reports whether Accept headers, if there are any, take a stream.
func acceptsEvents(accept []string) bool {
	for _, one := range accept {
		for part := range strings.SplitSeq(one, ",") {
			kind, params, err := mime.ParseMediaType(part)
			if err != nil || kind != "*/*" && kind != "text/*" && kind != "text/event-stream" {
				continue
			}
			if q, err := strconv.ParseFloat(params["q"], 64); err != nil || q > 0 {
				return true
			}
		}
	}
	return len(accept) == 0
}

// follow writes what happens until the client, the emulator, or the client's
// slowness ends it.
func (s *server) follow(ctx context.Context, follower *journal.Stream, out *outlet) {
	if !out.write([]byte(reconnect + eventID(follower.Position()) + "\n")) {
		return
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, keepAlive)
		notices, err := follower.Next(waiting)
		cancel()
		gap, missed := errors.AsType[*journal.Gap](err)
		switch {
		case missed:
			// Whoever is too slow gets nothing more here: it comes back when it can.
			if !out.write(gapEvent(gap, follower.Position())) || gap.Slow {
				return
			}
		case ctx.Err() != nil || errors.Is(err, journal.ErrEnded):
			return
		case err != nil:
			// With the id, so that who hears little does not come back to a gap.
			if !out.write([]byte(": keep-alive\n" + eventID(follower.Position()) + "\n")) {
				return
			}
		}
		for _, n := range notices {
			if !out.write(n.Encoded(s.encode)) {
				return
			}
		}
	}
}

func eventID(position uint64) string { return "id: " + strconv.FormatUint(position, 10) + "\n" }

// gapEvent says what is missing before the next event.
func gapEvent(gap *journal.Gap, position uint64) []byte {
	told := struct {
		Missed *uint64 `json:"missed"` // null: unknown
		Cut    bool    `json:"cut"`    // the stream ends here
	}{Cut: gap.Slow}
	if gap.Missed > 0 {
		told.Missed = &gap.Missed
	}
	return event(position, "gap", told)
}

// encode writes a notice as an event, with what the lists show of its subject.
func (s *server) encode(n *journal.Notice, subject any) []byte {
	if hook, ok := subject.(workspace.Webhook); ok {
		view := s.viewWebhook(n.Workspace, hook)
		view.Challenge = nil // which has an event of its own
		subject = view
	}
	return event(n.Position, string(n.Kind), subject)
}

// event is JSON on one line: no line of a payload becomes one of the stream.
func event(position uint64, kind string, data any) []byte {
	var b bytes.Buffer
	b.WriteString(eventID(position) + "event: " + kind + "\ndata: ")
	b.Write(marshal(data))
	b.WriteString("\n\n")
	return b.Bytes()
}

// An outlet writes to a client that may not read. Each write has a deadline, and
// none that is under way outlives the request.
type outlet struct {
	w  http.ResponseWriter
	rc *http.ResponseController

	mu    sync.Mutex
	ended bool

	stop  func() bool
	ender chan struct{} // closed when the deadline was passed by the end of the request
}

func newOutlet(r *request) *outlet {
	o := &outlet{w: r.writer, rc: http.NewResponseController(r.writer), ender: make(chan struct{})}
	// The server's deadlines are for requests that are answered at once.
	_ = o.rc.SetReadDeadline(time.Time{})
	o.stop = context.AfterFunc(r.Context(), func() {
		defer close(o.ender)
		o.deadline(clock.Real{}.Now(), true)
	})
	return o
}

// close is called before the handler returns, after which the writer is not to be
// touched.
func (o *outlet) close() {
	o.deadline(clock.Real{}.Now().Add(patience), false) // for the end of the answer
	if !o.stop() {
		<-o.ender
	}
}

func (o *outlet) deadline(at time.Time, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.ended = last
		_ = o.rc.SetWriteDeadline(at)
	}
}

// write writes all of b at once, and reports whether there is any use in going on.
// Between writes there is no deadline: in HTTP/2 one that passes ends the stream.
func (o *outlet) write(b []byte) bool {
	o.deadline(clock.Real{}.Now().Add(patience), false)
	_, err := o.w.Write(b)
	if err == nil {
		err = o.rc.Flush()
	}
	o.deadline(time.Time{}, false)
	return err == nil
}
