package api

import (
	"fmt"
	"net"
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// describe says in the journal which fault answered.
func describe(f workspace.Fault) string {
	what := "delayed by " + f.Delay.String()
	switch {
	case f.Cut != "":
		what = "the connection was cut: " + string(f.Cut)
	case f.Answer != nil && f.Answer.Code != "":
		what = "answered " + f.Answer.Code
	case f.Answer != nil:
		what = fmt.Sprintf("answered %d", f.Answer.Status)
	}
	return fmt.Sprintf("the armed fault %s: %s, %d more times", f.ID, what, f.Times)
}

// cut ends the connection of a request instead of answering it.
func cut(w http.ResponseWriter, how workspace.Cut) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // as under HTTP/2, where the stream is reset
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && how == workspace.CutReset {
		_ = tcp.SetLinger(0) // what is closed with unsent data pending is reset
	}
	_ = conn.Close()
}
