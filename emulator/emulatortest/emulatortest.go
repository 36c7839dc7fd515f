// Package emulatortest starts emulators for Go tests: one call, and nothing is
// left when the test ends.
package emulatortest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
)

// A Server is an emulator that serves one test. Its methods of [client.Client]
// are about the workspace of Token.
type Server struct {
	*client.Client
	BaseURL string // what stands for https://api.hirempire.com/v1
	Token   string // a valid token of the test's own
}

// shutdownTime is how long deliveries may take to end when the test does.
const shutdownTime = time.Second

// Start starts an emulator on a free port of this machine and stops it with the
// test. It serves the default edition and runs stories at full speed.
func Start(tb testing.TB) *Server {
	tb.Helper()
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", Speed: emulator.MaxSpeed})
	if err == nil {
		err = e.Start(tb.Context())
	}
	if err != nil {
		tb.Fatalf("the emulator did not start: %v", err)
	}
	transport := &http.Transport{}
	tb.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			tb.Errorf("the emulator did not stop: %v", err)
		}
	})
	// Names of tests may hold anything; tokens may not.
	token := "sk-" + strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '-'
		}
		return r
	}, tb.Name())
	token = token[:min(len(token), 500)]
	return &Server{
		Client:  client.New(e.URL(), &http.Client{Transport: transport}).For(token),
		BaseURL: e.URL() + "/v1",
		Token:   token,
	}
}
