package consumer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

// maxHead is the size of the largest head of a request that is read.
const maxHead = 1 << 20

// Serve is a bad consumer of the given kind until the context ends or the
// listener fails, and returns when it has closed the listener and every connection. It
// tells of each arrival before it misbehaves; arrivals may come at the same time.
// Pauses are taken on the clock.
func Serve(ctx context.Context, l net.Listener, kind Kind, c clock.Clock, tell func(Arrival)) error {
	s := &server{kind: kind, clock: c, tell: tell}
	if kind.certificate != nil {
		certificate, err := kind.certificate(c.Now())
		if err != nil {
			return errors.Join(err, l.Close())
		}
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	}
	if kind.handshake != nil {
		kind.handshake(s.tls)
	}
	var conns sync.WaitGroup
	defer conns.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(inner, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return errors.Join(err, l.Close())
		}
		conns.Go(func() { s.serve(inner, conn) })
	}
}

// server is what the connections of a bad consumer share.
type server struct {
	kind  Kind
	tls   *tls.Config // nil: it speaks none
	clock clock.Clock
	tell  func(Arrival)

	mu     sync.Mutex
	events int       // that have arrived
	first  time.Time // when the first one did
}

// arrived counts an event. It returns the event's number, from 1, and how long
// the first one is past.
func (s *server) arrived() (int, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if s.events++; s.events == 1 {
		s.first = now
	}
	return s.events, now.Sub(s.first)
}

// serve answers the requests of a connection, until its kind or the peer ends it.
func (s *server) serve(ctx context.Context, raw net.Conn) {
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // which ends whatever hangs
	defer stop()
	x := &exchange{ctx: ctx, clock: s.clock, raw: raw, conn: raw}
	if s.kind.connected != nil {
		s.kind.connected(x)
		return
	}
	if s.tls != nil {
		x.conn = tls.Server(raw, s.tls)
		defer x.conn.Close()
	}
	limit := &io.LimitedReader{R: x.conn}
	x.in = bufio.NewReader(limit)
	if s.kind.unread {
		x.in = bufio.NewReaderSize(limit, 16) // what is not read must stay on the wire
	}
	for {
		limit.N = maxHead + maxBytes
		isChallenge, err := s.read(x)
		if err != nil {
			if s.kind.misread != "" && !errors.Is(err, io.EOF) {
				x.send(s.kind.misread)
			}
			return
		}
		behave := s.kind.event
		if isChallenge {
			behave = s.kind.challenge
		} else {
			x.number, x.since = s.arrived()
		}
		if !behave(x) {
			return
		}
	}
}

// challengePrefix is how the body of a challenge begins.
const challengePrefix = `{"challenge"`

// read reads a request and tells of it. A kind that leaves events unread reads
// just enough to know that it is no challenge.
func (s *server) read(x *exchange) (isChallenge bool, err error) {
	req, err := http.ReadRequest(x.in)
	if err != nil {
		return false, err
	}
	// The body is not closed, for that would read it to its end.
	var body []byte
	if s.kind.unread {
		body = make([]byte, len(challengePrefix))
		n, err := io.ReadFull(req.Body, body)
		if body = body[:n]; err != nil || string(body) != challengePrefix {
			s.tell(Arrival{Body: body})
			return false, nil
		}
	}
	rest, err := io.ReadAll(io.LimitReader(req.Body, maxBytes))
	if err != nil {
		return false, err
	}
	a, isChallenge, _ := understand(append(body, rest...))
	x.challenge = a.Challenge
	s.tell(a)
	return isChallenge, nil
}

// An exchange is a request, and what a kind can do about it.
type exchange struct {
	ctx       context.Context
	clock     clock.Clock
	raw, conn net.Conn // conn is raw, or TLS over it
	in        *bufio.Reader
	challenge string        // the value, if it is one
	number    int           // of the event among those of the consumer, from 1
	since     time.Duration // how long the first event is past
}

// A behaviour is what becomes of a request. It returns whether the connection
// is kept for another one.
type behaviour func(x *exchange) (keep bool)

// send writes, and reports whether the peer may still be there.
func (x *exchange) send(text string) bool {
	_, err := io.WriteString(x.conn, text)
	return err == nil
}

// dribble writes a byte each second.
func (x *exchange) dribble(text string) bool {
	for i := range len(text) {
		if !x.send(text[i:i+1]) || !x.pause(time.Second) {
			return false
		}
	}
	return true
}

func (x *exchange) pause(d time.Duration) bool { return x.clock.Sleep(x.ctx, d) == nil }

// hang does nothing until the peer goes away.
func (x *exchange) hang() {
	_, _ = io.Copy(io.Discard, x.conn)
}

// reset makes the connection end with a reset instead of in order.
func (x *exchange) reset() {
	if tcp, ok := x.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = x.raw.Close()
}

// stopSending closes one direction of the connection.
func (x *exchange) stopSending() {
	if half, ok := x.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// whenIdle does something unless a request comes within some time, and returns
// when one can be read.
func (x *exchange) whenIdle(d time.Duration, do func()) {
	ctx, cancel := context.WithCancel(x.ctx)
	defer cancel()
	var peeking sync.WaitGroup
	defer peeking.Wait()
	peeking.Go(func() {
		_, _ = x.in.Peek(1)
		cancel()
	})
	if x.clock.Sleep(ctx, d) == nil {
		do()
	}
}

// says answers, and keeps the connection.
func says(answer string) behaviour {
	return func(x *exchange) bool { return x.send(answer) }
}

// ends sends, and closes the connection.
func ends(text string) behaviour {
	return func(x *exchange) bool {
		x.send(text)
		return false
	}
}

// hangs sends, and then nothing more.
func hangs(text string) behaviour {
	return func(x *exchange) bool {
		if x.send(text) {
			x.hang()
		}
		return false
	}
}

// resets sends, and resets the connection.
func resets(text string) behaviour {
	return func(x *exchange) bool {
		x.send(text)
		x.reset()
		return false
	}
}

// repeats sends a text, and another one for as long as the peer takes it.
func repeats(text, again string) behaviour {
	again = string(bytes.Repeat([]byte(again), max(1, 4096/len(again)))) // fewer calls of the system
	return func(x *exchange) bool {
		for next := text; x.send(next); next = again {
		}
		return false
	}
}
