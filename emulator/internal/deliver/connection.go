package deliver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

// atOnce is how much of a request every network takes without waiting for who is to
// read it.
const atOnce = 8 << 10

// afterAnswer is how long a request may go on being written when its answer is there
// already, or its connection is not used again.
const afterAnswer = 50 * time.Millisecond

// A connection carries one request at a time. Who sends it writes it and reads the
// answer, both in one goroutine: net/http's transport writes in a second and reads in
// a third, and to wake them takes longer than all the rest of a delivery.
type connection struct {
	net.Conn              // what the request is written to
	wire     *countedConn // what that is carried by
	socket   *net.TCPConn // the same, if it is one that can be looked at; or nil
	to       string       // by which it is kept
	request  bytes.Buffer
	head     io.LimitedReader // bounds the head of an answer
	answer   *bufio.Reader
	used     bool          // for another request before
	since    time.Duration // when it was last used, on the watch of the pool
	heard    chan struct{} // closed when something comes while it is not used; nil: nobody listens
}

// connect opens a connection in the time that is left.
func (c *client) connect(ctx context.Context, to *target, left time.Duration) (*connection, error) {
	if err := refuseForbidden("tcp", to.address, nil); err != nil {
		return nil, err
	}
	// After the attempt, which is to end it and tell why: who dials divides what is
	// left of it among the addresses of a name.
	ctx, cancel := context.WithTimeout(ctx, left+time.Second)
	defer cancel()
	below, err := c.dial(ctx, "tcp", to.address)
	if err != nil {
		return nil, err
	}
	// A dialler of the caller's own resolves names as it likes.
	if at := below.RemoteAddr(); at != nil && refuseForbidden("tcp", at.String(), nil) != nil {
		_ = below.Close()
		return nil, errForbidden
	}
	conn := &connection{to: to.key(), wire: &countedConn{Conn: below, opened: clock.Start()}}
	if conn.Conn = conn.wire; to.scheme == "https" {
		config := c.security.Clone()
		config.ServerName, _, _ = net.SplitHostPort(to.address)
		encrypted := tls.Client(conn.wire, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = below.Close()
			return nil, &handshakeError{err}
		}
		conn.Conn = encrypted
	}
	if socket, ok := below.(*net.TCPConn); ok && canLook {
		conn.socket = socket
	}
	conn.head.R = conn.Conn
	conn.answer = bufio.NewReader(&conn.head)
	return conn, nil
}

// A reply is what came back: a response whose body was read.
type reply struct {
	*http.Response
	body []byte // to MaxAnswerBytes and one more
	cut  error  // why it ended early
}

// last reports whether no other may come on its connection.
func (r *reply) last() bool {
	// After an upgrade it is spoken otherwise, and what was not read is in the way.
	return r.Close || r.StatusCode == http.StatusSwitchingProtocols || r.cut != nil || len(r.body) > MaxAnswerBytes
}

// roundTrip makes a request, on a connection of its own if that is to be disturbed.
func (c *client) roundTrip(ctx context.Context, r *request, to *target, h *headers, left time.Duration, wire *sent) (*reply, error) {
	var conn *connection
	if r.wire == "" {
		conn = c.kept.take(to.key())
	}
	if conn == nil {
		var err error
		if conn, err = c.connect(ctx, to, left); err != nil {
			return nil, err
		}
	}
	end := func() { _ = conn.wire.Close() }
	var d *disturbance
	if r.wire != "" {
		disturbed, cancel := context.WithCancel(ctx)
		d = &disturbance{ctx: disturbed, wire: r.wire, rate: r.rate, length: len(r.body)}
		conn.Conn = &disturbedConn{Conn: conn.Conn, disturbance: d}
		end = func() {
			cancel()
			_ = conn.wire.Close()
		}
	}
	attended := context.AfterFunc(ctx, end) // who ends the attempt ends what it waits for
	wire.conn, wire.before = conn, conn.wire.written.Load()
	conn.request.Reset()
	r.write(&conn.request, to, h)
	wrote, failed := conn.send(wire, d != nil)
	re, err := conn.receive(h.unzip, wire)
	wire.after, _ = conn.wire.since()
	if err == nil && re.cut != nil && ctx.Err() != nil {
		re.cut = context.Cause(ctx)
	}
	again := err == nil && d == nil && !h.last && !re.last() && conn.answer.Buffered() == 0
	if wrote != nil {
		if !again {
			end()
		}
		late := clock.After(afterAnswer, end)
		failed = <-wrote
		again = late.Stop() && again // or it ends any moment
	}
	switch text, broken := d.broke(); {
	case attended() && again && failed == nil:
		c.kept.keep(conn)
		return re, nil
	case err == nil:
		conn.close()
		return re, nil
	case broken:
		err = brokenError(text)
	case failed != nil && !wire.onWire():
		err = failed
	}
	end()
	return nil, err
}

// send writes the request. Where that might have to wait for the consumer, who may
// answer before it has read, it goes on meanwhile, and says why it failed later.
func (c *connection) send(wire *sent, disturbed bool) (wrote <-chan error, failed error) {
	send := func() error {
		_, err := c.Write(c.request.Bytes())
		if err != nil && !wire.onWire() { // so that nobody waits for an answer; if some is, there may be one
			_ = c.wire.Close()
		}
		return err
	}
	if c.socket != nil && !disturbed && c.request.Len() <= atOnce {
		return nil, send()
	}
	done := make(chan error, 1)
	go func() { done <- send() }()
	return done, nil
}

