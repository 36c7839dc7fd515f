package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A StreamFilter selects what a stream tells. Empty fields match everything.
type StreamFilter struct {
	// Kinds are request, challenge, delivery, webhook, webhook_deleted, run and reset.
	// A gap is told always.
	Kinds []string
	Event string // of deliveries, and nothing else then
	// Since is the position after which the stream begins, such as next of a list or
	// [StreamEvent.Position]; nil: now.
	Since *uint64
}

// A StreamEvent says that something happened.
type StreamEvent struct {
	// Position is where the stream stands behind it. Those of the lists are the same.
	Position uint64
	// Kind is one of [StreamFilter], or gap.
	Kind string
	Data json.RawMessage // what the lists show of it, as it was then
}

// Decode decodes the data: of a request into a [Request], of a challenge into a
// [Challenge], of a delivery into a [Delivery], of a webhook or webhook_deleted
// into a [Webhook], of a run into a [Run], of a reset into a [Reset], of a gap into
// a [Gap].
func (e StreamEvent) Decode(into any) error { return json.Unmarshal(e.Data, into) }

// A Reset is a reset of one workspace, or of all.
type Reset struct {
	Workspace string `json:"workspace"` // empty: all
}

// A Gap is something that a stream did not tell.
type Gap struct {
	// Missed is how many events of all kinds and workspaces; nil: unknown, for the
	// emulator is another one than that of the position.
	Missed *uint64 `json:"missed"`
	Cut    bool    `json:"cut"` // the reader was too slow; the stream goes on by itself
}

// A Stream tells what happens in an emulator. It belongs to one goroutine, and has
// to be closed.
type Stream struct {
	client   *Client
	query    url.Values
	ctx      context.Context
	cancel   context.CancelFunc
	body     io.ReadCloser
	lines    *bufio.Reader
	position *uint64 // up to which it has come
	told     bool    // something since it connected
}

// Follow begins to follow what happens with the token of [Client.For], or in all
// workspaces, and returns once the stream is open: what happens from then on is on
// it. It ends with the context.
func (c *Client) Follow(ctx context.Context, f StreamFilter) (*Stream, error) {
	s := &Stream{client: c, query: given("kind", strings.Join(f.Kinds, ","), "event", f.Event), position: f.Since}
	s.ctx, s.cancel = context.WithCancel(ctx)
	err := s.connect()
	if err == nil {
		// The first block says where the stream stands, so that it can be resumed
		// before anything happened.
		if _, err = s.block(); err == nil {
			return s, nil
		}
		s.body.Close()
	}
	s.cancel()
	return nil, err
}

func (s *Stream) connect() error {
	header := http.Header{"Accept": {"text/event-stream"}}
	if s.position != nil {
		header.Set("Last-Event-ID", strconv.FormatUint(*s.position, 10))
	}
	res, err := s.client.open(s.ctx, http.MethodGet, "/stream", s.query, nil, header)
	if err != nil {
		return err
	}
	s.body, s.lines, s.told = res.Body, bufio.NewReader(res.Body), false
	return nil
}

// Next returns what happens next. Where the connection breaks off it goes on at the
// same place, without loss or repetition. The error is that of an emulator that
// cannot be reached again, or the cause of the context's end.
func (s *Stream) Next() (StreamEvent, error) {
	for {
		e, err := s.block()
		switch {
		case err == nil && e.Kind != "":
			s.told = true
			return e, nil
		case err == nil:
			continue // it only lives
		}
		s.body.Close()
		if !s.told { // as a browser does
			pause, cancel := context.WithTimeout(s.ctx, time.Second)
			<-pause.Done()
			cancel()
		}
		if s.ctx.Err() == nil {
			err = s.connect()
		}
		if s.ctx.Err() != nil {
			err = context.Cause(s.ctx)
		}
		if err != nil {
			return StreamEvent{}, err
		}
	}
}

// block reads up to an empty line. What breaks off before is told again.
func (s *Stream) block() (StreamEvent, error) {
	var e StreamEvent
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil {
			return e, err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case len(line) == 0:
			s.position = &e.Position
			return e, nil
		case string(name) == "id": // each block has one
			if e.Position, err = strconv.ParseUint(string(value), 10, 64); err != nil {
				return e, fmt.Errorf("the stream has an id that is no position: %q", value)
			}
		case string(name) == "event":
			e.Kind = string(value)
		case string(name) == "data":
			e.Data = value
		}
	}
}

// Close ends the stream.
func (s *Stream) Close() {
	s.cancel()
	s.body.Close()
}
