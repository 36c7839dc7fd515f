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

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // nil: it carries a request
	waiting list.List                  // of those that carry none, the longest first
	shed    uint64
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}}
}

// changed is what [http.Server.ConnState] calls.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.open[conn]
	if at != nil {
		c.waiting.Remove(at)
	}
	switch {
	case state == http.StateNew, known && state == http.StateIdle:
		c.open[conn] = c.waiting.PushBack(conn)
	case known && state == http.StateActive:
		c.open[conn] = nil
	default: // over, or was shed
		delete(c.open, conn)
	}
	if len(c.open) > c.most && c.waiting.Len() > 0 {
		longest := c.waiting.Remove(c.waiting.Front()).(net.Conn)
		delete(c.open, longest)
		c.shed++
		if encrypted, ok := longest.(*tls.Conn); ok {
			longest = encrypted.NetConn() // which takes no time for a farewell
		}
		_ = longest.Close()
	}
}

// madeRoom returns how many connections did.
func (c *connections) madeRoom() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shed
}