// receive reads the answer, after those that are none yet.
func (c *connection) receive(unzip bool, wire *sent) (*reply, error) {
	c.head.N = MaxAnswerBytes
	if _, err := c.answer.Peek(1); err != nil {
		return nil, err
	}
	wire.answered = true
	for {
		res, err := http.ReadResponse(c.answer, nil)
		switch {
		case err != nil && c.head.N <= 0:
			return nil, fmt.Errorf("the answer's headers exceeded %d bytes", MaxAnswerBytes)
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusSwitchingProtocols: // there is no body, and no end of it
			return &reply{Response: res}, nil
		case res.StatusCode < 100 || res.StatusCode > 199:
			c.head.N = math.MaxInt64
			re := &reply{Response: res}
			re.read(unzip)
			return re, nil
		}
	}
}

// read reads what there is of the body, to MaxAnswerBytes and one more.
func (r *reply) read(unzip bool) {
	from := io.Reader(r.Body)
	switch n := r.ContentLength; {
	case unzip && n != 0 && strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip"):
		r.Header.Del("Content-Encoding")
		r.Header.Del("Content-Length")
		zipped, err := gzip.NewReader(r.Body)
		if err == io.EOF {
			return
		}
		if r.cut = err; err != nil {
			return
		}
		from = zipped
	case n >= 0 && n <= MaxAnswerBytes: // which is what most of them say
		r.body = make([]byte, n)
		n, err := io.ReadFull(r.Body, r.body)
		r.body, r.cut = r.body[:n], err
		return
	}
	r.body, r.cut = io.ReadAll(io.LimitReader(from, MaxAnswerBytes+1))
}

// close says farewell, where TLS has one, but waits for nobody who does not listen.
func (c *connection) close() {
	late := clock.After(afterAnswer, func() { _ = c.wire.Close() })
	_ = c.Close()
	late.Stop()
}

// listen notes what comes while a connection is not used that cannot be looked at.
func (c *connection) listen() {
	heard := make(chan struct{}, 1)
	c.heard = heard
	go func() {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			close(heard)
			return
		}
		heard <- struct{}{}
	}()
}

// silent reports whether nothing came since the last answer, neither the end of the
// connection nor what would be taken for the next answer. It does not see what comes
// later, nor the first part of what TLS has not yet read to its end.
func (c *connection) silent() bool {
	if c.socket != nil && readable(c.socket) {
		return false
	}
	if c.Conn == c.wire && c.heard == nil {
		return true
	}
	// Who reads now is woken, and gets what TLS had read with the last answer.
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	silent := false
	if c.heard != nil {
		late := clock.After(afterAnswer, func() { _ = c.wire.Close() }) // or it has no deadlines
		_, silent = <-c.heard
		silent = late.Stop() && silent // or it ends any moment
		c.heard = nil
	} else {
		_, err := c.Read(make([]byte, 1))
		silent = errors.Is(err, os.ErrDeadlineExceeded)
	}
	return silent && c.SetReadDeadline(time.Time{}) == nil
}

// idleTimeout is how long an unused connection is kept: less than any consumer
// is likely to keep it, so that it is us who close it and no request is written
// to a connection that is being closed.
const idleTimeout = 2 * time.Second

// maxIdle is how many connections to one consumer are kept: as many deliveries as
// may be on their way at once, or they would open new ones all the time.
const maxIdle = 1000

// maxBuffer is how much memory for requests a connection keeps.
const maxBuffer = 16 << 10

// A pool keeps connections that are not used.
type pool struct {
	watch clock.Stopwatch

	mu     sync.Mutex
	idle   map[string][]*connection // by where they lead; the one used last is the last
	sweeps *time.Timer              // closes those that were not used for long; nil: there are none
	closed bool
}

// take returns a connection that was used before and may be used again; nil: there
// is none.
func (p *pool) take(to string) *connection {
	for {
		p.mu.Lock()
		kept := p.idle[to]
		if len(kept) == 0 {
			p.mu.Unlock()
			return nil
		}
		c := kept[len(kept)-1]
		kept[len(kept)-1] = nil
		p.idle[to] = kept[:len(kept)-1]
		p.mu.Unlock()
		if c.silent() {
			c.used = true
			return c
		}
		c.close()
	}
}

// keep takes a connection whose request was answered.
func (p *pool) keep(c *connection) {
	if c.request.Cap() > maxBuffer {
		c.request = bytes.Buffer{}
	}
	if c.socket == nil {
		c.listen()
	}
	p.mu.Lock()
	if p.closed || len(p.idle[c.to]) >= maxIdle {
		p.mu.Unlock()
		c.close()
		return
	}
	defer p.mu.Unlock()
	c.since = p.watch.Elapsed()
	p.idle[c.to] = append(p.idle[c.to], c)
	if p.sweeps == nil {
		p.sweeps = clock.After(idleTimeout, p.sweep)
	}
}

// sweep closes what was not used for long, and comes again when it is time for more.
func (p *pool) sweep() {
	var old []*connection
	defer func() { // without the lock
		for _, c := range old {
			c.close()
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	now, next := p.watch.Elapsed(), time.Duration(-1)
	for to, kept := range p.idle {
		for len(kept) > 0 && kept[0].since+idleTimeout <= now {
			old = append(old, kept[0])
			kept[0] = nil
			kept = kept[1:]
		}
		if p.idle[to] = kept; len(kept) == 0 {
			delete(p.idle, to)
		} else if due := kept[0].since + idleTimeout - now; next < 0 || due < next {
			next = due
		}
	}
	if next < 0 {
		p.sweeps = nil
	} else {
		p.sweeps.Reset(next)
	}
}

// close closes what is kept, and what would be.
func (p *pool) close() {
	p.mu.Lock()
	all := p.idle
	p.idle, p.closed = map[string][]*connection{}, true
	if p.sweeps != nil {
		p.sweeps.Stop()
		p.sweeps = nil
	}
	p.mu.Unlock()
	for _, kept := range all {
		for _, c := range kept {
			c.close()
		}
	}
}
