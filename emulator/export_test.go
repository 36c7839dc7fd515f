package emulator

import "net"

// ServeOn serves what comes to the listeners as Start does what comes to its
// addresses; secure may be nil.
func (e *Emulator) ServeOn(plain, secure net.Listener) {
	e.server, e.stop, e.phase = e.newServer(), func(error) {}, started
	e.serving.Go(func() { _ = e.server.Serve(plain) })
	if secure != nil {
		e.serving.Go(func() { _ = e.server.ServeTLS(secure, "", "") })
	}
	e.ready.Store(true)
}

// Connections returns how many connections are open, and how many were shed.
func (e *Emulator) Connections() (open int, shed uint64) {
	e.connections.mu.Lock()
	defer e.connections.mu.Unlock()
	return len(e.connections.open), e.connections.shed
}
