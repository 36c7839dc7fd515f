package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A brokenError says how we broke a connection on purpose.
type brokenError string

// Error returns the sentence.
func (e brokenError) Error() string { return string(e) }

// disturbance is what happens to the connection of one request.
type disturbance struct {
	ctx    context.Context
	wire   scenario.Wire
	rate   int
	length int // of the body

	mu     sync.Mutex
	broken string // how we broke it
}

func (d *disturbance) broke() (string, bool) {
	if d == nil {
		return "", false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken, d.broken != ""
}

// disturbedConn carries the head of one request as it is and disturbs its body.
// Only one goroutine writes to a connection.
type disturbedConn struct {
	net.Conn
	*disturbance
	head []byte // the last bytes of the head, until its end was seen
	body bool   // the head has ended
	sent int    // bytes of the body
	// watch runs since the head has ended.
	watch clock.Stopwatch
}

var endOfHead = []byte("\r\n\r\n")

func (c *disturbedConn) Write(b []byte) (int, error) {
	n := 0
	if !c.body {
		// The end of the head may have come in two parts.
		seen := append(c.head, b...)
		n = len(b)
		if i := bytes.Index(seen, endOfHead); i >= 0 {
			n = i + len(endOfHead) - len(c.head)
			c.body, c.watch = true, clock.Start()
		} else {
			c.head = bytes.Clone(seen[max(0, len(seen)-len(endOfHead)+1):])
		}
		if written, err := c.Conn.Write(b[:n]); err != nil || !c.body {
			return written, err
		}
	}
	written, err := c.disturb(b[n:])
	c.sent += written
	if err == nil && c.wire == scenario.HalfClose && c.sent == c.length {
		c.closeWrite()
	}
	return n + written, err
}

// disturb writes a part of the body.
func (c *disturbedConn) disturb(b []byte) (int, error) {
	switch c.wire {
	case scenario.Slow:
		return c.crawl(b)
	case scenario.Reset:
		half := c.length / 2
		if c.sent+len(b) <= half && half > 0 {
			return c.Conn.Write(b)
		}
		n, _ := c.Conn.Write(b[:max(0, half-c.sent)])
		c.mu.Lock()
		c.broken = fmt.Sprintf("the connection was reset on purpose after %d of %d bytes of the body were written", half, c.length)
		c.mu.Unlock()
		reset(c.Conn)
		return n, brokenError(c.broken)
	default:
		return c.Conn.Write(b)
	}
}

// crawl writes so many bytes a second, in real time as every time-out, in pieces
// of at least one byte and about a hundred a second. Each has its time since the
// head, or a timer that is a bit late every time would use up the time-out.
func (c *disturbedConn) crawl(b []byte) (int, error) {
	piece := max(1, c.rate/100)
	for n := 0; n < len(b); {
		end := min(n+piece, len(b))
		due := time.Duration(float64(c.sent+end) / float64(c.rate) * float64(time.Second))
		if err := (clock.Real{}).Sleep(c.ctx, due-c.watch.Elapsed()); err != nil {
			return n, err
		}
		written, err := c.Conn.Write(b[n:end])
		if n += written; err != nil {
			return n, err
		}
	}
	return len(b), nil
}

// closeWrite tells the consumer that nothing more will come. A consumer that has
// answered and closed already need not be told.
func (c *disturbedConn) closeWrite() {
	conn := c.Conn
	if encrypted, ok := conn.(*tls.Conn); ok {
		_ = encrypted.CloseWrite()
		conn = encrypted.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		conn = counted.Conn
	}
	// A connection in memory may have no halves.
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// reset ends a connection so that the consumer gets an error rather than an end.
// What was written and has not left this machine yet is lost, as in a crash: that
// is none of a body that fits in the network's first window.
func reset(conn net.Conn) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		conn = counted.Conn
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // what is closed with unsent data pending is reset
	}
	_ = conn.Close()
}
