package deliver

import "net"

// DefaultDialer is what opens connections where the configuration has no Dial.
func DefaultDialer() *net.Dialer { return newDialer() }

// ErrForbidden is the error of a dial to an address that is never called.
var ErrForbidden = errForbidden

// Resting returns how many workers have nothing to do, and how many of them are kept.
func (d *Deliverer) Resting() (resting, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.resting), maxResting
}

// Clip returns the first bytes of a text.
func Clip(s string, n int) string { return clip(s, n) }
