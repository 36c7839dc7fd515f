package deliver

import "net"

// DefaultDialer is what opens connections where the configuration has no Dial.
func DefaultDialer() *net.Dialer { return newDialer() }

// ErrForbidden is the error of a dial to an address that is never called.
var ErrForbidden = errForbidden
