package emulatortest

import "time"

// Impatient returns the same server, which waits for as good as nothing.
func (s *Server) Impatient() *Server {
	of := *s
	of.timeout = 10 * time.Millisecond
	return &of
}
