package emulatortest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// network connects the emulator, its clients and its consumers in memory. Its
// addresses are names without a port.
type network struct {
	mu        sync.Mutex
	listening map[string]*listener
	consumers int
}

func newNetwork() *network { return &network{listening: map[string]*listener{}} }

// name returns one that no consumer has yet.
func (n *network) name() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.consumers++
	return fmt.Sprintf("consumer-%d", n.consumers)
}

func (n *network) listen(_ context.Context, _, name string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listening[name] != nil {
		return nil, &net.OpError{Op: "listen", Net: "memory", Addr: address(name), Err: errors.New("the name is taken")}
	}
	l := &listener{network: n, name: name, arriving: make(chan net.Conn), closed: make(chan struct{})}
	n.listening[name] = l
	return l, nil
}

func (n *network) dial(ctx context.Context, _, to string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(to)
	if err != nil {
		name = to
	}
	n.mu.Lock()
	l := n.listening[name]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "memory", Addr: address(name), Err: errors.New("nobody listens there")}
	if l == nil {
		return nil, refused
	}
	ours, theirs := pair(address("client"), address(name))
	select {
	case l.arriving <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

type listener struct {
	network  *network
	name     string
	arriving chan net.Conn
	closing  sync.Once
	closed   chan struct{}
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arriving:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener, and gives its name back.
func (l *listener) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.listening, l.name)
	})
	return nil
}

// Addr returns the name.
func (l *listener) Addr() net.Addr { return address(l.name) }

// address is the name of a listener.
type address string

// Network is memory.
func (address) Network() string { return "memory" }

// String returns the name.
func (a address) String() string { return string(a) }

// conn is one end of a connection. It has two pipes and not one, so that each
// direction can end by itself, as half_close wants it.
type conn struct {
	net.Conn      // for reading, and its deadline
	out           net.Conn
	local, remote net.Addr
}

func pair(client, server net.Addr) (ours, theirs net.Conn) {
	in, answers := net.Pipe()
	asked, out := net.Pipe()
	return &conn{in, out, client, server}, &conn{asked, answers, server, client}
}

func (c *conn) Write(b []byte) (int, error) { return c.out.Write(b) }

// CloseWrite tells the other end that nothing more will come.
func (c *conn) CloseWrite() error { return c.out.Close() }

// Close ends both directions.
func (c *conn) Close() error { return errors.Join(c.out.Close(), c.Conn.Close()) }

// SetDeadline is about both directions.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetWriteDeadline is about what goes out.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.out.SetWriteDeadline(t) }

// LocalAddr returns the name of this end.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the name of the other end.
func (c *conn) RemoteAddr() net.Addr { return c.remote }
