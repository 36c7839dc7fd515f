//go:build unix

package deliver

import (
	"net"
	"syscall"
)

// canLook says that readable can tell.
const canLook = true

// readable reports whether a connection that nobody reads from has something to read,
// which may be its end, and does not wait for that. What it finds is lost.
func readable(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		silent = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err != nil || !silent
}
