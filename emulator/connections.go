package emulator

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections a server has open. Where one too many
// comes, the one that has waited longest for a request, or for the rest of its
// header, makes room: what carries a request is never cut off.
type connections struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]*list.Element
	// served holds a connection each, which waits unless it is busy: those that wait are
	// in the order in which they began to.
	served list.List
	shed   uint64
}

// A served connection.
type served struct {
	net.Conn
	busy bool // it carries a request
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}}
}

// changed is what [http.Server.ConnState] calls, twice for each request.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.open[conn]
	switch {
	case state == http.StateNew:
		c.open[conn] = c.served.PushBack(&served{Conn: conn})
	case !known: // it was shed
	case state == http.StateActive:
		at.Value.(*served).busy = true
	case state == http.StateIdle:
		at.Value.(*served).busy = false
		c.served.MoveToBack(at)
	default: // over
		c.forget(at)
	}
	if len(c.open) > c.most {
		c.makeRoom()
	}
}

func (c *connections) forget(at *list.Element) {
	delete(c.open, at.Value.(*served).Conn)
	c.served.Remove(at)
}

// makeRoom closes the connection that has waited longest, if any waits.
func (c *connections) makeRoom() {
	at := c.served.Front()
	for at != nil && at.Value.(*served).busy {
		at = at.Next()
	}
	if at == nil {
		return
	}
	longest := at.Value.(*served).Conn
	c.forget(at)
	c.shed++
	if encrypted, ok := longest.(*tls.Conn); ok {
		longest = encrypted.NetConn() // which takes no time for a farewell
	}
	_ = longest.Close()
}

// madeRoom returns how many connections did.
func (c *connections) madeRoom() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shed
}
