package api

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// describe says in the journal which fault answered.
func describe(f workspace.Fault) string {
	return fmt.Sprintf("the armed fault %s: %s; %d more times", f.ID, f, f.Times)
}

// allowTime lets a call last as long as its fault makes it: longer than the server
// allows others.
func allowTime(w http.ResponseWriter, f workspace.Fault) {
	most := f.Delay + 5*time.Minute
	if f.Challenge != nil {
		most += f.Challenge.Delay
	}
	_ = http.NewResponseController(w).SetWriteDeadline(clock.Real{}.Now().Add(most))
}

// cut ends the connection of a request instead of answering it.
func cut(w http.ResponseWriter, how string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // as under HTTP/2, where the stream is reset
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == "reset" {
		_ = tcp.SetLinger(0) // what is closed with unsent data pending is reset
	}
	_ = conn.Close()
}
